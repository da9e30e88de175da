"""Membership comes in here and leaves as events.

    source    what every source of membership offers
    memory    members held in this process, for tests and single-host runs
    static    a fixed list of addresses
    etcd      leases, keep-alive, a watch from a revision, resync

Knows the words lease, revision and watch; knows no engine and no RPC of `wire`. Used by wire, proxy, sim and fleet.
"""

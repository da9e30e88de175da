"""Membership comes in here and leaves as events.

    source         what every source of membership offers; story tells it to each listener, and that contact is lost;
                   joint makes one of several; roll turns list after list into what has changed
    memory         members held in this process, for tests and single-host runs
    static         a fixed list of addresses
    dns            what a name stands for, resolved again and again
    k8s            the EndpointSlices of a service, listed and watched: k8s_client; slices folds them into events
    etcd           a snapshot and a watch; resync whenever they may not fit together; etcd_keys folds them into events
    registration   one member's keys kept alive under a lease
    member         the record of a member, and the keys records are kept under
    layouts        whose keys name the endpoints: those of member, or those of grpc_go, or both
    etcd_client    the calls to etcd, over several endpoints, each try with a deadline: etcd_settings, etcd_messages

Knows the words lease, revision and watch; knows no engine and no RPC of `wire`. Used by wire, proxy, sim and fleet.
"""

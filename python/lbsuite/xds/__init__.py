"""The rosters of a balancer as xDS: `xds:///SERVICE` in any gRPC client, and Envoy, follow it without a change to them.

    door          the ADS server that `lb --xds-port` opens
    settings      what it is told: the policy that clients are to run
    feed          rosters become resources, whenever they change
    endpoints, services, balancing   one resource each: who may be called; how a service is reached; by which policy
    hosts, weights   where endpoints are that have names; what they weigh by their reports, where that is asked for
    catalog       what there is to tell, by type and name, with versions
    stream        one client; subscription has what it asked for of one type, took and refused: `whole` or by `delta`
    clients       all of them, for `status`
    bootstrap     what clients are to be told of the ADS server
    messages      the messages of xDS, from the package xds-protos (extra `xds`), imported when a door is opened

The balancer decides who may be called, the clients pick: no pick of theirs passes here. May use wire and what lies
below; is used by cli.
"""

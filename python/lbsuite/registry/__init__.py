"""Membership comes in here and leaves as events.

    source         what every source offers; story tells it to each listener; joint: several as one; roll: what changed
    memory static  members held in this process; a fixed list of addresses
    dns            what a name stands for, resolved again and again
    k8s            the EndpointSlices of a service, listed and watched: k8s_client; slices folds them into events
    etcd           a snapshot and a watch; resync whenever they may not fit together; etcd_keys folds them into events
    registration   one member's keys kept alive under a lease; member: the record, and the keys it is kept under
    layouts        whose keys name the endpoints: those of member, those of grpc_go, or both
    etcd_client    the calls to etcd, over several endpoints, each try with a deadline: etcd_settings, etcd_messages

Knows the words lease, revision and watch; knows no engine and no RPC of `wire`. Used by the rooms above.
"""

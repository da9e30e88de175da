"""The RPC world: everything that speaks `lbsuite.proto` over gRPC lives here.

    messages, services   the schema at run time, and how it is served and called: listening, dial; orca_messages, that
                         of load reports to callers (gRFC A51)
    balancer             RPC -> engine -> reply, the clock is read here: bounds, wishes, status, explaining, refusal,
                         hosting, pick_log, recordings
    membership           by what right an endpoint is here: alarm, allow, connections; follower of a registry
    tickets              callers who wait for a slot
    watching             who is told of each change of a service
    door                 how a balancer is served with grpc.aio
    backend              a process that computes tasks: tasks, mix, quantities, workers
    joining              how any gRPC server becomes an endpoint of a fleet: a room of its own
    client               asks the balancer, runs tasks, measures: pick_source, compute_calls, tally

May use registry and what lies below it. How metadata is named is decided here alone, and what our own services mean by
a status; what any service's status means to a channel is `channels`'.
"""

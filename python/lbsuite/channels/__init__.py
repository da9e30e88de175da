"""The caller's side: a gRPC channel over all endpoints of a service, each call picked in this process.

    target       a target in words becomes a source of membership: watched, for those that balancers tell of
    channel      lbsuite.channel, a grpc.aio.Channel; methods, what stubs are made of; call, one call over its attempts:
                 unary, streams; ended, the attempt that never was; status, what a channel says of itself
    dispatch     picks and their ends, for channels of either kind: outcome, what a status means; retry, what may be
                 tried again; loads, what endpoints tell of theirs
    follower     a source feeds the engine: endpoint, one member and the connection that is kept to it

What dispatch, outcome, retry and loads do needs no event loop, and takes calls from any thread. May use wire, registry
and what lies below; is used by programs that call services, and by nobody here.
"""

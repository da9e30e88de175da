"""The caller's side: a gRPC channel over all endpoints of a service, each call picked in this process.

    target       a target in words becomes a source of membership: watched, for those that balancers tell of;
                 hearsay, what of that is new
    settings     what a channel of either kind is made of
    service      one service: its list, its connections and its engine, for channels of either kind
      follower   a source feeds the engine: endpoint, one member and the connection that is kept to it; probes
      dispatch   picks and their ends: outcome, what a status means; retry, what may be tried again; loads, what
                 endpoints tell of theirs; status, what a channel says of itself, and why it finds nobody
    channel      lbsuite.channel, a grpc.aio.Channel; methods, what stubs are made of
      attempts   one call over its attempts, one after the other: ended, the attempt that never was; aging
      call       a call as users know it, by what it sends and gets: unary, streams; outgoing, what streams send
      hedged     unary calls that go to a second endpoint when they take long: hedge, which, and when

    sync_channel lbsuite.sync_channel, a grpc.Channel: loop_thread, where its list is followed and its calls wait;
      sync_attempts, sync_calls, sync_methods, sync_ended, sync_endpoint: as above, for calls that block

What is below service takes its connections from whoever makes them, and dispatch takes calls from any thread. May use
wire, registry and what lies below; is used by programs that call services.
"""

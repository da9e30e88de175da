"""How any gRPC server of Python becomes an endpoint of a fleet: the server's side, as `channels` is the caller's.

    join       lbsuite.join: servers, where its handlers are; gate, what stands before them; drain, SIGTERM
    limiter    the count of its tasks; latencies, what one more would take
    enrolment  its place in the fleet (sync_enrolment: for threads): reporter and a link to each balancer, presence
    desk       where it answers what is no task: inquiries, probes and streams; orca, what it says of its load; usage

May use the modules of `wire` that speak the schema (messages, services, dial, refusal, orca_messages), and what lies
below; is used by backend, and by programs that serve.
"""

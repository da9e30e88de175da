"""lbsuite: one policy engine in the balancer, in the caller's process and in the notebook.

Layout: `_core` is the compiled engine; `registry` brings membership in, `wire` speaks gRPC, `fleet` starts processes,
`cli` is the command line. Imports go one way:
cli -> wire, fleet -> registry -> events, errors, settings, results -> _core.
"""

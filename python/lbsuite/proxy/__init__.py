"""The HTTP/1.1 reverse proxy: a door that carries requests, and the control plane that says who may be picked.

    proxy      one proxy: its engine, its door, and what keeps the two in step with the world; settings: what it is told
    follower   a source of membership becomes the engine's endpoints, names resolved; listing: a list that is replaced
    health     active checks, and how soon one that refused is tried again
    pulse      the engine's time, and what it says happened
    native     the door in C++, a thread a core          server     the same door in asyncio, where there is no C++ one
    incoming, message, grammar, forward     heads and bodies in the asyncio door: read, judged, sent on
    exchange, tunnel, pools, keys, access_log     and what becomes of one request there
    stats      figures for people and for CSV            dummy      backends that answer at once, for tests and stress
    stress     load for an HTTP server, and what came of it

The engine decides, here as everywhere; the proxy adds no balancing of its own. Used by admin and cli.
"""

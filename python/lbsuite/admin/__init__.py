"""The admin door of a balancer or a proxy: health, metrics, state and what operators ask, over HTTP, in its event loop.

    door       how it listens, what its health is, how it ends
    routes     which URL means what; what an operator asks goes the way of the RPCs
    guard      what holds for every request: a deadline, errors as one line of JSON, whose pages may ask
    state      the whole state as a JSON document
    proxy_routes   the same for a proxy; its list of backends is replaced here
    health     how it is, in a word
    metrics    the engine's numbers in Prometheus' words, read when they are scraped

Opened by the command line where it is asked for; aiohttp and prometheus_client are imported then and not before.
"""

"""The admin door of a balancer: health, metrics, state, drain and undrain over HTTP, in the balancer's event loop.

    door       how it listens, what its health is, how it ends
    routes     which URL means what; what an operator asks goes the way of the RPCs
    guard      what holds for every request: a deadline, errors as one line of JSON, whose pages may ask
    state      the whole state as a JSON document
    metrics    the engine's numbers in Prometheus' words, read when they are scraped

Opened by the command line where it is asked for; aiohttp and prometheus_client are imported then and not before.
"""

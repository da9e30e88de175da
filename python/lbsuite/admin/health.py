"""How a balancer or a proxy is, in a word."""

from enum import StrEnum


class Health(StrEnum):
    """starting: not open yet. serving: fine. stopping: callers should go elsewhere."""

    STARTING = "starting"
    SERVING = "serving"
    STOPPING = "stopping"

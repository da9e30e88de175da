"""Names that users, peers and etcd give to services and zones.

A service's name becomes part of an etcd key, and both reach logs, so whoever takes one checks it here first.
"""

import re

MAX_ZONE_CHARACTERS = 255
_SERVICE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def service(text: str) -> str:
    """`text` itself if it can be part of an etcd key; raises ValueError otherwise."""
    if not _SERVICE.fullmatch(text):
        raise ValueError(f"not a service name (letters, digits, '-', '_', '.', at most 64): {text!r}")
    return text


def zone(text: str) -> str:
    """`text` itself if it is short and printable (or empty); raises ValueError otherwise."""
    if not isinstance(text, str) or len(text) > MAX_ZONE_CHARACTERS or not text.isprintable():
        raise ValueError(f"zone is not a short printable text: {text!r}")
    return text

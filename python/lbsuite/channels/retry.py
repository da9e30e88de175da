"""Which calls may be tried again, and how often."""

from collections.abc import Collection
from dataclasses import dataclass

import grpc

from lbsuite.channels.outcome import Outcome

TROUBLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED)
"""What another endpoint may do better. CANCELLED, where the caller did not, is what a server that stops says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """attempts: of one call in all, the first included; 1: none is tried again.

    A call whose handler cannot have begun is tried again whatever it is. idempotent: the methods, as
    `/package.Service/Method`, that may be carried out twice; True: all. They are tried again after UNAVAILABLE,
    RESOURCE_EXHAUSTED and a CANCELLED of the server, too.
    Raises ValueError for what makes no sense.
    """

    idempotent: bool | Collection[str] = False
    attempts: int = 3

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts below 1: {self.attempts}")
        valid_methods("idempotent", self.idempotent)

    def allows(self, method: str, outcome: Outcome, attempts: int) -> bool:
        """Whether a call of `method` may go elsewhere after its `attempts`-th attempt ended so."""
        if attempts >= self.attempts:
            return False
        return not outcome.begun or (outcome.code in TROUBLE and self._repeatable(method))

    def _repeatable(self, method: str) -> bool:
        return self.idempotent if isinstance(self.idempotent, bool) else method in self.idempotent


def valid_methods(name: str, methods: bool | Collection[str]) -> None:
    """Raises ValueError unless the setting `name` is a truth value or names methods as `/package.Service/Method`."""
    if isinstance(methods, str):
        raise ValueError(f"{name} is a collection of methods: {methods!r}")
    for method in () if isinstance(methods, bool) else methods:
        if not method.startswith("/") or method.count("/") != 2:
            raise ValueError(f"not /package.Service/Method: {method!r}")

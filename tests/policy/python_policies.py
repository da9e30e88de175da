"""Policies in Python for the tests of how engines run them."""

import lbsuite
from lbsuite import _core

ADDRESSES = [f"127.0.0.1:{port}" for port in range(4001, 4006)]


class Says(lbsuite.Policy):
    """Answers, or raises, what it was told to."""

    def __init__(self, answer: object = 0) -> None:
        self.answer = answer
        self.seen: list[object] = []

    def pick(self, view, request, rng):
        self.seen.append(rng.below(1000))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(view, request, rng) if callable(self.answer) else self.answer


def engine(policy: object, members: int = 3, **settings: object) -> _core.Engine:
    engine = lbsuite.Engine(policy, **settings)
    for address in ADDRESSES[:members]:
        engine.join(address, 0.0)
    return engine

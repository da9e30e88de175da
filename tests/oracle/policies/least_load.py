from oracle.numbers import Rng
from oracle.policies.choosing import least_loaded, sample
from oracle.view import Request, View


class LeastLoad:
    """`choices=auto` comes to all of them, as with one picker."""

    def __init__(self, choices: str) -> None:
        self.choices = choices

    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        count = len(view) if self.choices in ("all", "auto") else int(self.choices)
        compared = range(len(view)) if count >= len(view) else sample(view, count, rng)
        return least_loaded(view, compared, rng)

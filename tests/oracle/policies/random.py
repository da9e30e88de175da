from oracle.numbers import Rng
from oracle.policies.choosing import sample
from oracle.view import Request, View


class Random:
    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        return next(iter(sample(view, 1, rng)), None)

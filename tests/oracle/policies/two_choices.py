from oracle.numbers import Rng
from oracle.policies.choosing import least_loaded, sample
from oracle.view import Request, View


class TwoChoices:
    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        return least_loaded(view, sample(view, 2, rng), rng)

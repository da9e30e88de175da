from oracle.numbers import Rng
from oracle.view import Request, View


class PickFirst:
    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        return next(iter(view.all_ready()), None)

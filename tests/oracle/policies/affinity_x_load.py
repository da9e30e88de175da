from oracle.numbers import Rng
from oracle.policies.affinity import key_of, nearest
from oracle.view import Request, View


class AffinityXLoad:
    def __init__(self, bias: str) -> None:
        self.bias = float(bias)

    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        def weigh(i: int) -> float:
            return view[i].weight / (view.estimate(i) + 1) ** self.bias if view.ready(i) else 0

        return nearest(view, key_of(request, rng), weigh)

from oracle.endpoint import Endpoint
from oracle.numbers import Rng
from oracle.view import Request, View


class SmoothWeighted:
    def __init__(self) -> None:
        self.credits: dict[Endpoint, int] = {}

    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        ready = view.all_ready()
        for i in ready:
            self.credits[view[i]] = self.credits.get(view[i], 0) + view[i].weight
        best = max(ready, key=lambda i: self.credits[view[i]], default=None)
        if best is not None:
            self.credits[view[best]] -= sum(view[i].weight for i in ready)
        return best

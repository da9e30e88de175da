from oracle.numbers import Rng
from oracle.view import Request, View


class RoundRobin:
    ticket = -1

    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        for _ in range(len(view)):
            self.ticket += 1
            if view.ready(self.ticket % len(view)):
                return self.ticket % len(view)
        if len(view):
            self.ticket += 1  # the engine looks on from the next ticket; whom it finds is nobody, with one lane
        return None

from oracle.numbers import Rng
from oracle.policies.choosing import least_loaded
from oracle.view import Request, View


class Tidal:
    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        ready = view.all_ready()
        if view.pickers == 1 or not ready:
            return least_loaded(view, ready, rng)
        below, level = list(ready), 0.0
        while True:
            weight = sum(view[i].weight for i in below)
            level = sum((view.estimate(i) for i in below), float(view.pickers)) / weight
            still = [i for i in ready if view.estimate(i) < view[i].weight * level]
            if len(still) == len(below):
                break
            below = still
        chances = {}
        for i in ready:
            share = 0.5 + view[i].weight * (2 - len(below)) / (2 * weight)
            chances[i] = max(0.0, view[i].weight * level - view.estimate(i) - share)
        left, chosen = (rng.next() >> 11) * 2.0**-53 * sum(chances.values()), None
        for i, chance in chances.items():
            if chance > 0 and left >= 0:
                chosen, left = i, left - chance
        return chosen

import math

from oracle.endpoint import Endpoint, Report
from oracle.numbers import Rng
from oracle.policies.stride import Stride, Window
from oracle.view import Request, View


def within(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)


class Held:
    window: Window | None = None
    utilization: float | None = None
    seconds = 0.0  # over which that was measured, if not yet acted on
    weight = 1.0
    sum = error = 0.0


class PidWeights:
    def __init__(self, kp: str, ki: str, kd: str, update_s: str) -> None:
        self.kp, self.ki, self.kd, self.update_s = float(kp), float(ki), float(kd), float(update_s)
        self.held: dict[Endpoint, Held] = {}
        self.stride = Stride()
        self.version, self.due = 0, -math.inf

    def reported(self, endpoint: Endpoint, report: Report, now: float) -> None:
        held = self.held.setdefault(endpoint, Held())
        if held.window is None or not held.window.follows(report):
            held.window = Window(report, now)
        elif now - held.window.since >= self.update_s:
            held.utilization = held.window.measure(report, now)[2]
            held.seconds = now - held.window.since
            held.window = Window(report, now)

    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        due = view.now >= self.due
        all_held = [self.held.setdefault(e, Held()) for e in view.up]
        if due:
            self.due = view.now + self.update_s
            self.steer(all_held)
        if due or view.version != self.version:
            self.version = view.version
            self.stride.set([e.weight * held.weight for e, held in zip(view.up, all_held, strict=True)])
        return self.stride.pick(view, rng)

    def steer(self, all_held: list[Held]) -> None:
        known = [held.utilization for held in all_held if held.utilization is not None]
        mean = sum(known) / len(known) if known else 0.0
        for held in all_held:
            if mean > 0 and held.seconds > 0 and held.utilization is not None:
                error = within((mean - held.utilization) / mean, -1, 1)
                held.sum = within(held.sum + error * held.seconds, -1, 1)
                slope = (error - held.error) / held.seconds
                held.weight *= within(1 + self.kp * error + self.ki * held.sum + self.kd * slope, 0.5, 2)
                held.error, held.seconds = error, 0.0
        total = sum(held.weight for held in all_held)
        for held in all_held:
            held.weight = within(held.weight * (len(all_held) / total), 0.01, 100)

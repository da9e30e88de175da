"""Outlier ejection in plain Python: who is out, and why, after each ending and each moment."""

import math
import statistics
from dataclasses import dataclass, field


@dataclass
class Settings:
    consecutive: int = 5
    interval_s: float = 10.0
    base_s: float = 30.0
    max_s: float = 300.0
    max_share: float = 0.1
    success_rate_stdev_factor: float = 1.9
    success_rate_endpoints: int = 5
    success_rate_requests: int = 100
    failure_share: float = 0.85
    failure_share_endpoints: int = 5
    failure_share_requests: int = 50
    trial: int = 1

    @property
    def spec(self) -> str:
        return "outlier_ejection:" + ",".join(f"{name}={value}" for name, value in vars(self).items())


@dataclass
class Endpoint:
    until: float = math.inf
    times: int = 0
    on_trial: bool = False
    row: int = 0
    ended: int = 0
    failed: int = 0
    tried: list[bool] = field(default_factory=list)

    @property
    def out(self) -> bool:
        return self.until < math.inf


class OutlierEjection:
    """The stage of one engine whose endpoints stay."""

    def __init__(self, settings: Settings, addresses: list[str]) -> None:
        self.settings = settings
        self.endpoints = {address: Endpoint() for address in addresses}
        self.interval_until = math.inf
        self.said: list[tuple[str, str]] = []

    @property
    def out(self) -> set[str]:
        return {address for address, e in self.endpoints.items() if e.out}

    @property
    def well(self) -> int:
        return sum(not e.out and not e.on_trial for e in self.endpoints.values())

    @property
    def deadline(self) -> float:
        return min(self.interval_until, *(e.until for e in self.endpoints.values()))

    def told(self, address: str, count: int, failed: int, now: float) -> None:
        """Tasks have ended, none of them turned away."""
        e = self.endpoints[address]
        e.ended, e.failed = e.ended + count, e.failed + failed
        e.row = e.row + failed if failed == count else 0
        e.tried.append(failed < count)
        failing = self.settings.consecutive and e.row >= self.settings.consecutive
        if failing or e.on_trial or self.interval_until == math.inf:
            self.look(now)

    def look(self, now: float) -> None:
        s = self.settings
        for e in self.endpoints.values():
            if now >= e.until:
                e.until, e.on_trial, e.row, e.tried = math.inf, s.trial > 0, 0, []
        for address, e in self.endpoints.items():
            if e.on_trial and e.tried:
                if any(e.tried):
                    e.on_trial = False
                else:
                    self.eject(address, "failed on trial", now)
            if s.consecutive and e.row >= s.consecutive:
                self.eject(address, "failures in a row", now)
        if now >= self.interval_until:
            self.judge(now)
        if self.interval_until == math.inf:
            self.begin(now)

    def begin(self, now: float) -> None:
        if any(e.ended or e.times for e in self.endpoints.values()):
            self.interval_until = now + self.settings.interval_s

    def judge(self, now: float) -> None:
        s = self.settings
        shares = {
            address: (e.ended, 1 - e.failed / e.ended) for address, e in self.endpoints.items() if not e.out and e.ended
        }
        for e in self.endpoints.values():
            e.ended = e.failed = 0
        rates = [rate for ended, rate in shares.values() if ended >= s.success_rate_requests]
        judged = sum(ended >= s.failure_share_requests for ended, _ in shares.values())
        for address, (ended, rate) in shares.items():
            if (
                s.success_rate_stdev_factor
                and len(rates) >= s.success_rate_endpoints
                and ended >= s.success_rate_requests
                and rate < statistics.fmean(rates) - s.success_rate_stdev_factor * statistics.pstdev(rates)
            ):
                self.eject(address, "success rate", now)
            elif (
                judged >= s.failure_share_endpoints and ended >= s.failure_share_requests and 1 - rate > s.failure_share
            ):
                self.eject(address, "failure share", now)
        for e in self.endpoints.values():
            if not e.out and not e.on_trial and e.times:
                e.times -= 1
        self.interval_until = math.inf

    def eject(self, address: str, why: str, now: float) -> None:
        s, e = self.settings, self.endpoints[address]
        e.row, e.tried = 0, []
        share = len(self.out) / len(self.endpoints)
        if e.out or (self.out and share >= s.max_share):
            return
        e.times, e.on_trial = e.times + 1, False
        e.until = now + min(s.base_s * e.times, max(s.base_s, s.max_s))
        self.said.append((address, why))

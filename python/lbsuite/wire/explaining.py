"""What a balancer tells of its picks, as messages."""

from lbsuite import _core
from lbsuite.wire import messages

MOST_ENDPOINTS = 20_000
"""Endpoints that one reply names, all its picks together, so that it stays below gRPC's usual 4 MiB."""


def number(sequence: int) -> int:
    """What a token says of a pick, in 32 bits: of the highest one the lane, as who waited is answered from another than
    who did not."""
    return (sequence >> 48 & 1) << 31 | sequence & 0x7FFFFFFF


def choice(
    engine: _core.Engine, request: messages.BalanceRequest, policy: str | None, now: float
) -> messages.ExplainReply:
    """What this request would get now. Nothing is counted; a turn of the policy is used up."""
    told = engine.explain_choice(
        now,
        request.key or None,
        request.cost or 1,
        request.exclude,
        policy,
        priority=request.priority,
        attempt=request.attempt,
    )
    return messages.ExplainReply(picks=[_told(told, now)])


def kept(engine: _core.Engine, most: int, now: float) -> messages.ExplainReply:
    """The newest sampled picks, newest last: at most so many, and no more than fit."""
    picks: list[messages.Explanation] = []
    room = MOST_ENDPOINTS
    for told in reversed(engine.records(most)):
        room -= len(told.endpoints)
        if room < 0 and picks:
            break
        picks.append(_told(told, now))
    return messages.ExplainReply(picks=reversed(picks))


def _told(told: _core.Explanation, now: float) -> messages.Explanation:
    return messages.Explanation(
        policy=told.policy,
        goes_by=told.goes_by,
        picked=told.picked or "",
        refused=told.refused or "",
        sequence=number(told.sequence),
        key=told.key,
        cost=told.cost,
        priority=told.priority,
        attempt=told.attempt,
        view=told.view,
        age_ms=min(2**32 - 1, max(0, int((now - told.now) * 1000))),
        endpoints=[_considered(one) for one in told.endpoints],
        words=str(told),
    )


def _considered(one: _core.Considered) -> messages.Considered:
    return messages.Considered(
        address=one.address,
        state=one.state,
        out_by=one.out_by or "",
        looked_at=one.looked_at,
        weighed=one.weighed,
        score=one.score,
        tasks=one.tasks,
        limit=one.limit,
        weight=one.weight,
        level=one.level,
        report_age_s=one.report_age_s,
    )

"""lbsuite: one policy engine in the balancer, in the caller's process and in the notebook.

    _core                                              the compiled engine, its policies and the task kernels
    addresses, names, errors                           what may be written, what can go wrong
    backoff, retry_budget, background, arrivals        when to try again; work beside its owner; when callers come
    events, effects, event_log, results, descriptors   what every room speaks
    registry                                           membership comes in here and leaves as events
    wire, proxy, fleet, placement                      the RPC world; HTTP; processes; who owns which object, over etcd
    admin, channels, xds                               looked at over HTTP; the caller's side; other callers, by xDS
    cli, demo, round_robins                            what people run

Imports go down this list and never up; rooms of one line do not import each other.
"""

import importlib
from typing import TYPE_CHECKING, Any

from lbsuite._core import (
    C3,
    AffinityXLoad,
    Candidate,
    Considered,
    Delta,
    Effect,
    Endpoint,
    Engine,
    Explanation,
    Hashed,
    JoinIdleQueue,
    KeyRouter,
    LeastLoad,
    Lsq,
    PeakEwma,
    Pick,
    PickFirst,
    PidWeights,
    Placer,
    Policy,
    Prequal,
    Random,
    Report,
    Request,
    Rng,
    RoundRobin,
    SetPlacer,
    Settings,
    Shadow,
    SmoothWeighted,
    Ticket,
    Tidal,
    TwoChoices,
    View,
    WeightedRoundRobin,
    __version__,
    fibonacci,
    parse_policy,
    parse_stage,
    place,
    policies,
    rosters,
    router_kinds,
    set_kinds,
    signals,
    stages,
)
from lbsuite.event_log import Log, Recording, Replay, record, replay
from lbsuite.placement import weights_from

if TYPE_CHECKING:
    from lbsuite.channels.channel import channel
    from lbsuite.channels.hedge import Hedge
    from lbsuite.channels.retry import Retry
    from lbsuite.channels.sync_channel import sync_channel
    from lbsuite.wire.joining.enrolment import Enrolment
    from lbsuite.wire.joining.join import join
    from lbsuite.wire.joining.sync_enrolment import SyncEnrolment

__all__ = [
    "C3",
    "AffinityXLoad",
    "Candidate",
    "Considered",
    "Delta",
    "Effect",
    "Endpoint",
    "Engine",
    "Enrolment",
    "Explanation",
    "Hashed",
    "Hedge",
    "JoinIdleQueue",
    "KeyRouter",
    "LeastLoad",
    "Log",
    "Lsq",
    "PeakEwma",
    "Pick",
    "PickFirst",
    "PidWeights",
    "Placer",
    "Policy",
    "Prequal",
    "Random",
    "Recording",
    "Replay",
    "Report",
    "Request",
    "Retry",
    "Rng",
    "RoundRobin",
    "SetPlacer",
    "Settings",
    "Shadow",
    "SmoothWeighted",
    "SyncEnrolment",
    "Ticket",
    "Tidal",
    "TwoChoices",
    "View",
    "WeightedRoundRobin",
    "__version__",
    "channel",
    "fibonacci",
    "join",
    "parse_policy",
    "parse_stage",
    "place",
    "policies",
    "record",
    "replay",
    "rosters",
    "router_kinds",
    "set_kinds",
    "signals",
    "stages",
    "sync_channel",
    "weights_from",
]

# What speaks gRPC is imported when it is asked for.
_LATE = {
    "SyncEnrolment": "lbsuite.wire.joining.sync_enrolment",
    "Enrolment": "lbsuite.wire.joining.enrolment",
    "Hedge": "lbsuite.channels.hedge",
    "Retry": "lbsuite.channels.retry",
    "channel": "lbsuite.channels.channel",
    "sync_channel": "lbsuite.channels.sync_channel",
    "join": "lbsuite.wire.joining.join",
}


if not TYPE_CHECKING:  # to mypy, a module that has this has any name

    def __getattr__(name: str) -> Any:
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_LATE[name]), name)

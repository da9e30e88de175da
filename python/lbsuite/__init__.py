"""lbsuite: one policy engine in the balancer, in the caller's process and in the notebook.

    _core                                              the compiled engine, its policies and the task kernels
    addresses, names, errors                           what may be written, what can go wrong
    backoff, background                                how long to wait before another try; work beside its owner
    events, effects, event_log, results, descriptors   what every room speaks
    registry                                           membership comes in here and leaves as events
    wire, proxy, fleet, placement                      the RPC world; HTTP; processes; who owns which object, over etcd
    admin                                              a balancer or a proxy looked at over HTTP
    cli, demo                                          what people run

Imports go down this list and never up; rooms of one line do not import each other.
"""

from lbsuite._core import (
    C3,
    AffinityXLoad,
    Candidate,
    Delta,
    Effect,
    Endpoint,
    Engine,
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
    Tidal,
    TwoChoices,
    View,
    WeightedRoundRobin,
    __version__,
    fibonacci,
    parse_policy,
    place,
    policies,
    rosters,
    router_kinds,
    set_kinds,
    signals,
)
from lbsuite.event_log import Log, Recording, Replay, record, replay
from lbsuite.placement import weights_from

__all__ = [
    "C3",
    "AffinityXLoad",
    "Candidate",
    "Delta",
    "Effect",
    "Endpoint",
    "Engine",
    "Hashed",
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
    "Rng",
    "RoundRobin",
    "SetPlacer",
    "Settings",
    "Shadow",
    "SmoothWeighted",
    "Tidal",
    "TwoChoices",
    "View",
    "WeightedRoundRobin",
    "__version__",
    "fibonacci",
    "parse_policy",
    "place",
    "policies",
    "record",
    "replay",
    "rosters",
    "router_kinds",
    "set_kinds",
    "signals",
    "weights_from",
]

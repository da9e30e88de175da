"""lbsuite: one policy engine in the balancer, in the caller's process and in the notebook.

    _core                                              the compiled engine, its policies and the task kernels
    addresses, names, errors                           what may be written, what can go wrong
    backoff, background                                how long to wait before another try; work beside its owner
    events, event_log, results, descriptors            what every room speaks
    registry                                           membership comes in here and leaves as events
    wire, fleet                                        the RPC world; the one place that starts processes
    cli, demo                                          what people run

Imports go down this list and never up; rooms of one line do not import each other.
"""

from lbsuite._core import (
    C3,
    AffinityXLoad,
    Candidate,
    Effect,
    Endpoint,
    Engine,
    Hashed,
    JoinIdleQueue,
    LeastLoad,
    Lsq,
    PeakEwma,
    Pick,
    PickFirst,
    PidWeights,
    Policy,
    Prequal,
    Random,
    Report,
    Request,
    Rng,
    RoundRobin,
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
    policies,
    rosters,
    signals,
)
from lbsuite.event_log import Log, Recording, Replay, record, replay

__all__ = [
    "C3",
    "AffinityXLoad",
    "Candidate",
    "Effect",
    "Endpoint",
    "Engine",
    "Hashed",
    "JoinIdleQueue",
    "LeastLoad",
    "Log",
    "Lsq",
    "PeakEwma",
    "Pick",
    "PickFirst",
    "PidWeights",
    "Policy",
    "Prequal",
    "Random",
    "Recording",
    "Replay",
    "Report",
    "Request",
    "Rng",
    "RoundRobin",
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
    "policies",
    "record",
    "replay",
    "rosters",
    "signals",
]

from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LoadBalanceStrategy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PICK_FIRST: _ClassVar[LoadBalanceStrategy]
    ROUND_ROBIN: _ClassVar[LoadBalanceStrategy]
    LEAST_LOAD: _ClassVar[LoadBalanceStrategy]

class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATE_UNSPECIFIED: _ClassVar[State]
    READY: _ClassVar[State]
    FULL: _ClassVar[State]
    STALE: _ClassVar[State]
    DRAINING: _ClassVar[State]
    EJECTED: _ClassVar[State]
    STANDBY: _ClassVar[State]
PICK_FIRST: LoadBalanceStrategy
ROUND_ROBIN: LoadBalanceStrategy
LEAST_LOAD: LoadBalanceStrategy
STATE_UNSPECIFIED: State
READY: State
FULL: State
STALE: State
DRAINING: State
EJECTED: State
STANDBY: State

class ServerInfo(_message.Message):
    __slots__ = ("address", "service", "weight", "zone", "limit", "token", "tier")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    address: str
    service: str
    weight: int
    zone: str
    limit: int
    token: int
    tier: int
    def __init__(self, address: _Optional[str] = ..., service: _Optional[str] = ..., weight: _Optional[int] = ..., zone: _Optional[str] = ..., limit: _Optional[int] = ..., token: _Optional[int] = ..., tier: _Optional[int] = ...) -> None: ...

class ServerLoad(_message.Message):
    __slots__ = ("address", "load", "available", "service", "limit", "memory_bytes", "cpu", "interval_ms", "begun", "by_balancer", "peak", "draining", "finished", "busy_us", "task_us")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    CPU_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    BY_BALANCER_FIELD_NUMBER: _ClassVar[int]
    PEAK_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    BUSY_US_FIELD_NUMBER: _ClassVar[int]
    TASK_US_FIELD_NUMBER: _ClassVar[int]
    address: str
    load: int
    available: bool
    service: str
    limit: int
    memory_bytes: int
    cpu: float
    interval_ms: int
    begun: int
    by_balancer: _containers.RepeatedCompositeFieldContainer[BalancerCounts]
    peak: int
    draining: bool
    finished: int
    busy_us: int
    task_us: int
    def __init__(self, address: _Optional[str] = ..., load: _Optional[int] = ..., available: _Optional[bool] = ..., service: _Optional[str] = ..., limit: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., cpu: _Optional[float] = ..., interval_ms: _Optional[int] = ..., begun: _Optional[int] = ..., by_balancer: _Optional[_Iterable[_Union[BalancerCounts, _Mapping]]] = ..., peak: _Optional[int] = ..., draining: _Optional[bool] = ..., finished: _Optional[int] = ..., busy_us: _Optional[int] = ..., task_us: _Optional[int] = ...) -> None: ...

class BalancerCounts(_message.Message):
    __slots__ = ("balancer", "begun", "finished", "failed", "latency_us", "refused")
    BALANCER_FIELD_NUMBER: _ClassVar[int]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    LATENCY_US_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    balancer: int
    begun: int
    finished: int
    failed: int
    latency_us: int
    refused: int
    def __init__(self, balancer: _Optional[int] = ..., begun: _Optional[int] = ..., finished: _Optional[int] = ..., failed: _Optional[int] = ..., latency_us: _Optional[int] = ..., refused: _Optional[int] = ...) -> None: ...

class BalanceRequest(_message.Message):
    __slots__ = ("strategy", "policy", "service", "key", "cost", "exclude", "priority", "attempt")
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    strategy: LoadBalanceStrategy
    policy: str
    service: str
    key: bytes
    cost: int
    exclude: _containers.RepeatedScalarFieldContainer[str]
    priority: int
    attempt: int
    def __init__(self, strategy: _Optional[_Union[LoadBalanceStrategy, str]] = ..., policy: _Optional[str] = ..., service: _Optional[str] = ..., key: _Optional[bytes] = ..., cost: _Optional[int] = ..., exclude: _Optional[_Iterable[str]] = ..., priority: _Optional[int] = ..., attempt: _Optional[int] = ...) -> None: ...

class TaskRequest(_message.Message):
    __slots__ = ("task",)
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: str
    def __init__(self, task: _Optional[str] = ...) -> None: ...

class TaskResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: str
    def __init__(self, result: _Optional[str] = ...) -> None: ...

class RegisterResponse(_message.Message):
    __slots__ = ("message",)
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    message: str
    def __init__(self, message: _Optional[str] = ...) -> None: ...

class LoadResponse(_message.Message):
    __slots__ = ("message",)
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    message: str
    def __init__(self, message: _Optional[str] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("service", "revision")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    service: str
    revision: int
    def __init__(self, service: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class Endpoint(_message.Message):
    __slots__ = ("info", "state", "last_report", "report_age_ms")
    INFO_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LAST_REPORT_FIELD_NUMBER: _ClassVar[int]
    REPORT_AGE_MS_FIELD_NUMBER: _ClassVar[int]
    info: ServerInfo
    state: State
    last_report: ServerLoad
    report_age_ms: int
    def __init__(self, info: _Optional[_Union[ServerInfo, _Mapping]] = ..., state: _Optional[_Union[State, str]] = ..., last_report: _Optional[_Union[ServerLoad, _Mapping]] = ..., report_age_ms: _Optional[int] = ...) -> None: ...

class RosterUpdate(_message.Message):
    __slots__ = ("revision", "whole", "changed", "left", "balancers", "partial")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    BALANCERS_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    revision: int
    whole: bool
    changed: _containers.RepeatedCompositeFieldContainer[Endpoint]
    left: _containers.RepeatedScalarFieldContainer[str]
    balancers: _containers.RepeatedScalarFieldContainer[str]
    partial: bool
    def __init__(self, revision: _Optional[int] = ..., whole: _Optional[bool] = ..., changed: _Optional[_Iterable[_Union[Endpoint, _Mapping]]] = ..., left: _Optional[_Iterable[str]] = ..., balancers: _Optional[_Iterable[str]] = ..., partial: _Optional[bool] = ...) -> None: ...

class ServersRequest(_message.Message):
    __slots__ = ("request", "count", "lease_ms")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LEASE_MS_FIELD_NUMBER: _ClassVar[int]
    request: BalanceRequest
    count: int
    lease_ms: int
    def __init__(self, request: _Optional[_Union[BalanceRequest, _Mapping]] = ..., count: _Optional[int] = ..., lease_ms: _Optional[int] = ...) -> None: ...

class ServersReply(_message.Message):
    __slots__ = ("servers",)
    SERVERS_FIELD_NUMBER: _ClassVar[int]
    servers: _containers.RepeatedCompositeFieldContainer[ServerInfo]
    def __init__(self, servers: _Optional[_Iterable[_Union[ServerInfo, _Mapping]]] = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = ("service",)
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    service: str
    def __init__(self, service: _Optional[str] = ...) -> None: ...

class StatusReply(_message.Message):
    __slots__ = ("endpoints", "policy", "revision", "balancers", "xds_clients")
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    BALANCERS_FIELD_NUMBER: _ClassVar[int]
    XDS_CLIENTS_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedCompositeFieldContainer[Endpoint]
    policy: str
    revision: int
    balancers: _containers.RepeatedScalarFieldContainer[str]
    xds_clients: _containers.RepeatedCompositeFieldContainer[XdsClient]
    def __init__(self, endpoints: _Optional[_Iterable[_Union[Endpoint, _Mapping]]] = ..., policy: _Optional[str] = ..., revision: _Optional[int] = ..., balancers: _Optional[_Iterable[str]] = ..., xds_clients: _Optional[_Iterable[_Union[XdsClient, _Mapping]]] = ...) -> None: ...

class XdsClient(_message.Message):
    __slots__ = ("node", "peer", "type", "version", "error", "gone")
    NODE_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    GONE_FIELD_NUMBER: _ClassVar[int]
    node: str
    peer: str
    type: str
    version: str
    error: str
    gone: bool
    def __init__(self, node: _Optional[str] = ..., peer: _Optional[str] = ..., type: _Optional[str] = ..., version: _Optional[str] = ..., error: _Optional[str] = ..., gone: _Optional[bool] = ...) -> None: ...

class DrainRequest(_message.Message):
    __slots__ = ("address", "service", "undo")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    UNDO_FIELD_NUMBER: _ClassVar[int]
    address: str
    service: str
    undo: bool
    def __init__(self, address: _Optional[str] = ..., service: _Optional[str] = ..., undo: _Optional[bool] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("request", "last")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    request: BalanceRequest
    last: int
    def __init__(self, request: _Optional[_Union[BalanceRequest, _Mapping]] = ..., last: _Optional[int] = ...) -> None: ...

class ExplainReply(_message.Message):
    __slots__ = ("picks",)
    PICKS_FIELD_NUMBER: _ClassVar[int]
    picks: _containers.RepeatedCompositeFieldContainer[Explanation]
    def __init__(self, picks: _Optional[_Iterable[_Union[Explanation, _Mapping]]] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("policy", "goes_by", "picked", "refused", "sequence", "key", "cost", "priority", "attempt", "view", "age_ms", "endpoints", "words")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    GOES_BY_FIELD_NUMBER: _ClassVar[int]
    PICKED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    AGE_MS_FIELD_NUMBER: _ClassVar[int]
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    policy: str
    goes_by: str
    picked: str
    refused: str
    sequence: int
    key: bytes
    cost: int
    priority: int
    attempt: int
    view: int
    age_ms: int
    endpoints: _containers.RepeatedCompositeFieldContainer[Considered]
    words: str
    def __init__(self, policy: _Optional[str] = ..., goes_by: _Optional[str] = ..., picked: _Optional[str] = ..., refused: _Optional[str] = ..., sequence: _Optional[int] = ..., key: _Optional[bytes] = ..., cost: _Optional[int] = ..., priority: _Optional[int] = ..., attempt: _Optional[int] = ..., view: _Optional[int] = ..., age_ms: _Optional[int] = ..., endpoints: _Optional[_Iterable[_Union[Considered, _Mapping]]] = ..., words: _Optional[str] = ...) -> None: ...

class Considered(_message.Message):
    __slots__ = ("address", "state", "out_by", "looked_at", "weighed", "score", "tasks", "limit", "weight", "level", "report_age_s")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OUT_BY_FIELD_NUMBER: _ClassVar[int]
    LOOKED_AT_FIELD_NUMBER: _ClassVar[int]
    WEIGHED_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    REPORT_AGE_S_FIELD_NUMBER: _ClassVar[int]
    address: str
    state: str
    out_by: str
    looked_at: bool
    weighed: float
    score: float
    tasks: int
    limit: int
    weight: float
    level: int
    report_age_s: float
    def __init__(self, address: _Optional[str] = ..., state: _Optional[str] = ..., out_by: _Optional[str] = ..., looked_at: _Optional[bool] = ..., weighed: _Optional[float] = ..., score: _Optional[float] = ..., tasks: _Optional[int] = ..., limit: _Optional[int] = ..., weight: _Optional[float] = ..., level: _Optional[int] = ..., report_age_s: _Optional[float] = ...) -> None: ...

class ProbeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ProbeReply(_message.Message):
    __slots__ = ("tasks", "latency_us")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_US_FIELD_NUMBER: _ClassVar[int]
    tasks: int
    latency_us: int
    def __init__(self, tasks: _Optional[int] = ..., latency_us: _Optional[int] = ...) -> None: ...

"""What a channel is made of, of either kind."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from lbsuite import _core
from lbsuite.channels.hedge import Hedge, Hedging
from lbsuite.channels.retry import Retry
from lbsuite.channels.target import source_of
from lbsuite.registry.source import Source
from lbsuite.wire import dial

STAGES = ("outlier_ejection", "panic")

Options = Sequence[tuple[str, Any]]
_Plain = TypeVar("_Plain")


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """target: as it is told to users; the engine accounts by `done`."""

    target: str
    source: Source
    engine: _core.Engine
    retry: Retry
    hedging: Hedging
    queue_s: float = 0.0

    @property
    def eager(self) -> bool:
        """Whether a pick, too, has effects that cannot wait for its end."""
        return self.queue_s > 0 or self.engine.policy.startswith("prequal")


def settings_of(
    target: str | Source,
    policy: str | _core.Settings | _core.Policy,
    retry: Retry | None,
    hedge: Hedge | None,
    stages: Sequence[str],
    queue_s: float,
) -> ServiceSettings:
    """What `lbsuite.channel` was asked for; raises ValueError for what makes no sense, TypeError for another kind."""
    if not isinstance(target, str) and not hasattr(target, "events"):
        raise TypeError(f"neither a target nor a source of membership: {target!r}")
    kinds("retry", retry, Retry)
    kinds("hedge", hedge, Hedge)
    if isinstance(stages, str):
        raise TypeError(f"stages is a list of them: {stages!r}")
    retry = retry or Retry()
    hedging = Hedging(hedge, retry)
    engine = _core.Engine(policy, seed=random.getrandbits(62), stages=stages, queue_s=queue_s)
    name, source = (target, source_of(target)) if isinstance(target, str) else (type(target).__name__, target)
    return ServiceSettings(name, source, engine, retry, hedging, queue_s)


def connector(
    insecure: Callable[..., _Plain],
    secure: Callable[..., _Plain],
    credentials: grpc.ChannelCredentials | None,
    options: Options,
) -> Callable[[str], _Plain]:
    """Makes the plain channel to an address; TypeError for what no plain channel takes."""
    kinds("credentials", credentials, grpc.ChannelCredentials)
    if isinstance(options, str | Mapping) or not all(isinstance(each, tuple | list) for each in options):
        raise TypeError(f"options is a list of pairs, a name and a value each: {options!r}")
    # What was never sent gRPC itself may send again, over the same connection.
    kept = [each for each in dial.OPTIONS if each[0] != "grpc.enable_retries"]

    def connect(address: str) -> _Plain:
        with_options = (*kept, *options)
        if credentials is None:
            return insecure(dial.target(address), options=with_options)
        return secure(dial.target(address), credentials, options=with_options)

    return connect


def kinds(name: str, given: Any, kind: type) -> None:
    """Raises TypeError if the argument `name` was given and is not of `kind`."""
    if given is not None and not isinstance(given, kind):
        raise TypeError(f"{name} is no {kind.__module__.partition('.')[0]}.{kind.__name__}: {given!r}")


def plain_method(serializer: Any, deserializer: Any, registered: bool | None) -> dict[str, Any]:
    """What a plain channel's method takes; `_registered_method` only from stubs that give it, as older ones do not."""
    plain = {"request_serializer": serializer, "response_deserializer": deserializer}
    return {**plain, "_registered_method": True} if registered else plain

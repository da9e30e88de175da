"""A thin client of etcd on grpc.aio: the calls the registry needs, over several endpoints, each try with a deadline.

A call asks the endpoint that answered last, then the others in turn, once each. What fails on all of them raises
Unreachable with one line; whoever wants it done nevertheless comes again later.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Self

import grpc
import grpc.aio

from lbsuite.errors import LbsuiteError, Unreachable
from lbsuite.registry import etcd_messages as messages
from lbsuite.registry.etcd_settings import EtcdSettings

TRY_S = 1.5
"""Deadline of every try, in seconds: a follower whose leader has died would hold a call for longer."""

_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", int(TRY_S * 1000)),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", int(TRY_S * 1000)),
    ("grpc.http2.max_pings_without_data", 0),
    # A large foreign value under our prefix must not make the list unreadable.
    ("grpc.max_receive_message_length", -1),
)
# etcd says INVALID_ARGUMENT both for a token of before the last change of users and for none at all.
_TOKEN_REFUSED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT)
_FAILURES = (grpc.aio.AioRpcError, TimeoutError, asyncio.InvalidStateError)


class LeaseGone(LbsuiteError):
    """The lease has run out, or etcd has lost it."""


class EtcdClient:
    """Calls to one etcd cluster. Belongs to the event loop it is first used on; close it when done.

    try_s: the deadline of every try, in seconds. Raises ValueError when a file named in the settings cannot be read.
    """

    def __init__(self, settings: EtcdSettings, try_s: float = TRY_S) -> None:
        self.settings = settings
        self.try_s = try_s
        self._credentials = settings.credentials()
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._current = 0
        self._token: str | None = None

    async def range(self, key: bytes, *, prefix: bool = False, count_only: bool = False) -> messages.RangeResponse:
        """The pairs under a key or prefix."""
        request = messages.RangeRequest(key=key, range_end=_after(key) if prefix else b"", count_only=count_only)
        reply: messages.RangeResponse = await self._call("KV/Range", request, messages.RangeResponse)
        return reply

    async def put(self, key: bytes, value: bytes, lease: int = 0) -> None:
        """Writes a pair, under a lease if one is given. Raises LeaseGone."""
        await self._call("KV/Put", messages.PutRequest(key=key, value=value, lease=lease), messages.PutResponse)

    async def swap(
        self,
        key: bytes,
        value: bytes,
        revision: int,
        delete_before: bytes = b"",
        beside: tuple[bytes, int] | None = None,
    ) -> bool:
        """Writes a pair if the key was last written at `revision` (0: if there is none); whether it was.

        beside: another key, and the revision that it must have been last written at, too.

        Where an answer was lost and another endpoint was asked, it may say False of what it has written itself.
        delete_before: in the same step, the keys below this one in its folder go; `key` must be none of them.
        """
        compare = [
            messages.Compare(result=messages.Compare.EQUAL, target=messages.Compare.MOD, key=each, mod_revision=at)
            for each, at in ((key, revision), *([beside] if beside else []))
        ]
        steps = [messages.RequestOp(request_put=messages.PutRequest(key=key, value=value))]
        if delete_before:
            folder = delete_before[: delete_before.rindex(b"/") + 1]
            gone = messages.DeleteRangeRequest(key=folder, range_end=delete_before)
            steps.append(messages.RequestOp(request_delete_range=gone))
        request = messages.TxnRequest(compare=compare, success=steps)
        return bool((await self._call("KV/Txn", request, messages.TxnResponse)).succeeded)

    async def delete(self, key: bytes, *, prefix: bool = False) -> int:
        """Deletes a key or all under a prefix; how many there were."""
        request = messages.DeleteRangeRequest(key=key, range_end=_after(key) if prefix else b"")
        return int((await self._call("KV/DeleteRange", request, messages.DeleteRangeResponse)).deleted)

    async def grant(self, ttl_s: int) -> tuple[int, int]:
        """A new lease, and the seconds it was given to live: etcd has a floor of its own."""
        granted = await self._call(
            "Lease/LeaseGrant", messages.LeaseGrantRequest(TTL=ttl_s), messages.LeaseGrantResponse
        )
        return granted.ID, granted.TTL

    async def keep_alive(self, lease: int) -> None:
        """Gives a lease its full time again. Raises LeaseGone."""
        request = messages.LeaseKeepAliveRequest(ID=lease)
        kept = await self._call("Lease/LeaseKeepAlive", request, messages.LeaseKeepAliveResponse, stream=True)
        if kept.TTL <= 0:
            raise LeaseGone(f"lease {lease:x} is gone")

    async def revoke(self, lease: int) -> None:
        """Ends a lease and deletes its keys. Raises LeaseGone."""
        await self._call("Lease/LeaseRevoke", messages.LeaseRevokeRequest(ID=lease), messages.LeaseRevokeResponse)

    async def watch(
        self, prefix: bytes, start_revision: int, quiet_s: float = 2.0
    ) -> AsyncGenerator[messages.WatchResponse, None]:
        """What etcd says of changes under a prefix, from a revision on; ends by Unreachable when the stream fails.

        After `quiet_s` without a word etcd is asked for a sign of life, due within a try's deadline.
        """
        create = messages.WatchCreateRequest(key=prefix, range_end=_after(prefix), start_revision=start_revision)
        endpoint = self._endpoint()
        try:
            call = self._method("Watch/Watch", messages.WatchResponse, stream=True)(metadata=await self._metadata())
            try:
                async with asyncio.timeout(self.try_s):
                    await call.write(messages.WatchRequest(create_request=create))
                    created = await _read(call)
                yield created
                async with aclosing(self._answers(call, quiet_s)) as answers:
                    async for answer in answers:
                        yield answer
            finally:
                call.cancel()
        except _FAILURES as error:
            self._rotate(endpoint)
            raise self._unreachable(error) from None

    async def close(self) -> None:
        """Closes the connections; calls under way fail."""
        channels, self._channels = self._channels, {}
        await asyncio.gather(*(channel.close() for channel in channels.values()))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _answers(self, call: Any, quiet_s: float) -> AsyncGenerator[messages.WatchResponse, None]:
        reading = asyncio.ensure_future(_read(call))
        try:
            while True:
                await asyncio.wait({reading}, timeout=quiet_s)
                if not reading.done():
                    progress = messages.WatchRequest(progress_request=messages.WatchProgressRequest())
                    async with asyncio.timeout(self.try_s):
                        await call.write(progress)
                    await asyncio.wait({reading}, timeout=self.try_s)
                if not reading.done():
                    raise TimeoutError
                answer = await reading
                reading = asyncio.ensure_future(_read(call))
                yield answer
        finally:
            reading.cancel()
            await asyncio.wait({reading})

    async def _call(self, path: str, request: Any, response: type[Any], *, stream: bool = False) -> Any:
        tries, renewed = len(self.settings.endpoints), False
        while True:
            endpoint = self._endpoint()
            try:
                return await self._try(path, request, response, stream)
            except _FAILURES as error:
                code = error.code() if isinstance(error, grpc.aio.AioRpcError) else None
                if code is grpc.StatusCode.NOT_FOUND:
                    raise LeaseGone(f"etcd has no such lease: {path}") from None
                if self._token is not None and code in _TOKEN_REFUSED and not renewed:
                    self._token, renewed = None, True
                    continue
                self._rotate(endpoint)
                tries -= 1
                if tries == 0:
                    raise self._unreachable(error) from None

    async def _try(self, path: str, request: Any, response: type[Any], stream: bool) -> Any:
        async with asyncio.timeout(self.try_s):
            metadata = await self._metadata()
            method = self._method(path, response, stream=stream)
            if not stream:
                return await method(request, metadata=metadata, timeout=self.try_s)
            call = method(metadata=metadata, timeout=self.try_s)
            try:
                await call.write(request)
                return await _read(call)
            finally:
                call.cancel()

    async def _metadata(self) -> tuple[tuple[str, str], ...]:
        if self.settings.user is None:
            return (("hasleader", "true"),)
        if self._token is None:
            request = messages.AuthenticateRequest(name=self.settings.user, password=self.settings.password)
            authenticate = self._method("Auth/Authenticate", messages.AuthenticateResponse)
            try:
                self._token = (await authenticate(request, timeout=self.try_s)).token
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                    raise
                # This etcd asks nobody who they are (yet).
                self._token = ""
        return (("hasleader", "true"), ("token", self._token)) if self._token else (("hasleader", "true"),)

    def _method(self, path: str, response: type[Any], *, stream: bool = False) -> Any:
        endpoint = self._endpoint()
        if endpoint not in self._channels:
            self._channels[endpoint] = (
                grpc.aio.insecure_channel(endpoint, _OPTIONS)
                if self._credentials is None
                else grpc.aio.secure_channel(endpoint, self._credentials, _OPTIONS)
            )
        channel = self._channels[endpoint]
        make = channel.stream_stream if stream else channel.unary_unary
        return make(f"/etcdserverpb.{path}", lambda message: message.SerializeToString(), response.FromString)

    def _endpoint(self) -> str:
        return self.settings.endpoints[self._current]

    def _rotate(self, failed: str) -> None:
        """Moves on from an endpoint that failed, unless another call has already."""
        if self._endpoint() == failed:
            self._current = (self._current + 1) % len(self.settings.endpoints)

    def _unreachable(self, error: Exception) -> Unreachable:
        said = repr(error.details()) if isinstance(error, grpc.aio.AioRpcError) else f"no answer in {self.try_s:g} s"
        return Unreachable(f"etcd at {self.settings}: {said}")


async def _read(call: Any) -> Any:
    """The next message of a stream; an end of the stream is a failure, no answer."""
    answer = await call.read()
    if answer is grpc.aio.EOF:
        raise TimeoutError
    return answer


def _after(prefix: bytes) -> bytes:
    """The end of the range of all keys that begin with `prefix`, which ends in something below 0xff."""
    return prefix[:-1] + bytes([prefix[-1] + 1])

"""An API server of Kubernetes that knows EndpointSlices only, as much of it as shows: list and watch by resource
version, bookmarks, 410 Gone in both its ways, and a bearer token."""

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any, Self

import pytest
from aiohttp import web

SLICES = "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
SERVICE_LABEL = "kubernetes.io/service-name"
Slice = dict[str, Any]


def endpoint(host: str, *, zone: str | None = None, **conditions: bool | None) -> dict[str, Any]:
    told: dict[str, Any] = {"addresses": [host], "conditions": conditions}
    return told | ({"zone": zone} if zone else {})


def slice_of(*endpoints: dict[str, Any], family: str = "IPv4", **ports: int) -> Slice:
    """A slice without its metadata; ports: number by name, `grpc=50051` where none are given."""
    named = [{"name": name, "port": port, "protocol": "TCP"} for name, port in (ports or {"grpc": 50051}).items()]
    return {"addressType": family, "endpoints": list(endpoints), "ports": named}


class KubernetesApi:
    """Serves from `async with` on. `token`: the one that is let in. `asked`: the query of every request, in order."""

    def __init__(self, token: str = "secret", tls: ssl.SSLContext | None = None) -> None:
        self.token = token
        self.asked: list[dict[str, str]] = []
        self.gone_in_stream = False
        self._tls = tls
        self._slices: dict[tuple[str, str], Slice] = {}
        self._version = 1000
        self._oldest = self._endings = 0
        self._changes: list[tuple[int, str, Slice]] = []
        self._news = asyncio.Event()
        self._watches: set[asyncio.Task[Any]] = set()
        self._port = 0

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    def write_kubeconfig(self, path: Path) -> None:
        """What a user has in a file, to reach this one with."""
        named = {"clusters": ("cluster", {"server": self.url}), "users": ("user", {"token": self.token})}
        named["contexts"] = ("context", {"cluster": "here", "user": "here"})
        parts = {part: [{"name": "here", kind: what}] for part, (kind, what) in named.items()}
        whole = {"apiVersion": "v1", "kind": "Config", "current-context": "here"} | parts
        path.write_text(json.dumps(whole))

    def lead_here(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who looks for Kubernetes finds this one."""
        self.write_kubeconfig(folder / "kubeconfig")
        monkeypatch.setenv("KUBECONFIG", str(folder / "kubeconfig"))
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    def put(self, name: str, slice_: Slice, service: str = "web", namespace: str = "shop") -> None:
        """Adds or modifies a slice."""
        kind = "MODIFIED" if (namespace, name) in self._slices else "ADDED"
        self._version += 1
        metadata = {"name": name, "namespace": namespace, "labels": {SERVICE_LABEL: service}}
        stored = slice_ | {"metadata": metadata | {"resourceVersion": str(self._version)}}
        self._slices[namespace, name] = stored
        self._tell(kind, stored)

    def delete(self, name: str, namespace: str = "shop") -> None:
        self._version += 1
        gone = self._slices.pop((namespace, name))
        self._tell("DELETED", gone | {"metadata": gone["metadata"] | {"resourceVersion": str(self._version)}})

    def forget(self) -> None:
        """Compacts: who watches from before now is told 410 Gone."""
        self._oldest = self._version = self._version + 1

    def bookmark(self) -> int:
        """Tells every watcher how far it has heard."""
        self._version += 1
        self._tell("BOOKMARK", {"kind": "EndpointSlice", "metadata": {"resourceVersion": str(self._version)}})
        return self._version

    def say(self, line: dict[str, Any]) -> None:
        """Tells every watcher this, whatever it is."""
        self._version += 1
        self._changes.append((self._version, "", line))
        self._news.set()

    def end_watches(self) -> None:
        """Ends the watches there are, as is done now and then."""
        self._endings += 1
        self._news.set()

    def hang_up(self) -> None:
        """Cuts the watches there are."""
        for watch in self._watches:
            watch.cancel()

    async def stop(self) -> None:
        """Is away, until `start`."""
        self.hang_up()
        await self._runner.cleanup()

    async def start(self) -> None:
        application = web.Application()
        application.router.add_get(SLICES, self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _tell(self, kind: str, slice_: Slice) -> None:
        self._changes.append((self._version, kind, slice_))
        self._news.set()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(dict(request.query))
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response(_status(401, "Unauthorized"), status=401)
        namespace, selector = request.match_info["namespace"], request.query.get("labelSelector", "")
        if request.query.get("watch", "").lower() == "true":
            return await self._watch(request, namespace, selector)
        items = [each for each in self._slices.values() if _chosen(each, namespace, selector)]
        metadata = {"resourceVersion": str(self._version)}
        return web.json_response({"kind": "EndpointSliceList", "metadata": metadata, "items": items})

    async def _watch(self, request: web.Request, namespace: str, selector: str) -> web.StreamResponse:
        heard = int(request.query["resourceVersion"])
        if heard < self._oldest and not self.gone_in_stream:
            return web.json_response(_status(410, f"too old resource version: {heard}"), status=410)
        answer = web.StreamResponse()
        await answer.prepare(request)
        if heard < self._oldest:
            await _write(answer, {"type": "ERROR", "object": _status(410, f"too old resource version: {heard}")})
            return answer
        task = asyncio.ensure_future(self._stream(answer, request, heard, namespace, selector))
        self._watches.add(task)
        try:
            await task
        except asyncio.CancelledError:
            if request.transport:
                request.transport.abort()
        self._watches.discard(task)
        return answer

    async def _stream(
        self, answer: web.StreamResponse, request: web.Request, heard: int, namespace: str, selector: str
    ) -> None:
        begun_after = self._endings
        while True:
            self._news.clear()
            for version, kind, told in [change for change in self._changes if change[0] > heard]:
                heard = version
                if not kind:
                    await _write(answer, told)
                elif kind == "BOOKMARK" and request.query.get("allowWatchBookmarks", "").lower() != "true":
                    continue
                elif kind == "BOOKMARK" or _chosen(told, namespace, selector):
                    await _write(answer, {"type": kind, "object": told})
            if self._endings != begun_after:
                return
            await self._news.wait()


def _chosen(slice_: Slice, namespace: str, selector: str) -> bool:
    metadata = slice_["metadata"]
    return metadata["namespace"] == namespace and selector == f"{SERVICE_LABEL}={metadata['labels'][SERVICE_LABEL]}"


def _status(code: int, message: str) -> dict[str, Any]:
    return {"kind": "Status", "status": "Failure", "code": code, "reason": "Expired", "message": message}


async def _write(answer: web.StreamResponse, line: dict[str, Any]) -> None:
    await answer.write(json.dumps(line).encode() + b"\n")

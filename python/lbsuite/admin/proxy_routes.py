"""Which URL means what for a proxy."""

import json
import math
import time
from collections.abc import Iterable, Iterator
from typing import Any

from aiohttp import web
from prometheus_client import ProcessCollector, exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from lbsuite import _core, addresses, effects
from lbsuite.admin.health import Health
from lbsuite.proxy import stats
from lbsuite.proxy.listing import Listing
from lbsuite.proxy.proxy import Proxy


class ProxyRoutes:
    """Answers requests about one proxy. listing: what PUT /backends replaces; None: who serves is told elsewhere."""

    def __init__(self, proxy: Proxy, listing: Listing | None) -> None:
        self.health = Health.STARTING
        self._proxy = proxy
        self._listing = listing
        self._metrics = ProxyMetrics(proxy)

    def table(self) -> Iterable[web.RouteDef]:
        return (
            web.get("/healthz", self.healthz),
            web.get("/metrics", self.metrics),
            web.get("/api/state", self.state),
            web.get("/backends", self.backends),
            web.put("/backends", self.replace_backends),
            web.get("/server_stats.csv", self.figures),
            web.post("/api/drain", self.drain),
            web.post("/api/undrain", self.undrain),
        )

    def close(self) -> None:
        """Nothing of its own is open."""

    async def healthz(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self.health is Health.SERVING else 503, text=f"{self.health}\n")

    async def metrics(self, request: web.Request) -> web.Response:
        encode, content_type = exposition.choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._metrics), headers={"Content-Type": content_type})

    async def state(self, request: web.Request) -> web.Response:
        return web.json_response(state(self._proxy, self.health, time.monotonic()))

    async def figures(self, request: web.Request) -> web.Response:
        return web.Response(text=stats.table(self._proxy), content_type="text/csv")

    async def backends(self, request: web.Request) -> web.Response:
        return web.json_response(self._list().backends)

    async def replace_backends(self, request: web.Request) -> web.Response:
        """The body is a JSON list of HOST:PORT; all or nothing, and in force when the answer comes."""
        asked = await _asked(request)
        if not isinstance(asked, list) or not all(isinstance(each, str) for each in asked):
            raise web.HTTPBadRequest(text=f"not a list of HOST:PORT: {asked!r}")
        try:
            self._list().replace(asked)
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        await self._proxy.follows(self._list().backends)
        return web.json_response(self._list().backends)

    async def drain(self, request: web.Request) -> web.Response:
        return await self._drain(request, undo=False)

    async def undrain(self, request: web.Request) -> web.Response:
        return await self._drain(request, undo=True)

    async def _drain(self, request: web.Request, *, undo: bool) -> web.Response:
        asked = await _asked(request)
        match asked:
            case {"address": str(address), **rest} if not rest:
                pass
            case _:
                raise web.HTTPBadRequest(text=f'not {{"address": "IP:PORT"}}: {asked!r}')
        try:
            known = self._proxy.engine.drain(addresses.valid(address), time.monotonic(), undo=undo)
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        if not known:
            raise web.HTTPNotFound(text=f"{address} is no endpoint here")
        return web.json_response(state(self._proxy, self.health, time.monotonic()))

    def _list(self) -> Listing:
        if self._listing is None:
            raise web.HTTPConflict(text="who serves is told by the registry")
        return self._listing


async def _asked(request: web.Request) -> Any:
    # A page of another origin sends this type only after asking, and nothing here says yes.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text=f"not application/json: {request.content_type!r}")
    body = await request.read()
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest(text=f"not JSON: {body!r}") from None


def state(proxy: Proxy, health: str, now: float) -> dict[str, Any]:
    """The whole state as a JSON document."""
    return {
        "health": health,
        "address": proxy.address,
        "policy": proxy.engine.policy,
        "roster": proxy.settings.roster,
        "door": proxy.settings.door,
        "stages": proxy.engine.stages,
        "totals": proxy.door.totals() if proxy.address else {},
        "counters": dict(proxy.pulse.happened),
        "endpoints": [_endpoint(each) for each in proxy.engine.endpoints(now)],
        "events": [{"age_s": now - each.now, "event": effects.words(each)} for each in proxy.pulse.recent],
    }


def _endpoint(endpoint: _core.Endpoint) -> dict[str, Any]:
    return {
        "address": endpoint.address,
        "ready": endpoint.state == "ready",
        "state": endpoint.state,
        "tasks": endpoint.tasks,
        "limit": endpoint.limit,
        "weight": endpoint.weight,
        "picks": endpoint.picks,
        "score": endpoint.score if math.isfinite(endpoint.score) else None,
    }


class ProxyMetrics(Collector):
    """Reads one proxy each time it is collected."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._process = ProcessCollector(registry=None)

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("lbsuite_build", "The release.", {"version": _core.__version__})
        if self._proxy.address:
            for name, value in self._proxy.door.totals().items():
                family = GaugeMetricFamily if name == "open" else CounterMetricFamily
                yield family(f"lbsuite_proxy_{name}", "See Totals.", value=value)
        events = CounterMetricFamily("lbsuite_events", "What has happened since the start.", labels=["event"])
        for kind, count in self._proxy.pulse.happened.items():
            events.add_metric([kind], count)
        yield events
        yield from self._of_endpoints()
        yield from self._process.collect()

    def _of_endpoints(self) -> Iterator[Metric]:
        ready = GaugeMetricFamily("lbsuite_endpoint_ready", "1 if it may be picked now, else 0.", labels=["address"])
        tasks = GaugeMetricFamily("lbsuite_endpoint_tasks", "Requests under way.", labels=["address"])
        picks = CounterMetricFamily("lbsuite_endpoint_picks", "Requests sent to it.", labels=["address"])
        for endpoint in self._proxy.engine.endpoints(time.monotonic()):
            ready.add_metric([endpoint.address], endpoint.state == "ready")
            tasks.add_metric([endpoint.address], endpoint.tasks)
            picks.add_metric([endpoint.address], endpoint.picks)
        yield from (ready, tasks, picks)

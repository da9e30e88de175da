"""How the admin door listens, and how it ends."""

import logging
from collections.abc import Iterable
from typing import Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from lbsuite import addresses
from lbsuite.admin import guard
from lbsuite.admin.health import Health
from lbsuite.errors import StartFailed

IDLE_S = 60.0
"""A connection that asks nothing is closed after this."""

_log = logging.getLogger(__name__)
_http_log = logging.getLogger(f"{__name__}.http")


def _is_our_trouble(record: logging.LogRecord) -> bool:
    """Whoever sends what is no HTTP gets 400, and no traceback into our log."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_http_log.addFilter(_is_our_trouble)


class Routes(Protocol):
    """Which URL means what; `health` is told to them."""

    health: Health

    def table(self) -> Iterable[web.RouteDef]: ...
    def close(self) -> None: ...


class AdminDoor:
    """One listening address where operators and Prometheus look at a balancer or a proxy. Belongs to its event loop."""

    def __init__(self, routes: Routes) -> None:
        self.address = ""
        """Where it listens, once it is open."""
        self._routes = routes
        self._runner: web.AppRunner | None = None

    async def open(self, listen: str) -> str:
        """Listens, and says where (port 0 takes a free one); healthy from `tell_serving` on.

        Raises StartFailed where that cannot be, ValueError for what is no address. It asks nobody who they are, so
        listening beyond loopback is worth a warning.
        """
        host, port = addresses.parse(listen, listening=True)
        application = web.Application(middlewares=guard.middlewares(host), client_max_size=guard.MAX_REQUEST_BYTES)
        application.add_routes(self._routes.table())
        self._runner = runner = web.AppRunner(
            application,
            access_log=None,
            logger=_http_log,
            keepalive_timeout=IDLE_S,
            shutdown_timeout=guard.CLOSE_S,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host.strip("[]"), port).start()
        except OSError:
            await self.close()
            raise StartFailed(f"cannot listen on {listen}: taken, or not an address of this machine") from None
        self.address = f"{host}:{runner.addresses[0][1]}"
        if not all(guard.is_loopback(str(bound[0])) for bound in runner.addresses):
            _log.warning(
                "whoever reaches %s can drain endpoints: the admin door asks nobody who they are", self.address
            )
        return self.address

    def tell_serving(self) -> None:
        """What is looked at is open."""
        self._routes.health = Health.SERVING

    def tell_stopping(self) -> None:
        """It is closing; requests are answered as before."""
        self._routes.health = Health.STOPPING

    async def close(self) -> None:
        """Takes no more requests; those under way have `guard.CLOSE_S` to finish."""
        self.tell_stopping()
        if self._runner is not None:
            await self._runner.cleanup()
        self._routes.close()

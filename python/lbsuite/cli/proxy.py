"""`lbsuite proxy`: one HTTP reverse proxy, until a signal."""

import argparse
import asyncio
import contextlib
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from lbsuite.cli import daemon, etcd, proxy_flags
from lbsuite.proxy import listing, stats
from lbsuite.proxy.listing import Listing
from lbsuite.proxy.proxy import Proxy, engine_of
from lbsuite.proxy.settings import ProxySettings
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.source import GRACE_S, Source

if TYPE_CHECKING:
    from lbsuite.admin.door import AdminDoor

EXAMPLE = """examples:
  lbsuite proxy --listen :8080 --backends 127.0.0.1:9001,127.0.0.1:9002
  lbsuite proxy --listen :8080 --backends-file backends.txt --policy hashed --key header:X-User
  lbsuite proxy --listen :8080 --etcd 127.0.0.1:2379 --service web --health-path /health
SIGHUP reads --backends-file again; SIGTERM finishes the requests under way.
"""

_log = logging.getLogger(__name__)

add_flags = proxy_flags.add_flags


def run(args: argparse.Namespace) -> int:
    registry = etcd.settings(args)
    told = [name for name in ("backends", "backends_file", "etcd") if getattr(args, name) is not None]
    if len(told) != 1:
        args.refuse("one of --backends, --backends-file and --etcd says who serves")
    settings = proxy_flags.settings(args)
    try:
        listed = listing.read(args.backends_file) if args.backends_file else args.backends
        engine_of(settings)
    except ValueError as error:
        args.refuse(str(error))
    daemon.set_up(args)
    asyncio.run(_serve_etcd(args, settings, registry) if registry else _serve_list(args, settings, listed))
    return 0


async def _serve_list(args: argparse.Namespace, settings: ProxySettings, listed: tuple[str, ...]) -> None:
    members = Listing(listed)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, members, args.backends_file)
    await _serve(args, settings, members.source, members)


async def _serve_etcd(args: argparse.Namespace, settings: ProxySettings, registry: EtcdSettings) -> None:
    from lbsuite.registry import layouts
    from lbsuite.registry.etcd_client import EtcdClient

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, None, None)
    async with EtcdClient(registry) as client:
        await _serve(args, settings, layouts.followed(client, args.service), None)


async def _serve(args: argparse.Namespace, settings: ProxySettings, source: Source, listed: Listing | None) -> None:
    stop = daemon.stop_event()
    async with contextlib.AsyncExitStack() as ending:
        proxy = Proxy(settings, source, 0.0 if listed else GRACE_S)
        ending.push_async_callback(_close, proxy)
        admin = await _open_admin(proxy, listed, args.admin, ending) if args.admin else None
        daemon.ready("proxy", await proxy.open(await proxy_flags.literal(args.listen)))
        if admin:
            admin.tell_serving()
            ending.callback(admin.tell_stopping)
            daemon.ready("admin", admin.address)
        await stop.wait()


async def _open_admin(
    proxy: Proxy, listed: Listing | None, listen: str, ending: contextlib.AsyncExitStack
) -> "AdminDoor":
    """Its admin door, open until the proxy's own door is closed."""
    from lbsuite.admin.door import AdminDoor
    from lbsuite.admin.proxy_routes import ProxyRoutes

    door = AdminDoor(ProxyRoutes(proxy, listed))
    await door.open(listen)
    ending.push_async_callback(door.close)
    return door


async def _close(proxy: Proxy) -> None:
    _log.info("no new connections; requests under way have %g s", proxy.settings.drain_s)
    whole = await proxy.close()
    _log.info(
        "%s: %s", "all requests were answered" if whole else "requests were cut", stats.summary(proxy.door.totals())
    )


def _reload(listed: Listing | None, path: Path | None) -> None:
    if listed is None or path is None:
        _log.warning("SIGHUP reads --backends-file again, and there is none")
        return
    before = listed.backends
    try:
        listed.replace(listing.read(path))
    except ValueError as error:
        _log.error("the list of backends stays as it is: %s", error)
    else:
        _log.info("backends read anew: %d before, %d now", len(before), len(listed.backends))

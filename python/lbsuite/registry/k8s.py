"""Membership from Kubernetes: the EndpointSlices of a service, a list and the watch after it."""

import asyncio
import importlib.util
import logging
import re
import time
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from lbsuite.backoff import Backoff
from lbsuite.errors import Unreachable
from lbsuite.events import Event
from lbsuite.registry.slices import Slices
from lbsuite.registry.story import Stories, Story

if TYPE_CHECKING:
    from lbsuite.registry.k8s_client import KubernetesClient

STEADY_S = 1.0
"""A watch that has lasted for less is followed by growing pauses, up to MOST_PAUSE_S: many clients may do the same."""
MOST_PAUSE_S = 5.0
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?")

_log = logging.getLogger(__name__)


class Kubernetes:
    """The endpoints of a service of a Kubernetes cluster, at a port of theirs by number or by name.

    While the API server cannot be heard nobody leaves, and when it has forgotten what came in between, a new list says
    what differs. `skipped` counts slices and endpoints that make no sense, such as those without that port.
    Raises ValueError for a bad name or port, and where the library that speaks to the API server is missing.
    """

    def __init__(self, namespace: str, service: str, port: str) -> None:
        for label in (namespace, service):
            if not _LABEL.fullmatch(label):
                raise ValueError(f"not a name in Kubernetes (a-z, 0-9, '-', at most 63): {label!r}")
        if not (_PORT_NAME.fullmatch(port) or (port.isdecimal() and 0 < int(port) < 65536 and str(int(port)) == port)):
            raise ValueError(f"neither a port's number in 1..65535 nor its name in Kubernetes: {port!r}")
        if importlib.util.find_spec("kubernetes_asyncio") is None:
            raise ValueError("Kubernetes needs kubernetes_asyncio: pip install lbsuite[k8s]")
        self.skipped = 0
        self._namespace, self._service, self._port = namespace, service, port
        self._stories = Stories(f"endpoints of {namespace}/{service}", self._follow)

    def events(self) -> AsyncGenerator[Event, None]:
        """See Source."""
        return self._stories.events()

    async def close(self) -> None:
        """See Source."""
        await self._stories.close()

    async def _follow(self, story: Story) -> None:
        slices = Slices(self._port, self._skip)
        backoff = Backoff(most_s=MOST_PAUSE_S)
        # Takes most of a second, which would be missed in the loop.
        api = await asyncio.to_thread(importlib.import_module, "lbsuite.registry.k8s_client")
        while True:
            try:
                async with await api.KubernetesClient.connect(self._namespace, self._service) as client:
                    while True:
                        await self._listen(client, slices, story, backoff)
                        await asyncio.sleep(backoff.next_s())
            except api.Refused as error:
                slices.version = ""
                if not error.gone:
                    story.lost(str(error))
            except (Unreachable, ValueError) as error:
                story.lost(str(error))
            await asyncio.sleep(backoff.next_s())

    async def _listen(self, client: "KubernetesClient", slices: Slices, story: Story, backoff: Backoff) -> None:
        """One watch, from where the last has ended, else from a new list."""
        if not slices.version:
            for event in slices.replace(await client.slices()):
                story.tell(event)
        begun = time.monotonic()
        try:
            async with client.watch(slices.version) as changes:
                story.heard()
                async for change in changes:
                    for event in slices.change(change):
                        story.tell(event)
        finally:
            if time.monotonic() - begun > STEADY_S:
                backoff.reset()

    def _skip(self, error: ValueError) -> None:
        self.skipped += 1
        if self.skipped == 1:
            _log.warning("%s/%s: skipped, this and what follows: %s", self._namespace, self._service, error)

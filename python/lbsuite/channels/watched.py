"""Membership from balancers: one of them is watched, and the next one as soon as it is lost."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Iterator, Sequence

import grpc
import grpc.aio

from lbsuite import addresses, names
from lbsuite.backoff import Backoff
from lbsuite.channels.hearsay import Hearsay
from lbsuite.events import Event
from lbsuite.registry.story import Stories, Story
from lbsuite.wire import messages, services
from lbsuite.wire.dial import dial

ANSWER_S = 2.0
"""How long a balancer may take to connect and tell its list."""
SILENCE_S = 5.0
"""A balancer that has told nothing for so long is lost: it has a word every 2 s, whatever happens."""
STEADY_S = 1.0
"""After one that has told for less than this, a pause."""

_log = logging.getLogger(__name__)


class Watched:
    """The endpoints of `service`, and their loads, as any one of its balancers tells them.

    balancers: HOST:PORT each; which is asked first is drawn, so that callers spread over them. credentials: of TLS;
    None: plain text. Those whom a balancer knows beside itself are asked too. While none can be reached, nobody leaves.
    Raises ValueError for what is no address, no service's name, and for no balancer.
    """

    def __init__(
        self,
        balancers: Sequence[str],
        service: str = "default",
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        self.following = ""
        """The balancer that was heard last; empty while there is none."""
        self._given = [addresses.valid(each) for each in balancers]
        if not self._given:
            raise ValueError("no balancer is given")
        self._service, self._credentials = names.service(service), credentials
        self._peers: Sequence[str] = ()
        self._stories = Stories(f"balancers of {service}", self._follow)

    def events(self) -> AsyncGenerator[Event, None]:
        """See Source. Nothing is told twice, whoever tells it."""
        return self._stories.events()

    async def close(self) -> None:
        """See Source."""
        await self._stories.close()

    async def _follow(self, story: Story) -> None:
        hearsay, backoff, last = Hearsay(self._skip), Backoff(), ""
        while True:
            told_s, why = 0.0, ""
            for balancer in self._after(last):
                told_s, why = await self._listen(balancer, hearsay, story)
                last = balancer
                if told_s:
                    _log.info("balancer %s is lost: %s", last, why)
                    break
            else:
                story.lost(f"no balancer can be reached: {why}")
            if told_s >= STEADY_S:
                backoff.reset()
            else:
                await asyncio.sleep(backoff.next_s())

    async def _listen(self, balancer: str, hearsay: Hearsay, story: Story) -> tuple[float, str]:
        """How long the balancer has told anything, and why it does so no more."""
        began_s, patience_s, told_s = time.monotonic(), ANSWER_S, 0.0
        request = messages.WatchRequest(service=self._service, revision=hearsay.revision)
        try:
            async with dial(balancer, credentials=self._credentials) as channel:
                call = services.stub(channel, "LoadBalancer").Watch(request)
                while True:
                    async with asyncio.timeout(patience_s):
                        update = await call.read()
                    if not isinstance(update, messages.RosterUpdate):
                        return told_s, f"{balancer} ended its story"
                    self.following, patience_s, told_s = balancer, SILENCE_S, time.monotonic() - began_s
                    self._take(update, hearsay, story)
                    await story.taken()
        except TimeoutError:
            return told_s, f"{balancer} was silent for {patience_s:g} s"
        except grpc.aio.AioRpcError as error:
            return told_s, f"{balancer}: {error.code().name}, {error.details()!r}"
        finally:
            self.following = ""

    def _take(self, update: messages.RosterUpdate, hearsay: Hearsay, story: Story) -> None:
        for event in hearsay.take(update):
            story.tell(event)
        self._peers = list(filter(addresses.is_valid, update.balancers))
        story.heard()

    def _after(self, last: str) -> Iterator[str]:
        """All that are known, once each, from the one after the last on; from any where there is no last."""
        known = list(dict.fromkeys((*self._given, *self._peers)))
        first = known.index(last) + 1 if last in known else random.randrange(len(known))
        yield from (*known[first:], *known[:first])

    def _skip(self, error: ValueError) -> None:
        _log.warning("what a balancer of %s tells is left out: %s", self._service, error)

"""The compiled core. Times are seconds of one monotonic clock and always arguments; the core never reads a clock."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, SupportsIndex, TypeVar, final

import numpy
import numpy.typing

_T = TypeVar("_T")

__version__: str

def policies() -> list[str]:
    """The names of all policies, in THE LIST's order."""

def rosters() -> list[str]:
    """The names of all rosters: the ways in which picks and changes of membership share the endpoints.

    locked: one lock for all. atomic: one list with a flag for each that is down. split: those up and those down apart,
    under a lock that picks share. snapshot: an immutable view that picks read without a lock. atomic and split serve
    round_robin only.
    """

def pick_ns(policy: str, roster: str = "snapshot", threads: int = 1, endpoints: int = 25, down: int = 0) -> float:
    """What a pick of an engine made for it costs here, in ns of wall time over all threads, each of its own lane.

    down: so many of the endpoints, the first ones, are down. Takes 0.05 s or some more. ValueError for numbers out of
    range, and for what `Engine` refuses.
    """

def signals() -> list[str]:
    """What least_load may rank by: tasks, memory, cpu."""

def parse_policy(spec: str) -> Settings:
    """Reads `name` or `name:key=value,...`; raises ValueError with the bad part."""

def stages() -> list[str]:
    """The stages there are, in the order in which they act."""

def parse_stage(spec: str) -> str:
    """The spec of a stage with all its settings written out; raises ValueError with the bad part."""

class Settings:
    """The settings of one policy; `str()` gives the spec that `parse_policy` reads. policy: its name."""

    @property
    def policy(self) -> str: ...

@final
class PickFirst(Settings):
    def __init__(self) -> None: ...

@final
class RoundRobin(Settings):
    def __init__(self) -> None: ...

@final
class Random(Settings):
    def __init__(self) -> None: ...

@final
class LeastLoad(Settings):
    """choices: "all", "auto" or how many distinct ready endpoints are compared."""

    @property
    def choices(self) -> str: ...
    def __init__(self, *, choices: str | int = "auto") -> None: ...

@final
class TwoChoices(Settings):
    def __init__(self) -> None: ...

@final
class WeightedRoundRobin(Settings):
    """weights: "given" (by `join`) or "reports", as gRPC's A58: qps / (utilization + eps / qps x penalty).

    Weights from reports are learnt over update_s or more, count once there have been some for blackout_s, and no longer
    once none has come for expiry_s; one that is not known is the mean.
    """

    @property
    def weights(self) -> str: ...
    @property
    def blackout_s(self) -> str: ...
    @property
    def expiry_s(self) -> str: ...
    @property
    def update_s(self) -> str: ...
    @property
    def penalty(self) -> str: ...
    def __init__(
        self,
        *,
        weights: str = "given",
        blackout_s: float | str = 10,
        expiry_s: float | str = 180,
        update_s: float | str = 1,
        penalty: float | str = 1,
    ) -> None: ...

@final
class SmoothWeighted(Settings):
    """nginx's: weights 5, 1, 1 give a a b a c a a."""

    def __init__(self) -> None: ...

@final
class PeakEwma(Settings):
    """decay_s: the time in which a peak of the latency decays to a third. penalty_s: what one costs that has tasks and has
    never ended any."""

    def __init__(
        self,
        *,
        decay_s: float | str = 10,
        penalty_s: float | str = 140737,
    ) -> None: ...
    @property
    def decay_s(self) -> str: ...
    @property
    def penalty_s(self) -> str: ...

@final
class Prequal(Settings):
    """probes: asked for a pick, fractions spread evenly. age_s: of the oldest that is used. q_rif: the quantile of the
    requests in flight above which an endpoint is hot. delta: by how much the pool's gain exceeds its loss, in uses.
    removes: probes removed a pick. pool: probes kept. reuses: uses of a probe where new ones cannot keep up."""

    def __init__(
        self,
        *,
        probes: float | str = 3,
        age_s: float | str = 1,
        q_rif: float | str = 0.84,
        delta: float | str = 1,
        removes: float | str = 1,
        pool: int | str = 16,
        reuses: int | str = 16,
    ) -> None: ...
    @property
    def probes(self) -> str: ...
    @property
    def age_s(self) -> str: ...
    @property
    def q_rif(self) -> str: ...
    @property
    def delta(self) -> str: ...
    @property
    def removes(self) -> str: ...
    @property
    def pool(self) -> str: ...
    @property
    def reuses(self) -> str: ...

@final
class JoinIdleQueue(Settings):
    """queues: an idle endpoint joins the shortest of so many, drawn at random."""

    def __init__(
        self,
        *,
        queues: int | str = 2,
    ) -> None: ...
    @property
    def queues(self) -> str: ...

@final
class C3(Settings):
    """alpha: the weight of the newest in averages. exponent: of the queue in the score."""

    def __init__(
        self,
        *,
        alpha: float | str = 0.9,
        exponent: float | str = 3,
    ) -> None: ...
    @property
    def alpha(self) -> str: ...
    @property
    def exponent(self) -> str: ...

@final
class Lsq(Settings):
    """samples: endpoints whose true queue a pick looks up."""

    def __init__(
        self,
        *,
        samples: int | str = 2,
    ) -> None: ...
    @property
    def samples(self) -> str: ...

@final
class Tidal(Settings):
    """Water filling for as many pickers as `Engine.pickers` was told; the least loaded while there is one."""

    def __init__(self) -> None: ...

@final
class PidWeights(Settings):
    """Each update_s a controller with the gains kp, ki, kd pulls each endpoint's utilization towards the mean of all."""

    @property
    def kp(self) -> str: ...
    @property
    def ki(self) -> str: ...
    @property
    def kd(self) -> str: ...
    @property
    def update_s(self) -> str: ...
    def __init__(
        self, *, kp: float | str = 0.1, ki: float | str = 0, kd: float | str = 0, update_s: float | str = 1
    ) -> None: ...

@final
class Hashed(Settings):
    """The endpoint that the request's key hashes to; without a key a random one, by weight.

    kind: "rendezvous" or "maglev". bound: the most that one may have, in percent of the mean by weight; 0: no bound,
    else at least 100. table: entries of maglev's table, a prime; many more than endpoints, as one without an entry is
    nobody's home.
    """

    @property
    def kind(self) -> str: ...
    @property
    def bound(self) -> str: ...
    @property
    def table(self) -> str: ...
    def __init__(self, *, kind: str = "rendezvous", bound: int | str = 0, table: int | str = 65537) -> None: ...

@final
class AffinityXLoad(Settings):
    """The endpoint nearest to the request's key, distances multiplied by (load + 1)^bias / weight."""

    @property
    def bias(self) -> str: ...
    def __init__(self, *, bias: float | str = 1) -> None: ...

class Policy:
    """The parent of policies written in Python: a subclass has `pick`, and may have two more methods.

        def done(self, address: str, count: int, failed: int, latency_s: float, now: float) -> None
        def report(self, address: str, report: Report, now: float) -> None

    done: `count` tasks ended at an endpoint, `failed` of them badly, `latency_s` their mean: one task where the host
    sees the end, several where a report tells of them. report: what an endpoint said of itself. An exception in these
    two goes to sys.unraisablehook, as nobody called them.

    An engine calls it `python:<class name>`; one object serves all lanes of an engine. It may keep what it likes, and
    must not call an engine while it is asked or told (RuntimeError). While one of an engine's policies is written in
    Python, the engine's picks and ends take turns; only reports may come while `pick` runs in another thread.
    """

    def pick(self, view: View, request: Request, rng: Rng) -> SupportsIndex | None:
        """An index into the view, which is never empty; None for nobody.

        What it raises reaches the caller of the engine's pick, and so does a ValueError for anything that is no such
        index; nothing is counted then, and the generator is as before.
        """

@final
class View:
    """The endpoints that are ready, in the roster's order, for one pick; RuntimeError once that is over."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Candidate: ...
    def __iter__(self) -> Iterator[Candidate]: ...
    @property
    def now(self) -> float: ...

@final
class Candidate:
    """One endpoint of a view. index: in the view. The others as in `Endpoint`, at this moment."""

    @property
    def index(self) -> int: ...
    @property
    def address(self) -> str: ...
    @property
    def tasks(self) -> int: ...
    @property
    def estimate(self) -> float: ...
    @property
    def score(self) -> float: ...
    @property
    def weight(self) -> float: ...
    @property
    def limit(self) -> int: ...

@final
class Request:
    """What a caller asks for. key: empty if there is none. deadline: infinity if there is none."""

    @property
    def key(self) -> bytes: ...
    @property
    def cost(self) -> int: ...
    @property
    def exclude(self) -> tuple[str, ...]: ...
    @property
    def deadline(self) -> float: ...
    @property
    def priority(self) -> int: ...

@final
class Rng:
    """A lane's seeded generator: with it, and no other, the same seed gives the same picks."""

    def below(self, bound: int) -> int:
        """Uniform in 0..bound-1; ValueError for a bound below 1 or beyond 32 bits."""

    def random(self) -> float:
        """Uniform in [0, 1)."""

    def choice(self, of: Sequence[_T]) -> _T: ...
    def shuffle(self, items: list[_T]) -> None: ...

@final
class Report:
    """What an endpoint said of itself, in the words of `Engine.report`."""

    @property
    def tasks(self) -> int: ...
    @property
    def limit(self) -> int | None: ...
    @property
    def memory(self) -> int: ...
    @property
    def cpu(self) -> float: ...
    @property
    def available(self) -> bool: ...
    @property
    def draining(self) -> bool: ...
    @property
    def begun(self) -> int | None: ...
    @property
    def finished(self) -> int | None: ...
    @property
    def busy_s(self) -> float: ...
    @property
    def task_s(self) -> float: ...
    @property
    def failed(self) -> int: ...
    @property
    def utilization(self) -> float: ...

@final
class Pick:
    """One answer of an engine. sequence: the lane in the high 16 bits, in the others its picks, from 1. until: when a
    stream that began with it should be picked anew; infinite without the stage max_age."""

    @property
    def endpoint(self) -> str: ...
    @property
    def index(self) -> int: ...
    @property
    def generation(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def until(self) -> float: ...

@final
class Ticket:
    """A place in an engine's queue; what becomes of it is told by an effect with an equal ticket."""

    @property
    def number(self) -> int: ...
    def __hash__(self) -> int: ...

@final
class Endpoint:
    """What an engine knows of one endpoint at one moment.

    state: "ready", "full", "unavailable", "stale", "draining", "ejected" or "standby" (a stage would rather have others
    serve). tasks: slots taken, as the engine counts them. work: the cost of those tasks; one that only a report tells of
    is taken to cost the mean. estimate: the dead-reckoned load in tasks. score: what least_load compares, ranked by tasks
    the dead-reckoned work. memory, cpu: as last reported. report_age_s: None before the first report. tier: as it joined.
    warmth: of its full share, what slow_start lets it have now.
    """

    @property
    def address(self) -> str: ...
    @property
    def index(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def tasks(self) -> int: ...
    @property
    def estimate(self) -> float: ...
    @property
    def score(self) -> float: ...
    @property
    def work(self) -> float: ...
    @property
    def picks(self) -> int: ...
    @property
    def limit(self) -> int: ...
    @property
    def weight(self) -> int: ...
    @property
    def zone(self) -> str: ...
    @property
    def tier(self) -> int: ...
    @property
    def warmth(self) -> float: ...
    @property
    def memory(self) -> int: ...
    @property
    def cpu(self) -> float: ...
    @property
    def report_age_s(self) -> float | None: ...

@final
class Considered:
    """One endpoint, as a pick found it.

    state: as in `Endpoint`. out_by: what kept it out: "request" (which excludes it), "share" (it has had its own), a
    stage's name, "lost", "full", "stale", "draining" or "unavailable"; None: nothing did. looked_at: by the policy, which
    found it ready. weighed: the figure that the policy compared or drew by; None where it has none. level: those of a
    lower one go before. The others as in `Endpoint`.
    """

    @property
    def address(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def out_by(self) -> str | None: ...
    @property
    def looked_at(self) -> bool: ...
    @property
    def weighed(self) -> float | None: ...
    @property
    def score(self) -> float: ...
    @property
    def tasks(self) -> int: ...
    @property
    def limit(self) -> int: ...
    @property
    def weight(self) -> float: ...
    @property
    def level(self) -> int: ...
    @property
    def report_age_s(self) -> float | None: ...

@final
class Explanation:
    """One pick told in full, as it was while it was made; `str()` says it in words.

    policy: the spec of the one asked. goes_by: its rule, in a few words. picked: an address; None: nobody, and refused
    says why. sequence: the pick's; 0: nobody was picked, or nothing was counted. view: counts the changes of who may be
    picked. endpoints: all there were, in the roster's order. ready, looked_at: how many of them were.
    """

    @property
    def policy(self) -> str: ...
    @property
    def goes_by(self) -> str: ...
    @property
    def picked(self) -> str | None: ...
    @property
    def refused(self) -> str | None: ...
    @property
    def sequence(self) -> int: ...
    @property
    def now(self) -> float: ...
    @property
    def view(self) -> int: ...
    @property
    def key(self) -> bytes: ...
    @property
    def cost(self) -> int: ...
    @property
    def priority(self) -> int: ...
    @property
    def attempt(self) -> int: ...
    @property
    def ready(self) -> int: ...
    @property
    def looked_at(self) -> int: ...
    @property
    def endpoints(self) -> list[Considered]: ...
    def as_dict(self) -> dict[str, Any]:
        """All of it by name, the endpoints as a list of such: what a frame is made of."""

@final
class Shadow:
    """How a shadow policy has fared: picks it was asked for, those where it chose another endpoint, and their share."""

    @property
    def asked(self) -> int: ...
    @property
    def differing(self) -> int: ...
    @property
    def share(self) -> float: ...

@final
class Effect:
    """Something the engine asks its host to do or to say.

    kind: "lost", "back", "stale", "fresh", "expired", "ejected", "returned", "probe" (send one to the address, answer
    by `probed`), or, of all and of no address, "panic" (so few are well that who is believed sick serves too), "calm".
    "answered": `ticket` waits no longer, and this is its `pick`; "timed_out": it has waited in vain.
    """

    @property
    def kind(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def now(self) -> float: ...
    @property
    def by(self) -> str:
        """The stage that ejected it; else empty."""

    @property
    def why(self) -> str:
        """Why it was ejected; else empty."""

    @property
    def for_s(self) -> float:
        """For how long it was ejected; else, or where that is open, infinity."""

    @property
    def ticket(self) -> Ticket | None: ...
    @property
    def pick(self) -> Pick | None: ...

@final
class Engine:
    """One service: a roster of endpoints and the policies that pick among those that are ready.

    policy: a name, `name:key=value,...`, a Settings object or a Policy; what a request gets that names none. roster:
    one of `rosters()`; all but snapshot are there to be compared with it. load: the signal that least_load and
    two_choices rank by. accounting: "done" (the caller reports each pick's end by `done`) or "reported" (reports free
    the slots). outcomes, probes: whether the caller gives them (how each task ended, by `done` or by the own_ fields of
    reports; answers to the probes that effects ask for). native: whether it serves a host that runs no Python. stages:
    specs of those that protect it, `name` or `name:key=value,...`, each at most once. queue_s: above 0, a pick that finds
    all full becomes a Ticket that waits so long at most, queue_tickets of them at once; queue_order: "fifo", "deadline"
    (who can wait least goes first) or "priority". Raises ValueError for an unknown name, and for a policy or a stage that
    needs what is not given or that the roster does not serve. Calls may come from any thread.
    """

    def __init__(
        self,
        policy: str | Settings | Policy = "least_load:choices=auto",
        roster: str = "snapshot",
        seed: int = 1,
        *,
        load: str = "tasks",
        accounting: str = "done",
        outcomes: bool = True,
        probes: bool = True,
        native: bool = False,
        stages: Sequence[str] = (),
        queue_s: float = 0.0,
        queue_tickets: int = 1000,
        queue_order: str = "fifo",
    ) -> None: ...
    def __len__(self) -> int: ...
    @property
    def policy(self) -> str: ...
    @property
    def stages(self) -> list[str]:
        """Their specs, with all settings."""

    def join(
        self,
        address: str,
        now: float,
        *,
        weight: int = 1,
        limit: int = 0,
        zone: str = "",
        order: int | None = None,
        lease_s: float = 0.0,
        tier: int = 0,
    ) -> bool:
        """Adds an endpoint, or updates weight, limit, zone, lease and tier of the one with this address; True if it is new.

        order: place among the others (an etcd create revision); None: after all that have one, by arrival; kept
        when an endpoint joins again. lease_s: leaves unless it joins or reports again within this time; 0: stays.
        tier: those of a lower one go before, with the stage tiers.
        """

    def leave(self, address: str, now: float) -> bool:
        """Removes an endpoint; False if it is not there."""

    def report(
        self,
        address: str,
        now: float,
        *,
        tasks: int = 0,
        limit: int | None = None,
        memory: int = 0,
        cpu: float = 0.0,
        available: bool = True,
        draining: bool = False,
        interval_s: float = 0.0,
        prompt_s: float = 0.0,
        begun: int | None = None,
        finished: int | None = None,
        busy_s: float = 0.0,
        task_s: float = 0.0,
        failed: int = 0,
        own_finished: int = 0,
        own_failed: int = 0,
        own_refused: int = 0,
        own_latency_s: float = 0.0,
        utilization: float = 0.0,
    ) -> bool:
        """Takes an endpoint's own report; False if it never joined, ValueError for a negative or absurd value.

        interval_s: the next report comes within this, else it is stale after 3 of them; 0: none is expected.
        prompt_s: the end of a task is told within this, so that silence says none has ended; 0: not before the interval.
        begun: how many of this engine's picks it has begun since it started; None: it does not count them.
        finished, busy_s, task_s: tasks finished, time with at least one task, integral of tasks over time, since it
        started; finished None: it does not tell. failed: of those finished. own_finished, own_failed, own_refused,
        own_latency_s: of this engine's picks, the tasks finished, those of them that failed, those of these that it
        turned away, being full or about to leave, and the sum of their latencies.
        utilization: the application's own measure of how busy it is; 0: not told.
        """

    def drain(self, address: str, now: float, *, undo: bool = False) -> bool:
        """Stops picking an endpoint, or lets it be picked again; False if it is not there."""

    def lost(self, address: str, now: float) -> bool:
        """The connection to an endpoint broke and it refuses another: not ready until `reached`; False if it is not there."""

    def reached(self, address: str, now: float) -> bool:
        """A connection to an endpoint that was lost stands again; False if it is not there."""

    def pickers(self, count: int, now: float) -> None:
        """How many engines pick for this service, this one included; `choices=auto` goes by it."""

    def probed(self, address: str, now: float, *, tasks: int, latency_s: float) -> bool:
        """An endpoint has answered a probe: requests in flight there, and what one more would take."""

    def switch(self, policy: str | Settings | Policy, now: float) -> None:
        """Requests that name no policy get this one from now on; what is in flight stays counted."""

    def shadow(self, policy: str | Settings | Policy | None, now: float) -> None:
        """Asks this policy, too, wherever another, the engine's own, picks, and obeys it never; None ends it."""

    @property
    def shadowed(self) -> Shadow:
        """What came of the shadow policy since it was set."""

    def pick(
        self,
        now: float,
        key: bytes | str | None = None,
        cost: int = 1,
        exclude: Sequence[str] = (),
        policy: str | Settings | Policy | None = None,
        deadline: float | None = None,
        priority: int = 0,
        attempt: int = 0,
        lane: int = 0,
    ) -> Pick | Ticket | None:
        """Chooses a ready endpoint and counts the task as its own; None if there is none (see `why`).

        Where waiting is on (queue_s), who finds all full gets a Ticket, and its Pick by an effect "answered", once a
        slot is free: the policy chooses then. It has its slot as any pick has, whether or not the effect is fetched.
        None then says that the queue is full, too, that the deadline has passed, or that the request excludes all
        who serve.

        policy: which to ask instead of the engine's own. lane: one that `lane` opened, or 0. deadline, priority (0 goes
        first), attempt (above 0: a retry): for stages, policies and the log.
        """

    def done(
        self, pick: Pick, now: float, latency_s: float = 0.0, error: str | None = None, refused: bool = False
    ) -> None:
        """Ends a pick (accounting "done" only, ValueError otherwise); a second end of the same pick is ignored.

        error: it failed. refused: it was turned away by an endpoint that is full or about to leave, which is a failure
        that says nothing of the endpoint's health.
        """

    def cancel(self, ticket: Ticket, now: float) -> bool:
        """The caller waits no longer, and its ticket takes no slot; False if its waiting is over already.

        What became of it is then among the effects, or was: an "answered" pick wants its `done`, as any other. ValueError
        for another engine's ticket.
        """
    def sample(self, every: int) -> None:
        """From now on each `every`-th pick that a lane is asked for is told in full, and the newest 256 are kept (fewer
        where they name more than 65,536 endpoints in all); 0, as at the start: none. One told costs a look at each
        endpoint, under the lock of changes."""

    def explain(self, pick: Pick) -> Explanation | None:
        """What made a pick; None if it was not sampled, or is no longer kept. ValueError for another engine's."""

    def records(self, most: int | None = None) -> list[Explanation]:
        """The sampled picks that are kept, newest last, those that found nobody among them; at most so many."""

    def explain_choice(
        self,
        now: float,
        key: bytes | str | None = None,
        cost: int = 1,
        exclude: Sequence[str] = (),
        policy: str | Settings | Policy | None = None,
        priority: int = 0,
        attempt: int = 0,
        lane: int = 0,
    ) -> Explanation:
        """What `pick` would choose now, and why. As each look of the cheap twin it counts nothing, but is a turn of the
        policy, unless a stage refuses: it draws from the lane's generator, and round robin goes on to the next."""

    def counters(self) -> dict[str, int]:
        """What has happened since the start: "picks", "tickets", "refused_" and why there was nobody, "ejected_by_" and
        "returned_by_" with each stage's name."""

    def pick_address(self, now: float) -> str | None:
        """The cheap twin of `pick`: a cached address by the engine's own policy; nothing is counted."""

    def pick_many(self, n: int, now: float) -> numpy.typing.NDArray[numpy.uint32]:
        """n times `pick_address` in one call, as endpoint indices; empty if none is ready."""

    def lane(self) -> int:
        """Opens a lane: picks of one lane come from one thread at a time, and lanes do not wait for each other."""

    def why(self, now: float, priority: int = 0, attempt: int = 0) -> str:
        """Why a pick like this found nobody.

        "shed" (the service is at its limit for what matters no more than this), "over_budget" (a retry beyond what
        retries may cost), "none" (no endpoint is up), "all_full" (each that is up is at its limit), or "ready".
        """

    def ready(self, now: float) -> list[str]:
        """The addresses of those that may be picked, in the roster's order."""

    def endpoints(self, now: float) -> list[Endpoint]:
        """Every endpoint in the roster's order, ready or not."""

    def address_of(self, index: int) -> str:
        """The address of an index that `pick_many` gave; IndexError if nobody has it."""

    def next_deadline(self) -> float:
        """When `expire` has something to do next; infinity if never."""

    def expire(self, now: float) -> None:
        """Lets time pass: stale reports, leases that ran out, picks that never arrived."""

    def effects(self) -> list[Effect]:
        """What happened that a host should act on or log since the last call, oldest first."""

@final
class HttpProxy:
    """An HTTP/1.1 reverse proxy over an engine that is `native` and accounts by "done": it listens, and serves until
    `close`, in threads that never hold the GIL.

    listen: IP:PORT each. access_log: a file descriptor that it takes over; -1: none. The others: see
    lbsuite.proxy.settings. Raises ValueError for a setting that makes no sense, RuntimeError where it cannot listen.
    """

    def __init__(
        self,
        engine: Engine,
        listen: Sequence[str],
        access_log: int = -1,
        *,
        threads: int = ...,
        connect_s: float = ...,
        head_s: float = ...,
        idle_s: float = ...,
        request_s: float = ...,
        head_bytes: int = ...,
        target_bytes: int = ...,
        fields: int = ...,
        body_bytes: int = ...,
        connections: int = ...,
        idle_connections: int = ...,
        attempts: int = ...,
        retry_share: float = ...,
        retries_per_s: float = ...,
        via: str = ...,
        key: str = ...,
        trusted: Sequence[str] = ...,
        certificate: str = ...,
        certificate_key: str = ...,
    ) -> None: ...
    @property
    def addresses(self) -> list[str]:
        """Where it listens."""

    def totals(self) -> dict[str, int]:
        """What it has seen since it began: connections, requests, bytes."""

    def close(self, drain_s: float = 0.0) -> bool:
        """No new connections, no new requests. True when all under way was over within drain_s; the rest is cut."""

@final
class Recording:
    """The lines of an engine's log; made by `record`. Calls may come from any thread."""

    @property
    def lines(self) -> list[str]:
        """Those kept in memory: all, or none where they go to a file."""

    @property
    def failure(self) -> int:
        """The errno of the write that ended the log before its time; 0: none has."""

    def __len__(self) -> int: ...
    def close(self) -> None:
        """Closes the file; first ends the recording."""

@final
class ReplayedPick:
    """A pick of a log. recorded, picked: an address, "none" or "all_full", then and now."""

    @property
    def now(self) -> float: ...
    @property
    def lane(self) -> int: ...
    @property
    def recorded(self) -> str: ...
    @property
    def picked(self) -> str: ...

def record(engine: Engine, path: bytes | None = None) -> Recording:
    """Records an engine from its start; ValueError if it was told or asked anything, OSError for the file."""

def end_recording(engine: Engine) -> None: ...
def log_settings(line: str) -> dict[str, Any]:
    """What `Engine` takes, from the first line of a log; ValueError with the bad part."""

def replay(engine: Engine, lines: list[str], *, another_policy: bool) -> list[ReplayedPick]:
    """Feeds the lines of a log after the first to a fresh engine; ValueError with the line's number and its bad part.

    another_policy: the engine's is not the log's, and the log does not switch it.
    """

def router_kinds() -> list[str]:
    """What a KeyRouter may be: slots, jump, rendezvous, ring, maglev, dx, anchor."""

@final
class KeyRouter:
    """Which member has a key, the same answer on every machine; a member is any name, a key is bytes, str or int.

    A str is its UTF-8 bytes; an int is a key of its own, from -2^63 to 2^64-1, below 0 as its two's complement.

    slots: rendezvous over 65,536 slots, one load a key; rendezvous: the most even of those that move the fewest keys;
    ring: ketama's, as memcached clients have it; maglev: as Envoy has it. These four are functions of members and
    weights alone and sort members by name. jump counts members as they come: only the last can go. dx knows the
    names it was made with: any of them may go and come back, in any order. anchor goes by the order of changes: they
    come by `apply` alone, from one log for all. Weights are 1..64; jump, dx and anchor take none.

    bound: at least 1, in thousandths; no member takes more than ceil(bound * (in flight + 1) * its share of the
    weights). A key whose member is full goes to the choice of its next hash, and so on. capacity: of anchor, the most
    members there may ever be at once; None: twice those at the start.

    Raises ValueError with the bad value, and changes nothing. Calls may come from any thread.
    """

    def __init__(
        self,
        kind: str,
        members: Iterable[str],
        weights: Mapping[str, int] | None = None,
        *,
        bound: float | None = None,
        capacity: int | None = None,
    ) -> None: ...
    def __len__(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def members(self) -> list[str]:
        """In the order of their indices."""

    @property
    def weights(self) -> dict[str, int]: ...
    @property
    def loads(self) -> dict[str, int]:
        """What `take` has counted and `done` has not."""

    @property
    def revision(self) -> int:
        """Of the last batch; 0 before the first."""

    def route(self, key: bytes | str | int) -> str:
        """The member that has a key; with a bound, the one that `take` would choose now."""

    def route_many(
        self, keys: numpy.typing.NDArray[numpy.integer[Any]] | Iterable[bytes | str | int]
    ) -> numpy.typing.NDArray[numpy.uint32]:
        """The indices of the members that have the keys; 64-bit integers in one piece are read where they are."""

    def take(self, key: bytes | str | int) -> str:
        """Routes within the bound and counts one more in flight there; ValueError without a bound."""

    def done(self, member: str) -> bool:
        """Counts one less; False if there is none, or the member has gone. ValueError without a bound."""

    def add(self, member: str, weight: int = 1) -> None: ...
    def remove(self, member: str) -> None:
        """ValueError for the last one there is, and where the kind cannot lose it."""

    def apply(self, revision: int, weights: Mapping[str, int]) -> None:
        """One batch of a log: members that come or whose weight changes, and, with weight 0, those that go.

        Members come in the order of their names, then others go, the last first; who is gone already is passed over.
        """

@final
class Cancel:
    """A flag that stops a running kernel within 10 ms; set from any thread."""

    def __init__(self) -> None: ...
    def set(self) -> None: ...
    def is_set(self) -> bool: ...

class TaskCancelled(Exception):
    """A kernel stopped because its Cancel was set."""

def fibonacci(n: int) -> int:
    """F(n), exactly, for n up to 100 million, which takes half a second; beyond 93 without the GIL.

    ValueError out of these bounds; NotImplementedError above 93 where lbsuite was built without GMP.
    """

def fibonacci_digest(n: int, cancel: Cancel) -> tuple[int, int]:
    """How many decimal digits F(n) has, and the XXH64 of its bytes, little endian with no zero byte at the end.

    The GIL is released; a set Cancel is seen after the multiplication that runs. Errors as of fibonacci, for any n.
    """

def fibonacci_text(n: int, cancel: Cancel) -> str:
    """F(n) in decimal, 4 to 7 times the work of fibonacci_digest; else as that."""

def gmp_release() -> str | None:
    """Of the GMP that computes big Fibonacci numbers; None where lbsuite was built without."""

def fibonacci_recursive(n: int, cancel: Cancel) -> int:
    """F(n) by the plain recursion, as a CPU load; ValueError outside 0..93. The GIL is released."""

def sleep(seconds: float, cancel: Cancel) -> None:
    """Waits; ValueError if negative or not finite. The GIL is released."""

def hold_memory(bytes: int, seconds: float, cancel: Cancel) -> None:
    """Holds `bytes` of resident memory for a while, then gives it back to the system; MemoryError if it cannot."""

def mix(cpu_s: float, sleep_s: float, bytes: int, cancel: Cancel) -> None:
    """Uses CPU, then sleeps, and holds `bytes` of resident memory all along, if above 0. The GIL is released.

    ValueError for a time or size below 0, MemoryError where the system refuses it.
    """

def draw(distribution: str, shape: float, seed: int, count: int) -> list[float]:
    """Positive numbers of mean 1: `exp`, `lognormal` (shape: sigma, 0..4) or `pareto` (shape: alpha, above 1, to 100).

    The same seed gives the same numbers. ValueError for another distribution or shape.
    """

def thread_cpu_s() -> float:
    """CPU time that the calling thread has used."""

def lower_priority(nice: int) -> None:
    """Adds to the calling thread's niceness on Linux, so that the rest of the process goes first; nothing elsewhere."""

def set_kinds() -> list[str]:
    """The ways to place by the set of servers alone: stable_matching (the default), maglev, modulo."""

def place(
    objects: int | Iterable[int],
    servers: Iterable[str],
    weights: Mapping[str, int] | None = None,
    kind: str = "stable_matching",
) -> dict[str, list[int]]:
    """Who owns which object: a function of the two sets alone, the same in every process, whatever came before.

    objects: how many (0 to one less), or which, each in 0..4095. servers: IPv4 addresses. weights: 1..64 for some of
    them, 1 for the others. Each server owns the floor or the ceiling of its exact share (of kind "modulo": by the
    objects' numbers). Raises ValueError with the value for 0 or more than 4095 servers, one that is named twice or is
    no IPv4, an object out of range or twice, a weight out of range or where the kind takes none.
    """

@final
class Delta:
    """What one batch of changes did. moves: (object, from, to) each, from None where it had no owner. minimum: the fewest
    moves by which any placement in balance could be reached."""

    @property
    def moves(self) -> list[tuple[int, str | None, str]]: ...
    @property
    def minimum(self) -> int: ...

@final
class SetPlacer:
    """The placement behind `place`, kept from one change of the set to the next. Calls may come from any thread.

    Raises ValueError as `place` does.
    """

    def __init__(self, objects: int | Iterable[int] = 4096, kind: str = "stable_matching") -> None: ...
    def apply(self, weights: Mapping[str, int]) -> Delta:
        """Changes the weights of some servers, 0 for those that are gone. A refused batch changes nothing."""

    @property
    def kind(self) -> str: ...
    @property
    def placed(self) -> dict[str, list[int]]:
        """The objects of each server, ascending."""

    def digest(self) -> int:
        """Equal for equal objects, kinds and sets, whatever the order in which servers came and went."""

@final
class Placer:
    """Who owns which object, by a log of batches: all who apply the same batches in the same order agree.

    After each batch every server owns the floor or the ceiling of its exact share, and no object has moved that need
    not. Batches are applied one at a time, from any thread; reads of the table never wait. Raises ValueError for
    objects out of 1..65536 or max_servers out of 1..4095.
    """

    def __init__(self, objects: int = 4096, max_servers: int = 4095) -> None: ...
    @staticmethod
    def restore(snapshot: bytes) -> Placer:
        """The placer that a snapshot was taken of; ValueError if it is damaged."""

    def apply(self, revision: int, weights: Mapping[str, int]) -> Delta:
        """Applies one batch of simultaneous changes: IPv4 -> weight, 0 for down.

        Raises ValueError, changing nothing, if the revision is not newer than the last one, an address is no IPv4, a
        weight is out of 0..64, or none or more than max_servers would be up.
        """

    def preview(self, revision: int, weights: Mapping[str, int]) -> Delta:
        """What `apply` would do, without doing it."""

    def owner(self, object: int, /) -> str | None:
        """The server that owns an object; None before the first batch. ValueError if it is out of range."""

    def owners(self, objects: numpy.typing.NDArray[numpy.integer]) -> numpy.typing.NDArray[numpy.uint16]:
        """The ids of the owners (see `server`), in the shape of `objects`; 65535 before the first batch."""

    def owned(self, server: str) -> numpy.typing.NDArray[numpy.uint32]:
        """The objects of a server, ascending; none if it is not up."""

    def owners_n(self, object: int, k: int, *, zones: Mapping[str, str] = ...) -> list[str]:
        """k servers for copies of an object: its owner first, then by rendezvous hashing, in a zone each while there
        are such; fewer only if not so many are up. zones: of some servers; each other is a zone of its own."""

    def server(self, id: int) -> str | None:
        """The server with an id; None if there is none."""

    @property
    def weights(self) -> dict[str, int]:
        """Of the servers that are up."""

    @property
    def table(self) -> numpy.typing.NDArray[numpy.uint16]:
        """The ids of all owners, by object: a read-only view that shows each batch as it is applied."""

    @property
    def objects(self) -> int: ...
    @property
    def live(self) -> int: ...
    @property
    def revision(self) -> int: ...
    def snapshot(self) -> bytes:
        """The whole state: those who join later apply what came after it."""

    def digest(self) -> int:
        """Equal for all who have applied the same batches."""

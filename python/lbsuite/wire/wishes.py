"""Which policy a request asks for."""

from collections.abc import Mapping

from lbsuite import _core
from lbsuite.wire import messages

MAX_POLICIES = 8
"""So many policies are taken from requests, beside the bare names, the strategies and the operator's: an engine holds
64, and some plan anew whenever an endpoint comes or goes."""
MAX_SPELLINGS = 64
"""So many spellings are remembered; a policy that is known has no end of them."""
MAX_TABLE = int(_core.Hashed().table)
"""A request's table may be as large as the default: a larger one takes as much longer to make."""
MAX_POLICY_CHARACTERS = 255

STRATEGIES: Mapping[int, str] = {
    messages.PICK_FIRST: "pick_first",
    messages.ROUND_ROBIN: "round_robin",
    messages.LEAST_LOAD: "least_load:choices=all",
}


class Wishes:
    """Reads wishes; where the operator's policy is `fixed` they are read all the same, and then ignored.

    own: the operator's policy, as an engine spells it.
    """

    def __init__(self, fixed: bool, own: str = "") -> None:
        self._fixed = fixed
        # Whatever has been asked for before, these are not crowded out.
        self._spellings = {name: str(_core.parse_policy(name)) for name in _core.policies()}
        self._always = {*self._spellings.values(), *map(_spec, STRATEGIES.values()), own}
        self._most_spellings = len(self._spellings) + MAX_SPELLINGS
        self._wished: set[str] = set()

    def read(self, policy: str, strategy: int | None) -> str | None:
        """The policy wished, by its name or else by its strategy; None: the operator's. Raises ValueError for a
        strategy outside the enum and for a policy that there is not."""
        wish = None
        if strategy is not None:
            wish = STRATEGIES.get(strategy)
            if wish is None:
                raise ValueError(f"no strategy {strategy}; there are {', '.join(map(str, STRATEGIES))}")
        if policy:
            wish = self._spellings.get(policy) or self._learn(policy)
        return None if self._fixed else wish

    def _learn(self, policy: str) -> str:
        if len(policy) > MAX_POLICY_CHARACTERS or not policy.isprintable():
            raise ValueError(f"not a policy: {policy[:MAX_POLICY_CHARACTERS]!r}")
        settings = _core.parse_policy(policy)
        spec = str(settings)
        if spec not in self._always and spec not in self._wished:
            if isinstance(settings, _core.Hashed) and int(settings.table) > MAX_TABLE:
                raise ValueError(f"a request's table has up to {MAX_TABLE} entries: {policy!r}")
            if len(self._wished) >= MAX_POLICIES:
                raise ValueError(f"{MAX_POLICIES} other policies have been asked for already, no room for {policy!r}")
            self._wished.add(spec)
        if len(self._spellings) < self._most_spellings:
            self._spellings[policy] = spec
        return spec


def _spec(policy: str) -> str:
    return str(_core.parse_policy(policy))

"""Which policy a request asks for."""

from collections.abc import Mapping

from lbsuite import _core
from lbsuite.wire import messages

MAX_POLICIES = 32
"""So many spellings of policies are taken from requests, beside the bare names: an engine holds 64 policies."""
MAX_POLICY_CHARACTERS = 255

STRATEGIES: Mapping[int, str] = {
    messages.PICK_FIRST: "pick_first",
    messages.ROUND_ROBIN: "round_robin",
    messages.LEAST_LOAD: "least_load:choices=all",
}


class Wishes:
    """Reads wishes; where the operator's policy is `fixed` they are read all the same, and then ignored."""

    def __init__(self, fixed: bool) -> None:
        self._fixed = fixed
        # Whatever has been asked for before, these are not crowded out.
        self._policies = {name: str(_core.parse_policy(name)) for name in _core.policies()}
        self._most = len(self._policies) + MAX_POLICIES

    def read(self, policy: str, strategy: int | None) -> str | None:
        """The policy wished, by its name or else by its strategy; None: the operator's. Raises ValueError for a
        strategy outside the enum and for a policy that there is not."""
        wish = None
        if strategy is not None:
            wish = STRATEGIES.get(strategy)
            if wish is None:
                raise ValueError(f"no strategy {strategy}; there are {', '.join(map(str, STRATEGIES))}")
        if policy:
            wish = self._policies.get(policy) or self._learn(policy)
        return None if self._fixed else wish

    def _learn(self, policy: str) -> str:
        if len(policy) > MAX_POLICY_CHARACTERS or not policy.isprintable():
            raise ValueError(f"not a policy: {policy[:MAX_POLICY_CHARACTERS]!r}")
        spec = str(_core.parse_policy(policy))
        if len(self._policies) >= self._most:
            raise ValueError(f"{MAX_POLICIES} policies have been asked for already, no room for {policy!r}")
        return self._policies.setdefault(policy, spec)

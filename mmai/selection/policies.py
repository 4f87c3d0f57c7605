"""Named policies: what the four scores count for, and where models may run."""

from typing import Literal

from msgspec import Struct

from mmai.errors import UsageError
from mmai.values.decision import Weights


class Policy(Struct, frozen=True, kw_only=True):
    """A name for weights, and for a filter where it has one."""

    weights: Weights
    within: Literal["local", "private"] | None = None
    """`local` keeps to one's own machines, `private` to this one."""


DEFAULT = "balanced"

POLICIES = {
    "balanced": Policy(weights=Weights()),
    "quality": Policy(weights=Weights(performance=0.1, cost=0.1, reliability=0.1, capability=0.7)),
    "fast": Policy(weights=Weights(performance=0.7, cost=0.1, reliability=0.1, capability=0.1)),
    "cheap": Policy(weights=Weights(performance=0.1, cost=0.7, reliability=0.1, capability=0.1)),
    "local": Policy(weights=Weights(), within="local"),
    "private": Policy(weights=Weights(), within="private"),
}
"""`balanced` has the specification's weights; of the others each moves most of the sum to what it is named for."""


def policy(name: str) -> Policy:
    """The policy of this name.

    Raises:
        UsageError: there is none.
    """
    known = POLICIES.get(name)
    if known is None:
        raise UsageError(f"`{name}` is no policy; those are {', '.join(POLICIES)}", hint="mmai select --policy quality")
    return known

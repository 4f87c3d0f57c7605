"""Named policies: what the four scores count for, and where models may run."""

from typing import Literal

from msgspec import Struct

from mmai.values.decision import PolicyName, Weights


class Policy(Struct, frozen=True, kw_only=True):
    """A name for weights, and for a filter where it has one."""

    weights: Weights
    within: Literal["local", "private"] | None = None
    """`local` keeps to one's own machines, `private` to this one."""


POLICIES = {
    PolicyName.BALANCED: Policy(weights=Weights()),
    PolicyName.QUALITY: Policy(weights=Weights(performance=0.003, cost=0.003, reliability=0.014, capability=0.98)),
    PolicyName.FAST: Policy(weights=Weights(performance=0.7, cost=0.1, reliability=0.1, capability=0.1)),
    PolicyName.CHEAP: Policy(weights=Weights(performance=0.1, cost=0.7, reliability=0.1, capability=0.1)),
    PolicyName.LOCAL: Policy(weights=Weights(), within="local"),
    PolicyName.PRIVATE: Policy(weights=Weights(), within="private"),
}
"""`balanced` has the specification's weights; of the others each moves most of the sum to what it is named for. Where quality is
asked for, the rest only parts models that are about as good."""

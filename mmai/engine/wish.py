"""What the user said about who should answer, and what came of it."""

from msgspec import Struct
from msgspec.structs import replace

from mmai.engine.session import Route
from mmai.values.decision import Decision, PolicyName, Weights
from mmai.values.request import Request
from mmai.values.task import Constraints, TaskType

AUTO = "auto"


class Wish(Struct, frozen=True, kw_only=True):
    """A model by its name, or limits and weights to choose one by."""

    model: str = AUTO
    fallbacks: tuple[str, ...] = ()
    task: TaskType | None = None
    constraints: Constraints = Constraints()
    weights: Weights = Weights()
    policy: PolicyName | None = PolicyName.BALANCED
    """The name the weights go by, if they have one."""
    exploration: float = 0.0
    """Chance that the choice may fall on another model than the best, to learn about it."""
    exploration_usd: float = 0.001
    """What that may cost more, in US dollars."""
    preferred: str | None = None
    """Provider to take where scores are equal."""

    @property
    def is_plain(self) -> bool:
        """A model was named and no limits were set: there is nothing to weigh."""
        return self.model != AUTO and self.constraints == Constraints()


class Choice(Struct, frozen=True, kw_only=True):
    """Whom to call, first to last, and the ranking behind an automatic choice."""

    routes: tuple[Route, ...]
    decision: Decision | None = None


def with_task(request: Request, decision: Decision | None, wish: Wish) -> Request:
    """The request as the chosen model gets it: told which task it is for."""
    task = wish.task or (decision.analysis.task_type if decision else None)
    return replace(request, task=task)

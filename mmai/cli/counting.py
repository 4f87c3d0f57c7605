"""`mmai run --count-tokens`: how long a prompt is and what it would cost, with nobody asked to answer it."""

from msgspec.structs import replace

from mmai.backends.base import Backend, Counter
from mmai.cli.asking import Asking
from mmai.cli.frame import Frame
from mmai.cli.world import world
from mmai.engine.session import Route
from mmai.engine.wish import with_task
from mmai.render.counting import Counted, counted_text
from mmai.selection.analyze import analyze
from mmai.selection.expectations import cost_usd, longest_answer, worst_cost_usd
from mmai.values.model import ModelCard
from mmai.values.request import Request
from mmai.values.task import TaskAnalysis


async def count(asking: Asking, call: Frame) -> None:
    """Choose as a run would, count, and print; exact where the provider counts, estimated elsewhere."""
    async with world(call) as here:
        choice = await here.choose(asking.request, asking.wish, spends=False)
        route = choice.routes[0]
        request = with_task(asking.request, choice.decision, asking.wish)
        counted = await _counted(here.session.backend(route.endpoint), route, request)
    if call.output == "text":
        call.write(counted_text(counted).encode())
    else:
        call.envelope(counted)


async def _counted(backend: Backend, route: Route, request: Request) -> Counted:
    card, analysis = route.card, analyze(request)
    exact = await backend.count_tokens(card, request) if isinstance(backend, Counter) else None
    if exact is not None:
        analysis = replace(analysis, context_tokens=exact)
    return Counted(
        model=str(card.ref),
        input_tokens=analysis.context_tokens,
        estimated=exact is None,
        input_cost_usd=cost_usd(card, replace(analysis, output_tokens=0)),
        worst_cost_usd=_worst(card, analysis, request.options.max_tokens, exact=exact is not None),
    )


def _worst(card: ModelCard, analysis: TaskAnalysis, max_tokens: int | None, *, exact: bool) -> float | None:
    """The most the request can cost; what was counted exactly needs no margin for the estimate."""
    longest = longest_answer(card, analysis, max_tokens=max_tokens)
    if longest is None or not exact:
        return worst_cost_usd(card, analysis, max_tokens=max_tokens)
    return cost_usd(card, replace(analysis, output_tokens=longest))

"""The best model for a prompt, out of all that are known."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Protocol

from msgspec import structs

from mmai.clock import Clock
from mmai.engine.directory import Directory
from mmai.engine.wish import AUTO, Choice, Wish
from mmai.errors import AuthError, BudgetExceeded, ConfigError, MmaiError, NoEligibleModel
from mmai.registry.health import unavailable
from mmai.registry.profiles import effective
from mmai.selection.analyze import analyze
from mmai.selection.candidates import MONEY, exclusion, filters
from mmai.selection.decide import Choices
from mmai.selection.explain import explain
from mmai.selection.explore import Draws, explore
from mmai.selection.misses import no_eligible
from mmai.selection.policies import POLICIES
from mmai.selection.roster import NO_OUTCOMES
from mmai.values.budget import Spending
from mmai.values.decision import Decision, PolicyName, Weights
from mmai.values.model import ModelCard, Profile
from mmai.values.outcome import Observed
from mmai.values.registry import Registry
from mmai.values.request import AudioPart, ImagePart, Message, Part, Request, TextPart
from mmai.values.task import Constraints, TaskType
from mmai.values.url import is_loopback

RUNNERS_UP = 3
"""How many of the next best models an automatic choice may fall back to."""

LIMITS = frozenset({"provider", "exclude", "local_only", "policy", "max_latency", "min_reliability", "max_memory", *MONEY})
"""Filters that hold for a model somebody named, too: limits the user set. What it can do is between the model and its server."""


MATERIAL: dict[TaskType, Part] = {
    TaskType.IMAGE_CLASSIFICATION: ImagePart(b"", "image/png"),
    TaskType.IMAGE_UNDERSTANDING: ImagePart(b"", "image/png"),
    TaskType.SPEECH_TRANSCRIPTION: AudioPart(b"", "audio/wav"),
}
"""What a task works on, where that is no text."""


class Rng(Draws, Protocol):
    """As `random.Random`."""

    def random(self) -> float:
        """From 0 to below 1."""


class Chooser:
    """Weighs the models of a directory against a request and the user's limits."""

    def __init__(
        self,
        directory: Directory,
        *,
        profiles: Callable[[], Mapping[str, Profile]],
        observed: Callable[[Registry], Mapping[str, Mapping[str, Observed]]] = lambda _: NO_OUTCOMES,
        budget: Callable[[], Sequence[Spending]] = tuple,
        rng: Callable[[], Rng] | None = None,
        max_age_s: float,
        recheck_s: float,
        clock: Clock,
    ) -> None:
        """A choice rests on a look no older than `max_age_s`, and one that finds no real model on one within `recheck_s`.

        `profiles` says what was measured of models, `observed` what came of their answers, `budget` what is left to spend;
        `rng` makes the random numbers of choices that explore, and without it none does.
        """
        self._directory = directory
        self._profiles = profiles
        self._observed = observed
        self._budget = budget
        self._rng = rng
        self._max_age_s = max_age_s
        self._recheck_s = recheck_s
        self._clock = clock

    async def choose(self, request: Request, wish: Wish, *, explained: bool = False) -> Choice:
        """The routes a run may take: of the model that was named, held to the limits; or of the best one and the runners-up,
        or of the best one and the fallbacks that were named.

        Raises:
            NoEligibleModel: nothing fits, or a named model breaks a limit or cannot take the request.
            BudgetExceeded: a named model, or every one that fits, could cost more than it may.
        """
        directory = self._directory
        if wish.model != AUTO:
            choice = await directory.named(request, wish)
            self._hold_to_limits(list({route.card.ref: route.card for route in choice.routes}.values()), request, wish)
            return choice
        decision = await self.decide(request, wish, explained=explained)
        fallbacks = [await directory.card(text) for text in wish.fallbacks]
        self._hold_to_limits(fallbacks, request, wish)
        return self._choice(decision, fallbacks, request)

    def _choice(self, decision: Decision, fallbacks: Sequence[ModelCard], request: Request) -> Choice:
        """The best that will take it, and those who stand in for it."""
        directory = self._directory
        ranked = directory.willing((each.card for each in decision.ranked), request)
        willing = list(islice(ranked, 1 if fallbacks else 1 + RUNNERS_UP))
        if not willing:
            refusal = directory.refusal(decision.ranked[0].card, request)
            raise NoEligibleModel(f"none of the models that fit can take this: {refusal}", hint="mmai select --explain")
        return Choice(routes=(*willing, *directory.willing(fallbacks, request)), decision=decision)

    async def decide(self, request: Request, wish: Wish, *, explained: bool = False, against: str | None = None) -> Decision:
        """The ranking of every known model for a request; when `explained` with all that explain.py tells of it, and why it is not
        the model `against`.

        Raises:
            UsageError: no model goes by the name `against`, or several do.
            NoEligibleModel: none is left.
            BudgetExceeded: none that may cost as much.
        """
        budget = self._budget()
        registry = await self._directory.fresh(self._max_age_s)
        choices = self.choices(registry)
        decision = self._decide(choices, registry, request, wish, budget)
        if decision.choice is None or decision.choice.card.locality == "embedded":
            # Perhaps a server was started, or a model pulled, since the last look.
            registry = await self._directory.fresh(self._recheck_s)
            choices = self.choices(registry)
            decision = self._decide(choices, registry, request, wish, budget)
        if decision.choice is None:
            raise _with_unasked(no_eligible(decision), registry, wish)
        decision = self._explored(decision, choices, wish)
        if not explained:
            return decision
        again = partial(self._again, choices, registry, request, wish, budget)
        return explain(decision, choices.roster, again, max_tokens=request.options.max_tokens, against=against)

    def _again(
        self,
        choices: Choices,
        registry: Registry,
        request: Request,
        wish: Wish,
        budget: Sequence[Spending],
        *,
        constraints: Constraints | None = None,
        policy: PolicyName | None = None,
        weights: Weights | None = None,
    ) -> Decision:
        """The same choice with something changed."""
        limits = wish.constraints if constraints is None else constraints
        if policy is not None:
            limits, weights = structs.replace(limits, policy=POLICIES[policy].within), POLICIES[policy].weights
        changed = structs.replace(wish, constraints=limits, weights=wish.weights if weights is None else weights)
        return self._decide(choices, registry, request, changed, budget)

    async def prepared(self) -> Callable[[Request, Wish], Decision]:
        """What ranks the models for one request after another, as `decide` does, with everything else looked up once.

        A decision without a choice is returned as it is.
        """
        registry = await self._directory.fresh(self._max_age_s)
        return partial(self._decide, self.choices(registry), registry, budget=self._budget())

    async def ready(self, wish: Wish) -> Callable[[Request], Choice]:
        """What chooses for one request after another as `choose` does, with everything that is alike for all looked up once."""
        if wish.model != AUTO:
            first, *others = [await self._directory.card(text) for text in (wish.model, *wish.fallbacks)]
            return lambda request: self._directory.routes(first, others, request)
        decide = await self.prepared()
        fallbacks = [await self._directory.card(text) for text in wish.fallbacks]

        def choose(request: Request) -> Choice:
            decision = decide(request, wish)
            if decision.choice is None:
                raise no_eligible(decision)
            return self._choice(decision, fallbacks, request)

        return choose

    def _explored(self, decision: Decision, choices: Choices, wish: Wish) -> Decision:
        if self._rng is None or not wish.exploration:
            return decision
        rng = self._rng()
        if rng.random() >= wish.exploration:
            return decision
        return explore(decision, choices.roster, rng=rng, budget_usd=wish.exploration_usd)

    def active(self, registry: Registry, wish: Wish) -> dict[TaskType, str | None]:
        """Task type to the reference that takes it now, as far as the task alone tells; None where no model can."""
        choices, budget = self.choices(registry), self._budget()
        chosen: dict[TaskType, str | None] = {}
        for task in TaskType:
            request = Request(messages=(Message("user", (MATERIAL.get(task, TextPart(".")),)),))
            choice = self._decide(choices, registry, request, structs.replace(wish, task=task), budget).choice
            chosen[task] = str(choice.card.ref) if choice else None
        return chosen

    def choices(self, registry: Registry) -> Choices:
        """The models of a registry with all that is known of them now, ready to be chosen from for any number of prompts."""
        return Choices(
            registry.models.values(),
            profiles=effective(registry, self._profiles()),
            observed=self._observed(registry),
            now=self._clock.now(),
        )

    def _decide(
        self, choices: Choices, registry: Registry, request: Request, wish: Wish, budget: Sequence[Spending]
    ) -> Decision:
        analysis = analyze(request, constraints=wish.constraints, task=wish.task)
        if wish.inferred:
            analysis = structs.replace(analysis, inferred=wish.inferred)
        down = unavailable(registry, now=self._clock.now(), ttl_s=self._max_age_s)
        return choices.decide(
            request,
            weights=wish.weights,
            policy=wish.policy,
            unavailable=down | self._refusals(registry, structs.replace(request, task=analysis.task_type)),
            preferred=wish.preferred,
            budget=budget,
            analysis=analysis,
        )

    def _refusals(self, registry: Registry, asked: Request) -> dict[str, str]:
        """Reference to reason, for models only their adapter can rule out: embedded ones know which wording they can serve,
        and a library which of its declared models were never downloaded.
        """
        refusals: dict[str, str] = {}
        for ref, card in registry.models.items():
            if card.locality != "embedded" and card.source != "configured":
                continue
            try:
                if card.locality == "embedded" and (reason := self._directory.refusal(card, asked)):
                    refusals[ref] = reason
                elif card.source == "configured" and self._directory.is_library(card):
                    refusals[ref] = f"it is not downloaded: `mmai pull {ref}`"
            except (ConfigError, AuthError) as error:
                refusals[ref] = error.message
        return refusals

    def _hold_to_limits(self, cards: Sequence[ModelCard], request: Request, wish: Wish) -> None:
        if not cards:
            return
        budget = self._budget()
        analysis = analyze(request, constraints=wish.constraints, task=wish.task)
        checks = filters(
            analysis,
            max_tokens=request.options.max_tokens,
            profiles=effective(self._directory.registry(), self._profiles()),
            budget=budget,
            now=self._clock.now(),
        )
        limits = [check for check in checks if check[0] in LIMITS]
        for card in cards:
            match exclusion(card, limits):
                case "max_cost", reason:
                    raise BudgetExceeded(f"`{card.ref}` was not called: {reason}")
                case "budget", reason:
                    raise BudgetExceeded(f"`{card.ref}` was not called: {reason}", hint="mmai config edit")
                case _, reason:
                    raise NoEligibleModel(f"`{card.ref}` was not called: {reason}", hint="mmai select --explain")
                case _:
                    missing = set(wish.constraints.require) - set(card.capabilities)
                    if missing:
                        raise NoEligibleModel(f"`{card.ref}` was not called: it has no {', '.join(sorted(missing))}")


def _with_unasked(error: MmaiError, registry: Registry, wish: Wish) -> MmaiError:
    """An error of a choice without a model, which also tells why a service that may have one could not be asked."""
    wanted = wish.constraints.provider
    if isinstance(error, BudgetExceeded) or wish.constraints.local_only:
        return error
    for status in registry.providers.values():
        state, reason = status.health.state, status.health.reason
        elsewhere = status.endpoint is not None and not is_loopback(status.endpoint)
        if wanted in (None, status.provider) and (
            state in ("unauthorized", "failing") or (state == "unreachable" and elsewhere)
        ):
            error.message += f"; `{status.provider}` could not be asked: {reason}"
            error.hint = f"mmai keys set {status.provider}" if state == "unauthorized" else "mmai status"
            return error
    states = {status.provider: status.health.state for status in registry.providers.values()}
    if states.get("ollama") == "unreachable" and error.hint and error.hint.startswith("mmai pull"):
        # Nothing can be pulled before the server runs.
        error.hint = "ollama serve" + (", or mmai keys set openai" if states.get("openai") == "no_key" else "")
    return error

"""The models of a choice with every figure that does not depend on the prompt, worked out once for many prompts."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mmai.selection.abilities import prior
from mmai.selection.curves import waited_token_ms
from mmai.selection.expectations import Speed, cost_usd, profile_of, speed, success_rate
from mmai.selection.quality import NOTHING_OBSERVED, expected
from mmai.values.decision import Prior
from mmai.values.model import ModelCard, Profile
from mmai.values.outcome import Observed
from mmai.values.task import Modality, TaskAnalysis, TaskType

NO_PROFILES: Mapping[str, Profile] = {}
NO_OUTCOMES: Mapping[str, Mapping[str, Observed]] = {}

AFTER_ALL = 1_000_000
"""Beyond what any score moves a model."""

_PRICED_OTHERWISE = (TaskType.IMAGE_GENERATION, TaskType.SPEECH_SYNTHESIS)


class Figures(NamedTuple):
    """One model, as the loop over all of them reads it."""

    card: ModelCard
    speed: Speed
    waited_token_ms: float
    """What of `speed.token_ms` is felt as waiting."""
    usd_per_mtok: tuple[float, float] | None
    """For input and output; None where that does not say the whole price."""
    long_above_tokens: float
    """A prompt above this has another price."""
    reliability: float
    ability: int
    """Which of the roster's abilities is this model's."""
    place: int
    """Among equals 2 for a model that retires, and above every score for an embedded one; else 0."""


class Roster:
    """Models by reference, and what they are expected to do, take and cost."""

    def __init__(
        self,
        cards: Iterable[ModelCard],
        *,
        profiles: Mapping[str, Profile] = NO_PROFILES,
        observed: Mapping[str, Mapping[str, Observed]] = NO_OUTCOMES,
        now: float | None = None,
    ) -> None:
        """`profiles` and `observed` map references to what was measured, and to outcomes by task; `now` is in Unix seconds, and
        None takes everything for fresh.
        """
        self.profiles = profiles
        self.observed = observed
        self.now = now
        self.figures: list[Figures] = []
        self._abilities: list[tuple[Prior, Mapping[str, Observed]]] = []
        self._numbers: dict[object, int] = {}
        for card in sorted(cards, key=lambda card: (card.provider, card.name)):
            self.figures.append(self._figures(card))

    def qualities(self, analysis: TaskAnalysis) -> list[float | None]:
        """Expected quality by `Figures.ability`; None where nothing is known of it."""
        return [
            None if ability.basis == "unknown" and not seen else expected(ability, seen, analysis)
            for ability, seen in self._abilities
        ]

    def ability(self, card: ModelCard) -> tuple[Prior, Mapping[str, Observed]]:
        """What a model's expected quality rests on."""
        return prior(card), self.observed.get(f"{card.provider}:{card.name}", NOTHING_OBSERVED)

    def _figures(self, card: ModelCard) -> Figures:
        profile = profile_of(card, self.profiles)
        pace = speed(card, profile, now=self.now)
        price = card.price
        known = price is not None and price.input_usd_per_mtok is not None and price.output_usd_per_mtok is not None
        long = price.long_context if price is not None else None
        return Figures(
            card=card,
            speed=pace,
            waited_token_ms=waited_token_ms(pace.token_ms),
            usd_per_mtok=(price.input_usd_per_mtok, price.output_usd_per_mtok) if known else None,  # type: ignore[union-attr,arg-type]
            long_above_tokens=long.above_tokens if long is not None else float("inf"),
            reliability=success_rate(profile, now=self.now),
            ability=self._number(card),
            place=2 * (card.deprecated is not None) + AFTER_ALL * (card.locality == "embedded"),
        )

    def _number(self, card: ModelCard) -> int:
        """Many models share one ability, such as all of one family and size: its expected quality is asked for once a prompt."""
        ability, seen = self.ability(card)
        same = id(seen) if seen else (*ability.by_task.items(), ability.strength, ability.basis)
        number = self._numbers.setdefault(same, len(self._abilities))
        if number == len(self._abilities):
            self._abilities.append((ability, seen))
        return number


def costs_usd(figures: Iterable[Figures], analysis: TaskAnalysis) -> list[float | None]:
    """Expected price of a request on each model, as `expectations.cost_usd` has it."""
    asked, answered = analysis.context_tokens, analysis.output_tokens
    plain = analysis.modality is not Modality.AUDIO and analysis.task_type not in _PRICED_OTHERWISE
    costs: list[float | None] = []
    for each in figures:
        price = each.usd_per_mtok
        if not plain or price is None or asked > each.long_above_tokens:
            costs.append(cost_usd(each.card, analysis))
            continue
        longest = each.card.max_output_tokens
        output_tokens = answered if longest is None or longest > answered else longest
        costs.append((asked * price[0] + output_tokens * price[1]) / 1e6)
    return costs

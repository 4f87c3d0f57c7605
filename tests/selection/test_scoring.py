from typing import Any

import msgspec
import pytest
from builders import a_card, a_cloud_card, a_profile, an_analysis, an_embedded_card
from hypothesis import given
from hypothesis import strategies as st

from mmai.errors import UsageError
from mmai.selection.roster import Roster
from mmai.selection.scoring import rank
from mmai.values.decision import Candidate, Weights
from mmai.values.model import ModelCard, Price, Profile
from mmai.values.task import TaskType

SPECIFIED = Weights()
prices = st.none() | st.floats(0, 100)
profiles = st.none() | st.builds(
    Profile,
    ttft_ms=st.none() | st.floats(0, 1e6),
    tokens_per_second=st.none() | st.floats(0.01, 1e4),
    latency_ms=st.none() | st.floats(0, 1e6),
    cold_start_ms=st.none() | st.floats(0, 1e6),
    runs=st.integers(0, 1_000),
    failures=st.integers(0, 1_000),
)
cards = st.builds(
    ModelCard,
    provider=st.sampled_from(["ollama", "openai", "builtin"]),
    name=st.text("abc:-", min_size=1, max_size=4),
    locality=st.sampled_from(["embedded", "local", "network", "cloud"]),
    tasks=st.lists(st.sampled_from(list(TaskType)), max_size=2).map(tuple),
    size_bytes=st.none() | st.integers(0, 10**12),
    parameter_count=st.none() | st.integers(0, 10**12),
    price=st.none() | st.builds(Price, prices, prices),
    profile=profiles,
    loaded=st.none() | st.booleans(),
)
weights = st.builds(
    Weights,
    performance=st.floats(0.01, 10),
    cost=st.floats(0, 10),
    reliability=st.floats(0, 10),
    capability=st.floats(0, 10),
)
card_lists = st.lists(cards, max_size=6, unique_by=lambda card: (card.provider, card.name))


def refs(ranked: tuple[Candidate, ...]) -> list[str]:
    return [str(candidate.card.ref) for candidate in ranked]


def score_of(card: ModelCard, **context: Any) -> float:
    (candidate,) = rank(Roster([card]), an_analysis(**context), weights=SPECIFIED)
    assert candidate.score is not None
    return candidate.score


@given(card_lists, weights)
def test_every_score_lies_between_zero_and_one(offered: list[ModelCard], counted: Weights) -> None:
    for candidate in rank(Roster(offered), an_analysis(), weights=counted):
        assert candidate.terms is not None
        assert candidate.score is not None
        assert all(0.0 <= term <= 1.0 for term in msgspec.structs.astuple(candidate.terms))
        assert -1e-9 <= candidate.score <= 1.0 + 1e-9


@given(card_lists, st.randoms())
def test_the_order_of_the_models_does_not_matter(offered: list[ModelCard], random: object) -> None:
    shuffled = list(offered)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rank(Roster(shuffled), an_analysis(), weights=SPECIFIED) == rank(Roster(offered), an_analysis(), weights=SPECIFIED)


@given(card_lists, weights, st.integers(-3, 3))
def test_only_the_ratio_of_the_weights_matters(offered: list[ModelCard], counted: Weights, power: int) -> None:
    # Powers of two scale floats exactly, so even ties keep their order.
    scaled = Weights(**{name: getattr(counted, name) * 2.0**power for name in Weights.__struct_fields__})
    assert rank(Roster(offered), an_analysis(), weights=scaled) == rank(Roster(offered), an_analysis(), weights=counted)


@given(cards, st.floats(0, 100), st.floats(0, 100))
def test_a_dearer_model_never_scores_higher(card: ModelCard, one: float, other: float) -> None:
    cheap, dear = (msgspec.structs.replace(card, price=Price(usd, usd)) for usd in sorted((one, other)))
    assert score_of(dear) <= score_of(cheap)


@given(cards, st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_model_with_a_later_first_token_never_scores_higher(card: ModelCard, one: float, other: float) -> None:
    quick, slow = (msgspec.structs.replace(card, profile=a_profile(ttft_ms=ms)) for ms in sorted((one, other)))
    assert score_of(slow) <= score_of(quick)


@given(cards, st.floats(0.01, 1e4), st.floats(0.01, 1e4))
def test_a_model_that_writes_slower_never_scores_higher(card: ModelCard, one: float, other: float) -> None:
    slow, quick = (msgspec.structs.replace(card, profile=a_profile(tokens_per_second=rate)) for rate in sorted((one, other)))
    assert score_of(slow) <= score_of(quick)


@given(cards, st.integers(0, 100), st.integers(0, 100))
def test_a_model_that_fails_more_never_scores_higher(card: ModelCard, one: int, other: int) -> None:
    steady, shaky = (msgspec.structs.replace(card, profile=a_profile(failures=failures)) for failures in sorted((one, other)))
    assert score_of(shaky) <= score_of(steady)


def test_the_specifications_weights_make_the_default_score() -> None:
    # A cent is half of what a price can score at best, and 29 of 30 is what is left after smoothing.
    card = a_cloud_card(price=Price(50.0, 25.0), profile=a_profile(ttft_ms=20_000, tokens_per_second=1e9, runs=0))
    (candidate,) = rank(Roster([card]), an_analysis(), weights=SPECIFIED)
    terms = candidate.terms
    assert terms is not None
    assert (terms.performance, terms.cost, terms.reliability) == pytest.approx((0.5, 0.4, 0.95))
    assert candidate.score == pytest.approx(0.4 * 0.5 + 0.3 * 0.4 + 0.2 * 0.95 + 0.1 * terms.capability)
    assert candidate.latency_ms == pytest.approx(20_000)
    assert candidate.cost_usd == pytest.approx(0.01)


def test_an_unknown_price_counts_as_the_median_of_those_that_cost_anything() -> None:
    offered = [a_cloud_card(f"openai:{usd}", usd_per_mtok=usd) for usd in (1.0, 2.0, 50.0)]
    unknown = a_cloud_card("openai:unknown", usd_per_mtok=None)
    by_name = {c.card.name: c for c in rank(Roster([*offered, unknown, a_card()]), an_analysis(), weights=SPECIFIED)}
    middle, taken = by_name["2.0"].terms, by_name["unknown"].terms
    assert middle is not None
    assert taken is not None
    assert taken.cost == middle.cost
    assert by_name["unknown"].cost_usd is None


def test_an_unknown_price_among_free_models_is_not_taken_for_free() -> None:
    ranked = rank(Roster([a_card(), a_cloud_card(usd_per_mtok=None)]), an_analysis(), weights=SPECIFIED)
    costs = {c.card.provider: c.terms.cost for c in ranked if c.terms}
    assert costs == {"ollama": 1.0, "openai": 0.4}


def test_an_embedded_model_comes_last_however_well_it_scores() -> None:
    slow = a_card(profile=a_profile(ttft_ms=600_000, tokens_per_second=0.1, failures=1_000))
    ranked = rank(Roster([an_embedded_card(), slow]), an_analysis(TaskType.SUMMARIZATION), weights=SPECIFIED)
    assert refs(ranked) == ["ollama:gemma3:4b", "builtin:textrank"]
    assert (ranked[1].score or 0) > (ranked[0].score or 0)


def test_equal_scores_are_ordered_by_reference() -> None:
    names = ["ollama:b", "openai:a", "ollama:a"]
    assert refs(rank(Roster([a_card(name) for name in names]), an_analysis(), weights=SPECIFIED)) == [
        "ollama:a",
        "ollama:b",
        "openai:a",
    ]


def test_a_model_in_memory_beats_itself_on_disk() -> None:
    assert score_of(a_card(loaded=True)) > score_of(a_card(loaded=False))


@pytest.mark.parametrize(
    "useless", [Weights(performance=0, cost=0, reliability=0, capability=0), Weights(cost=-1), Weights(cost=float("nan"))]
)
def test_weights_that_rank_nothing_are_refused(useless: Weights) -> None:
    with pytest.raises(UsageError, match="each must be 0 or more, and one above 0"):
        rank(Roster([a_card()]), an_analysis(), weights=useless)

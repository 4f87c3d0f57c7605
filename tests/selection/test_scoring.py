from typing import Any

import msgspec
import pytest
from builders import a_card, a_cloud_card, a_profile, an_analysis, an_embedded_card
from hypothesis import given
from hypothesis import strategies as st

from mmai.errors import UsageError
from mmai.selection.roster import Roster
from mmai.selection.scoring import rank
from mmai.values.decision import Basis, Candidate, Prior, Weights
from mmai.values.model import ModelCard, Price, Profile
from mmai.values.outcome import Observed
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
    # The wait is all the patience there is for the simplest prompt, and the price all it is worth: half of what it scores at best.
    card = a_cloud_card(price=Price(20.0, 10.0), profile=a_profile(ttft_ms=19_000, tokens_per_second=1e9, runs=0))
    (candidate,) = rank(Roster([card]), an_analysis(complexity=0.0), weights=SPECIFIED)
    terms = candidate.terms
    assert terms is not None
    assert (terms.performance, terms.cost, terms.reliability) == pytest.approx((0.5, 0.4, 0.95))
    assert candidate.score == pytest.approx(0.4 * 0.5 + 0.3 * 0.4 + 0.2 * 0.95 + 0.1 * terms.capability)
    assert candidate.latency_ms == pytest.approx(19_000)
    assert candidate.cost_usd == pytest.approx(0.004)


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
    assert costs["ollama"] == 1.0
    assert costs["openai"] < 0.5


def test_the_speed_of_a_model_of_unknown_size_counts_as_the_median_of_those_on_ones_own_machines() -> None:
    known = [a_card(f"ollama:{gigabytes}", size_bytes=gigabytes * 10**9) for gigabytes in (1, 20, 30)]
    unknown = a_card("ollama:unknown", size_bytes=None, parameter_count=None)
    by_name = {c.card.name: c for c in rank(Roster([*known, unknown, a_cloud_card()]), an_analysis(), weights=SPECIFIED)}
    middle, taken = by_name["20"].terms, by_name["unknown"].terms
    assert middle is not None
    assert taken is not None
    assert taken.performance == middle.performance
    assert by_name["unknown"].latency_ms is None


def test_a_quality_of_which_nothing_is_known_counts_as_the_median_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    # No card is sure to stay unknown to the table of abilities.
    levels = {"a": 0.3, "b": 0.6, "c": 0.9}

    def prior(card: ModelCard) -> Prior:
        basis: Basis = "published" if card.name in levels else "unknown"
        return Prior(by_task=dict.fromkeys(TaskType, levels.get(card.name, 0.1)), strength=5.0, basis=basis, source="a test")

    monkeypatch.setattr("mmai.selection.roster.prior", prior)
    cards = [a_card(f"ollama:{name}") for name in (*levels, "unknown")]
    by_name = {c.card.name: c for c in rank(Roster(cards), an_analysis(), weights=SPECIFIED)}
    assert by_name["unknown"].expected_quality is None
    assert by_name["unknown"].terms == by_name["b"].terms


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


@given(cards, st.floats(0, 1), st.floats(0, 1))
def test_a_model_that_did_better_never_scores_lower(card: ModelCard, one: float, other: float) -> None:
    def score(mean: float) -> float:
        seen: dict[str, dict[str, Observed]] = {str(card.ref): {TaskType.QUESTION_ANSWERING: Observed(weight=20.0, mean=mean)}}
        (candidate,) = rank(Roster([card], observed=seen), an_analysis(), weights=SPECIFIED)
        return candidate.score or 0.0

    worse, better = sorted((one, other))
    assert score(worse) <= score(better)


def expected_ms(runs: int, *, age_s: float = 0.0) -> float:
    profile = a_profile(ttft_ms=200, tokens_per_second=1_000, runs=runs, updated_at=1e9)
    (candidate,) = rank(Roster([a_card(profile=profile)], now=1e9 + age_s), an_analysis(), weights=SPECIFIED)
    assert candidate.latency_ms is not None
    return candidate.latency_ms


def test_what_was_measured_counts_more_with_every_call_and_less_with_every_day() -> None:
    declared, day = expected_ms(0), 86_400.0
    assert declared == pytest.approx(400)
    assert expected_ms(1) > expected_ms(2) > expected_ms(100) > declared
    assert expected_ms(100, age_s=300 * day) > expected_ms(100, age_s=30 * day) > expected_ms(100)
    assert expected_ms(2, age_s=30 * day) == pytest.approx(expected_ms(1))


@given(cards, st.floats(0, 1e9))
def test_age_draws_reliability_toward_the_assumed_one(card: ModelCard, age_s: float) -> None:
    profile = a_profile(runs=0, failures=50, updated_at=0.0)

    def reliability(now: float) -> float:
        (candidate,) = rank(Roster([card], profiles={str(card.ref): profile}, now=now), an_analysis(), weights=SPECIFIED)
        assert candidate.terms is not None
        return candidate.terms.reliability

    assert reliability(0.0) <= reliability(age_s) <= 0.95 + 1e-12


def test_equals_are_ordered_by_the_preferred_provider_and_by_what_is_left_of_the_score() -> None:
    quick, slow = (
        a_cloud_card("openai:b", usd_per_mtok=2.0, profile=a_profile(ttft_ms=1)),
        a_cloud_card("anthropic:a", usd_per_mtok=2.0, profile=a_profile(ttft_ms=900)),
    )
    roster = Roster([quick, slow])
    assert refs(rank(roster, an_analysis(), weights=SPECIFIED)) == ["openai:b", "anthropic:a"]
    assert refs(rank(roster, an_analysis(), weights=SPECIFIED, preferred="anthropic")) == ["anthropic:a", "openai:b"]


def test_a_model_in_memory_beats_itself_on_disk() -> None:
    assert score_of(a_card(loaded=True)) > score_of(a_card(loaded=False))


@pytest.mark.parametrize(
    "useless", [Weights(performance=0, cost=0, reliability=0, capability=0), Weights(cost=-1), Weights(cost=float("nan"))]
)
def test_weights_that_rank_nothing_are_refused(useless: Weights) -> None:
    with pytest.raises(UsageError, match="each must be 0 or more, and one above 0"):
        rank(Roster([a_card()]), an_analysis(), weights=useless)

"""Dollars from a usage and a price: answers worked out by hand, and laws."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from mmai.values.cost import cost_usd
from mmai.values.event import Usage
from mmai.values.model import FREE, LongContextPrice, Price

PRICE = Price(
    input_usd_per_mtok=3.0,
    output_usd_per_mtok=15.0,
    cached_usd_per_mtok=0.3,
    cache_write_usd_per_mtok=3.75,
    audio_usd_per_mtok=30.0,
)
LONG = LongContextPrice(
    above_tokens=200_000,
    input_usd_per_mtok=6.0,
    output_usd_per_mtok=22.5,
    cached_usd_per_mtok=0.6,
    cache_write_usd_per_mtok=7.5,
)
MILLION = 1_000_000


def cost(price: Price | None = PRICE, **usage: Any) -> float | None:
    return cost_usd(Usage(**({"input_tokens": 0, "output_tokens": 0} | usage)), price)


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        ({"input_tokens": MILLION}, 3.0),
        ({"output_tokens": MILLION}, 15.0),
        ({"input_tokens": 1000, "output_tokens": 500}, 0.003 + 0.0075),
        ({"input_tokens": MILLION, "cached_tokens": 400_000, "output_tokens": 100_000}, 0.6 * 3.0 + 0.4 * 0.3 + 0.1 * 15.0),
        ({"input_tokens": MILLION, "cache_write_tokens": 400_000}, 0.6 * 3.0 + 0.4 * 3.75),
        (
            {"input_tokens": MILLION, "cached_tokens": 100_000, "cache_write_tokens": 400_000},
            0.5 * 3.0 + 0.1 * 0.3 + 0.4 * 3.75,
        ),
        ({"input_tokens": MILLION, "audio_tokens": 500_000}, 0.5 * 3.0 + 0.5 * 30.0),
        ({"output_tokens": MILLION, "reasoning_tokens": 900_000}, 15.0),
    ],
)
def test_each_kind_of_token_has_its_price(usage: dict[str, Any], usd: float) -> None:
    assert cost(**usage) == pytest.approx(usd)


def test_tokens_without_a_price_of_their_own_cost_what_input_does() -> None:
    plain = Price(input_usd_per_mtok=3.0, output_usd_per_mtok=15.0)
    for kind in ("cached_tokens", "cache_write_tokens", "audio_tokens"):
        part: dict[str, Any] = {kind: 600_000}
        assert cost(plain, input_tokens=MILLION, **part) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        ({"input_tokens": 200_000, "output_tokens": 1000}, 0.2 * 3.0 + 0.001 * 15.0),
        ({"input_tokens": 200_001, "output_tokens": 1000}, 0.200001 * 6.0 + 0.001 * 22.5),
        ({"input_tokens": MILLION, "cached_tokens": 900_000}, 0.1 * 6.0 + 0.9 * 0.6),
        ({"input_tokens": MILLION, "cache_write_tokens": 900_000}, 0.1 * 6.0 + 0.9 * 7.5),
        ({"input_tokens": MILLION, "audio_tokens": 900_000}, 0.1 * 6.0 + 0.9 * 30.0),
    ],
)
def test_a_long_request_is_billed_at_its_tier_from_the_first_token(usage: dict[str, Any], usd: float) -> None:
    assert cost(replace(PRICE, long_context=LONG), **usage) == pytest.approx(usd)


def test_a_tier_that_says_less_is_never_cheaper_than_the_tokens_it_is_for() -> None:
    price = replace(PRICE, long_context=LongContextPrice(above_tokens=200_000, input_usd_per_mtok=6.0))
    assert cost(price, input_tokens=MILLION, output_tokens=1000) == pytest.approx(6.0 + 0.001 * 15.0)
    for kind, usd in (("cached_tokens", 6.0), ("cache_write_tokens", 6.0), ("audio_tokens", 30.0)):
        part: dict[str, Any] = {kind: MILLION}
        assert cost(price, input_tokens=MILLION, **part) == pytest.approx(usd)


def test_images_are_billed_by_the_piece_where_that_is_their_price() -> None:
    assert cost_usd(Usage(images=3), Price(image_usd=0.04)) == pytest.approx(0.12)
    assert cost_usd(Usage(), Price(image_usd=0.04)) is None


def test_an_image_pays_for_its_tokens_and_thinking_is_charged_beside_it() -> None:
    price = Price(input_usd_per_mtok=2.0, output_usd_per_mtok=12.0, image_usd=0.134)
    assert cost(price, input_tokens=1000, output_tokens=1120, images=1) == pytest.approx(0.002 + 0.134)
    thinking: dict[str, Any] = {"output_tokens": 2120, "reasoning_tokens": 1000}
    assert cost(price, input_tokens=1000, images=1, **thinking) == pytest.approx(0.002 + 0.134 + 0.012)
    assert cost(price, input_tokens=1000, output_tokens=1000) == pytest.approx(0.002 + 0.012)  # it only talked


def test_images_made_of_tokens_cost_what_those_do() -> None:
    assert cost(Price(input_usd_per_mtok=8.0, output_usd_per_mtok=30.0), output_tokens=4160, images=1) == pytest.approx(0.1248)
    assert cost(Price(input_usd_per_mtok=8.0), output_tokens=4160, images=1) is None


def test_sound_is_billed_by_the_second_or_by_its_tokens_and_never_by_both() -> None:
    seconds = Price(audio_usd_per_s=0.0001)
    assert cost_usd(Usage(audio_s=60.0), seconds) == pytest.approx(0.006)
    assert cost_usd(Usage(), seconds) is None
    both = Price(input_usd_per_mtok=2.5, output_usd_per_mtok=10.0, audio_usd_per_s=0.0001)
    assert cost_usd(Usage(audio_s=60.0), both) == pytest.approx(0.006)
    assert cost(both, input_tokens=1000, output_tokens=100, audio_s=60.0) == pytest.approx(0.0035)


def test_an_embedding_needs_no_count_of_what_it_puts_out() -> None:
    assert cost_usd(Usage(input_tokens=MILLION), Price(input_usd_per_mtok=0.02, output_usd_per_mtok=0.0)) == pytest.approx(0.02)


def test_what_is_unknown_stays_unknown() -> None:
    assert cost(None) is None
    assert cost(Price(), input_tokens=1) is None
    assert cost(Price(input_usd_per_mtok=1.0), input_tokens=1, output_tokens=1) is None
    assert cost(Price(output_usd_per_mtok=1.0), input_tokens=1, output_tokens=1) is None
    assert cost_usd(Usage(input_tokens=1), PRICE) is None
    assert cost_usd(Usage(output_tokens=1), PRICE) is None


def test_what_is_free_is_free_even_uncounted() -> None:
    assert cost_usd(Usage(), FREE) == 0.0


USD = st.none() | st.floats(0.01, 1000)
COUNT = st.none() | st.integers(0, 10**7)
SOME = st.none() | st.integers(1, 10**7)
PER_UNIT = sorted(asdict(PRICE).keys() - {"long_context", "reason", "source", "read_on"})
PRICES = st.builds(
    Price,
    input_usd_per_mtok=USD,
    output_usd_per_mtok=USD,
    cached_usd_per_mtok=USD,
    cache_write_usd_per_mtok=USD,
    audio_usd_per_mtok=USD,
    image_usd=USD,
    audio_usd_per_s=USD,
)
USAGES = st.builds(
    Usage,
    input_tokens=COUNT,
    output_tokens=COUNT,
    cached_tokens=COUNT,
    cache_write_tokens=COUNT,
    audio_tokens=COUNT,
    reasoning_tokens=COUNT,
    images=st.none() | st.integers(0, 10),
    audio_s=st.none() | st.floats(0, 10**5),
)


@given(
    usage=USAGES,
    price=PRICES,
    field=st.sampled_from(PER_UNIT),
    times=st.floats(1, 100),
)
def test_raising_a_price_never_lowers_a_cost(usage: Usage, price: Price, field: str, times: float) -> None:
    assume(getattr(price, field) is not None)
    cheap, dear = cost_usd(usage, price), cost_usd(usage, replace(price, **{field: getattr(price, field) * times}))
    assert (cheap is None) == (dear is None)
    assert (dear or 0.0) >= (cheap or 0.0) * (1 - 1e-12)


@given(
    usage=st.builds(
        Usage,
        input_tokens=st.integers(0, 10**6),
        output_tokens=st.integers(0, 10**6),
        cached_tokens=COUNT,
        images=st.integers(0, 10),
        audio_s=st.floats(0, 10**5),
    ),
    price=PRICES,
    long=st.floats(1, 10),
    field=st.sampled_from(["input_tokens", "output_tokens", "images", "audio_s"]),
    more=st.integers(0, 10**6),
)
def test_raising_a_count_never_lowers_a_cost(usage: Usage, price: Price, long: float, field: str, more: int) -> None:
    if price.input_usd_per_mtok is not None:
        tier = LongContextPrice(above_tokens=200_000, input_usd_per_mtok=price.input_usd_per_mtok * long)
        price = replace(price, long_context=tier, cached_usd_per_mtok=None)
    few, many = cost_usd(usage, price), cost_usd(replace(usage, **{field: getattr(usage, field) + more}), price)
    assert few is None or many is None or many >= few * (1 - 1e-12)


@given(
    usage=st.builds(
        Usage,
        input_tokens=SOME,
        output_tokens=SOME,
        cached_tokens=SOME,
        images=st.none() | st.integers(1, 10),
        audio_s=st.none() | st.floats(1, 10**5),
    ),
    price=PRICES,
)
def test_what_is_not_told_never_makes_a_call_free(usage: Usage, price: Price) -> None:
    """Counts and prices here are above 0 or unknown."""
    usd = cost_usd(usage, price)
    assert usd is None or usd > 0

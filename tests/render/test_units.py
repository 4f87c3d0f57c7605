"""Figures as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.render.units import duration, money, price, price_details, size, tokens
from mmai.values.model import FREE, LongContextPrice, Price


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "unknown"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (4_920_000_000, "4.9 GB"),
        (999_600_000, "1 GB"),
        (2.5e13, "25 TB"),
    ],
)
def test_sizes(count: float | None, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "unknown"), (512, "512"), (2048, "2k"), (8192, "8k"), (32768, "32k"), (40960, "40k"), (128_000, "128k"),
        (131_072, "128k"), (200_000, "200k"), (1_000_000, "1M"), (1_048_576, "1M"), (2_000_000, "2M"), (16_385, "16k"),
    ],
)  # fmt: skip
def test_windows_read_as_their_makers_write_them(count: int | None, text: str) -> None:
    assert tokens(count) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "unknown"),
        (0.2, "<1 ms"),
        (45, "45 ms"),
        (310, "0.3 s"),
        (9_949, "9.9 s"),
        (12_300, "12 s"),
        (125_000, "2 min 5 s"),
    ],
)
def test_durations(ms: float | None, text: str) -> None:
    assert duration(ms) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (None, "unknown"), (0, "$0"), (0.0000001, "<$0.000001"), (0.0003, "$0.0003"), (0.00034, "$0.00034"), (0.012, "$0.012"),
        (0.25, "$0.25"), (1.25, "$1.25"), (12.3, "$12.30"),
    ],
)  # fmt: skip
def test_money(usd: float | None, text: str) -> None:
    assert money(usd) == text


@given(st.floats(min_value=1e-12, max_value=1e6))
def test_what_costs_something_never_reads_as_nothing(usd: float) -> None:
    assert money(usd).strip("<$0.") != ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unknown"),
        (Price(), "unknown"),
        (FREE, "free"),
        (Price(0.25, 1.25), "$0.25/$1.25 per M"),
        (Price(0.25), "$0.25/unknown per M"),
        (Price(image_usd=0.04), "$0.04 per image"),
        (Price(0.0000001, 0.125), "<$0.000001/$0.125 per M"),
        (Price(0.02, 0.0), "$0.02 per M"),
        (Price(audio_usd_per_s=0.0001), "$0.006 per minute"),
        (Price(2.0, 12.0, image_usd=0.134), "$2.00/$12.00 per M, $0.134 per image"),
    ],
)
def test_prices(value: Price | None, text: str) -> None:
    assert price(value) == text


def test_a_price_has_further_ones() -> None:
    tier = LongContextPrice(above_tokens=272_000, input_usd_per_mtok=0.4, output_usd_per_mtok=1.8)
    price = Price(0.2, 1.2, 0.02, 0.25, audio_usd_per_mtok=1.0, long_context=tier)
    assert price_details(price) == "cached $0.02, cache writes $0.25, sound $1.00, above 272k tokens $0.40/$1.80 per M"
    assert price_details(FREE) is None

"""Dollars from tokens and prices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.engine.cost import cost_usd
from mmai.values.event import Usage
from mmai.values.model import FREE, Price

PRICE = Price(input_usd_per_mtok=3.0, output_usd_per_mtok=15.0, cached_usd_per_mtok=0.3)
TOKENS = st.integers(0, 10**7)


def test_fresh_cached_and_output_tokens_have_prices_of_their_own() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=100_000, cached_tokens=400_000)
    assert cost_usd(usage, PRICE) == pytest.approx(0.6 * 3.0 + 0.4 * 0.3 + 0.1 * 15.0)


def test_cached_tokens_cost_the_full_price_where_theirs_is_unknown() -> None:
    price = Price(input_usd_per_mtok=3.0, output_usd_per_mtok=15.0)
    assert cost_usd(Usage(input_tokens=1_000_000, output_tokens=0, cached_tokens=1_000_000), price) == pytest.approx(3.0)


def test_what_is_unknown_stays_unknown() -> None:
    usage = Usage(input_tokens=1, output_tokens=1)
    assert cost_usd(usage, None) is None
    assert cost_usd(usage, Price(input_usd_per_mtok=1.0)) is None
    assert cost_usd(Usage(input_tokens=1), PRICE) is None


def test_what_is_free_is_free_even_uncounted() -> None:
    assert cost_usd(Usage(), FREE) == 0.0


@given(input_tokens=TOKENS, output_tokens=TOKENS, cached=st.floats(0, 1), dearer=st.floats(1, 100))
def test_a_dearer_model_never_costs_less(input_tokens: int, output_tokens: int, cached: float, dearer: float) -> None:
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens, cached_tokens=int(input_tokens * cached))
    dear = Price(input_usd_per_mtok=3.0 * dearer, output_usd_per_mtok=15.0 * dearer, cached_usd_per_mtok=0.3 * dearer)
    assert (cost_usd(usage, dear) or 0.0) >= (cost_usd(usage, PRICE) or 0.0) * (1 - 1e-12)

"""Pooling against windows written out, and with `ceil_mode` against answers recorded from torch 2.13."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packages.spatial import assert_close, counted, floats, ints, naive_pool

from mmai.backends.coreml.reference.ops.pooling import avg_pool, l2_pool, max_pool

CEIL: dict[str, Any] = {
    "kernel_sizes": ints(3, 3),
    "strides": ints(2, 2),
    "pad_type": "custom",
    "pad": ints(1, 1, 1, 1),
    "ceil_mode": True,
}


@st.composite
def pools(draw: st.DrawFn) -> tuple[Any, dict[str, list[int]]]:
    rank = draw(st.integers(1, 3))
    kernel = [draw(st.integers(1, 4)) for _ in range(rank)]
    sizes = [length + draw(st.integers(0, 4)) for length in kernel]
    pad = [draw(st.integers(0, length // 2)) for length in kernel for _ in range(2)]
    return floats(2, 2, *sizes), {"kernel": kernel, "strides": [draw(st.integers(1, 3)) for _ in kernel], "pad": pad}


def lists(case: dict[str, list[int]]) -> dict[str, Any]:
    named = {"kernel_sizes": case["kernel"], "strides": case["strides"], "pad": case["pad"]}
    return {"pad_type": "custom", **{name: ints(*numbers) for name, numbers in named.items()}}


@given(pools())
def test_the_greatest_of_each_window_is_never_the_padding(case: tuple[Any, dict[str, list[int]]]) -> None:
    x, settings = case
    assert_close(max_pool(x - 10, **lists(settings)), naive_pool(x - 10, np.max, **settings))


@given(pools())
def test_the_mean_counts_padding_as_zeros_unless_it_is_excluded(case: tuple[Any, dict[str, list[int]]]) -> None:
    x, settings = case
    whole = np.prod(settings["kernel"])
    assert_close(avg_pool(x, **lists(settings)), naive_pool(x, lambda met: met.sum() / whole, **settings))
    excluded = avg_pool(x, exclude_padding_from_average=True, **lists(settings))
    assert_close(excluded, naive_pool(x, np.mean, **settings))


@given(pools())
def test_the_root_of_the_sum_of_squares(case: tuple[Any, dict[str, list[int]]]) -> None:
    x, settings = case
    assert_close(l2_pool(x, **lists(settings)), naive_pool(x, lambda met: np.sqrt((met**2).sum()), **settings))


def test_same_padding_puts_the_odd_element_behind_and_same_lower_ahead() -> None:
    x, settings = counted(1, 1, 3), {"kernel_sizes": ints(2)}
    assert max_pool(x, pad_type="same", **settings).tolist() == [[[2, 3, 3]]]
    assert max_pool(x, pad_type="same_lower", **settings).tolist() == [[[1, 2, 3]]]
    assert avg_pool(x, pad_type="SAME", **settings).tolist() == [[[1.5, 2.5, 1.5]]]


def test_ceil_mode_keeps_a_last_window_that_is_not_full() -> None:
    assert max_pool(counted(1, 1, 4, 5), **CEIL).tolist() == [[[[7, 9, 10], [17, 19, 20], [17, 19, 20]]]]  # torch 2.13


def test_ceil_mode_counts_the_padding_and_not_what_lies_behind_it() -> None:
    found = avg_pool(counted(1, 1, 4, 5), **CEIL)
    torch_2_13 = [1.77778, 3.66667, 3.11111, 7.66667, 13, 9.66667, 5.5, 9, 6.5]
    assert np.round(found.ravel(), 5).tolist() == pytest.approx(torch_2_13)
    excluded = avg_pool(counted(1, 1, 4, 5), exclude_padding_from_average=True, **CEIL)
    assert excluded.ravel().tolist() == pytest.approx([4, 5.5, 7, 11.5, 13, 14.5, 16.5, 18, 19.5])
    bare: dict[str, Any] = {"kernel_sizes": ints(2, 2), "strides": ints(2, 2), "pad_type": "valid", "ceil_mode": True}
    assert avg_pool(counted(1, 1, 4, 5), **bare).ravel().tolist() == pytest.approx([4, 6, 7.5, 14, 16, 17.5])


def test_a_last_window_never_starts_in_the_padding_behind() -> None:
    pool: dict[str, Any] = {
        "kernel_sizes": ints(2),
        "strides": ints(2),
        "pad_type": "custom",
        "pad": ints(1, 1),
        "ceil_mode": True,
    }
    assert max_pool(counted(1, 1, 3), **pool).tolist() == [[[1, 3]]]


def test_a_pool_of_one_is_the_input_and_not_the_same_memory() -> None:
    x = floats(1, 2, 3)
    found = avg_pool(x, kernel_sizes=ints(1), pad_type="valid")
    assert found.tolist() == x.tolist()
    assert not np.shares_memory(found, x)


def test_the_mean_of_nothing_is_refused() -> None:
    settings: dict[str, Any] = {
        "kernel_sizes": ints(1),
        "pad_type": "custom",
        "pad": ints(1, 0),
        "exclude_padding_from_average": True,
    }
    with pytest.raises(ValueError, match="lies wholly in the padding"):
        avg_pool(counted(1, 1, 3), **settings)


def test_a_kernel_of_other_axes_is_refused() -> None:
    with pytest.raises(ValueError, match="a kernel of 2 axes cannot take an input of shape"):
        max_pool(counted(1, 1, 3), kernel_sizes=ints(1, 1), pad_type="valid")

"""Transposed convolutions against spreading written out, and against answers recorded from torch 2.13."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packages.spatial import assert_close, counted, floats, ints, naive_transposed

from mmai.backends.coreml.reference.ops import transposed
from mmai.backends.coreml.reference.ops.transposed import conv_transpose


def test_padding_is_cut_off_the_full_result() -> None:
    out = conv_transpose(counted(1, 1, 2, 3), counted(1, 1, 3, 3), strides=ints(2, 2), pad_type="custom", pad=ints(1, 1, 1, 1))
    assert out.tolist() == [[[[5, 14, 10, 24, 15], [16, 40, 26, 60, 36], [20, 44, 25, 54, 30]]]]  # torch 2.13


def test_a_stride_and_a_dilation_leave_holes() -> None:
    out = conv_transpose(counted(1, 1, 3), np.array([[[1, 10, 100]]], np.float32), strides=ints(3), dilations=ints(2))
    assert out.tolist() == [[[1, 0, 10, 2, 100, 20, 3, 200, 30, 0, 300]]]  # torch 2.13


def test_groups_have_outputs_of_their_own() -> None:
    x, weight = np.array([[[1, 1], [2, 2]]], np.float32), counted(2, 1, 2)
    assert conv_transpose(x, weight, groups=2, strides=ints(2)).tolist() == [[[1, 2, 1, 2], [6, 8, 6, 8]]]  # torch 2.13


def test_same_padding_multiplies_the_size_by_the_stride() -> None:
    out = conv_transpose(counted(1, 1, 3), np.array([[[1, 10, 100]]], np.float32), strides=ints(2), pad_type="same")
    assert out.tolist() == [[[1, 10, 102, 20, 203, 30]]]


def test_same_padding_with_a_stride_beyond_the_kernel_ends_in_the_bias() -> None:
    out = conv_transpose(
        counted(1, 1, 2), np.ones((1, 1, 1), np.float32), np.array([7], np.float32), strides=ints(3), pad_type="same"
    )
    assert out.tolist() == [[[8, 7, 7, 9, 7, 7]]]


def test_an_output_shape_decides_between_the_sizes_that_fit() -> None:
    x, weight = counted(1, 1, 3), np.array([[[1, 10, 100]]], np.float32)
    shorter = conv_transpose(x, weight, strides=ints(2), pad_type="same", output_shape=ints(1, 1, 5))
    assert shorter.tolist() == [[[10, 102, 20, 203, 30]]]
    longer = conv_transpose(x, weight, strides=ints(2), pad_type="valid", output_shape=ints(1, 1, 9))
    assert longer.tolist() == [[[1, 10, 102, 20, 203, 30, 300, 0, 0]]]


@st.composite
def spreads(draw: st.DrawFn) -> dict[str, Any]:
    rank, groups = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return {
        "x": floats(draw(st.integers(1, 2)), groups * draw(st.integers(1, 2)), *(draw(st.integers(1, 4)) for _ in range(rank))),
        "each_out": draw(st.integers(1, 2)),
        "kernel": [draw(st.integers(1, 4)) for _ in range(rank - 1)] + [draw(st.sampled_from([1, 2, 3, 8, 19]))],
        "strides": [draw(st.integers(1, 3)) for _ in range(rank - 1)] + [draw(st.sampled_from([1, 2, 3, 8, 9]))],
        "dilations": [draw(st.integers(1, 2)) for _ in range(rank)],
        "groups": groups,
    }


@given(spreads(), st.sampled_from([1, 60, 1 << 20]))
def test_each_element_spreads_the_kernel(case: dict[str, Any], floats_at_once: int) -> None:
    weight = floats(case["x"].shape[1], case["each_out"], *case["kernel"], seed=3)
    lists: dict[str, Any] = {"strides": ints(*case["strides"]), "dilations": ints(*case["dilations"])}
    wanted = naive_transposed(case["x"], weight, strides=case["strides"], dilations=case["dilations"], groups=case["groups"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transposed, "SPREAD_FLOATS", floats_at_once)
        assert_close(conv_transpose(case["x"], weight, groups=case["groups"], **lists), wanted)


def test_what_does_not_fit_together_is_said() -> None:
    with pytest.raises(ValueError, match="cannot take a weight of shape"):
        conv_transpose(floats(1, 3, 5), floats(2, 3, 1))
    with pytest.raises(ValueError, match="pad_type `full` is none of"):
        conv_transpose(floats(1, 1, 5), floats(1, 1, 1), pad_type="full")

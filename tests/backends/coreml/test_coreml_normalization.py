"""Normalization by hand, by its laws, and against answers recorded from torch 2.13."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packages.spatial import assert_close, counted, floats, ints

from mmai.backends.coreml.reference.ops.normalization import (
    batch_norm,
    instance_norm,
    l2_norm,
    layer_norm,
    local_response_norm,
)


def row(*numbers: float) -> Any:
    return np.array(numbers, np.float32)


def test_a_batch_is_normalized_by_the_constants_of_each_channel() -> None:
    x = np.array([[[2, 4], [3, 3]]], np.float32)
    plain = batch_norm(x, mean=row(2, 1), variance=row(4, 1), epsilon=row(0)[0])
    assert plain.tolist() == [[[0, 1], [2, 2]]]
    full = batch_norm(x, mean=row(2, 1), variance=row(4, 1), gamma=row(10, 1), beta=row(1, -1), epsilon=0)
    assert full.tolist() == [[[1, 11], [1, 1]]]


def test_epsilon_is_added_to_the_variance() -> None:
    assert batch_norm(np.ones((1, 1, 1), np.float32), mean=row(0), variance=row(0), epsilon=0.25).tolist() == [[[2]]]


def test_an_instance_is_normalized_by_its_own_channel() -> None:
    found = instance_norm(np.array([[[1, 2, 6], [0, 0, 3]]], np.float32), gamma=row(2, 1), beta=row(0, 10))
    torch_2_13 = [-1.85164, -0.92582, 2.77746, 9.2929, 9.2929, 11.41421]
    assert found.ravel().tolist() == pytest.approx(torch_2_13, abs=2e-5)


@given(st.sets(st.integers(-3, 2), min_size=1))
def test_layer_norm_leaves_no_mean_and_unit_variance_over_its_axes(axes: set[int]) -> None:
    over = tuple({axis % 3 for axis in axes})
    found = layer_norm(floats(4, 5, 6) * 3 + 7, axes=ints(*over), epsilon=0)
    assert np.abs(found.mean(axis=over)).max() < 1e-5
    assert np.abs(found.std(axis=over) - 1).max() < 1e-5


def test_layer_norm_is_over_everything_unless_axes_are_given() -> None:
    x = counted(2, 2)
    assert_close(layer_norm(x), layer_norm(x, axes=ints(0, 1)))


def test_gamma_and_beta_have_the_shape_of_the_axes_in_their_order() -> None:
    x, gamma, beta = floats(2, 3, 4), floats(2, 4, seed=1), floats(2, 4, seed=2)
    plain = layer_norm(x, axes=ints(-1, 0))
    full = layer_norm(x, axes=ints(-1, 0), gamma=gamma, beta=beta)
    assert_close(full, plain * gamma[:, None] + beta[:, None])


def test_l2_norm_is_over_the_last_three_axes_of_each_example() -> None:
    found = l2_norm(np.array([3, 4, 6, 8], np.float32).reshape(2, 1, 2, 1), epsilon=0)
    assert found.ravel().tolist() == pytest.approx([0.6, 0.8, 0.6, 0.8])


def test_neighbors_of_an_even_number_reach_farther_ahead() -> None:
    found = local_response_norm(counted(1, 5, 1), size=ints(4)[0], alpha=row(2)[0], beta=0.5, k=1)
    torch_2_13 = [0.53452, 0.70711, 0.75, 0.75593, 0.98058]
    assert found.ravel().tolist() == pytest.approx(torch_2_13, abs=1e-5)


def test_more_neighbors_than_channels_are_all_of_them() -> None:
    found = local_response_norm(counted(1, 2, 1), size=9, alpha=9, beta=1, k=0)
    assert found.ravel().tolist() == pytest.approx([1 / 5, 2 / 5])


def test_an_input_is_never_written_to() -> None:
    x = floats(1, 2, 3, 4)
    x.flags.writeable = False
    for found in (
        batch_norm(x, mean=row(0, 0), variance=row(1, 1)),
        instance_norm(x),
        layer_norm(x),
        l2_norm(x),
        local_response_norm(x, size=3),
    ):
        assert not np.shares_memory(found, x)

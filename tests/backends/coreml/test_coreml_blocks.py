"""Elements that only move: each rearrangement by hand, and undone by its counterpart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packages.spatial import counted, floats, ints

from mmai.backends.coreml.reference.ops.blocks import (
    batch_to_space,
    crop,
    depth_to_space,
    pixel_shuffle,
    pixel_unshuffle,
    sliding_windows,
    space_to_batch,
    space_to_depth,
)


def test_rows_and_columns_are_cut_off_every_side() -> None:
    assert crop(counted(1, 4, 4), crop_height=ints(0, 1), crop_width=ints(1, 1)).tolist() == [[[2, 3], [6, 7], [10, 11]]]


def test_the_two_orders_of_channels_differ() -> None:
    x = counted(1, 8, 1, 1)
    assert depth_to_space(x, block_size=2).tolist() == [[[[1, 3], [5, 7]], [[2, 4], [6, 8]]]]
    assert pixel_shuffle(x, upscale_factor=2).tolist() == [[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]


def test_space_goes_to_batch_as_macos_answered() -> None:
    x = counted(2, 1, 2, 4)
    found = space_to_batch(x, block_shape=ints(2, 2), paddings=ints([0, 0], [2, 0]))
    assert found[:, 0, 0].tolist() == [
        [0, 1, 3],
        [0, 9, 11],
        [0, 2, 4],
        [0, 10, 12],
        [0, 5, 7],
        [0, 13, 15],
        [0, 6, 8],
        [0, 14, 16],
    ]
    assert batch_to_space(found, block_shape=ints(2, 2), crops=ints([0, 0], [2, 0])).tolist() == x.tolist()


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_each_rearrangement_is_undone_by_its_counterpart(n: int, channels: int, height: int, width: int, block: int) -> None:
    deep, wide = floats(n, channels * block**2, height, width), floats(n, channels, height * block, width * block)
    assert np.array_equal(space_to_depth(depth_to_space(deep, block_size=block), block_size=block), deep)
    assert np.array_equal(pixel_unshuffle(pixel_shuffle(deep, upscale_factor=block), downscale_factor=block), deep)
    there = space_to_batch(wide, block_shape=ints(block, block), paddings=ints([0, 0], [0, 0]))
    assert np.array_equal(batch_to_space(there, block_shape=ints(block, block), crops=ints([0, 0], [0, 0])), wide)


def test_windows_slide_along_any_axis() -> None:
    x = counted(5, 2)
    assert sliding_windows(x, axis=0, size=3, stride=2).tolist() == [[[1, 2], [3, 4], [5, 6]], [[5, 6], [7, 8], [9, 10]]]
    assert sliding_windows(x, axis=-1, size=2).shape == (5, 1, 2)


def test_what_cannot_be_cut_evenly_is_refused() -> None:
    with pytest.raises(ValueError, match="3 channels cannot be cut into blocks of 4"):
        pixel_shuffle(counted(1, 3, 2, 2), upscale_factor=2)
    with pytest.raises(ValueError, match="3 rows cannot be cut into blocks of 2"):
        space_to_depth(counted(1, 1, 3, 2), block_size=2)
    with pytest.raises(ValueError, match="sliding_windows of 4 do not fit an axis of 3"):
        sliding_windows(counted(3), axis=0, size=4)

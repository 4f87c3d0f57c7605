"""Resizing: grids from coremltools' documentation, what its own tests saw on macOS, and answers recorded from torch 2.13."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packages.spatial import assert_close, counted, floats, ints

from mmai.backends.coreml.reference.ops.resize import (
    resize,
    resize_bilinear,
    resize_nearest_neighbor,
    upsample_bilinear,
    upsample_nearest_neighbor,
)
from mmai.backends.coreml.reference.ops.sampling import grid

MODES = ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "OFFSET_CORNERS", "UNALIGN_CORNERS")


def values(*numbers: float) -> Any:
    return np.array(numbers, np.float32).reshape(1, 1, 1, -1)


def widened(x: Any, size: int, mode: str) -> list[float]:
    found = resize_bilinear(x, target_size_height=x.shape[-2], target_size_width=size, sampling_mode=mode)
    return [float(number) for number in found.ravel()]


@pytest.mark.parametrize(
    ("mode", "five", "six"),
    [
        ("STRICT_ALIGN_CORNERS", [0, 0.25, 0.5, 0.75, 1], [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ("ALIGN_CORNERS", [0, 0.25, 0.5, 0.75, 1], [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ("DEFAULT", [0, 0.4, 0.8, 1, 1], [0, 1 / 3, 2 / 3, 1, 1, 1]),
        ("OFFSET_CORNERS", [0.1, 0.3, 0.5, 0.7, 0.9], [1 / 12, 3 / 12, 5 / 12, 7 / 12, 9 / 12, 11 / 12]),
        ("UNALIGN_CORNERS", [0, 0.1, 0.5, 0.9, 1], [0, 0, 1 / 3, 2 / 3, 1, 1]),
    ],
)
def test_two_elements_are_widened_as_the_documentation_lists(mode: str, five: list[float], six: list[float]) -> None:
    assert widened(values(0, 1), 5, mode) == pytest.approx(five)
    assert widened(values(0, 1), 6, mode) == pytest.approx(six)


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [("STRICT_ALIGN_CORNERS", 1), ("ALIGN_CORNERS", 2), ("DEFAULT", 1), ("OFFSET_CORNERS", 2), ("UNALIGN_CORNERS", 2)],
)
def test_a_single_element_is_the_first_or_the_middle_one(mode: str, wanted: float) -> None:
    assert widened(values(1, 2, 3), 1, mode) == [wanted]


@pytest.mark.parametrize(
    ("align_corners", "torch_2_13"),
    [
        (True, [1, 1.5, 2, 2.5, 3, 2.5, 3, 3.5, 4, 4.5, 4, 4.5, 5, 5.5, 6]),
        (False, [1, 1.4, 2, 2.6, 3, 2.5, 2.9, 3.5, 4.1, 4.5, 4, 4.4, 5, 5.6, 6]),
    ],
)
def test_bilinear_upsampling_by_fractions_is_what_torch_makes_of_the_size(align_corners: bool, torch_2_13: list[float]) -> None:
    scales: dict[str, Any] = {"scale_factor_height": np.float32(1.5), "scale_factor_width": np.float32(5.0001 / 3)}
    found = upsample_bilinear(counted(1, 1, 2, 3), align_corners=align_corners, **scales)
    assert found.shape == (1, 1, 3, 5)
    assert found.ravel().tolist() == pytest.approx(torch_2_13)


def test_bilinear_shrinking_reads_between_pixels_without_a_filter() -> None:
    found = resize_bilinear(counted(1, 1, 3, 4), target_size_height=2, target_size_width=3, sampling_mode="UNALIGN_CORNERS")
    torch_2_13 = [2.16667, 3.5, 4.83333, 8.16667, 9.5, 10.83333]
    assert found.ravel().tolist() == pytest.approx(torch_2_13, abs=1e-5)


def test_half_pixel_centers_are_the_opposite_of_aligned_corners_unless_given() -> None:
    settings: dict[str, Any] = {"scale_factor_height": 1, "scale_factor_width": 3}
    on_macos = {
        (True, None): [1, 1.2, 1.4, 1.6, 1.8, 2],
        (False, None): [1, 1, 4 / 3, 5 / 3, 2, 2],
        (False, True): [1, 1, 4 / 3, 5 / 3, 2, 2],
        (False, False): [1, 4 / 3, 5 / 3, 2, 2, 2],
    }
    for (aligned, centers), wanted in on_macos.items():
        found = upsample_bilinear(values(1, 2), align_corners=aligned, half_pixel_centers=centers, **settings)
        assert found.ravel().tolist() == pytest.approx(wanted)
    with pytest.raises(ValueError, match="not both"):
        upsample_bilinear(values(1, 2), align_corners=True, half_pixel_centers=True, **settings)


def test_nearest_upsampling_goes_by_the_new_size_and_not_by_the_factor() -> None:
    x = values(1.5, -2.5, 3.5)
    on_macos = {(3.17, 0.67): [[1.5, -2.5]] * 3, (2.0, 1.12): [[1.5, -2.5, 3.5]] * 2}
    for (height, width), wanted in on_macos.items():
        assert upsample_nearest_neighbor(x, scale_factor_height=height, scale_factor_width=width)[0, 0].tolist() == wanted


def test_nearest_upsampling_repeats_the_element_at_or_before() -> None:
    found = upsample_nearest_neighbor(counted(1, 1, 2, 3), scale_factor_height=1.5, scale_factor_width=5.0001 / 3)
    assert found.ravel().tolist() == [1, 1, 2, 2, 3, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6]  # torch 2.13, `nearest`


def test_the_scaled_size_is_found_in_single_precision() -> None:
    found = upsample_nearest_neighbor(counted(1, 1, 1, 10), scale_factor_width=np.array(0.7, np.float32))
    assert found.shape == (1, 1, 1, 7)


def test_nearest_resizing_takes_the_element_whose_middle_is_nearest() -> None:
    found = resize_nearest_neighbor(counted(1, 1, 2, 3), target_size_height=3, target_size_width=5)
    assert found.ravel().tolist() == [1, 1, 2, 3, 3, 4, 4, 5, 6, 6, 4, 4, 5, 6, 6]  # torch 2.13, `nearest-exact`


def test_resize_to_the_nearest_is_what_macos_answered() -> None:
    x = values(-6.174, 9.371).reshape(1, 1, 1, 2, 1)
    found = resize(x, shape=ints(1, 1, 3, 2), resized_dims=2, interpolation_mode="NEAREST_NEIGHBOR")
    assert found.ravel().tolist() == pytest.approx([-6.174] * 2 + [9.371] * 4)


def test_resize_counts_its_axes_from_the_end_and_leaves_those_of_size_zero() -> None:
    found = resize(counted(2, 3, 4, 5), shape=ints(9, 8, 0, 7), resized_dims=3)
    assert found.shape == (2, 8, 4, 7)


def test_resize_of_whole_numbers_to_the_nearest_keeps_them() -> None:
    found = resize(ints([1, 2]), shape=ints(1, 4), resized_dims=2, interpolation_mode="NEAREST_NEIGHBOR")
    assert (found.dtype, found.tolist()) == (np.int32, [[1, 1, 2, 2]])


@given(st.sampled_from(MODES), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_a_plane_that_rises_evenly_is_read_at_the_grid(mode: str, height: int, width: int, rows: int, columns: int) -> None:
    down, across = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
    found = resize_bilinear(
        down[:, None] * 100 + across, target_size_height=rows, target_size_width=columns, sampling_mode=mode
    )
    at_rows, at_columns = (
        np.clip(grid(size, places, mode), 0, size - 1) for size, places in ((height, rows), (width, columns))
    )
    assert_close(found, at_rows[:, None] * 100 + at_columns)


def test_offset_corners_move_even_where_the_size_stays() -> None:
    assert widened(values(0, 1), 2, "OFFSET_CORNERS") == [0.25, 0.75]


@given(st.sampled_from([mode for mode in MODES if mode != "OFFSET_CORNERS"]), st.integers(1, 6), st.integers(1, 6))
def test_an_image_of_its_own_size_stays_as_it_is(mode: str, height: int, width: int) -> None:
    x = floats(2, height, width)
    assert_close(resize_bilinear(x, target_size_height=height, target_size_width=width, sampling_mode=mode), x)


def test_unknown_modes_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="sampling_mode `CORNERS` is none of STRICT_ALIGN_CORNERS"):
        resize_bilinear(counted(1, 2, 2), target_size_height=3, sampling_mode="CORNERS")
    with pytest.raises(ValueError, match="interpolation_mode `CUBIC` is neither"):
        resize(counted(2, 2), shape=ints(3, 3), resized_dims=2, interpolation_mode="CUBIC")
    with pytest.raises(ValueError, match="resize of 3 axes takes as many sizes and axes, not 2 and 2"):
        resize(counted(2, 2), shape=ints(3, 3), resized_dims=3)

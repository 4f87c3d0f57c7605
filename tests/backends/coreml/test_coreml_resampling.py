"""Images read on grids, through affine maps and in boxes: what macOS answered coremltools' tests, and what torch 2.13 does."""

from typing import Any

import numpy as np
import pytest
from packages.spatial import assert_close, counted, floats, ints

from mmai.backends.coreml.reference.ops.cropping import crop_resize
from mmai.backends.coreml.reference.ops.resampling import affine, resample

GRID = np.array([-1, -1, 0.5, -0.25, 1.4, 0.2, -2.6, 3.1], np.float32).reshape(1, 2, 2, 2)
FOUR = np.array([11, 22, 33, 44], np.float32).reshape(1, 1, 2, 2)


def read(x: Any, coordinates: Any, sampling: str, padding: str, *, mode: str, corners: bool, outside: float = 0) -> list[float]:
    found = resample(
        x,
        coordinates=coordinates,
        sampling_mode=sampling,
        padding_mode=padding,
        padding_value=outside,
        coordinates_mode=mode,
        align_corners=corners,
    )
    return [float(number) for number in found.ravel()]


@pytest.mark.parametrize(
    ("sampling", "padding", "corners", "torch_2_13"),
    [
        ("bilinear", "constant", True, [1, 3.625, 2.88, 0]),
        ("bilinear", "constant", False, [0.25, 3.5, 0, 0]),
        ("bilinear", "border", True, [1, 3.625, 4.8, 4]),
        ("bilinear", "border", False, [1, 3.5, 5.1, 4]),
        ("bilinear", "reflection", True, [1, 3.625, 4.4, 2.75]),
        ("bilinear", "symmetric", False, [1, 3.5, 5, 2.9]),
        ("nearest", "constant", True, [1, 3, 6, 0]),
        ("nearest", "constant", False, [1, 3, 0, 0]),
        ("nearest", "border", True, [1, 3, 6, 4]),
        ("nearest", "border", False, [1, 3, 6, 4]),
        ("nearest", "reflection", True, [1, 3, 6, 3]),
        ("nearest", "symmetric", False, [1, 3, 6, 3]),
    ],
)
def test_a_grid_is_sampled_as_torch_does(sampling: str, padding: str, corners: bool, torch_2_13: list[float]) -> None:
    found = read(counted(1, 1, 2, 3), GRID, sampling, padding, mode="normalized_minus_one_to_one", corners=corners)
    assert found == pytest.approx(torch_2_13, abs=1e-5)


@pytest.mark.parametrize(
    ("sampling", "padding", "mode", "corners", "on_macos"),
    [
        ("bilinear", "constant", "normalized_minus_one_to_one", True, [8.585, 6.17, 27.5, 6.17]),
        ("nearest", "border", "unnormalized", False, [11, 11, 11, 44]),
        ("bilinear", "reflection", "normalized_zero_to_one", True, [22, 36.3, 11, 34.1]),
        ("nearest", "symmetric", "normalized_zero_to_one", False, [22, 33, 11, 33]),
    ],
)
def test_every_kind_of_coordinates_is_what_macos_answered(
    sampling: str, padding: str, mode: str, corners: bool, on_macos: list[float]
) -> None:
    coordinates = np.array([-1, -2, -3.7, -1, 0, 0, 3.5, 1.2], np.float32).reshape(1, 2, 2, 2)
    found = read(FOUR, coordinates, sampling, padding, mode=mode, corners=corners, outside=6.17)
    assert found == pytest.approx(on_macos, abs=1e-4)


def test_whole_coordinates_read_pixels_of_every_channel_of_every_image() -> None:
    x = floats(2, 3, 4, 5)
    places = np.stack(np.broadcast_arrays(np.arange(5)[None], np.arange(4)[:, None]), -1)
    coordinates = np.broadcast_to(places, (2, 4, 5, 2)).astype(np.int32)
    assert read(x, coordinates, "bilinear", "constant", mode="unnormalized", corners=True) == x.ravel().tolist()


def test_a_coordinate_that_is_no_number_reads_padding() -> None:
    coordinates = np.full((1, 1, 1, 2), np.nan, np.float32)
    assert read(FOUR, coordinates, "nearest", "constant", mode="unnormalized", corners=True, outside=5) == [5]


@pytest.mark.parametrize("padding", ["constant", "border", "reflection", "symmetric"])
def test_an_image_of_one_pixel_is_that_pixel_within(padding: str) -> None:
    one = np.full((1, 1, 1, 1), 7, np.float32)
    assert read(one, np.zeros((1, 1, 1, 2)), "bilinear", padding, mode="unnormalized", corners=True) == [7]


MAPPED: dict[str, Any] = {
    "sampling_mode": "bilinear",
    "padding_mode": "constant",
    "padding_value": np.float32(0),
    "coordinates_mode": "normalized_minus_one_to_one",
    "align_corners": True,
}


def test_an_affine_map_is_what_macos_answered() -> None:
    matrix = np.array([[-1, -2, -3.7, -1, 3.5, 1.2]], np.float32)
    found = affine(FOUR, transform_matrix=matrix, output_height=3, output_width=3, **MAPPED)
    assert_close(found.ravel(), [10.752501, 2.5025, 0, 1.98, 0, 0, 0, 0, 0])
    found = affine(FOUR, transform_matrix=matrix, output_height=2, output_width=5, **MAPPED)
    assert_close(found.ravel(), [10.752501, 5.94, 2.5025, 0.44, 0, 0, 0, 0, 0, 0])


def test_an_affine_map_is_what_torch_answers() -> None:
    matrix = np.array([[0.5, 0.2, -0.1, -0.3, 1.1, 0.25]], np.float32)
    found = affine(counted(1, 1, 2, 3), transform_matrix=matrix, output_height=2, output_width=4, **MAPPED)
    torch_2_13 = [1.875, 1.90833, 1.94167, 2.035, 3.105, 3.82333, 4.60833, 5.46]
    assert found.ravel().tolist() == pytest.approx(torch_2_13, abs=1e-5)


def test_one_affine_map_serves_all_images() -> None:
    identity = np.array([[1, 0, 0, 0, 1, 0]], np.float32)
    x = floats(3, 2, 4, 5)
    assert_close(affine(x, transform_matrix=identity, output_height=4, output_width=5, **MAPPED), x)


def boxed(*numbers: float) -> Any:
    return np.array(numbers, np.float32).reshape(1, 1, -1, 1, 1)


@pytest.mark.parametrize(
    ("roi", "size", "normalized", "on_macos"),
    [
        (boxed(1, 1, 2, 2), 2, False, [6, 7, 10, 11]),
        (boxed(1, 1, 2, 2), 1, False, [8.5]),
        (boxed(0, 0, 0, 1 / 3, 1 / 3), 2, True, [1, 2, 5, 6]),
        (boxed(2, 2, 1, 1), 2, False, [11, 10, 7, 6]),
    ],
)
def test_a_box_with_aligned_corners_is_what_macos_answered(
    roi: Any, size: int, normalized: bool, on_macos: list[float]
) -> None:
    found = crop_resize(
        counted(1, 1, 4, 4),
        roi=roi,
        target_height=size,
        target_width=size,
        normalized_coordinates=normalized,
        sampling_mode="ALIGN_CORNERS",
    )
    assert_close(found, np.reshape(on_macos, (1, 1, 1, size, size)))


def test_places_outside_of_the_image_are_padding_all_through() -> None:
    boxes = np.array([[0.1, 0.3, 1.3, 1.0], [0.5, 1.8, 1.0, 0.3], [0.0, 0.4, 0.6, 0.7]], np.float32)
    found = crop_resize(
        counted(1, 1, 4, 4),
        boxes=boxes,
        box_indices=ints(0, 0, 0),
        target_height=2,
        target_width=2,
        normalized_coordinates=True,
        sampling_mode="ALIGN_CORNERS",
        pad_value=10.0,
    )
    on_macos = [3.1, 5.2, 10, 10, 10, 7.9, 10, 13.9, 2.2, 3.1, 9.4, 10.3]
    assert_close(found, np.reshape(on_macos, (3, 1, 2, 2)))


def test_boxes_without_an_image_are_cut_from_all_of_them() -> None:
    x = floats(2, 3, 4, 4)
    found = crop_resize(
        x, roi=np.array([[0, 0, 3, 3], [1, 1, 2, 2]], np.float32).reshape(2, 1, 4, 1, 1), target_height=4, target_width=4
    )
    assert found.shape == (2, 2, 3, 4, 4)
    assert_close(found[0], x)


def test_each_way_of_writing_a_box_names_the_same_one() -> None:
    written = {
        "CORNERS_HEIGHT_FIRST": (0, 1, 2, 3),
        "CORNERS_WIDTH_FIRST": (1, 0, 3, 2),
        "CENTER_SIZE_HEIGHT_FIRST": (1, 2, 2, 2),
        "CENTER_SIZE_WIDTH_FIRST": (2, 1, 2, 2),
    }
    for mode, numbers in written.items():
        found = crop_resize(
            counted(1, 1, 3, 4),
            boxes=np.array([numbers], np.float32),
            target_height=3,
            target_width=3,
            box_coordinate_mode=mode,
            sampling_mode="STRICT_ALIGN_CORNERS",
        )
        assert found.ravel().tolist() == [2, 3, 4, 6, 7, 8, 10, 11, 12]


def test_a_scale_takes_boxes_from_a_larger_image() -> None:
    boxes: dict[str, Any] = {"target_height": 2, "target_width": 2, "sampling_mode": "ALIGN_CORNERS"}
    scaled = crop_resize(counted(1, 1, 4, 4), boxes=np.array([[4, 4, 8, 8]], np.uint16), spatial_scale=0.25, **boxes)
    assert scaled.ravel().tolist() == [6, 7, 10, 11]


def test_what_cannot_be_read_is_said() -> None:
    x = counted(1, 1, 2, 2)
    with pytest.raises(ValueError, match="boxes of image 3, there are 1"):
        crop_resize(x, boxes=np.zeros((1, 4), np.float32), box_indices=ints(3))
    with pytest.raises(ValueError, match="neither `boxes` nor `roi`"):
        crop_resize(x)
    with pytest.raises(ValueError, match="box_coordinate_mode `CORNERS` is none of"):
        crop_resize(x, boxes=np.zeros((1, 4), np.float32), box_coordinate_mode="CORNERS")
    with pytest.raises(ValueError, match="padding_mode `wrap` is none of"):
        read(x, GRID, "nearest", "wrap", mode="unnormalized", corners=True)
    with pytest.raises(ValueError, match="sampling_mode `cubic` is neither"):
        read(x, GRID, "cubic", "border", mode="unnormalized", corners=True)
    with pytest.raises(ValueError, match="coordinates_mode `degrees` is not taken"):
        read(x, GRID, "nearest", "border", mode="degrees", corners=True)

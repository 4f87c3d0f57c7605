"""Pictures at the size, in the channels and as the numbers that an input takes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packages.scripted import array_input, image_input
from PIL import Image

from mmai.backends.coreml.pictures.framing import frame_of
from mmai.backends.coreml.pictures.normalizing import feed_of
from mmai.backends.coreml.pictures.resizing import pixels_of, size_for
from mmai.errors import CannotRun
from mmai.values.package import Feature, ImageFormat, ImagePreparation

RED_THEN_BLUE = Image.new("RGB", (8, 4), (255, 0, 0))
RED_THEN_BLUE.paste((0, 0, 255), (4, 0, 8, 4))


def fed(feature: Feature, picture: Image.Image = RED_THEN_BLUE, **preparation: Any) -> Any:
    frame = frame_of(feature, ImagePreparation(**preparation))
    return feed_of(pixels_of(picture, frame), frame)


def test_an_image_input_gets_rgb_pixels_of_its_size() -> None:
    pixels = fed(image_input(size=(6, 3)))

    assert pixels.dtype == np.uint8
    assert pixels.shape == (3, 6, 3)
    assert pixels[0, 0].tolist() == [255, 0, 0]
    assert pixels[0, 5].tolist() == [0, 0, 255]


def test_a_bgr_image_input_gets_rgb_too_since_the_executor_brings_them_in_order() -> None:
    assert fed(image_input(size=(6, 3), color="bgr"))[0, 0].tolist() == [255, 0, 0]


def test_a_gray_image_input_gets_luminance() -> None:
    pixels = fed(image_input(size=(8, 4), color="grayscale"))

    assert (pixels.shape, pixels[0, 0], pixels[0, 7]) == ((4, 8), 76, 29)


def test_an_array_gets_fractions_channels_first() -> None:
    values = fed(array_input("x", 1, 3, 4, 8))

    assert values.dtype == np.float32
    assert values.shape == (1, 3, 4, 8)
    assert values[0, :, 0, 0].tolist() == [1, 0, 0]


def test_an_array_gets_channels_last_where_noted() -> None:
    assert fed(array_input("x", 1, 4, 8, 3), layout="nhwc")[0, 0, 7].tolist() == [0, 0, 1]


def test_a_shape_that_leaves_no_doubt_outweighs_the_layout() -> None:
    assert fed(array_input("x", 1, 4, 8, 3), layout="nchw").shape == (1, 4, 8, 3)


@pytest.mark.parametrize("shape", [(3, 4, 8), (1, 1, 3, 4, 8), (1, 1, 4, 8), (4, 8)])
def test_arrays_of_other_ranks(shape: tuple[int, ...]) -> None:
    assert fed(array_input("x", *shape)).shape == shape


def test_bgr_turns_the_channels_of_an_array_round() -> None:
    assert fed(array_input("x", 1, 3, 4, 8), color="bgr")[0, :, 0, 0].tolist() == [0, 0, 1]


def test_three_channels_of_gray_where_noted() -> None:
    values = fed(array_input("x", 1, 3, 4, 8), color="grayscale", scale=1.0)

    assert values[0, :, 0, 0].tolist() == [76, 76, 76]


def test_mean_and_deviation_are_taken_channel_by_channel() -> None:
    values = fed(array_input("x", 1, 3, 4, 8), mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 2.0))

    assert values[0, :, 0, 0].tolist() == [1.0, -1.0, 0.0]


def test_one_mean_is_for_every_channel() -> None:
    assert fed(array_input("x", 1, 3, 4, 8), scale=2 / 255, mean=(1.0,))[0, :, 0, 0].tolist() == [1.0, -1.0, -1.0]


def test_as_many_means_as_channels_or_none() -> None:
    with pytest.raises(CannotRun, match=r"`mean` has 2 values, and `x` takes 3 channels"):
        fed(array_input("x", 1, 3, 4, 8), mean=(0.5, 0.5))


def test_half_precision_gets_half_precision() -> None:
    assert fed(array_input("x", 1, 3, 4, 8, dtype="float16")).dtype == np.float16


def test_whole_numbers_are_pixels_unless_a_scale_is_noted() -> None:
    assert fed(array_input("x", 1, 3, 4, 8, dtype="int32"))[0, :, 0, 0].tolist() == [255, 0, 0]
    assert fed(array_input("x", 1, 3, 4, 8, dtype="int32"), scale=0.5)[0, :, 0, 0].tolist() == [128, 0, 0]


def test_pixels_that_a_small_type_cannot_hold_are_refused() -> None:
    with pytest.raises(CannotRun, match=r"`x` takes int8, and its pixels come to 0 to 255: note a `scale`"):
        fed(array_input("x", 1, 3, 4, 8, dtype="int8"))
    assert fed(array_input("x", 1, 3, 4, 8, dtype="int8"), scale=1.0, mean=(128.0,))[0, :, 0, 0].tolist() == [127, -128, -128]


@pytest.mark.parametrize("shape", [(8, 3, 32, 32), (1, 5, 32, 32), (1, 512), (1,), ()])
def test_an_array_that_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(CannotRun, match=r"no picture fits the input `x`"):
        frame_of(array_input("x", *shape), None)


def test_crop_keeps_the_middle() -> None:
    picture = Image.new("RGB", (30, 10), (0, 0, 0))
    picture.paste((255, 255, 255), (10, 0, 20, 10))

    assert fed(image_input(size=(10, 10)), picture, resize="crop", interpolation="nearest").min() == 255


def test_crop_of_a_fraction_cuts_all_sides() -> None:
    picture = Image.new("RGB", (20, 20), (0, 0, 0))
    picture.paste((255, 255, 255), (5, 5, 15, 15))

    assert fed(image_input(size=(10, 10)), picture, resize="crop", crop_fraction=0.5, interpolation="nearest").min() == 255


def test_fit_shows_the_whole_with_black_at_the_edges() -> None:
    pixels = fed(image_input(size=(8, 8)), Image.new("RGB", (20, 10), (255, 255, 255)), resize="fit")

    assert pixels[:, :, 0].max(axis=1).tolist() == [0, 0, 255, 255, 255, 255, 0, 0]


def test_of_several_sizes_the_one_of_the_nearest_proportions() -> None:
    sizes = ImageFormat(width=256, height=256, color="rgb", sizes=((128, 128), (512, 256), (256, 256), (256, 512)))

    assert size_for(sizes, (4000, 2100)) == (512, 256)
    assert size_for(sizes, (100, 900)) == (256, 512)
    assert size_for(sizes, (300, 300)) == (256, 256)


def test_within_a_range_it_is_of_the_default_area_and_the_pictures_proportions() -> None:
    sizes = ImageFormat(width=256, height=256, color="rgb", width_range=(64, 1024), height_range=(64, None))

    assert size_for(sizes, (4000, 1000)) == (512, 128)
    assert size_for(sizes, (1, 9000)) == (64, 576_000)


def test_an_array_of_several_shapes_takes_the_one_that_fits() -> None:
    feature = array_input("x", 1, 3, 16, 16, shapes=((1, 3, 16, 16), (1, 3, 16, 32)))

    assert fed(feature).shape == (1, 3, 16, 32)


def test_an_array_of_a_range_takes_what_fits() -> None:
    feature = array_input("x", 1, 3, 16, 16, ranges=((1, 4), (3, 3), (8, 64), (8, None)))

    assert fed(feature).shape == (1, 3, 12, 24)


@given(
    picture=st.tuples(st.integers(1, 400), st.integers(1, 400)),
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    resize=st.sampled_from(["stretch", "crop", "fit"]),
    fraction=st.floats(0.05, 1.0),
    interpolation=st.sampled_from(["nearest", "bilinear", "bicubic", "lanczos"]),
)
def test_every_picture_comes_out_at_the_size(
    picture: tuple[int, int], size: tuple[int, int], resize: str, fraction: float, interpolation: str
) -> None:
    white = Image.new("RGB", picture, (255, 255, 255))

    pixels = fed(image_input(size=size), white, resize=resize, crop_fraction=fraction, interpolation=interpolation)

    assert pixels.shape == (size[1], size[0], 3)
    assert pixels.max() == 255
    assert resize == "fit" or pixels.min() == 255


@given(
    picture=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    low=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    more=st.tuples(st.none() | st.integers(0, 900), st.none() | st.integers(0, 900)),
)
def test_a_size_is_within_its_range(
    picture: tuple[int, int], low: tuple[int, int], more: tuple[int | None, int | None]
) -> None:
    ranges = [(least, None if extra is None else least + extra) for least, extra in zip(low, more, strict=True)]
    sizes = ImageFormat(width=low[0], height=low[1], color="rgb", width_range=ranges[0], height_range=ranges[1])

    for length, (least, most) in zip(size_for(sizes, picture), ranges, strict=True):
        assert least <= length
        assert most is None or length <= most

"""What a model is handed and what it hands back: shapes, types, pictures, and sentences for what does not fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from packages.reference import asked, opened, pipeline, program, respecified
from packages.toolkit import built, ct, mb, types

from mmai.backends.coreml.reference.feeds import take
from mmai.backends.coreml.reference.outputs import give
from mmai.errors import ProviderError, UsageError
from mmai.values.package import ArrayFormat, Feature, Function, ImageFormat

symbol: Any = pytest.importorskip("coremltools.converters.mil.mil").get_new_symbol


def array(name: str = "x", *, optional: bool = False, **form: Any) -> Feature:
    return Feature(
        name=name, kind="array", optional=optional, array=ArrayFormat(**{"dtype": "float32", "shape": (1, 3), **form})
    )


def image(color: str = "rgb", **form: Any) -> Feature:
    return Feature(name="image", kind="image", image=ImageFormat(**{"width": 4, "height": 2, "color": color, **form}))


def function(*inputs: Feature, outputs: tuple[Feature, ...] = ()) -> Function:
    return Function(name="main", inputs=inputs, outputs=outputs)


def taken(feature: Feature, value: Any) -> Any:
    return take(function(feature), {feature.name: value})[feature.name]


def refusal(feature: Feature, value: Any) -> str:
    with pytest.raises(UsageError) as caught:
        taken(feature, value)
    return caught.value.message


@pytest.mark.parametrize(
    ("form", "shape", "sentence"),
    [
        ({"shape": (1, 3, 32, 32)}, (1, 3, 8, 8), "`x` takes float32 of 1 x 3 x 32 x 32, not float32 of 1 x 3 x 8 x 8"),
        ({"shape": (4,)}, (), "`x` takes float32 of 4, not float32 of a single value"),
        (
            {"shape": (1, 80, 3000), "ranges": ((1, 1), (80, 80), (1, 3000))},
            (1, 80, 3001),
            "`x` takes float32 of 1 x 80 x (1 to 3000), not float32 of 1 x 80 x 3001",
        ),
        ({"ranges": ((1, 1), (2, None))}, (1, 1), "`x` takes float32 of 1 x (2 or more), not float32 of 1 x 1"),
        ({"ranges": ((1, 1), (2, None))}, (1,), "`x` takes float32 of 1 x (2 or more), not float32 of 1"),
        ({"shape": (1, 8), "shapes": ((1, 8), (1, 16))}, (1, 9), "`x` takes float32 of 1 x 8 or 1 x 16, not float32 of 1 x 9"),
    ],
)
def test_a_shape_that_does_not_fit_is_told_with_those_that_do(form: Any, shape: tuple[int, ...], sentence: str) -> None:
    assert refusal(array(**form), np.zeros(shape, np.float32)) == sentence


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ({"ranges": ((1, 1), (80, 80), (1, 3000))}, (1, 80, 3000)),
        ({"ranges": ((1, 1), (2, None))}, (1, 999)),
        ({"shape": (1, 8), "shapes": ((1, 16),)}, (1, 8)),
        ({"shape": (1, 8), "shapes": ((1, 16),)}, (1, 16)),
        ({"shape": ()}, (2, 5)),
    ],
)
def test_a_shape_that_fits_is_taken(form: Any, shape: tuple[int, ...]) -> None:
    assert taken(array(**form), np.ones(shape, np.float32)).shape == shape


@pytest.mark.parametrize(
    ("declared", "given", "held"),
    [
        ("float32", np.array([[1, 2, 3]], np.float64), np.float32),
        ("float32", np.array([[1, 2, 3]], np.int64), np.float32),
        ("float32", np.array([[True, False, True]]), np.float32),
        ("float16", np.array([[0.5, 1, 2]], np.float32), np.float32),
        ("float64", np.array([[0.5, 1, 2]], np.float32), np.float32),
        ("int32", np.array([[1, 2, -3]], np.int64), np.int32),
        ("int32", np.array([[1, 2, 3]], np.uint8), np.int32),
        ("int8", np.array([[1, 2, -128]], np.int32), np.int8),
    ],
)
def test_numbers_that_fit_are_cast(declared: str, given: Any, held: Any) -> None:
    found = taken(array(dtype=declared), given)
    assert found.dtype == held
    assert found.tolist() == given.tolist()


def test_float16_is_rounded_as_it_comes_in() -> None:
    assert taken(array(dtype="float16"), np.array([[0.1, 0, 0]]))[0, 0] == np.float16(0.1)


@pytest.mark.parametrize(
    ("declared", "given", "sentence"),
    [
        ("int32", np.array([[1, 2, 2**31]]), "`x` takes int32, which cannot hold 2147483648"),
        ("int8", np.array([[1, -129, 0]]), "`x` takes int8, which cannot hold -129"),
        ("float32", np.array([[1e300, 0, 0]]), "`x` takes float32, which cannot hold 1e+300"),
        ("float16", np.array([[1e6, 0, 0]]), "`x` takes float16, which cannot hold 1000000.0"),
        ("float32", np.array([[2**24 + 1, 0, 0]]), "`x` takes float32, which cannot hold 16777217"),
        ("int32", np.array([[1.0, 2, 3]]), "`x` takes int32 of 1 x 3, not float64 of 1 x 3"),
        ("float32", np.array([["a", "b", "c"]]), "`x` takes float32 of 1 x 3, not text of 1 x 3"),
        ("float32", np.array([[1j, 0, 0]]), "`x` takes float32 of 1 x 3, not complex128 of 1 x 3"),
        ("float32", "a text", "`x` takes float32 of 1 x 3, not a text"),
    ],
)
def test_numbers_that_do_not_fit_are_told(declared: str, given: Any, sentence: str) -> None:
    assert refusal(array(dtype=declared), given) == sentence


@settings(deadline=None)
@given(
    hnp.arrays(st.sampled_from([np.int64, np.float64, np.uint16, np.bool_]), (1, 3)),
    st.sampled_from(["int32", "float32", "int8"]),
)
def test_what_is_taken_is_the_same_number_or_the_nearest_float(given: Any, declared: str) -> None:
    try:
        found = taken(array(dtype=declared), given)
    except UsageError:
        return
    if given.dtype == np.float64:
        assert np.array_equal(found, given.astype(np.float32), equal_nan=True)
    else:
        assert found.tolist() == given.tolist()


def test_infinity_and_no_number_are_numbers_too() -> None:
    found = taken(array(), np.array([[np.inf, -np.inf, np.nan]]))
    assert np.array_equal(found, [[np.inf, -np.inf, np.nan]], equal_nan=True)


def test_a_plain_number_is_a_tensor_of_one() -> None:
    assert taken(array(shape=(1, 1)), 3).tolist() == [[3]]


def test_names_that_are_unknown_or_missing_are_told() -> None:
    both = function(array("x"), array("mask"))
    with pytest.raises(UsageError, match=r"^the model has no input `X`; it has `x`, `mask`$"):
        take(both, {"X": np.zeros((1, 3))})
    with pytest.raises(UsageError, match=r"^the model needs `x`, `mask`, which were not handed in$"):
        take(both, {})


def test_an_optional_input_that_is_left_out_has_its_default() -> None:
    found = take(function(array("x", optional=True, default=0.5), array("n", optional=True, dtype="int32", default=7)), {})
    assert found["x"].tolist() == [[0.5, 0.5, 0.5]]
    assert found["n"].tolist() == [[7, 7, 7]]
    assert found["n"].dtype == np.int32


def test_an_optional_input_of_a_real_package_may_be_left_out(tmp_path: Path) -> None:
    @program(mb.TensorSpec(shape=(2,)), mb.TensorSpec(shape=(2,)))
    def adding(x: Any, bias: Any) -> Any:
        return mb.add(x=x, y=bias, name="y")

    inputs = [
        ct.TensorType(name="x", shape=(2,)),
        ct.TensorType(name="bias", shape=(2,), default_value=np.full(2, 5, np.float32)),
    ]
    executor = opened(built(adding, tmp_path / "model.mlpackage", inputs=inputs))
    assert asked(executor, x=np.ones(2))["y"].tolist() == [6, 6]
    assert asked(executor, x=np.ones(2), bias=np.ones(2))["y"].tolist() == [2, 2]


PIXELS = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)


def test_a_picture_becomes_channels_in_the_models_order() -> None:
    assert np.array_equal(taken(image("rgb"), PIXELS)[0], PIXELS.transpose(2, 0, 1))
    assert np.array_equal(taken(image("bgr"), PIXELS)[0], PIXELS.transpose(2, 0, 1)[::-1])
    gray = taken(image("grayscale"), PIXELS[..., 0])
    assert gray.shape == (1, 1, 2, 4)
    assert np.array_equal(gray[0, 0], PIXELS[..., 0])
    assert gray.dtype == np.float32


@pytest.mark.parametrize(
    ("feature", "pixels", "sentence"),
    [
        (image(), PIXELS[:, :3], "`image` takes a picture of 4 x 2 pixels in color, not uint8 of 2 x 3 x 3"),
        (image(), PIXELS[..., 0], "`image` takes a picture of 4 x 2 pixels in color, not uint8 of 2 x 4"),
        (image(), PIXELS / 255, "`image` takes a picture of 4 x 2 pixels in color, not float64 of 2 x 4 x 3"),
        (image("grayscale"), PIXELS, "`image` takes a picture of 4 x 2 pixels in gray, not uint8 of 2 x 4 x 3"),
        (
            image(sizes=((4, 2), (8, 8))),
            np.zeros((4, 8, 3), np.uint8),
            "`image` takes a picture of 4 x 2 or 8 x 8 pixels in color, not uint8 of 4 x 8 x 3",
        ),
        (
            image(width_range=(1, 9), height_range=(2, None)),
            np.zeros((2, 10, 3), np.uint8),
            "`image` takes a picture of (1 to 9) x (2 or more) pixels in color, not uint8 of 2 x 10 x 3",
        ),
        (image(), "cat.png", "`image` takes a picture of 4 x 2 pixels in color, not a text"),
    ],
)
def test_a_picture_that_does_not_fit_is_told(feature: Feature, pixels: Any, sentence: str) -> None:
    assert refusal(feature, pixels) == sentence


@pytest.mark.parametrize("color", ["rgb", "bgr", "grayscale"])
def test_a_picture_that_comes_out_is_as_one_that_goes_in(color: str) -> None:
    pixels = PIXELS if color != "grayscale" else PIXELS[..., 0]
    feature = image(color)
    given = give(function(outputs=(feature,)), {"image": taken(feature, pixels)})["image"]
    assert isinstance(given, np.ndarray)
    assert given.dtype == np.uint8
    assert np.array_equal(given, pixels)


def test_a_picture_that_comes_out_is_rounded_and_held_to_its_range() -> None:
    values = np.array([[[[-3, 0.5, 1.5, 254.6, 999, np.nan, np.inf, 7]]]], np.float32)
    feature = image("grayscale", width=8, height=1)
    given = give(function(outputs=(feature,)), {"image": values})["image"]
    assert np.asarray(given).tolist() == [[0, 0, 2, 255, 255, 0, 255, 7]]


def test_a_picture_that_comes_out_of_another_shape_is_the_models_failure() -> None:
    with pytest.raises(ProviderError, match="its output `image` is no picture"):
        give(function(outputs=(image(),)), {"image": np.zeros((1, 4, 2, 2), np.float32)})


@pytest.mark.parametrize(("layout", "order"), [("RGB", [0, 1, 2]), ("BGR", [2, 1, 0])])
def test_a_package_for_pictures_sees_its_own_order_of_colors(tmp_path: Path, layout: str, order: list[int]) -> None:
    @program(mb.TensorSpec(shape=(1, 3, 2, 4)))
    def mean(image: Any) -> Any:
        return mb.reduce_mean(x=image, axes=[2, 3], keep_dims=False, name="y")

    kind = ct.ImageType(name="image", shape=(1, 3, 2, 4), color_layout=getattr(ct.colorlayout, layout))
    executor = opened(built(mean, tmp_path / "model.mlpackage", inputs=[kind]))
    pixels = np.stack([np.full((2, 4), value, np.uint8) for value in (10, 20, 30)], axis=-1)
    assert asked(executor, image=pixels)["y"].tolist() == [[[10, 20, 30][channel] for channel in order]]


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32"])
def test_an_output_has_its_declared_type_and_is_the_callers_own(dtype: str) -> None:
    held = np.array([[1, 2, 3]], np.int32 if dtype == "int32" else np.float32)
    held.flags.writeable = False
    found = give(function(outputs=(array(dtype=dtype),)), {"x": held})["x"]
    assert isinstance(found, np.ndarray)
    assert found.dtype == dtype
    found[:] = 9
    assert held.tolist() == [[1, 2, 3]]


def test_a_single_value_has_the_shape_the_interface_declares() -> None:
    found = give(function(outputs=(array(shape=(1,)),)), {"x": np.array(3, np.float32)})["x"]
    assert np.asarray(found).tolist() == [3]


def test_a_package_may_give_a_picture(tmp_path: Path) -> None:
    @program(mb.TensorSpec(shape=(1, 3, 2, 4)))
    def negative(image: Any) -> Any:
        return mb.sub(x=np.float32(255), y=image, name="inverted")

    def as_picture(specification: Any) -> None:
        form = specification.description.output[0].type.imageType
        form.width, form.height, form.colorSpace = 4, 2, form.BGR

    kind = ct.ImageType(name="image", shape=(1, 3, 2, 4), color_layout=ct.colorlayout.BGR)
    executor = opened(respecified(built(negative, tmp_path / "model.mlpackage", inputs=[kind]), as_picture))
    assert np.array_equal(asked(executor, image=PIXELS)["inverted"], 255 - PIXELS)


def test_a_package_of_flexible_shapes_takes_each_and_no_other(tmp_path: Path) -> None:
    @program(mb.TensorSpec(shape=(1, symbol())))
    def doubled(x: Any) -> Any:
        return mb.add(x=x, y=x, name="y")

    flexible = {
        "ranged": ct.Shape((1, ct.RangeDim(2, 5, default=3))),
        "enumerated": ct.EnumeratedShapes([(1, 2), (1, 5)], default=(1, 5)),
    }
    sentences = {"ranged": r"1 x \(2 to 5\), not float32 of 1 x 6", "enumerated": "1 x 5 or 1 x 2, not float32 of 1 x 6"}
    for name, shape in flexible.items():
        executor = opened(built(doubled, tmp_path / f"{name}.mlpackage", inputs=[ct.TensorType(name="x", shape=shape)]))
        for size in (2, 5):
            assert asked(executor, x=np.ones((1, size), np.float32))["y"].tolist() == [[2] * size]
        with pytest.raises(UsageError, match=sentences[name]):
            asked(executor, x=np.ones((1, 6), np.float32))


def test_a_package_of_float16_takes_and_gives_float16(tmp_path: Path) -> None:
    @program(mb.TensorSpec(shape=(2,), dtype=types.fp16))
    def tripled(x: Any) -> Any:
        return mb.mul(x=x, y=np.float16(3), name="y")

    path = built(
        tripled,
        tmp_path / "model.mlpackage",
        inputs=[ct.TensorType(name="x", shape=(2,), dtype=np.float16)],
        outputs=[ct.TensorType(name="y", dtype=np.float16)],
        compute_precision=ct.precision.FLOAT16,
    )
    found = asked(opened(path), x=np.array([0.1, 1000.5]))["y"]
    assert found.dtype == np.float16
    assert found.tolist() == (np.array([0.1, 1000.5], np.float16) * np.float16(3)).tolist()


def test_a_pipeline_may_begin_with_a_picture(tmp_path: Path) -> None:
    @program(mb.TensorSpec(shape=(1, 3, 2, 4)))
    def first(image: Any) -> Any:
        return mb.reduce_mean(x=image, axes=[2, 3], keep_dims=False, name="means")

    @program(mb.TensorSpec(shape=(1, 3)))
    def second(means: Any) -> Any:
        return mb.softmax(x=means, axis=-1, name="scores")

    kind = ct.ImageType(name="image", shape=(1, 3, 2, 4), color_layout=ct.colorlayout.RGB)
    stages = [
        built(first, tmp_path / "first.mlpackage", inputs=[kind]),
        built(second, tmp_path / "second.mlpackage", classifier_config=ct.ClassifierConfig(["r", "g", "b"])),
    ]
    executor = opened(pipeline(stages, tmp_path / "both.mlpackage"))
    pixels = np.zeros((2, 4, 3), np.uint8)
    pixels[..., 1] = 50
    assert asked(executor, image=pixels)["classLabel"] == "g"

"""Inputs by name, whatever they are written in, and outputs under theirs."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from packages.scripted import Scripted, a_job, a_package, array_input, image_input, ran
from packages.shipped import color_png

from mmai.backends.coreml.tasks.tensor_feeds import feed
from mmai.errors import ProviderError, UsageError
from mmai.values.event import Tensor, TensorsEvent
from mmai.values.package import Feature, Function
from mmai.values.request import ImagePart, Part, TensorPart, TextPart

PAIR = array_input("pair", 1, 2)


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def read(data: bytes | str, feature: Feature = PAIR, origin: str | None = None) -> Any:
    return feed(TensorPart(feature.name, data.encode() if isinstance(data, str) else data, origin), feature, None)


def refused(data: bytes | str, feature: Feature = PAIR, origin: str | None = None) -> str:
    with pytest.raises(UsageError) as refusal:
        read(data, feature, origin)
    return refusal.value.message


def test_a_numpy_file_is_an_array() -> None:
    array = np.array([[1.5, 2]], np.float32)

    assert np.array_equal(read(npy(array)), array)


def test_bytes_of_another_order_are_turned_round() -> None:
    found = read(npy(np.array([[1, 258]], ">i4")), array_input("pair", 1, 2, dtype="int32"))

    assert found.dtype == np.int32
    assert found.tolist() == [[1, 258]]


def test_json_is_an_array_and_axes_of_one_may_be_left_out() -> None:
    assert read("[[1, 2.5]]").tolist() == [[1, 2.5]]
    assert read("[1, 2.5]").tolist() == [[1, 2.5]]
    assert read("7", array_input("x", 1, 1, 1)).tolist() == [[[7]]]


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert read("[1.0, 2.0]", array_input("pair", 1, 2, dtype="int32")).dtype.kind == "i"


def test_ranges_and_several_shapes_are_held_to() -> None:
    open_ended = array_input("x", 1, 4, ranges=((1, 1), (2, None)))

    assert read("[1, 2, 3]", open_ended).shape == (1, 3)
    assert refused("[1]", open_ended) == "`x` takes float32 of 1 x (2 or more), not 1 x 1"
    assert refused("[1]", array_input("x", 2, shapes=((2,), (3,)))) == "`x` takes float32 of 2 or 3, not 1"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("[1, 2, 3]", "`pair` takes float32 of 1 x 2, not 1 x 3"),
        ("[[1], [2, 3]]", "`pair` takes float32 of 1 x 2, which the value of `pair` is not: its rows have different lengths"),
        ('["a", "b"]', "`pair` takes float32 of 1 x 2, which the value of `pair` is not"),
        ("null", "`pair` takes float32 of 1 x 2, which the value of `pair` is not"),
        ("[1e999, 2]", "`[1e999, 2]` is neither a file nor JSON; `pair` takes float32 of 1 x 2"),
        ("gone.npy", "`gone.npy` is neither a file nor JSON; `pair` takes float32 of 1 x 2"),
        (npy(np.zeros(3)), "`pair` takes float32 of 1 x 2, not 3"),
        (npy(np.zeros((1, 2), complex)), "the value of `pair` holds complex128, and models take numbers"),
        (npy(np.array([["a", "b"]])), "the value of `pair` holds <U1, and models take numbers"),
    ],
)
def test_what_an_input_does_not_take_is_refused_with_what_it_does(data: bytes | str, message: str) -> None:
    assert refused(data) == message


@pytest.mark.parametrize(
    "data",
    [
        npy(np.zeros((1, 2)))[:-3],
        npy(np.zeros((1, 2)))[:20],
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (900000000000, 90000), }" + b" " * 46 + b"\n",
    ],
    ids=["values", "header", "promises"],
)
def test_a_damaged_numpy_file_is_refused_by_its_name(data: bytes) -> None:
    assert refused(data, origin="a.npy").startswith("`a.npy` is a damaged NumPy file: ")


def test_objects_are_never_unpickled() -> None:
    file = io.BytesIO()
    np.save(file, np.array([{}], object), allow_pickle=True)

    assert refused(file.getvalue(), origin="a.npy").startswith(
        "`a.npy` is a damaged NumPy file: Object arrays cannot be loaded"
    )


def test_a_file_that_is_nothing_known_is_refused_by_its_name() -> None:
    assert refused(b"\xff\xfe\x00", origin="a.bin") == "`a.bin` is neither a NumPy file nor JSON; `pair` takes float32 of 1 x 2"


def test_a_picture_goes_into_an_input_for_pictures_and_into_an_array_of_its_shape() -> None:
    picture = color_png((255, 0, 0))

    assert read(picture, image_input(size=(5, 4))).shape == (4, 5, 3)
    assert read(picture, array_input("x", 1, 3, 4, 5))[0, :, 0, 0].tolist() == [1, 0, 0]


def test_pixels_go_into_an_input_for_pictures_as_they_are() -> None:
    pixels = np.zeros((4, 5, 3), np.uint8)

    assert np.array_equal(read(npy(pixels), image_input(size=(5, 4))), pixels)


def test_what_is_no_picture_is_refused_where_one_goes() -> None:
    assert refused("[1]", image_input()) == "`image` is no picture of a format that is read here"


TEXT = Feature(name="text", kind="string")


@pytest.mark.parametrize(
    ("data", "origin", "text"),
    [
        ("hello", None, "hello"),
        ('"a\\nb"', None, "a\nb"),
        ("5", None, "5"),
        ("hello\n", "a.txt", "hello"),
        ('"x"', "a.txt", '"x"'),
    ],
)
def test_texts(data: str, origin: str | None, text: str) -> None:
    assert read(data, TEXT, origin) == text


def test_single_numbers_and_tables() -> None:
    assert read("3", Feature(name="x", kind="int64")) == 3
    assert read("3", Feature(name="x", kind="double")) == 3.0
    assert read(npy(np.float32(2.5)), Feature(name="x", kind="double")) == 2.5
    assert read('{"a": 1}', Feature(name="x", kind="dictionary", keys="string")) == {"a": 1.0}
    assert read('{"7": 1}', Feature(name="x", kind="dictionary", keys="int64")) == {7: 1.0}
    assert refused('"a"', Feature(name="x", kind="int64")) == "`x` takes a whole number, which the value of `x` is not"
    assert refused('{"a": 1}', Feature(name="x", kind="dictionary", keys="int64")).startswith("`x` takes a dictionary")


@given(arrays(st.sampled_from([np.float32, np.float64, np.int32, np.uint8]), st.just((1, 2))))
def test_a_numpy_file_is_read_back_as_it_was(array: "np.ndarray[Any, Any]") -> None:
    assert np.array_equal(read(npy(array)), array, equal_nan=array.dtype.kind == "f")


def passed(outputs: Any, function: Function, *parts: Part) -> tuple[Scripted, TensorsEvent]:
    executor = Scripted(outputs)
    (event,) = ran("tensors", a_job(executor, a_package(function), *parts))
    assert isinstance(event, TensorsEvent)
    return executor, event


def typed(name: str, value: str) -> TensorPart:
    return TensorPart(name, value.encode())


def test_what_comes_out_is_told_by_name() -> None:
    half = np.array([[0.5, np.inf]], np.float16)
    outputs = {"half": half, "turned": np.arange(6, dtype=np.int32).reshape(2, 3).T, "label": "cat", "table": {"cat": 0.5}}

    _, event = passed(outputs, Function(name="main", inputs=(PAIR,)), typed("pair", "[1, 2]"))

    assert event.tensors == (
        Tensor("half", "float16", (1, 2), half.tobytes()),
        Tensor("turned", "int32", (3, 2), np.array([0, 3, 1, 4, 2, 5], np.int32).tobytes()),
    )
    assert event.values == {"label": "cat", "table": {"cat": 0.5}}


TWO = Function(name="main", inputs=(PAIR, array_input("bias", 1, optional=True), image_input()))
INTERFACE = "its inputs are `pair` (float32 of 1 x 2), `bias` (float32 of 1, optional), `image` (a picture of 32 x 32 pixels)"
PICTURE = ImagePart(color_png((255, 0, 0)), "image/png", "a.png")


def test_a_picture_without_a_name_goes_where_pictures_go() -> None:
    executor, _ = passed({}, TWO, typed("pair", "[1, 2]"), PICTURE)

    assert {name: value.shape for name, value in executor.asked[0].items()} == {"pair": (1, 2), "image": (32, 32, 3)}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((PICTURE,), f"nothing was given for `pair`; {INTERFACE}"),
        ((typed("pari", "[1, 2]"),), f"`coreml:Model` has no input `pari`; {INTERFACE}"),
        ((typed("pair", "[1, 2]"), typed("pair", "[1, 2]")), "the input `pair` is given twice"),
        (
            (typed("pair", "[1, 2]"), PICTURE, PICTURE),
            f"2 pictures came without the name of an input, and `coreml:Model` has 1 left for pictures; {INTERFACE}",
        ),
        ((typed("pair", "[1, 2]"), PICTURE, TextPart("hi")), f"a text came without the name of an input; {INTERFACE}"),
    ],
)
def test_what_does_not_fit_the_interface_is_refused_with_it(parts: tuple[Part, ...], message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        passed({}, TWO, *parts)
    assert refusal.value.message == message


def test_a_prompt_goes_into_the_one_input_for_texts() -> None:
    executor, _ = passed({}, Function(name="main", inputs=(TEXT, PAIR)), typed("pair", "[1, 2]"), TextPart("hi"))

    assert executor.asked[0]["text"] == "hi"


def test_a_model_with_states_gets_fresh_ones() -> None:
    executor, _ = passed({}, Function(name="main", inputs=(PAIR,), states=(PAIR,)), typed("pair", "[1, 2]"))

    assert executor.states == [1]
    assert executor.held == set()


def test_states_are_let_go_also_where_the_model_fails() -> None:
    def fails(feeds: Mapping[str, Any]) -> dict[str, Any]:
        raise ProviderError("it broke")

    executor = Scripted(fails)
    package = a_package(Function(name="main", inputs=(PAIR,), states=(PAIR,)))
    with pytest.raises(ProviderError):
        ran("tensors", a_job(executor, package, typed("pair", "[1, 2]")))
    assert (executor.states, executor.held) == ([1], set())

"""Tensors as lines, as JSON and as NumPy's own files."""

import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from mmai.render.envelope import json_lines
from mmai.render.tensors import archive, array_of, single, tensors_data, tensors_text
from mmai.values.event import Tensor, TensorsEvent


def tensor(name: str, values: Any, dtype: str = "float32") -> Tensor:
    array = np.asarray(values, dtype)
    return Tensor(name, dtype, array.shape, array.tobytes())


def loaded(data: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(data), allow_pickle=False) as members:
        return {name: members[name] for name in members}


def test_few_values_are_shown_and_of_many_where_they_lie() -> None:
    event = TensorsEvent(
        (
            tensor("logits", [[0.123456, -2, 1e-9]]),
            tensor("n", 7, "int32"),
            tensor("map", np.arange(20).reshape(4, 5), "float16"),
        )
    )

    assert tensors_text(event) == (
        "logits  float32  1 x 3   0.12346 -2 1e-09\n"
        "n       int32    scalar  7\n"
        "map     float16  4 x 5   min 0, mean 9.5, max 19\n"
    )


def test_what_is_not_finite_is_counted_and_left_out_of_the_range() -> None:
    values = np.array([np.nan, np.inf, *range(20)])

    assert tensors_text(TensorsEvent((tensor("x", values),))).endswith("min 0, mean 9.5, max 19, 2 not finite\n")
    assert tensors_text(TensorsEvent((tensor("x", np.full(20, np.nan)),))).endswith("  20 not finite\n")


def test_empty_and_yes_or_no() -> None:
    assert tensors_text(TensorsEvent((tensor("x", np.zeros((0, 3))),))) == "x  float32  0 x 3  empty\n"
    assert tensors_text(TensorsEvent((tensor("x", [True, False], "bool"),))) == "x  bool  2  True False\n"


def test_what_is_no_array_has_a_line_of_its_own() -> None:
    event = TensorsEvent((), {"label": "tabby\x1b[2J cat", "table": {"cat": 0.5}, "count": 3})

    assert tensors_text(event) == "label  tabby cat\ntable  cat 0.5\ncount  3\n"
    assert tensors_text(TensorsEvent((), {"t": {f"c{n}": n / 20 for n in range(20)}})) == "t  20 values, largest c19 0.95\n"


def test_json_has_values_up_to_a_number_of_them() -> None:
    event = TensorsEvent((tensor("few", np.zeros(1024)), tensor("many", np.arange(1025))))
    few, many = tensors_data(event)["tensors"]

    assert len(few["values"]) == 1024
    assert (many["values"], many["min"], many["mean"], many["max"]) == (None, 0, 512, 1024)
    assert len(tensors_data(event, most=None)["tensors"][1]["values"]) == 1025


def test_json_has_no_word_for_nan() -> None:
    line = json_lines([tensors_data(TensorsEvent((tensor("x", [np.nan, 1]),)))])

    assert json.loads(line)["tensors"][0]["values"] == [None, 1]


def test_an_archive_has_all_of_it_under_any_name() -> None:
    event = TensorsEvent((tensor("file", [1.5]),), {"label": "cat", "table": {"cat": 0.5, "dog": 0.25}, "by": {7: 1.0}})

    found = loaded(archive(event))

    assert {name: array.tolist() for name, array in found.items()} == {
        "file": [1.5],
        "label": "cat",
        "table.keys": ["cat", "dog"],
        "table.values": [0.5, 0.25],
        "by.keys": [7],
        "by.values": [1.0],
    }


def test_the_same_tensors_make_the_same_archive() -> None:
    event = TensorsEvent((tensor("x", [1.5]),))

    assert archive(event) == archive(event)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32", "int8", "bool"])
def test_types_are_kept(dtype: str) -> None:
    array = array_of(tensor("x", [[1, 0]], dtype))

    saved = np.load(io.BytesIO(single(array)), allow_pickle=False)

    assert (str(saved.dtype), saved.tolist()) == (dtype, [[1, 0]])


@given(arrays(st.sampled_from(["float16", "float32", "int32"]), array_shapes(min_dims=0, max_dims=4, min_side=0)))
def test_any_tensor_is_a_line_json_and_an_archive(array: Any) -> None:
    event = TensorsEvent((tensor("x", array, str(array.dtype)),))

    assert tensors_text(event).count("\n") == 1
    json.loads(json_lines([tensors_data(event)]))
    assert np.array_equal(loaded(archive(event))["x"], array, equal_nan=array.dtype.kind == "f")

"""What a model gave under the names of its outputs: as lines to read, as JSON, and as NumPy's own files."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from mmai.render.clean import clean_line
from mmai.values.event import Tensor, TensorsEvent

Array = np.ndarray[Any, Any]

FEW = 16
"""Values that are shown; of more, where they lie."""
MOST_JSON_VALUES = 1_024
"""Values of one array in the envelope, which is to be read; `--out` has all of them."""

LONGEST_LABEL = 40
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The same tensors make the same archive."""


def tensors_text(event: TensorsEvent) -> str:
    """A line for each output: `logits  float32  1 x 3  0.1 2.5 -3`, or the least, mean and largest of many values."""
    rows = [(each.name, each.dtype, _shape(each.shape), _said(array_of(each))) for each in event.tensors]
    widths = [max(map(len, column)) for column in zip(*(row[:3] for row in rows), strict=True)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows]
    lines += [f"{name}  {_said_value(value)}" for name, value in event.values.items()]
    return "".join(f"{clean_line(line)}\n" for line in lines)


def tensors_data(event: TensorsEvent, *, most: int | None = MOST_JSON_VALUES) -> dict[str, Any]:
    """`tensors` and `values` for JSON. Arrays of more than `most` values have none, but where they lie."""
    return {"tensors": [_tensor_data(each, most) for each in event.tensors], "values": event.values}


def archive(event: TensorsEvent) -> bytes:
    """An `.npz` of every output. A table becomes two arrays, `NAME.keys` and `NAME.values`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as members:
        for name, array in _members(event):
            members.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH), single(array))
    return file.getvalue()


def single(array: Array) -> bytes:
    """An array as a `.npy` file."""
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=False)
    return file.getvalue()


def array_of(tensor: Tensor) -> Array:
    """The array, as NumPy has it."""
    return np.frombuffer(tensor.data, tensor.dtype).reshape(tensor.shape)


def _members(event: TensorsEvent) -> Iterator[tuple[str, Array]]:
    for tensor in event.tensors:
        yield tensor.name, array_of(tensor)
    for name, value in event.values.items():
        if isinstance(value, Mapping):
            yield f"{name}.keys", np.array(list(value))
            yield f"{name}.values", np.array(list(value.values()))
        else:
            yield name, np.array(value)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "scalar"


def _said(array: Array) -> str:
    if array.size <= FEW:
        return " ".join(map(_number, array.reshape(-1).tolist())) or "empty"
    range_ = _range(array)
    strange = array.size - int(np.isfinite(array).sum())
    words = [f"{name} {_number(value)}" for name, value in range_.items() if value is not None]
    return ", ".join([*words, *([f"{strange} not finite"] if strange else [])])


def _range(array: Array) -> dict[str, float | None]:
    """Least, mean and largest of what is finite; None where nothing is."""
    finite = array[np.isfinite(array)].astype(np.float64)
    if not finite.size:
        return {"min": None, "mean": None, "max": None}
    return {"min": float(finite.min()), "mean": float(finite.mean()), "max": float(finite.max())}


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.5g}"


def _said_value(value: Any) -> str:
    if isinstance(value, Mapping) and len(value) > FEW:
        largest = max(value, key=lambda key: value[key])
        return f"{len(value)} values, largest {str(largest)[:LONGEST_LABEL]} {_number(value[largest])}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_number(each)}" for key, each in value.items())
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _tensor_data(tensor: Tensor, most: int | None) -> dict[str, Any]:
    array = array_of(tensor)
    whole = most is None or array.size <= most
    return {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": tensor.shape,
        **_range(array),
        "values": array.tolist() if whole else None,
    }

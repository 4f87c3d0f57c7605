"""Lists of tensors, as loops fill and read them."""

import numpy as np
from msgspec import Struct

from mmai.backends.coreml.reference.kernel import Array, Table

DTYPES = {"bool": np.bool_, "fp16": np.float32, "fp32": np.float32, "int32": np.int32}


LONGEST = 1 << 24
"""Elements a list may grow to; more is a program gone wrong."""


class TensorList(Struct, frozen=True):
    """A list that is never changed: writing gives another."""

    elements: tuple[Array | None, ...]
    """None where nothing was written yet."""
    empty: Array | None
    """What stands there until then; None where the shape of an element is open."""
    grows: bool

    def read(self, index: int) -> Array:
        """One element.

        Raises:
            ValueError: there is none.
        """
        if not 0 <= index < len(self.elements):
            raise ValueError(f"the list has {len(self.elements)} elements, and none at {index}")
        found = self.elements[index]
        if found is None:
            found = self.empty if self.empty is not None else next((each for each in self.elements if each is not None), None)
            if found is None:
                raise ValueError(f"nothing was written at {index}, and the shape of an element is open")
            return np.zeros_like(found)
        return found

    def written(self, indices: list[int], values: list[Array]) -> "TensorList":
        """With the values in their places.

        Raises:
            ValueError: the list does not reach that far.
        """
        elements = list(self.elements)
        for index, value in zip(indices, values, strict=True):
            if not 0 <= index < (LONGEST if self.grows else len(elements)):
                raise ValueError(f"the list has {len(elements)} elements, and none at {index}")
            elements.extend([None] * (index + 1 - len(elements)))
            elements[index] = value
        return TensorList(tuple(elements), self.empty, self.grows)


def make_list(
    elem_shape: list[Array | str], init_length: Array | int = 1, dynamic_length: Array | bool = True, dtype: str = "fp32"
) -> TensorList:
    """A list of nothing yet; sizes of an element that are texts are open."""
    sizes = [None if isinstance(size, str) else int(size) for size in elem_shape]
    known = [size for size in sizes if size is not None and size >= 0]
    empty: Array | None = np.zeros(known, DTYPES[dtype]) if len(known) == len(sizes) else None
    length = int(init_length)
    if not 0 <= length <= LONGEST:
        raise ValueError(f"a list cannot have {length} elements")
    return TensorList((None,) * length, empty, bool(dynamic_length))


def list_length(ls: TensorList) -> Array:
    """How many elements there are, written or not."""
    return np.array(len(ls.elements), np.int32)


def list_read(ls: TensorList, index: Array) -> Array:
    """One element."""
    return ls.read(int(index))


def list_write(ls: TensorList, index: Array, value: Array) -> TensorList:
    """The list with one element replaced, longer where it may grow."""
    return ls.written([int(index)], [value])


def list_gather(ls: TensorList, indices: Array) -> Array:
    """Some elements, stacked."""
    return np.stack([ls.read(int(index)) for index in indices])


def list_scatter(ls: TensorList, indices: Array, value: Array) -> TensorList:
    """The list with some elements replaced by the rows of a tensor."""
    return ls.written([int(index) for index in indices], list(value))


OPS: Table = {
    "list_gather": list_gather,
    "list_length": list_length,
    "list_read": list_read,
    "list_scatter": list_scatter,
    "list_write": list_write,
    "make_list": make_list,
}

"""The one dimension of an input that is time, or the number of tokens, and how long it may be."""

from collections.abc import Iterable

from msgspec import Struct

from mmai.values.package import ArrayFormat


class Axis(Struct, frozen=True, kw_only=True):
    """Which dimension, and the lengths it takes: those of `sizes`, or where that is empty, `least` to `most`."""

    index: int
    sizes: tuple[int, ...] = ()
    """In ascending order."""
    least: int = 1
    most: int | None = None
    """None is without limit."""

    @property
    def longest(self) -> int | None:
        """None is without limit."""
        return self.sizes[-1] if self.sizes else self.most

    def fitting(self, length: int) -> int:
        """The shortest that holds `length`; the longest where none does."""
        if self.sizes:
            return next((size for size in self.sizes if size >= length), self.sizes[-1])
        return min(max(length, self.least), self.most or max(length, self.least))


def axis_of(array: ArrayFormat, *, beside: Iterable[int] = ()) -> Axis:
    """The dimension of an array that varies or, where none does, its longest; one whose size is in `beside` is another thing."""
    index = _varying(array)
    if index is None:
        others = set(beside)
        free = [index for index, size in enumerate(array.shape) if size not in others] or list(range(len(array.shape)))
        index = max(free, key=lambda index: array.shape[index])
    return _at(array, index)


def last_axis(array: ArrayFormat) -> Axis:
    """The last dimension, which of a row of tokens is their number."""
    return _at(array, -1)


def _at(array: ArrayFormat, index: int) -> Axis:
    if array.shapes:
        return Axis(index=index, sizes=tuple(sorted({shape[index] for shape in array.shapes})))
    if array.ranges:
        least, most = array.ranges[index]
        return Axis(index=index, least=max(least, 1), most=most)
    return Axis(index=index, sizes=array.shape[index:][:1])


def _varying(array: ArrayFormat) -> int | None:
    """The last dimension that varies: where a batch does too, it comes first."""
    rank = len(array.shapes[0] if array.shapes else array.ranges)
    return next((index for index in reversed(range(rank)) if varies(array, index)), None)


def flexible(array: ArrayFormat) -> bool:
    """Whether any dimension has more than one size."""
    return _varying(array) is not None


def varies(array: ArrayFormat, index: int) -> bool:
    """Whether a dimension has more than one size."""
    if array.shapes:
        return len({shape[index] for shape in array.shapes}) > 1
    return bool(array.ranges) and array.ranges[index][0] != array.ranges[index][1]


def outer(array: ArrayFormat) -> tuple[int, ...]:
    """The sizes before the last, each the smallest that is allowed; a batch of one where the model says nothing."""
    if array.ranges:
        return tuple(max(lower, 1) for lower, _ in array.ranges[:-1])
    shape = min(array.shapes, key=lambda shape: shape[:-1]) if array.shapes else array.shape
    return shape[:-1] if shape else (1,)


def shape_with(array: ArrayFormat, axis: Axis, length: int) -> tuple[int, ...]:
    """The array's shape where its axis has this length."""
    return tuple(length if index == axis.index else size for index, size in enumerate(array.shape))

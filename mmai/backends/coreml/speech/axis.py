"""The one dimension of an input that is time, and how long it may be."""

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
    if array.shapes:
        return Axis(index=index, sizes=tuple(sorted({shape[index] for shape in array.shapes})))
    if array.ranges:
        least, most = array.ranges[index]
        return Axis(index=index, least=max(least, 1), most=most)
    return Axis(index=index, sizes=(array.shape[index],))


def _varying(array: ArrayFormat) -> int | None:
    """The last dimension that varies: where a batch does too, it comes first."""
    if array.shapes:
        sizes = list(zip(*array.shapes, strict=True))
        return next((index for index in reversed(range(len(sizes))) if len(set(sizes[index])) > 1), None)
    ranges = list(enumerate(array.ranges))
    return next((index for index, (least, most) in reversed(ranges) if least != most), None)


def shape_with(array: ArrayFormat, axis: Axis, length: int) -> tuple[int, ...]:
    """The array's shape where its axis has this length."""
    return tuple(length if index == axis.index else size for index, size in enumerate(array.shape))

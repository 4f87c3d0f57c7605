"""How many tokens an input takes: a fixed number, one of several, or any within a range."""

from mmai.values.package import ArrayFormat


def longest(array: ArrayFormat) -> int | None:
    """The most it takes; None is any number."""
    if array.ranges:
        return array.ranges[-1][1]
    if array.shapes:
        return max(shape[-1] for shape in array.shapes)
    return array.shape[-1] if array.shape else None


def fitting(array: ArrayFormat, count: int) -> int:
    """The smallest length it allows for `count` tokens, which are no more than the longest."""
    if array.ranges:
        return max(count, array.ranges[-1][0])
    if array.shapes:
        return min(shape[-1] for shape in array.shapes if shape[-1] >= count)
    return array.shape[-1] if array.shape else count


def outer(array: ArrayFormat) -> tuple[int, ...]:
    """The sizes before the last, each the smallest that is allowed; a batch of one where the model says nothing."""
    if array.ranges:
        return tuple(max(lower, 1) for lower, _ in array.ranges[:-1])
    shape = min(array.shapes, key=lambda shape: shape[:-1]) if array.shapes else array.shape
    return shape[:-1] if shape else (1,)

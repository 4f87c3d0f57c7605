"""Where the window of a convolution or a pooling stands: sizes, padding and steps along each spatial axis."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from mmai.backends.coreml.reference.kernel import Array


class Window(Struct, frozen=True, kw_only=True):
    """A window that slides along one axis. All figures count elements of that axis."""

    size: int
    """Of the axis, without padding."""
    kernel: int
    stride: int
    dilation: int
    before: int
    """Padding ahead of the first element."""
    steps: int
    """How many places the window stops at: the size of the axis in the result."""

    @property
    def reach(self) -> int:
        """From the first element the window covers to the last, dilation included."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def extent(self) -> int:
        """What all its places cover together; the padded axis has to be that long."""
        return (self.steps - 1) * self.stride + self.reach

    def at(self, tap: int) -> slice:
        """Of a padded axis: what element `tap` of the kernel meets, one element for each place."""
        start = tap * self.dilation
        return slice(start, start + (self.steps - 1) * self.stride + 1, self.stride)


Windows = tuple[Window, ...]


def windows_over(
    sizes: Sequence[int],
    kernel: Sequence[int],
    *,
    strides: Array | None,
    dilations: Array | None = None,
    pad_type: str,
    pad: Array | None,
    ceil_mode: bool = False,
) -> Windows:
    """One window for each spatial axis.

    `same` pads so that the result has ceil(size / stride) elements, the odd one behind; `same_lower` has it ahead.

    Raises:
        ValueError: an unknown `pad_type`, a list of the wrong length, or a window longer than the padded axis.
    """
    rank = len(sizes)
    steps_by, spread = numbers("strides", strides, rank, otherwise=1), numbers("dilations", dilations, rank, otherwise=1)
    pads = numbers("pad", pad, 2 * rank, otherwise=0) if pad_type == "custom" else [0] * (2 * rank)
    found = []
    for axis, (size, length, stride, dilation) in enumerate(zip(sizes, kernel, steps_by, spread, strict=True)):
        reach = (length - 1) * dilation + 1
        before, after = pads[2 * axis : 2 * axis + 2]
        if pad_type in ("same", "same_lower"):
            before, after = _same(size, reach, stride, lower=pad_type == "same_lower")
        elif pad_type not in ("valid", "custom"):
            raise ValueError(f"pad_type `{pad_type}` is none of valid, custom, same, same_lower")
        steps = _steps(size, reach, stride, before, after, ceil_mode=ceil_mode)
        if steps < 1:
            raise ValueError(f"a window of {reach} does not fit an axis of {size} padded with {before} and {after}")
        found.append(Window(size=size, kernel=length, stride=stride, dilation=dilation, before=before, steps=steps))
    return tuple(found)


def numbers(name: str, given: Array | None, count: int, *, otherwise: int) -> list[int]:
    """A constant list as Python integers, or `count` times `otherwise` where it was left out."""
    if given is None:
        return [otherwise] * count
    listed = [int(number) for number in np.ravel(given)]
    if len(listed) != count:
        raise ValueError(f"`{name}` has {len(listed)} numbers, {count} are needed")
    return listed


def _same(size: int, reach: int, stride: int, *, lower: bool) -> tuple[int, int]:
    total = max(0, (-(-size // stride) - 1) * stride + reach - size)
    small = total // 2
    return (total - small, small) if lower else (small, total - small)


def _steps(size: int, reach: int, stride: int, before: int, after: int, *, ceil_mode: bool) -> int:
    room = size + before + after - reach
    if not ceil_mode:
        return room // stride + 1
    steps = -(-room // stride) + 1
    # The last place may not start in the padding behind. Source: PyTorch, `pooling_output_shape`, as coremltools has it.
    starts_in_padding = (steps - 1) * stride >= size + before
    return steps - 1 if starts_in_padding and before + after > 0 else steps


def last(slices: Iterable[slice]) -> tuple[Any, ...]:
    """An index that takes `slices` of the last axes, and all of the ones ahead."""
    return (..., *slices)


def padded(x: Array, windows: Windows, fill: float = 0.0) -> Array:
    """`x` with its last axes exactly as long as the places of the windows need: padded with `fill`, or cut.

    Without need of padding it is a view.
    """
    if all(window.before == 0 and window.extent <= window.size for window in windows):
        cut: Array = x[last(slice(0, window.extent) for window in windows)]
        return cut
    lead = x.shape[: x.ndim - len(windows)]
    room = np.full((*lead, *(window.extent for window in windows)), fill, x.dtype)
    kept = [max(0, min(window.size, window.extent - window.before)) for window in windows]
    place = last(slice(window.before, window.before + size) for window, size in zip(windows, kept, strict=True))
    room[place] = x[last(slice(0, size) for size in kept)]
    return room


def views(x: Array, windows: Windows) -> Array:
    """All places of the windows over an array that `padded` gave, without a copy: *lead, *steps, *kernel."""
    lead = x.ndim - len(windows)
    strides = x.strides[lead:]
    return np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:lead], *(window.steps for window in windows), *(window.kernel for window in windows)),
        (
            *x.strides[:lead],
            *(stride * window.stride for stride, window in zip(strides, windows, strict=True)),
            *(stride * window.dilation for stride, window in zip(strides, windows, strict=True)),
        ),
        writeable=False,
    )


def slide(x: Array, windows: Windows, fold: Callable[..., Array], *, fill: float) -> Array:
    """What `fold` (`np.maximum`, `np.add`) makes of each place, axis after axis: the sum of kernel sizes, not their product."""
    x = padded(x, windows, fill)
    lead = x.ndim - len(windows)
    for axis, window in enumerate(windows, lead):
        if window.kernel > 1 or window.stride > 1:
            x = _slide_along(x, axis, window, fold)
    return x


def _slide_along(x: Array, axis: int, window: Window, fold: Callable[..., Array]) -> Array:
    ahead: tuple[Any, ...] = (slice(None),) * axis
    folded: Array = x[(*ahead, window.at(0))].copy()
    for tap in range(1, window.kernel):
        fold(folded, x[(*ahead, window.at(tap))], out=folded)
    return folded

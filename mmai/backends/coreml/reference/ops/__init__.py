"""Every operation the executor runs, merged from the files here. A new family is a file with a table `OPS`, and a row here."""

from mmai.backends.coreml.reference.kernel import Kernel, Table
from mmai.backends.coreml.reference.ops import (
    activation,
    blocks,
    compression,
    convolution,
    cropping,
    elementwise,
    filling,
    gathering,
    labels,
    linear,
    lists,
    normalization,
    pooling,
    recurrent,
    reduction,
    resampling,
    resize,
    shaping,
    slicing,
    sorting,
)

FAMILIES = (
    activation,
    blocks,
    compression,
    convolution,
    cropping,
    elementwise,
    filling,
    gathering,
    labels,
    linear,
    lists,
    normalization,
    pooling,
    recurrent,
    reduction,
    resampling,
    resize,
    shaping,
    slicing,
    sorting,
)
"""Files, each with an `OPS` of its own; no operation is in two of them."""


def merged() -> Table:
    """Name of the MIL operation to its kernel."""
    return {name: kernel for family in FAMILIES for name, kernel in family.OPS.items()}


KERNELS: dict[str, Kernel] = merged()

"""Every operation the executor runs, merged from the files here. A new family is a file with a table `OPS`, and a row here."""

from mmai.backends.coreml.reference.kernel import Kernel, Table
from mmai.backends.coreml.reference.ops import (
    blocks,
    compression,
    convolution,
    cropping,
    labels,
    lists,
    normalization,
    pooling,
    resampling,
    resize,
)

FAMILIES = (
    blocks,
    compression,
    convolution,
    cropping,
    labels,
    lists,
    normalization,
    pooling,
    resampling,
    resize,
)
"""Files, each with an `OPS` of its own; no operation is in two of them."""


def merged() -> Table:
    """Name of the MIL operation to its kernel."""
    return {name: kernel for family in FAMILIES for name, kernel in family.OPS.items()}


KERNELS: dict[str, Kernel] = merged()

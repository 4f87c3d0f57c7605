"""Which operations are run at all, and which of a program are not."""

from collections import Counter
from collections.abc import Iterator

from mmai.backends.coreml.reference.ops import KERNELS
from mmai.dialects.coreml.mil import Block, Operation
from mmai.errors import CannotRun

CONTROL = ("cond", "const", "coreml_update_state", "read_state", "while_loop", "write_state")
"""What is run by the interpreter and not by a kernel."""


def coverage() -> tuple[str, ...]:
    """Every operation that is run, in alphabetical order."""
    return tuple(sorted({*KERNELS, *CONTROL}))


def refuse_unknown(block: Block) -> None:
    """Name every operation that cannot be run, in the block and in those within it.

    Raises:
        CannotRun: there is one.
    """
    known = {*KERNELS, *CONTROL}
    missing = Counter(operation.type for operation in all_operations(block) if operation.type not in known)
    if not missing:
        return
    names = ", ".join(f"`{name}`" + (f" ({count} times)" if count > 1 else "") for name, count in sorted(missing.items()))
    what = "an operation" if len(missing) == 1 else "operations"
    raise CannotRun(f"it has {what} that the executor `reference` does not run: {names}", hint="mmai run --executor apple")


def all_operations(block: Block) -> Iterator[Operation]:
    """Those of the block and of all blocks within it."""
    for operation in block.operations:
        yield operation
        for inner in operation.blocks:
            yield from all_operations(inner)

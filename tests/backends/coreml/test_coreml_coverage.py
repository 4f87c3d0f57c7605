"""Which operations the reference executor runs: all of coremltools' own, but for those named here."""

from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry
from packages.toolkit import ct as ct  # silences what follows

from mmai.backends.coreml.reference.coverage import coverage

NEVER_SAVED = {
    "_const_symbolic": "stands for a size while a model is converted",
    **dict.fromkeys(
        (name for name in SSAOpRegistry.dialect_ops if name.startswith("complex_") or name == "complex"),
        "complex numbers are taken apart before a model is saved",
    ),
}
"""Operations no package has, and why."""

NOT_RUN: dict[str, str] = {}
"""Operations that a package may have and that are refused by name, and why."""


def test_every_operation_is_run_or_named_with_a_reason() -> None:
    known = {*SSAOpRegistry.core_ops, *SSAOpRegistry.dialect_ops}
    assert known - set(coverage()) == {*NEVER_SAVED, *NOT_RUN}

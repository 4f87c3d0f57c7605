"""coremltools, quietly: what builds the packages that the tests run."""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

logging.getLogger("coremltools").setLevel(logging.CRITICAL)  # it tells of the parts that only a Mac has
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    ct: Any = pytest.importorskip("coremltools", reason="there is no coremltools for this platform")
    from coremltools.converters.mil import Builder as mb  # noqa: N813
    from coremltools.converters.mil.mil import types

__all__ = ["built", "ct", "mb", "types"]


def built(program: Any, path: Path, *, described: Callable[[Any], None] | None = None, **conversion: Any) -> Path:
    """A MIL program as a package in float32, unless `conversion` says otherwise; `described` notes what else it should say."""
    settings = {
        "convert_to": "mlprogram",
        "minimum_deployment_target": ct.target.iOS16,
        "compute_precision": ct.precision.FLOAT32,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ct.convert(program, **{**settings, **conversion})
        if described:
            described(model)
        model.save(str(path))
    return path

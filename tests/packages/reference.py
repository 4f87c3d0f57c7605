"""Packages as the executor `reference` opens and asks them."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmai.backends.coreml.executor import Executor
from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.reference import open_reference
from packages.toolkit import ct

SPECIFICATION = "Data/com.apple.CoreML/model.mlmodel"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"


def opened(path: Path, function: str | None = None) -> Executor:
    """The model, ready to be asked."""
    return asyncio.run(open_reference(read_package(path), function=function))


def asked(executor: Executor, state: int | None = None, **feeds: Any) -> Mapping[str, Any]:
    """What it gives for one prediction."""
    return asyncio.run(executor.predict(feeds, state=state)).outputs


def begun(executor: Executor) -> int:
    """A fresh state."""
    return asyncio.run(executor.new_state())


def program_proto(path: Path) -> Any:
    """The program as coremltools reads it."""
    return ct.utils.load_spec(str(path)).mlProgram


def changed(path: Path, change: Any, file: str = SPECIFICATION) -> Path:
    """The package with the bytes of one of its files replaced by what `change` makes of them."""
    (path / file).write_bytes(change((path / file).read_bytes()))
    return path


def respecified(path: Path, change: Any) -> Path:
    """The package after `change` was done to its specification, a protobuf message."""
    specification = ct.utils.load_spec(str(path))
    change(specification)
    (path / SPECIFICATION).write_bytes(specification.SerializeToString())
    return path

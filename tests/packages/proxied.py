"""coremltools' own Python layer over our reference executor: its checks and conversions run, Core ML itself does not.

`installed()` puts the proxy where coremltools has Apple's framework on a Mac. As the name of an engine, this module does the same in
a worker.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

from mmai.backends.coreml.apple import engine
from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.reference import open_reference

NEWEST = 9
"""The newest specification the proxy takes: macOS 15."""

MODES = {"rgb": "RGB", "bgr": "RGB", "grayscale": "L", "grayscale_float16": "F"}


class Proxy:
    """What `libcoremlpython` has as `_MLModelProxy`. Source: coremltools 9.0, `coremlpython/CoreMLPython.mm`."""

    loaded: list["Proxy"] = []  # noqa: RUF012 - one list for all, for the tests to look at

    def __init__(self, path: str, units: str, function: str, hints: dict[str, str], asset: Any) -> None:
        started = time.perf_counter_ns()
        self.units, self.function = units, function
        (package,) = [read_package(each) for each in Path(path).iterdir() if each.suffix == ".mlpackage"]
        self.interface = next((each for each in package.functions if each.name == function), package.main)
        self.executor = asyncio.run(open_reference(package, function=function or None))
        self.load_ns = time.perf_counter_ns() - started
        self.predict_ns: int | None = None
        self.loaded.append(self)

    @staticmethod
    def maximum_supported_specification_version() -> int:
        return NEWEST

    @staticmethod
    def compileModel(path: str) -> str:  # noqa: N802 - Apple's name
        """Into a folder for temporary files, as the framework does; here it only holds a copy."""
        compiled = Path(tempfile.mkdtemp()) / f"{Path(path).stem}.mlmodelc"
        shutil.copytree(path, compiled / Path(path).name)
        return str(compiled)

    def predict(self, feeds: Mapping[str, Any], state: Any) -> dict[str, Any]:
        taken = {name: self._taken(name, value) for name, value in feeds.items()}
        started = time.perf_counter_ns()
        given = asyncio.run(self.executor.predict(taken, state=state)).outputs
        self.predict_ns = time.perf_counter_ns() - started
        return {name: _as_apple(value) for name, value in given.items()}

    def newState(self) -> int:  # noqa: N802 - Apple's name
        return asyncio.run(self.executor.new_state())

    def get_load_duration_in_nano_seconds(self) -> int:
        return self.load_ns

    def get_last_predict_duration_in_nano_seconds(self) -> int | None:
        return self.predict_ns

    def _taken(self, name: str, value: Any) -> Any:
        feature = next(feature for feature in self.interface.inputs if feature.name == name)
        if feature.image is None:
            assert not isinstance(value, np.ndarray) or value.dtype != np.float16, "coremltools hands no float16 on"
            return value
        assert isinstance(value, Image.Image), "pictures are Pillow's"
        assert value.mode == MODES[feature.image.color]
        return np.asarray(value)


def _as_apple(value: Any) -> Any:
    """Float16 comes out as float32, and the probabilities of a classifier are Python's own."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float32) if value.dtype == np.float16 else value
    return value


@contextmanager
def installed() -> Iterator[type[Proxy]]:
    """coremltools finds the proxy, and takes this for macOS 15."""
    import coremltools.models._compiled_model as compiled_model
    import coremltools.models.utils as utils

    library = ModuleType("coremltools.libcoremlpython")
    library._MLModelProxy = Proxy  # type: ignore[attr-defined]
    with ExitStack() as patches:
        patches.enter_context(patch.dict(sys.modules, {"coremltools.libcoremlpython": library}))
        for module in (compiled_model, utils):
            patches.enter_context(patch.object(module, "_macos_version", lambda: (15, 0)))
        patches.enter_context(patch.object(compiled_model, "_MLModelProxy", Proxy))
        patches.enter_context(patch.object(engine, "sys", SimpleNamespace(platform="darwin")))
        yield Proxy


class Engine(engine.Engine):
    """The engine of a worker, over the proxy."""

    def __init__(self) -> None:
        super().__init__()
        engine._coremltools()
        self._installed = installed()
        self._installed.__enter__()

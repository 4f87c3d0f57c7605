"""What works in the worker: coremltools, which is imported nowhere else. Written for macOS.

What it relies on was read in coremltools 9.0: `CompiledMLModel` neither looks at the specification's version nor at pictures, takes
pictures from Pillow alone, and gives float32 for float16.
"""

import errno
import logging
import sys
import time
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from mmai.backends.coreml.apple.feeds import announced, unwired
from mmai.backends.coreml.apple.frames import Array
from mmai.backends.coreml.apple.messages import (
    Compile,
    Compiled,
    Failed,
    Load,
    Loaded,
    MakeState,
    Plan,
    Planned,
    Predict,
    Predicted,
    Reply,
    Request,
    StateMade,
)
from mmai.backends.coreml.apple.placement import shares

UNITS = {"all": "ALL", "cpu_only": "CPU_ONLY", "cpu_and_gpu": "CPU_AND_GPU", "neural_engine": "CPU_AND_NE"}
"""coremltools' names. There is no way to ask for the Neural Engine alone: the CPU does what that cannot."""


class Engine:
    """One model, once it is loaded."""

    def __init__(self) -> None:
        self._model: Any = None
        self._modes: dict[str, str] = {}
        self._states: dict[int, Any] = {}
        self._numbers = count(1)

    def answer(self, request: Request, arrays: Sequence[Array]) -> tuple[Reply, Sequence[Array]]:
        """Do what is asked; what the framework raises goes through."""
        if sys.platform != "darwin":
            return Failed(message="Core ML needs macOS", never=True), ()
        match request:
            case Compile():
                return self._compile(request), ()
            case Load():
                return self._load(request), ()
            case Plan():
                return _plan(request), ()
            case MakeState():
                return self._make_state(request), ()
            case Predict():
                return self.predict(request, arrays)

    def _compile(self, request: Compile) -> Reply:
        if too_new := _too_new(request.spec_version):
            return too_new
        started = time.perf_counter()
        try:
            _coremltools().models.utils.compile_model(request.source, request.destination)
        except OSError as exc:
            if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            return Failed(message="there is no room on the disk for the compiled model")
        return Compiled(compile_ms=_since_ms(started))

    def _load(self, request: Load) -> Reply:
        if too_new := _too_new(request.spec_version):
            return too_new
        ct = _coremltools()
        started = time.perf_counter()
        model = ct.models.CompiledMLModel(request.path, ct.ComputeUnit[UNITS[request.units]], request.function)
        self.hold(model, request.modes)
        return Loaded(load_ms=_since_ms(started))

    def hold(self, model: Any, modes: dict[str, str]) -> None:
        """Take a loaded model: coremltools' `CompiledMLModel`, or its `MLModel`."""
        self._model, self._modes = model, modes

    def _make_state(self, request: MakeState) -> Reply:
        for dropped in request.dropped:
            del self._states[dropped]
        number = next(self._numbers)
        self._states[number] = self._model.make_state()
        return StateMade(state=number)

    def predict(self, request: Predict, arrays: Sequence[Array]) -> tuple[Reply, Sequence[Array]]:
        """Run the model once."""
        feeds = {
            value.name: _picture(content, self._modes[value.name]) if value.kind == "image" else content
            for value, content in unwired(request.values, arrays)
        }
        state = None if request.state is None else self._states[request.state]
        given = {name: _plain(value) for name, value in self._model.predict(feeds, state).items()}
        values = tuple(announced(name, value) for name, value in given.items())
        reply = Predicted(values=values, engine_ms=_engine_ms(self._model))
        return reply, [value for value in given.values() if isinstance(value, np.ndarray)]


def _coremltools() -> Any:
    """The package, without the warnings it gives for parts that nothing here uses."""
    logging.getLogger("coremltools").setLevel(logging.CRITICAL)
    import coremltools  # noqa: PLC0415 - 0.6 s, and its logger has to be silenced first

    return coremltools


def _too_new(spec_version: int) -> Failed | None:
    """Core ML would fail without saying that it is this."""
    _coremltools()
    from coremltools.libcoremlpython import _MLModelProxy  # noqa: PLC0415 - a Mac's only

    newest = _MLModelProxy.maximum_supported_specification_version()
    if spec_version <= newest:
        return None
    return Failed(
        message=f"its specification version {spec_version} is newer than this macOS takes, up to {newest}", never=True
    )


def _plan(request: Plan) -> Reply:
    """Since macOS 14.4; older ones have no such call."""
    ct = _coremltools()
    try:
        plan = ct.models.compute_plan.MLComputePlan.load_from_path(request.path, ct.ComputeUnit[UNITS[request.units]])
        return Planned(placement=shares(plan, request.function))
    except (AttributeError, RuntimeError, ValueError, TypeError):
        return Planned(placement=None)


def _picture(pixels: Array, mode: str) -> Any:
    """Float16 gray is float32 for Pillow, in the same 0 to 255."""
    from PIL import Image  # noqa: PLC0415 - only models that see need it

    return Image.fromarray(pixels.astype(np.float32) if mode == "F" else np.ascontiguousarray(pixels))


def _plain(value: Any) -> Any:
    """An output without the framework's own types. A picture comes as Pillow has it, sometimes with an alpha of no meaning."""
    if hasattr(value, "convert") and hasattr(value, "mode"):
        return np.asarray(value if value.mode in ("L", "F", "RGB") else value.convert("RGB"))
    if isinstance(value, dict):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.item() if isinstance(value, np.generic) else value


def _engine_ms(model: Any) -> float | None:
    """What the framework reports for the last prediction; a compiled model has it only within."""
    proxy = getattr(model, "_proxy", None) or getattr(model, "__proxy__", None)
    try:
        nanoseconds = proxy.get_last_predict_duration_in_nano_seconds()  # type: ignore[union-attr]
    except AttributeError:
        return None
    return None if nanoseconds is None else nanoseconds / 1e6


def _since_ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000

"""What works in a worker, misbehaving: models whose name says what becomes of the process that holds them."""

import atexit
import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from mmai.backends.coreml.apple.machine import Machine
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
    Value,
)
from mmai.values.package import ArrayFormat, Feature, Function, Package

MACHINE = Machine(os_build="24F74", coremltools="9.0", engine="packages.children")

X = Feature(name="x", kind="array", array=ArrayFormat(dtype="float32", shape=(2,)))
Y = Feature(name="y", kind="array", array=ArrayFormat(dtype="float16", shape=(2,)))
STATE = Feature(name="s", kind="state", array=ArrayFormat(dtype="float16", shape=(1,)))

Given = tuple[Reply, Sequence[np.ndarray]]


def child(folder: Path, does: str, *, stateful: bool = False, **said: Any) -> Package:
    """A model that takes `x` and gives its double as `y`, unless its name says otherwise: `hangs_at_load` …"""
    path = folder / f"{does}.mlpackage"
    (path / "Data").mkdir(parents=True, exist_ok=True)
    (path / "Data" / "model").write_text(does)
    function = Function(name="main", inputs=(X,), outputs=(Y,), states=(STATE,) if stateful else ())
    described: dict[str, Any] = {"spec_version": 7, "functions": (function,), **said}
    return Package(path=str(path), format="mlpackage", type="mlProgram", **described)


def processes(package: Package) -> list[int]:
    """The numbers of all that ever held it."""
    log = Path(package.path).with_suffix(".pids")
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def asked(package: Package) -> list[str]:
    """What they were asked, in order."""
    log = Path(package.path).with_suffix(".log")
    return log.read_text().split() if log.exists() else []


def running(pid: int) -> bool:
    """The process is there, or left over."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Engine:
    """The worker's part."""

    def __init__(self) -> None:
        self.does = ""
        self.source = Path()
        self.states: dict[int, int] = {}
        self.begun = 0

    def answer(self, request: Request, arrays: Sequence[np.ndarray]) -> Given:
        match request:
            case Compile():
                return self.compile(request)
            case Load():
                return self.load(request)
            case Plan():
                return self.plan()
            case MakeState():
                for dropped in request.dropped:
                    del self.states[dropped]
                self.begun += 1
                self.states[self.begun] = 0
                self.note(f"states:{len(self.states)}")
                return StateMade(state=self.begun), ()
            case Predict():
                return self.predict(request, arrays)

    def compile(self, request: Compile) -> Given:
        self.begin(Path(request.source), "compile")
        Path(request.destination).mkdir()
        (Path(request.destination) / "does.json").write_text(json.dumps(request.source))
        return Compiled(compile_ms=3.0), ()

    def load(self, request: Load) -> Given:
        self.begin(Path(json.loads((Path(request.path) / "does.json").read_text())), "load")
        self.misbehave("at_load")
        if self.does == "refuses_the_cached" and asked_of(self.source).count("load") == 2:
            return Failed(message="RuntimeError: E5RT cannot read it"), ()
        if self.does == "is_too_new":
            return Failed(message="its specification version 99 is newer than this macOS takes, up to 9", never=True), ()
        return Loaded(load_ms=2.0), ()

    def plan(self) -> Given:
        self.note("plan")
        self.misbehave("at_plan")
        return Planned(placement={"neural_engine": 0.75, "cpu": 0.25}), ()

    def predict(self, request: Predict, arrays: Sequence[np.ndarray]) -> Given:
        self.note("predict")
        self.misbehave("at_predict")
        if self.does == "says_the_wrong_thing":
            return StateMade(state=1), ()
        if self.does == "gives_another_output":
            return Predicted(values=(Value(name="z", kind="plain", plain=1),)), ()
        added = 0
        if request.state is not None:
            added = self.states[request.state]
            self.states[request.state] += 1
        y = arrays[0] * 2 + added
        return Predicted(values=(Value(name="y", kind="array", dtype="float32", shape=y.shape),), engine_ms=0.5), [y]

    def begin(self, source: Path, what: str) -> None:
        self.source, self.does = source, source.stem
        with source.with_suffix(".pids").open("a") as log:
            log.write(f"{os.getpid()}\n")
        self.note(what)
        if self.does == "says_when_it_ends":
            atexit.register(source.with_suffix(".ended").touch)

    def note(self, what: str) -> None:
        with self.source.with_suffix(".log").open("a") as log:
            log.write(f"{what}\n")

    def misbehave(self, when: str) -> None:
        if self.does.endswith(when):
            getattr(self, self.does.removesuffix(f"_{when}"))()

    def hangs(self) -> None:
        """As Core ML does: without letting go of the interpreter."""
        ctypes.PyDLL(None).sleep(3600)

    def aborts(self) -> None:
        sys.stderr.write("first line\nMPSGraph: \x1b[31mfailed assertion `no such unit'\n")
        sys.stderr.flush()
        os.abort()

    def is_killed(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def exits(self) -> None:
        os._exit(7)

    def needs_all_memory(self) -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (2**31, resource.getrlimit(resource.RLIMIT_AS)[1]))
        np.ones(2**32)

    def raises(self) -> None:
        raise RuntimeError('{ NSLocalizedDescription = "Error in declaring network."; }')

    def takes_its_time(self) -> None:
        time.sleep(0.2)

    def prints(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.write("junk " * 100_000)
            stream.flush()

    def writes_junk(self) -> None:
        self.write(b"Espresso compiled without crash reporting\n" * 100)

    def announces_too_much(self) -> None:
        """A message of four gigabytes."""
        self.write(b"MMAI\xff\xff\xff\xff")

    def announces_a_huge_array(self) -> None:
        value = {"name": "y", "kind": "array", "dtype": "float32", "shape": [2**40]}
        self.write_message({"reply": {"type": "predicted", "values": [value]}})

    def announces_an_object(self) -> None:
        value = {"name": "y", "kind": "array", "dtype": "object", "shape": [2]}
        self.write_message({"reply": {"type": "predicted", "values": [value]}})

    def is_cut(self) -> None:
        """It promises an array of 2 GB, sends a little, and leaves."""
        value = {"name": "y", "kind": "array", "dtype": "float32", "shape": [2**29]}
        self.write_message({"reply": {"type": "predicted", "values": [value]}})
        self.write(b"12345678")
        os._exit(0)

    def write_message(self, message: Any) -> None:
        body = msgspec.msgpack.encode(message)
        self.write(b"MMAI" + len(body).to_bytes(4, "little") + body)

    def write(self, data: bytes) -> None:
        os.write(int(sys.argv[1]), data)


def asked_of(source: Path) -> list[str]:
    return source.with_suffix(".log").read_text().split()

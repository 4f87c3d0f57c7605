"""The engine of the executor `apple` over coremltools' own Python layer. The Core ML framework is not exercised: in its place stands
our reference executor, so this proves what is handed to coremltools and what is made of its answers, and nothing about Apple's.
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from packages.children import MACHINE
from packages.proxied import Proxy, installed
from packages.reference import multifunction
from packages.shipped import COLORS, DOMINANT_COLOR, KEYWORD_INTENTS, TONE_LETTERS
from packages.toolkit import built, ct, mb, types

from mmai.backends.coreml.apple.engine import Engine
from mmai.backends.coreml.apple.executor import open_apple
from mmai.backends.coreml.apple.feeds import modes, outputs, wired
from mmai.backends.coreml.apple.machine import Machine, os_build, this_machine
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
)
from mmai.backends.coreml.apple.placement import shares
from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.reference import open_reference
from mmai.backends.coreml.setup import UNITS, Setup
from mmai.errors import CannotRun
from mmai.values.package import Package

TESTS = Path(__file__).parents[2]


@pytest.fixture
def proxy() -> Iterator[type[Proxy]]:
    with installed() as proxy:
        Proxy.loaded.clear()
        yield proxy


class Loading:
    """A model in an engine, as a worker has it."""

    def __init__(self, path: Path, folder: Path, *, units: str = "all", function: str | None = None) -> None:
        self.package = read_package(path)
        self.function = next((each for each in self.package.functions if each.name == function), self.package.main)
        self.engine = Engine()
        compiled = str(folder / "model.mlmodelc")
        version = self.package.spec_version
        assert isinstance(self.ask(Compile(source=str(path), destination=compiled, spec_version=version)), Compiled)
        load = Load(path=compiled, units=units, function=function, spec_version=version, modes=modes(self.function))
        assert isinstance(self.ask(load), Loaded)

    def ask(self, request: Any) -> Any:
        return self.engine.answer(request, ())[0]

    def predict(self, *, state: int | None = None, **feeds: Any) -> Any:
        values, arrays = wired(self.function, feeds)
        reply, found = self.engine.answer(Predict(values=tuple(values), state=state), arrays)
        assert isinstance(reply, Predicted)
        self.engine_ms = reply.engine_ms
        return outputs(self.function, reply.values, found)


def by_reference(package: Package, **feeds: Any) -> Any:
    async def work() -> Any:
        executor = await open_reference(package, function=None)
        return (await executor.predict(feeds)).outputs

    return asyncio.run(work())


@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize(("color", "name"), COLORS.items(), ids=COLORS.values())
def test_a_picture_goes_in_as_pillow_has_it_and_a_label_comes_out(tmp_path: Path, color: Any, name: str) -> None:
    pixels = np.full((32, 32, 3), color, np.uint8)
    model = Loading(DOMINANT_COLOR, tmp_path)
    given = model.predict(image=pixels)
    assert given["classLabel"] == name
    assert given == by_reference(model.package, image=pixels)
    assert model.engine_ms is not None
    assert model.engine_ms > 0


@pytest.mark.usefixtures("proxy")
def test_arrays_go_in_and_come_out_in_the_types_the_model_declares(tmp_path: Path) -> None:
    mel = np.random.default_rng(7).normal(size=(1, 80, 40)).astype(np.float32)
    model = Loading(TONE_LETTERS, tmp_path)
    declared = model.function.outputs[0].array
    assert declared is not None
    given = model.predict(mel=mel)["logits"]
    assert given.dtype == declared.dtype
    np.testing.assert_array_equal(given, by_reference(model.package, mel=mel)["logits"])


@pytest.mark.usefixtures("proxy")
def test_whole_numbers_may_be_of_any_width_that_holds_them(tmp_path: Path) -> None:
    ids = np.zeros((1, 16), np.int64)
    ids[0, :2] = (1, 6)
    given = Loading(KEYWORD_INTENTS, tmp_path).predict(input_ids=ids, attention_mask=(ids > 0).astype(np.int64))
    assert given["logits"].argmax() == 1


def test_every_set_of_units_is_one_that_coremltools_knows(proxy: type[Proxy], tmp_path: Path) -> None:
    for units in UNITS:
        Loading(DOMINANT_COLOR, tmp_path / units, units=units)
    assert [each.units for each in proxy.loaded] == ["ALL", "CPU_AND_NE", "CPU_AND_GPU", "CPU_ONLY"]


def test_a_model_with_one_function_is_loaded_without_its_name(proxy: type[Proxy], tmp_path: Path) -> None:
    Loading(DOMINANT_COLOR, tmp_path)
    assert [each.function for each in proxy.loaded] == [""]


def test_a_model_with_several_is_loaded_by_the_name_of_one(proxy: type[Proxy], tmp_path: Path) -> None:
    multifunction({"day": DOMINANT_COLOR, "night": DOMINANT_COLOR}, tmp_path / "both.mlpackage", default="day")
    model = Loading(tmp_path / "both.mlpackage", tmp_path, function="night")
    assert [each.function for each in proxy.loaded] == ["night"]
    assert model.predict(image=np.full((32, 32, 3), 255, np.uint8))["classLabel"] == "white"


@pytest.mark.usefixtures("proxy")
def test_states_are_coremltools_own(tmp_path: Path) -> None:
    def program(x: Any, total: Any) -> Any:
        added = mb.add(x=mb.read_state(input=total), y=mb.cast(x=x, dtype="fp16"))
        return mb.cast(x=mb.coreml_update_state(state=total, value=added), dtype="fp32", name="y")

    specs = [mb.TensorSpec(shape=(2,)), mb.StateTensorSpec((2,), dtype=types.fp16)]
    compiled = mb.program(input_specs=specs, opset_version=ct.target.iOS18)(program)
    path = built(compiled, tmp_path / "sum.mlpackage", minimum_deployment_target=ct.target.iOS18)
    model = Loading(path, tmp_path)
    one, other = (model.ask(MakeState()).state for _ in range(2))
    x = np.array([1, 2], np.float32)
    sums = [model.predict(x=x, state=state)["y"].tolist() for state in (one, one, other)]
    assert sums == [[1, 2], [2, 4], [1, 2]]
    model.ask(MakeState(dropped=(one,)))
    assert list(model.engine._states) == [other, other + 1], "nothing else tells what the worker holds"


@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize("request_", ["compile", "load"])
def test_a_specification_that_is_too_new_is_refused_for_good(tmp_path: Path, request_: str) -> None:
    requests: dict[str, Any] = {
        "compile": Compile(source=str(DOMINANT_COLOR), destination=str(tmp_path / "x.mlmodelc"), spec_version=10),
        "load": Load(path=str(tmp_path / "x.mlmodelc"), units="all", function=None, spec_version=10, modes={}),
    }
    reply, _ = Engine().answer(requests[request_], ())
    assert reply == Failed(message="its specification version 10 is newer than this macOS takes, up to 9", never=True)


@pytest.mark.usefixtures("proxy")
def test_a_disk_without_room_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Proxy, "compileModel", full)
    reply, _ = Engine().answer(
        Compile(source=str(DOMINANT_COLOR), destination=str(tmp_path / "x.mlmodelc"), spec_version=7), ()
    )
    assert reply == Failed(message="there is no room on the disk for the compiled model")


@pytest.mark.usefixtures("proxy")
def test_without_a_compute_plan_there_is_no_placement(tmp_path: Path) -> None:
    assert Loading(DOMINANT_COLOR, tmp_path).ask(Plan(path=str(tmp_path), units="all", function=None)) == Planned(
        placement=None
    )


def test_the_whole_way_through_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    machine = Machine(os_build=MACHINE.os_build, coremltools=MACHINE.coremltools, engine="packages.proxied")

    async def work() -> None:
        executor = await open_apple(
            read_package(DOMINANT_COLOR),
            function=None,
            units="cpu_only",
            setup=Setup(cache_dir=tmp_path),
            load_timeout_s=60,
            machine=machine,
        )
        given = await executor.predict({"image": np.full((32, 32, 3), (0, 200, 30), np.uint8)})
        await executor.aclose()
        assert given.outputs["classLabel"] == "green"
        assert executor.report.compile_ms is not None

    asyncio.run(work())
    (compiled,) = tmp_path.glob("*/*/model.mlmodelc")
    assert [path.name for path in compiled.iterdir()] == ["DominantColor.mlpackage"]


@pytest.mark.skipif(sys.platform == "darwin", reason="here there is Core ML")
def test_elsewhere_than_on_a_mac_both_sides_refuse_by_the_platform() -> None:
    reply, _ = Engine().answer(MakeState(), ())
    assert reply == Failed(message="Core ML needs macOS", never=True)
    with pytest.raises(CannotRun, match="Core ML needs macOS"):
        this_machine()


def test_the_build_of_macos_is_read_where_macos_keeps_it(tmp_path: Path) -> None:
    system = tmp_path / "SystemVersion.plist"
    system.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict><key>ProductBuildVersion</key><string>24F74</string>'
        "</dict></plist>"
    )
    assert os_build(system) == "24F74"
    system.write_text("<plist>")
    assert os_build(system).startswith("darwin")


class MLNeuralEngineComputeDevice:
    """By the name coremltools has for it."""


class MLCPUComputeDevice:
    """By the name coremltools has for it."""


class FPGADevice:
    """One that nobody knows yet."""


class ComputePlan:
    """coremltools' `MLComputePlan`, for operations or layers with a preferred device and an estimated cost."""

    def __init__(self, *, blocks: Any = None, layers: Any = None) -> None:
        program = SimpleNamespace(functions={"main": SimpleNamespace(block=blocks)}) if blocks else None
        network = SimpleNamespace(layers=layers) if layers else None
        self.model_structure = SimpleNamespace(program=program, neuralnetwork=network)

    def get_compute_device_usage_for_mlprogram_operation(self, operation: Any) -> Any:
        return operation.device and SimpleNamespace(preferred_compute_device=operation.device())

    def get_estimated_cost_for_mlprogram_operation(self, operation: Any) -> Any:
        return operation.cost and SimpleNamespace(weight=operation.cost)

    get_compute_device_usage_for_neuralnetwork_layer = get_compute_device_usage_for_mlprogram_operation


def operation(device: type | None, cost: float | None = None, *, blocks: Any = ()) -> Any:
    return SimpleNamespace(device=device, cost=cost, blocks=blocks)


def block(*operations: Any) -> Any:
    return SimpleNamespace(operations=operations)


def test_a_plan_is_summed_up_by_device_with_branches_and_loops_by_what_is_in_them() -> None:
    inner = block(operation(MLNeuralEngineComputeDevice, 0.25), operation(FPGADevice, 0.25))
    plan = ComputePlan(
        blocks=block(operation(None), operation(MLCPUComputeDevice, 0.5), operation(MLCPUComputeDevice, 9, blocks=[inner]))
    )
    assert shares(plan, None) == {"cpu": 0.5, "neural_engine": 0.25, "unknown": 0.25}


def test_layers_without_costs_count_the_same_each() -> None:
    layers = [operation(MLCPUComputeDevice), operation(MLNeuralEngineComputeDevice), operation(MLNeuralEngineComputeDevice)]
    assert shares(ComputePlan(layers=layers), None) == {"neural_engine": 2 / 3, "cpu": 1 / 3}


def test_a_plan_that_knows_nothing_is_none() -> None:
    assert shares(ComputePlan(blocks=block(operation(None))), "main") is None
    assert shares(ComputePlan(), None) is None

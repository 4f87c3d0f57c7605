"""One package of every kind coremltools can build, for what reads them."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from coremltools.converters.mil.mil import get_new_symbol
from packages.reference import program
from packages.toolkit import built, ct, mb, types

LATEST = ct.target.iOS18
WEIGHT = np.linspace(-1, 1, 64 * 32).reshape(64, 32).astype(np.float32)


def _dense(x: Any, name: str = "y") -> Any:
    return mb.linear(x=x, weight=WEIGHT, bias=np.zeros(64, np.float32), name=name)


def dense(folder: Path) -> Path:
    @program(mb.TensorSpec(shape=(1, 32)))
    def model(x: Any) -> Any:
        return _dense(x)

    return built(model, folder / "dense.mlpackage")


def half(folder: Path) -> Path:
    @program(mb.TensorSpec(shape=(1, 32), dtype=types.fp16))
    def model(x: Any) -> Any:
        return mb.linear(x=x, weight=WEIGHT.astype(np.float16), bias=np.zeros(64, np.float16), name="y")

    return built(model, folder / "half.mlpackage", compute_precision=ct.precision.FLOAT16)


def picture(folder: Path) -> Path:
    @program(mb.TensorSpec(shape=(1, 3, 8, 6)))
    def model(image: Any) -> Any:
        return mb.softmax(x=mb.reduce_mean(x=image, axes=[2, 3]), axis=-1, name="probs")

    image = ct.ImageType(name="image", shape=(1, 3, 8, 6), scale=1 / 255.0, color_layout=ct.colorlayout.BGR)
    labels = ct.ClassifierConfig(["blue", "grün", "red"])
    return built(model, folder / "picture.mlpackage", inputs=[image], classifier_config=labels)


def numbered(folder: Path) -> Path:
    @program(mb.TensorSpec(shape=(1, 3)))
    def model(x: Any) -> Any:
        return mb.softmax(x=x, axis=-1, name="probs")

    return built(model, folder / "numbered.mlpackage", classifier_config=ct.ClassifierConfig([7, 8, 9]))


def ranged(folder: Path) -> Path:
    size = get_new_symbol()

    @program(mb.TensorSpec(shape=(1, 80, size)))
    def model(mel: Any) -> Any:
        return mb.relu(x=mel, name="y")

    shape = (1, 80, ct.RangeDim(1, 3000, default=300))
    return built(model, folder / "ranged.mlpackage", inputs=[ct.TensorType(name="mel", shape=shape)])


def enumerated(folder: Path) -> Path:
    size = get_new_symbol()

    @program(mb.TensorSpec(shape=(1, size)))
    def model(x: Any) -> Any:
        return mb.relu(x=x, name="y")

    shapes = ct.EnumeratedShapes(shapes=[(1, 8), (1, 16)], default=(1, 16))
    return built(model, folder / "enumerated.mlpackage", inputs=[ct.TensorType(name="x", shape=shapes)])


def stateful(folder: Path) -> Path:
    @program(mb.TensorSpec((1,), dtype=types.fp16), mb.StateTensorSpec((1,), dtype=types.fp16), target=LATEST)
    def model(x: Any, total: Any) -> Any:
        added = mb.add(x=mb.read_state(input=total), y=x)
        return mb.identity(x=mb.coreml_update_state(state=total, value=added), name="y")

    return built(model, folder / "stateful.mlpackage", minimum_deployment_target=LATEST, compute_precision=ct.precision.FLOAT16)


def looping(folder: Path) -> Path:
    @program(mb.TensorSpec(shape=(1,)))
    def model(x: Any) -> Any:
        return mb.while_loop(
            _cond=lambda each: mb.squeeze(x=mb.less(x=each, y=np.float32(100))),
            _body=lambda each: mb.mul(x=each, y=np.float32(2)),
            loop_vars=(x,),
            name="y",
        )

    return built(model, folder / "looping.mlpackage")


def several(folder: Path) -> Path:
    one = dense(folder / "one")
    described = ct.utils.MultiFunctionDescriptor()
    described.add_function(str(one), src_function_name="main", target_function_name="first")
    described.add_function(str(one), src_function_name="main", target_function_name="second")
    described.default_function_name = "second"
    path = folder / "several.mlpackage"
    ct.utils.save_multifunction(described, str(path))
    return path


def network(folder: Path) -> Path:
    @program(mb.TensorSpec(shape=(1, 32)), target=ct.target.iOS15)
    def model(x: Any) -> Any:
        return mb.softmax(x=_dense(x, "z"), axis=-1, name="y")

    labels = ct.ClassifierConfig([f"class {at}" for at in range(64)])
    return built(
        model,
        folder / "network.mlmodel",
        convert_to="neuralnetwork",
        minimum_deployment_target=None,
        compute_precision=None,
        classifier_config=labels,
    )


def palettized(folder: Path) -> Path:
    return _compressed(folder / "palettized.mlpackage", dense(folder / "full"), "palettize", mode="uniform", nbits=4)


def quantized(folder: Path) -> Path:
    return _compressed(folder / "quantized.mlpackage", dense(folder / "whole"), "linear_quantize")


def pruned(folder: Path) -> Path:
    return _compressed(folder / "pruned.mlpackage", _latest(folder / "thick"), "prune", target_sparsity=0.5)


def pruned_and_palettized(folder: Path) -> Path:
    settings = {"mode": "uniform", "nbits": 4, "joint_compression": True}
    return _compressed(folder / "pruned_and_palettized.mlpackage", pruned(folder / "thin"), "palettize", **settings)


def _latest(folder: Path) -> Path:
    @program(mb.TensorSpec(shape=(1, 32)), target=LATEST)
    def model(x: Any) -> Any:
        return _dense(x)

    return built(model, folder / "latest.mlpackage", minimum_deployment_target=LATEST)


def _compressed(path: Path, source: Path, kind: str, **settings: Any) -> Path:
    from coremltools.optimize import coreml as optimize

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {
            "palettize": optimize.OpPalettizerConfig,
            "linear_quantize": optimize.OpLinearQuantizerConfig,
            "prune": optimize.OpMagnitudePrunerConfig,
        }[kind]
        joint = {name: settings.pop(name) for name in ("joint_compression",) if name in settings}
        config = optimize.OptimizationConfig(global_config=options(weight_threshold=0, **settings))
        model = ct.models.MLModel(str(source), skip_model_load=True)
        getattr(optimize, f"{kind}_weights")(model, config, **joint).save(str(path))
    return path


def noted(folder: Path) -> Path:
    path = dense(folder / "bare")
    model = ct.models.MLModel(str(path), skip_model_load=True)
    model.author, model.license, model.version = "Ada", "CC0-1.0", "1.2"
    model.short_description = "a layer"
    model.input_description["x"] = "numbers"
    model.user_defined_metadata["mmai.task"] = "tensors"
    target = folder / "noted.mlpackage"
    model.save(str(target))
    return target


KINDS: tuple[Callable[[Path], Path], ...] = (
    dense,
    half,
    picture,
    numbered,
    ranged,
    enumerated,
    stateful,
    looping,
    several,
    network,
    palettized,
    quantized,
    pruned,
    pruned_and_palettized,
    noted,
)

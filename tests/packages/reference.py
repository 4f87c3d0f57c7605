"""Packages as the executor `reference` opens and asks them."""

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from packages.toolkit import ct, mb

from mmai.backends.coreml.executor import Executor
from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.reference import open_reference

SPECIFICATION = "Data/com.apple.CoreML/model.mlmodel"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"


def program(*specs: Any, target: Any = None) -> Callable[[Callable[..., Any]], Any]:
    """A MIL program over inputs, for iOS 16 unless said otherwise."""
    decorate: Callable[[Callable[..., Any]], Any] = mb.program(input_specs=list(specs), opset_version=target or ct.target.iOS16)
    return decorate


def opened(path: Path, function: str | None = None) -> Executor:
    """The model, ready to be asked."""
    return asyncio.run(open_reference(read_package(path), function=function))


def asked(executor: Executor, state: int | None = None, **feeds: Any) -> Mapping[str, Any]:
    """What it gives for one prediction."""
    return asyncio.run(executor.predict(feeds, state=state)).outputs


def begun(executor: Executor) -> int:
    """A fresh state."""
    return asyncio.run(executor.new_state())


@contextmanager
def folders_of_its_own() -> Iterator[None]:
    """Around coremltools' models, which leave temporary folders to the garbage collector: a warning when it finds them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
        gc.collect()


def multifunction(parts: dict[str, Path], path: Path, *, default: str) -> Path:
    """One package of several functions, from packages of one each."""
    with folders_of_its_own():
        descriptor = ct.utils.MultiFunctionDescriptor()
        for name, part in parts.items():
            descriptor.add_function(str(part), src_function_name="main", target_function_name=name)
        descriptor.default_function_name = default
        ct.utils.save_multifunction(descriptor, str(path))
        del descriptor
    return path


def pipeline(stages: list[Path], path: Path) -> Path:
    """One package whose models run one after the other."""
    with folders_of_its_own():
        models = [ct.models.MLModel(str(stage), skip_model_load=True) for stage in stages]
        whole = ct.utils.make_pipeline(*models)
        whole.save(str(path))
        del models, whole
    return path


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

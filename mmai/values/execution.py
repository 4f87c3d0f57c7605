"""How a model that runs on this machine, and not behind a server, was run."""

from typing import Literal

from msgspec import Struct

ExecutorName = Literal["apple", "reference"]
"""Apple's Core ML, or mmai's own NumPy executor, which is slow and says nothing about the speed of the former."""

ExecutorChoice = Literal["auto", "apple", "reference"]


class TensorShape(Struct, frozen=True):
    """What went in or came out under one name."""

    name: str
    dtype: str
    """NumPy's name; `image` for pixels, `string` and `dictionary` for what is no array."""
    shape: tuple[int, ...] = ()


class Execution(Struct, frozen=True, kw_only=True):
    """One run of one model, all its predictions together. Times are in milliseconds; None was not measured."""

    executor: ExecutorName
    reason: str | None = None
    """Why this one, where nobody asked for it by name."""
    compute_units: str | None = None
    """What it was allowed to compute on: all, cpu_only, cpu_and_gpu or neural_engine. Which it used, Core ML does not tell."""
    function: str | None = None
    """The entry point, of a model with several."""
    predictions: int = 0
    compile_ms: float | None = None
    """None also where the compiled model was in the cache."""
    load_ms: float | None = None
    """From the (compiled) file to a model that can be asked."""
    prepare_ms: float | None = None
    """From what was handed in to tensors: decoding, resizing, tokenizing."""
    predict_ms: float | None = None
    """All predictions, conversions of tensors included."""
    engine_ms: float | None = None
    """That part of `predict_ms` the framework reports for itself."""
    memory_bytes: int | None = None
    """Peak resident size of the worker process; None in the reference executor, which has none of its own."""
    placement: dict[str, float] | None = None
    """Compute device to the share of estimated cost that Core ML planned for it: a plan, not a measurement."""
    inputs: tuple[TensorShape, ...] = ()
    """Of the first prediction."""
    outputs: tuple[TensorShape, ...] = ()
    notes: tuple[str, ...] = ()
    """What went wrong without stopping anything, a sentence each."""

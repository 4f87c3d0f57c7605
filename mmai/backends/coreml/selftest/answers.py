"""Whether a model gives the answers that are known, how fast, and how far from the reference executor."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from mmai.backends.coreml.executor import Executor
from mmai.backends.coreml.selftest.questions import Known

WARM_UP = 5
MEASURED = 50
"""Predictions; they take a millisecond or less."""

Outputs = Mapping[str, Any]


class Heard(Struct, frozen=True, kw_only=True):
    """What a model gave to every question."""

    outputs: tuple[Outputs, ...]
    first_predict_ms: float
    memory_bytes: int | None = None


async def ask_all(executor: Executor, known: Known) -> Heard:
    """Ask every question once, the first with the time it took."""
    outputs, took_ms, memory_bytes = [], [], None
    for question in known.questions:
        started = time.perf_counter()
        prediction = await executor.predict(question.feeds)
        took_ms.append((time.perf_counter() - started) * 1000)
        outputs.append(prediction.outputs)
        memory_bytes = prediction.memory_bytes
    return Heard(outputs=tuple(outputs), first_predict_ms=took_ms[0], memory_bytes=memory_bytes)


async def steady_ms(executor: Executor, known: Known) -> float:
    """The median time of a prediction, once the model is warm."""
    took_ms = []
    for _ in range(WARM_UP + MEASURED):
        started = time.perf_counter()
        await executor.predict(known.questions[0].feeds)
        took_ms.append((time.perf_counter() - started) * 1000)
    return float(np.median(took_ms[WARM_UP:]))


def wrong(known: Known, heard: Sequence[Outputs]) -> list[str]:
    """What was not as it has to be, a few words each."""
    answers = [(question.answer, known.read(outputs)) for question, outputs in zip(known.questions, heard, strict=True)]
    return [f"`{given}` where `{right}` is right" for right, given in answers if given != right]


def difference(heard: Sequence[Outputs], reference: Sequence[Outputs]) -> float:
    """The largest of any output, in standard deviations of the reference's; infinite where a number is none."""
    return max(
        _apart(_numbers(given[name]), _numbers(expected[name]))
        for given, expected in zip(heard, reference, strict=True)
        for name in expected
        if not isinstance(expected[name], str)
    )


def _numbers(value: Any) -> np.ndarray[Any, Any]:
    """Of a dictionary, the probabilities in the order of its classes."""
    if isinstance(value, Mapping):
        return np.array([value[key] for key in sorted(value)], np.float64)
    return np.asarray(value, np.float64)


def _apart(given: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> float:
    if given.shape != expected.shape or not np.isfinite(given).all():
        return float("inf")
    return float(np.abs(given - expected).max() / (expected.std() or 1.0))

"""What one run of a model costs in time, and what went through it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mmai.backends.coreml.executor import Executor, LoadReport, Prediction
from mmai.values.event import FinishReason, Usage
from mmai.values.execution import Execution, TensorShape

if TYPE_CHECKING:
    from mmai.backends.coreml.executor import Feed


class Meter:
    """Adds up the predictions of one run, whichever of a bundle's models they were made by."""

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._prepare_ms: float | None = None
        self._predict_ms: float | None = None
        self._engine_ms: float | None = None
        self._memory_bytes: int | None = None
        self._predictions = 0
        self._first: tuple[tuple[TensorShape, ...], tuple[TensorShape, ...]] = ((), ())
        self._reports: list[LoadReport] = []
        self._executor: Executor | None = None
        self.usage = Usage()
        """What a task counts beside time."""
        self.reason: FinishReason = "stop"
        """Why the answer ended, which a task may set."""

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Around what turns the user's files into tensors."""
        started = self._clock()
        try:
            yield
        finally:
            self._prepare_ms = (self._prepare_ms or 0.0) + (self._clock() - started) * 1000

    def loaded(self, executor: Executor, *, now: bool) -> None:
        """A model is ready; `now` where it was loaded for this run."""
        self._executor = self._executor or executor
        if now:
            self._reports.append(executor.report)

    async def predict(self, executor: Executor, feeds: "Mapping[str, Feed]", state: int | None) -> Prediction:
        """Ask, and note what it took."""
        started = self._clock()
        prediction = await executor.predict(feeds, state=state)
        self._predict_ms = (self._predict_ms or 0.0) + (self._clock() - started) * 1000
        if prediction.engine_ms is not None:
            self._engine_ms = (self._engine_ms or 0.0) + prediction.engine_ms
        if prediction.memory_bytes is not None:
            self._memory_bytes = max(self._memory_bytes or 0, prediction.memory_bytes)
        if not self._predictions:
            self._first = (shapes(feeds), shapes(prediction.outputs))
        self._predictions += 1
        return prediction

    def execution(self, *, reason: str | None, function: str | None) -> Execution | None:
        """All of it; None where no model was loaded."""
        if self._executor is None:
            return None
        compiled = [report.compile_ms for report in self._reports if report.compile_ms is not None]
        return Execution(
            executor=self._executor.name,
            reason=reason,
            compute_units=self._executor.compute_units,
            function=function,
            predictions=self._predictions,
            compile_ms=sum(compiled) if compiled else None,
            load_ms=sum(report.load_ms for report in self._reports) if self._reports else None,
            prepare_ms=self._prepare_ms,
            predict_ms=self._predict_ms,
            engine_ms=self._engine_ms,
            memory_bytes=self._memory_bytes,
            placement=self._executor.report.placement,
            inputs=self._first[0],
            outputs=self._first[1],
            notes=tuple(dict.fromkeys(note for report in self._reports for note in report.notes)),
        )


def shapes(values: "Mapping[str, Any]") -> tuple[TensorShape, ...]:
    """Names, types and shapes of what went in or came out."""
    return tuple(_shape(name, value) for name, value in values.items())


def _shape(name: str, value: Any) -> TensorShape:
    if hasattr(value, "dtype"):
        return TensorShape(name, str(value.dtype), tuple(value.shape))
    kind = "dictionary" if isinstance(value, Mapping) else "string" if isinstance(value, str) else type(value).__name__
    return TensorShape(name, kind)

"""How a run is shown while it happens: as text, as one envelope, or as an event a line."""

from types import TracebackType
from typing import Any, Self

from msgspec import Struct, json

from mmai.cli.frame import Frame
from mmai.clock import Clock
from mmai.engine.extract import code_block
from mmai.engine.run import Ended, Failed, Step, Trying
from mmai.engine.wish import Choice
from mmai.render.answer import open_answer
from mmai.render.envelope import json_lines, plain
from mmai.render.notes import ReasoningWriter, chosen_line, fallback_line, usage_line
from mmai.render.run import labels_text, run_data, vector_text
from mmai.render.spinner import Spinner
from mmai.render.writer import AnswerWriter
from mmai.values.event import DroppedEvent, LabelsEvent, ReasoningEvent, TextEvent, VectorEvent
from mmai.values.model import ModelCard
from mmai.values.output import AnswerOutput
from mmai.values.record import RunRecord
from mmai.values.request import Request, ToolCall


class View(Struct, frozen=True, kw_only=True):
    """What the user wants to see."""

    stream: bool = True
    raw: bool = False
    usage: bool = False
    extract: bool = False
    verbose: bool = False


class Shown:
    """Takes the steps of a run in their order; alone it says on standard error what fails, and shows no answer.

    A context manager: leaving it ends what was begun on the screen.
    """

    def __init__(self, view: View, request: Request, choice: Choice, call: Frame, clock: Clock) -> None:
        self.extras: dict[str, Any] = {}
        """Labels or a vector, for the data of the run."""
        self._view = view
        self._request = request
        self._choice = choice
        self._call = call
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing was begun."""

    def take(self, step: Step) -> None:
        """Show one step.

        Raises:
            OSError: standard output is closed or full.
        """
        match step:
            case Failed(attempt, _, following):
                elsewhere = str(following.card.ref) == attempt.model and following.endpoint.url != attempt.endpoint
                name = following.endpoint.url if elsewhere else str(following.card.ref)
                self._call.note(fallback_line(attempt, following=name or attempt.model))
            case LabelsEvent(labels):
                self.extras["labels"] = labels
            case VectorEvent(values):
                self.extras["vector"] = values
            case DroppedEvent(option, reason) if self._view.verbose:
                self._call.note(f"`{option}` was not sent: {reason}")
            case _:
                pass

    def data(self, record: RunRecord) -> dict[str, Any]:
        """The run as the envelope has it."""
        return run_data(record, extras=self.extras)

    def answer(self, end: Ended) -> str:
        """What of a whole answer to print: the JSON a schema asked for, the code block, or all of it."""
        if self._request.schema is not None:
            return json.encode(end.value).decode()
        if not self._view.extract:
            return end.record.text
        block = code_block(end.record.text)
        if block is None:
            self._call.warn("there is no code block in the answer; this is all of it")
        return end.record.text if block is None else block


class EnvelopeShown(Shown):
    """One envelope at the end."""

    def take(self, step: Step) -> None:
        """Show one step."""
        super().take(step)
        if isinstance(step, Ended) and step.error is None:
            self._call.envelope(self.data(step.record) | {"text": self.answer(step)})


class LinesShown(Shown):
    """Every event as a line of JSON with its `type`, and the whole run as the last, of type `result`."""

    def take(self, step: Step) -> None:
        """Show one step."""
        super().take(step)
        match step:
            case Trying(route):
                self._line({"type": "trying", "model": str(route.card.ref), "endpoint": route.endpoint.url})
            case Failed(attempt):
                self._line({"type": "failed", **plain(attempt)})
            case Ended(record, error):
                self._line({"type": "result", **self.data(record), "error": error.code if error else None})
            case _:
                self._line(step)

    def _line(self, value: Any) -> None:
        self._call.write(json_lines([value]))


class TextShown(Shown):
    """The answer on standard output as it comes, everything else on standard error."""

    def __init__(self, view: View, request: Request, choice: Choice, call: Frame, clock: Clock) -> None:
        super().__init__(view, request, choice, call, clock)
        self._exact = view.extract or request.schema is not None
        """Only a whole answer can be checked or cut to its code block, and a program reads the result."""
        self._reasoning = ReasoningWriter(call.err)
        self._card: ModelCard | None = None
        self._spinner: Spinner | None = None
        self._writer: AnswerWriter | None = None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._quieten()
        if self._writer is not None:
            self._writer.__exit__(kind, error, trace)

    def take(self, step: Step) -> None:
        """Show one step."""
        match step:
            case Trying(route):
                self._trying(route.card)
            case ReasoningEvent(text) if not self._call.quiet:
                self._stop_spinner()
                self._reasoning.write(text)
            case TextEvent(text) if self._view.stream and not self._exact:
                self._write(text)
            case LabelsEvent(labels):
                self._write(labels_text(labels), exact=True)
            case VectorEvent(values):
                self._write(vector_text(values), exact=True)
            case ToolCall():
                self._write(json_lines([step]).decode(), exact=True)
            case Failed():
                self._stop_spinner()
            case Ended():
                self._end(step)
            case _:
                pass
        super().take(step)

    def _trying(self, card: ModelCard) -> None:
        first = self._card is None
        self._card = card
        decision = self._choice.decision
        if first and decision and decision.choice:
            self._call.note(chosen_line(str(card.ref), task=decision.analysis.task_type.value, score=decision.choice.score))
        elif self._view.verbose:
            self._call.note(str(card.ref))
        if not self._call.quiet:
            self._spinner = Spinner(self._call.err, str(card.ref), clock=self._clock)
            self._spinner.__enter__()

    def _end(self, end: Ended) -> None:
        self._quieten()
        if (self._exact and end.error is None) or (not self._exact and not self._view.stream and end.record.text):
            self._write(self.answer(end))
        if self._writer is not None:
            self._writer.close()
        if self._view.usage:
            self._call.note(usage_line(end.record, price=self._card.price if self._card else None))

    def _write(self, text: str, *, exact: bool = False) -> None:
        self._quieten()
        if self._writer is None:
            self._writer = open_answer(self._call.out, raw=exact or self._exact or self._view.raw, clock=self._clock)
            self._writer.__enter__()
        self._writer.write(text)

    def _quieten(self) -> None:
        self._stop_spinner()
        self._reasoning.close()

    def _stop_spinner(self) -> None:
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None


SHOWN: dict[str, type[Shown]] = {
    AnswerOutput.TEXT: TextShown,
    AnswerOutput.JSON: EnvelopeShown,
    AnswerOutput.JSONL: LinesShown,
}

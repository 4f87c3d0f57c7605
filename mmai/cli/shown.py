"""How a run is shown while it happens: as text, as one envelope, or as an event a line."""

from types import TracebackType
from typing import Any, Self

from msgspec import Struct, json

from mmai.cli.delivery import Delivery
from mmai.cli.frame import Frame
from mmai.cli.refusals import made_by
from mmai.cli.saving import NPY, NPZ, Content, Saving
from mmai.clock import Clock
from mmai.engine.extract import code_block
from mmai.engine.run import Ended, Failed, Restarted, Skipped, Step, Trying
from mmai.engine.session import Route
from mmai.engine.wish import Choice
from mmai.errors import IncompleteAnswer, ProviderError
from mmai.render.answer import open_answer
from mmai.render.clean import Cleaner
from mmai.render.envelope import json_lines, plain
from mmai.render.notes import (
    ReasoningWriter,
    attempt_line,
    chosen_line,
    execution_line,
    fallback_line,
    restart_line,
    skipped_line,
    usage_line,
)
from mmai.render.run import labels_text, run_data, vector_text
from mmai.render.spinner import Spinner
from mmai.render.writer import AnswerWriter
from mmai.values.event import (
    AudioEvent,
    DroppedEvent,
    ExecutionEvent,
    FinishedEvent,
    ImageEvent,
    LabelsEvent,
    ReasoningEvent,
    TensorsEvent,
    TextEvent,
    Usage,
    VectorEvent,
)
from mmai.values.model import ModelCard
from mmai.values.output import AnswerOutput
from mmai.values.record import Attempt, RunRecord
from mmai.values.request import Request, ToolCall


class View(Struct, frozen=True, kw_only=True):
    """What the user wants to see."""

    stream: bool = True
    raw: bool = False
    usage: bool = False
    extract: bool = False
    verbose: bool = False
    out: Saving | None = None
    """The file to answer into."""
    to_stdout: bool = False
    """Standard output was asked for by name, even if it is a terminal."""


class Shown:
    """Takes the steps of a run in their order; alone it says on standard error what fails, and shows no answer.

    A context manager: leaving it ends what was begun on the screen.
    """

    def __init__(self, view: View, request: Request, choice: Choice, call: Frame, clock: Clock) -> None:
        self.extras: dict[str, Any] = {}
        """Labels, a vector, tensors or files, for the data of the run; `results`, where several files were handed in."""
        self._view = view
        self._request = request
        self._choice = choice
        self._call = call
        self._clock = clock
        self._card: ModelCard | None = None
        self._makes: str | None = None
        """What is asked for, where it is no text."""
        self._made: list[Content] = []
        self._tensors: TensorsEvent | None = None
        self._calls: list[ToolCall] = []
        self._delivery = Delivery(call, out=view.out, to_stdout=view.to_stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing was begun."""

    def take(self, step: Step) -> None:
        """Show one step.

        Raises:
            OSError: standard output is closed or full.
            StorageError: the answer could not be put where it was wanted; it is the last step.
        """
        match step:
            case Trying(route):
                self._card = route.card
                self._makes = made_by(route.card, self._request)
            case Skipped(route, reason, for_s):
                self._call.note(skipped_line(str(route.card.ref), reason=reason, for_s=for_s))
            case Failed(attempt, _, following):
                self._call.note(fallback_line(attempt, following=_called(following, attempt)))
            case Restarted(attempt, _, following):
                self._made.clear()
                self._calls.clear()
                self._call.note(restart_line(attempt, following=_called(following, attempt)))
            case LabelsEvent(labels, of):
                self._keep("labels", labels, of)
            case VectorEvent(values, of):
                self._keep("vector", values, of)
            case TensorsEvent():
                from mmai.render.tensors import tensors_data

                self._tensors = step
                self.extras |= tensors_data(step)
            case ExecutionEvent(execution):
                if line := execution_line(execution):
                    self._call.note(line)
            case ImageEvent(data, media_type) | AudioEvent(data, media_type):
                self._made.append(Content(data, media_type))
            case ToolCall():
                self._calls.append(step)
            case Ended():
                if step.error is None and not (step.record.text or self.extras or self._made or self._calls):
                    self._call.warn(f"`{step.record.model}` answered with nothing")
                self._deliver(step)
            case DroppedEvent(option, reason) if self._view.verbose:
                self._call.note(f"`{option}` was not sent: {reason}")
            case FinishedEvent(skipped_lines=skipped) if skipped and self._view.verbose:
                self._call.note(f"{skipped} piece{'s' * (skipped != 1)} of the answer meant nothing to mmai")
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

    def _keep(self, kind: str, value: Any, of: str | None) -> None:
        """By itself, or in `results` with the file it is of."""
        if of is None:
            self.extras[kind] = value
        else:
            self.extras.setdefault("results", []).append({"file": of, kind: value})

    def _deliver(self, end: Ended) -> None:
        """Put what was made, or with `--out` whatever was answered, where it belongs."""
        contents = self._made
        if self._view.out and not contents and not self._makes and (words := self._words(end)):
            contents = [words]
        try:
            self._delivery.deliver(contents, name=f"mmai-{end.record.id}")
        finally:
            if self._delivery.files:
                self.extras["files"] = self._delivery.files
        if contents and end.error:
            self._call.warn("what came of the answer was kept, and it is not whole")
        if self._makes and end.record.text:
            self._call.note(Cleaner().clean(end.record.text))
        if self._makes and not contents and not end.error:
            raise ProviderError(f"`{end.record.model}` answered without {'an image' if self._makes == 'image' else 'sound'}")

    def _words(self, end: Ended) -> Content | None:
        """The answer as standard output would get it, except that labels are JSON and tensors are whole; None where nothing of it
        is to be shown.
        """
        if self._tensors is not None:
            return self._file_of(self._tensors)
        if "results" in self.extras:
            return Content(json_lines(self.extras["results"]), "application/json")
        if "labels" in self.extras:
            return Content(json_lines([self.extras["labels"]]), "application/json")
        if "vector" in self.extras:
            return Content(vector_text(self.extras["vector"]).encode(), "application/json")
        if end.error and not (isinstance(end.error, IncompleteAnswer) and end.record.text and not self._exact):
            return None
        text = end.record.text if end.error else self.answer(end)
        ended = text if not text or text.endswith("\n") else f"{text}\n"
        kind = "text/plain" if self._request.schema is None else "application/json"
        return Content(ended.encode("utf-8", "replace") + json_lines(self._calls), kind)

    def _file_of(self, event: TensorsEvent) -> Content:
        """As the name of the file promises: one array alone, JSON, or an archive of all of them."""
        from mmai.render.tensors import archive, array_of, single, tensors_data

        suffix = self._view.out.path.suffix.lower() if self._view.out else ""
        if suffix == ".json":
            return Content(json_lines([tensors_data(event, most=None)]), "application/json")
        if suffix == ".npy" and len(event.tensors) == 1:
            return Content(single(array_of(event.tensors[0])), NPY)
        return Content(archive(event), NPZ)

    @property
    def _exact(self) -> bool:
        """Only a whole answer can be checked or cut to its code block, and a program reads the result."""
        return self._view.extract or self._request.schema is not None


def _called(following: Route, attempt: Attempt) -> str:
    """What to call whoever is next: the model, or where it is the same one, its other address or key."""
    if str(following.card.ref) != attempt.model:
        return str(following.card.ref)
    if following.endpoint.url != attempt.endpoint:
        return following.endpoint.url or attempt.model
    return attempt.model if following.endpoint.credential == attempt.credential else f"key {following.endpoint.credential + 1}"


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
        try:
            super().take(step)
        finally:
            self._tell(step)

    def _tell(self, step: Step) -> None:
        match step:
            case Trying(route):
                self._line({"type": "trying", "model": str(route.card.ref), "endpoint": route.endpoint.url})
            case Skipped(route, reason, for_s):
                self._line({"type": "skipped", "model": str(route.card.ref), "reason": reason, "for_s": for_s})
            case Failed(attempt) | Restarted(attempt):
                self._line({"type": "failed" if isinstance(step, Failed) else "restarted", **plain(attempt)})
            case Ended(record, error):
                self._line({"type": "result", **self.data(record), "error": error.code if error else None})
            case ImageEvent(data, media_type) | AudioEvent(data, media_type):
                kind = "image" if isinstance(step, ImageEvent) else "audio"
                self._line({"type": kind, "media_type": media_type, "size_bytes": len(data)})
            case TensorsEvent():
                from mmai.render.tensors import tensors_data

                self._line({"type": "tensors", **tensors_data(step)})
            case _:
                self._line(step)

    def _line(self, value: Any) -> None:
        self._call.write(json_lines([value]))


class TextShown(Shown):
    """The answer on standard output as it comes, everything else on standard error."""

    def __init__(self, view: View, request: Request, choice: Choice, call: Frame, clock: Clock) -> None:
        super().__init__(view, request, choice, call, clock)
        self._reasoning = ReasoningWriter(call.err)
        self._spinner: Spinner | None = None
        self._spinning = ""
        """Whom it waits for."""
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
            case LabelsEvent(labels, of):
                self._write(labels_text(labels, of=of), exact=True)
            case VectorEvent(values, of):
                self._write(vector_text(values, of=of), exact=True)
            case TensorsEvent():
                from mmai.render.tensors import tensors_text

                self._write(tensors_text(step), exact=True)
            case ExecutionEvent():
                self._stop_spinner()
            case ToolCall():
                self._write(json_lines([step]).decode(), exact=True)
            case Failed():
                self._stop_spinner()
            case Restarted():
                self._restart()
            case Ended():
                self._end(step)
            case _:
                pass
        super().take(step)
        if isinstance(step, ExecutionEvent):
            self._spin()

    def _trying(self, card: ModelCard) -> None:
        first = self._card is None
        decision = self._choice.decision
        if first and decision and decision.choice:
            self._call.note(chosen_line(str(card.ref), task=decision.analysis.task_type.value, score=decision.choice.score))
        elif self._view.verbose:
            self._call.note(str(card.ref))
        self._spinning = str(card.ref)
        self._spin()

    def _spin(self) -> None:
        if not self._call.quiet:
            self._spinner = Spinner(self._call.err, self._spinning, clock=self._clock)
            self._spinner.__enter__()

    def _end(self, end: Ended) -> None:
        self._quieten()
        late = end.error is None if self._exact else bool(not self._view.stream and end.record.text)
        if late and not self._makes:
            self._write(self.answer(end))
        if self._writer is not None:
            self._writer.close()
        if self._view.verbose and len(end.record.attempts) > 1:
            for attempt in end.record.attempts:
                self._call.note(attempt_line(attempt))
        if self._view.usage and not (end.error and end.record.usage == Usage()):
            self._call.note(usage_line(end.record, price=self._card.price if self._card else None))

    def _restart(self) -> None:
        """What was shown stays, ended, above the note that says it is not part of the answer."""
        self._quieten()
        if self._writer is not None:
            self._writer.close()
            self._writer.__exit__(None, None, None)
            self._writer = None

    def _write(self, text: str, *, exact: bool = False) -> None:
        if self._view.out or self._makes:
            return
        self._quieten()
        if self._writer is None:
            self._writer = open_answer(self._call.out, raw=exact or self._exact or self._view.raw, clock=self._clock)
            self._writer.__enter__()
            self._delivery.stdout_is_free = False
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

"""How a run is shown while it happens: as text, as one envelope, or as an event a line."""

from types import TracebackType
from typing import Any, Self

from msgspec import Struct, json

from mmai.cli.delivery import made_by
from mmai.cli.frame import Frame
from mmai.cli.saving import Content, Saving, keep
from mmai.clock import Clock
from mmai.engine.extract import code_block
from mmai.engine.run import Ended, Failed, Step, Trying
from mmai.engine.wish import Choice
from mmai.errors import IncompleteAnswer, ProviderError, StorageError
from mmai.render.answer import open_answer
from mmai.render.clean import Cleaner
from mmai.render.envelope import json_lines, plain
from mmai.render.image import picture
from mmai.render.notes import ReasoningWriter, chosen_line, fallback_line, usage_line, wrote_line
from mmai.render.run import labels_text, run_data, vector_text
from mmai.render.spinner import Spinner
from mmai.render.writer import AnswerWriter
from mmai.values.event import AudioEvent, DroppedEvent, ImageEvent, LabelsEvent, ReasoningEvent, TextEvent, VectorEvent
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
        """Labels, a vector or files, for the data of the run."""
        self._view = view
        self._request = request
        self._choice = choice
        self._call = call
        self._clock = clock
        self._card: ModelCard | None = None
        self._made: list[Content] = []
        self._calls: list[ToolCall] = []
        self._problem: StorageError | None = None

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
            case Failed(attempt, _, following):
                elsewhere = str(following.card.ref) == attempt.model and following.endpoint.url != attempt.endpoint
                name = following.endpoint.url if elsewhere else str(following.card.ref)
                self._call.note(fallback_line(attempt, following=name or attempt.model))
            case LabelsEvent(labels):
                self.extras["labels"] = labels
            case VectorEvent(values):
                self.extras["vector"] = values
            case ImageEvent(data, media_type) | AudioEvent(data, media_type):
                self._made.append(Content(data, media_type))
            case ToolCall():
                self._calls.append(step)
            case Ended():
                self._deliver(step)
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

    @property
    def _makes(self) -> str | None:
        """What is asked for, where it is no text."""
        return made_by(self._card, self._request) if self._card else None

    def _deliver(self, end: Ended) -> None:
        """Put what was made, or with `--out` whatever was answered, where it belongs."""
        contents = self._made
        if not contents and self._view.out and not self._makes and (words := self._words(end)):
            contents = [words]
        for number, content in enumerate(contents, 1):
            self._put(content, number, name=f"mmai-{end.record.id}")
        if self._makes and end.record.text:
            self._call.note(Cleaner().clean(end.record.text))
        if end.error and "files" in self.extras:
            self._call.warn(f"`{self.extras['files'][0].path}` holds what came of the answer, which is not whole")
        if self._problem:
            raise self._problem
        if self._makes and not contents and not end.error:
            raise ProviderError(f"`{end.record.model}` answered without {'an image' if self._makes == 'image' else 'sound'}")

    def _words(self, end: Ended) -> Content | None:
        """The answer as standard output would get it, except that labels are JSON; None where nothing of it is to be shown."""
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

    def _put(self, content: Content, number: int, *, name: str) -> None:
        """Into its place; what has none, or cannot get there, is kept wherever it can be."""
        problem: StorageError | None = None
        try:
            if self._placed(content, number):
                return
        except StorageError as exc:
            problem = exc
        kept = keep(content, name=name, number=number)
        if kept is not None:
            self.extras.setdefault("files", []).append(kept)
        where = f"it is in `{kept.path}`" if kept else "it could not be kept anywhere else"
        if problem is not None:
            self._problem = self._problem or StorageError(f"{problem.message}; {where}")
        else:
            self._call.warn(f"the answer holds {content.media_type}, and no `--out` says where it goes: {where}")

    def _placed(self, content: Content, number: int) -> bool:
        """Whether there was a place for it."""
        out = self._view.out
        if out is None:
            return False
        saved = out.save(content, number=number)
        self.extras.setdefault("files", []).append(saved)
        self._call.note(wrote_line(saved.path, media_type=saved.media_type, size_bytes=saved.size_bytes))
        if out.differs(content):
            self._call.warn(f"`{saved.path}` holds {saved.media_type}, whatever its name says")
        return True

    @property
    def _exact(self) -> bool:
        """Only a whole answer can be checked or cut to its code block, and a program reads the result."""
        return self._view.extract or self._request.schema is not None


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
            case ImageEvent(data, media_type) | AudioEvent(data, media_type):
                kind = "image" if isinstance(step, ImageEvent) else "audio"
                self._line({"type": kind, "media_type": media_type, "size_bytes": len(data)})
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
        if self._view.out or self._makes:
            return
        self._quieten()
        if self._writer is None:
            self._writer = open_answer(self._call.out, raw=exact or self._exact or self._view.raw, clock=self._clock)
            self._writer.__enter__()
        self._writer.write(text)

    def _placed(self, content: Content, number: int) -> bool:
        """Also on a screen that shows pictures, or as it is on standard output, which has room for one thing."""
        on_screen = self._call.out.is_tty and not self._view.to_stdout
        if on_screen and (shown := picture(content.data, content.media_type, self._call.out, env=self._call.env)):
            self._call.out.write(shown)
            return super()._placed(content, number) or True
        if self._view.out or on_screen or self._writer or number > 1:
            return super()._placed(content, number)
        try:
            self._call.write(content.data)
        except BrokenPipeError:
            raise
        except OSError as exc:
            raise StorageError(f"cannot write standard output: {exc.strerror or exc}") from exc
        return True

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

"""What a run adds up to while it goes on: text, attempts, tokens, cost, times."""

from msgspec import structs

from mmai.clock import Clock
from mmai.engine.session import Route
from mmai.errors import CallError, MmaiError, SchemaMismatch
from mmai.selection.tokens import request_tokens, text_tokens
from mmai.values.cost import cost_usd
from mmai.values.event import (
    DroppedEvent,
    Event,
    ExecutionEvent,
    FinishedEvent,
    ImageEvent,
    ReasoningEvent,
    ServerTimings,
    TextEvent,
    Usage,
)
from mmai.values.model import Price
from mmai.values.record import Attempt, Judgement, RunRecord, RunStatus, Timings
from mmai.values.request import Request

_NO_ANSWER = (DroppedEvent, ExecutionEvent, FinishedEvent, ReasoningEvent)


class Tally:
    """Keeps the record of one run. `content` says whether any of an answer, or of a model's thinking, has come."""

    def __init__(
        self,
        request: Request,
        *,
        run_id: str,
        clock: Clock,
        automatic: bool = False,
        startup_ms: float | None = None,
        conversation: str | None = None,
    ) -> None:
        """`conversation` is what the record says of it."""
        self.content = False
        self._clock = clock
        self._began = self._sent = clock.monotonic()
        self._request = request
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._images = 0
        self._answered = False
        self._price: Price | None = None
        self.is_under_way = False
        """A call went out that did not end yet."""
        self._wasted_usd: float | None = 0.0
        """What answers cost that were cut and begun anew; None when any of it is unknown."""
        self._record = RunRecord(
            id=run_id,
            started_at=clock.now(),
            status="running",
            prompt=request.latest,
            conversation=conversation,
            system=request.system,
            task=request.task,
            automatic=automatic,
            timings=Timings(startup_ms=startup_ms),
            fingerprint=request.fingerprint,
        )

    @property
    def record(self) -> RunRecord:
        """The run so far."""
        return structs.replace(self._record, text="".join(self._text))

    @property
    def attempt_s(self) -> float:
        """Since the latest call went out."""
        return self._clock.monotonic() - self._sent

    @property
    def ttft_ms(self) -> float | None:
        """From sending to the first content of the latest call; None before."""
        return self._record.timings.ttft_ms if self.content else None

    def begun(self, route: Route) -> RunRecord:
        """The run before its first call, with the model that is meant for it: others can see who is busy."""
        return structs.replace(self._record, model=str(route.card.ref))

    def sending(self, route: Route) -> None:
        """A call goes out now."""
        self._sent, self.is_under_way = self._clock.monotonic(), True
        if not self._record.attempts:
            self._began = self._sent
        self._price = route.card.price
        self._record = structs.replace(self._record, model=str(route.card.ref), execution=None)

    def take(self, event: Event) -> None:
        """Something came back."""
        if isinstance(event, FinishedEvent):
            self._record = structs.replace(
                self._record, finish_reason=event.reason, usage=event.usage, server=event.server, execution=event.execution
            )
        elif isinstance(event, ExecutionEvent):
            self._record = structs.replace(self._record, execution=event.execution)
        elif not self.content and not isinstance(event, DroppedEvent):
            self.content = True
            self._record = structs.replace(
                self._record, timings=structs.replace(self._record.timings, ttft_ms=self._ms_since(self._sent))
            )
        match event:
            case TextEvent(text):
                self._text.append(text)
            case ReasoningEvent(text):
                self._thinking.append(text)
            case ImageEvent():
                self._images += 1
        if not self._answered and not isinstance(event, _NO_ANSWER):
            self._answered = not isinstance(event, TextEvent) or bool(event.text.strip())

    def end_attempt(self, route: Route, error: MmaiError | None) -> Attempt:
        """The call is over, one way or the other."""
        attempt = Attempt(
            model=str(route.card.ref),
            endpoint=route.endpoint.url,
            credential=route.endpoint.credential,
            cost_usd=self._cost_usd(),
            failure=error.code if error else None,
            message=error.message if error else None,
            status=error.status if isinstance(error, CallError) else None,
            ms=self._ms_since(self._sent),
            executor=self._record.execution.executor if self._record.execution else None,
        )
        self.is_under_way = False
        self._record = structs.replace(self._record, attempts=(*self._record.attempts, attempt))
        return attempt

    def restart(self) -> None:
        """What came so far is not part of the answer: another model begins it anew."""
        cost = self._cost_usd()
        self._wasted_usd = None if cost is None or self._wasted_usd is None else self._wasted_usd + cost
        self._text, self._thinking, self._images = [], [], 0
        self.content = self._answered = False
        self._record = structs.replace(
            self._record,
            finish_reason=None,
            usage=Usage(),
            server=ServerTimings(),
            timings=structs.replace(self._record.timings, ttft_ms=None),
        )

    def close(self, status: RunStatus, error: MmaiError | None) -> None:
        """Nothing more will come."""
        cost, wasted = self._cost_usd(), self._wasted_usd
        self._record = structs.replace(
            self._record,
            status=status,
            usage=self._usage(),
            cost_usd=wasted or None if not self._came else None if cost is None or wasted is None else cost + wasted,
            error_code=error.code if error else None,
            timings=structs.replace(self._record.timings, total_ms=self._ms_since(self._began)),
            judgement=self._judgement(status, error),
        )

    @property
    def _came(self) -> bool:
        """Anything that is paid for."""
        return self.content or self._record.finish_reason is not None

    def _cost_usd(self) -> float | None:
        """Of the latest call; None is unknown, or that nothing came."""
        return cost_usd(self._usage(), self._price) if self._came else None

    def _judgement(self, status: RunStatus, error: MmaiError | None) -> Judgement | None:
        if isinstance(error, SchemaMismatch):
            return "schema_broken"
        if status != "ok":
            return None
        if self._request.schema is not None:
            return "schema_kept"
        return None if self._answered else "empty"

    def _usage(self) -> Usage:
        """What the provider told. Where text came and its tokens were not told, since some never do and a stream may be cut, they
        are estimated; but not beside seconds of sound, which are billed instead.
        """
        told = self._record.usage
        if self._images and told.images is None:
            told = structs.replace(told, images=self._images)
        if (
            told.audio_s is not None
            or not (self._text or self._thinking)
            or None not in (told.input_tokens, told.output_tokens)
        ):
            return told
        wrote = text_tokens("".join((*self._thinking, *self._text)))
        return structs.replace(
            told,
            input_tokens=request_tokens(self._request) if told.input_tokens is None else told.input_tokens,
            output_tokens=wrote if told.output_tokens is None else told.output_tokens,
            estimated=True,
        )

    def _ms_since(self, moment: float) -> float:
        return (self._clock.monotonic() - moment) * 1000

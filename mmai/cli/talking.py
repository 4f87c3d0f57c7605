"""A run that goes on with a conversation: which one, with which model, and what of it the model gets to read."""

from contextlib import aclosing

from msgspec import Struct
from msgspec.structs import replace

from mmai.cli.frame import Frame
from mmai.cli.world import World
from mmai.engine.conversation import LONGEST_SUMMARY, Carried, carried, plainly, to_summarise
from mmai.engine.run import Ended, Run
from mmai.engine.session import Route
from mmai.engine.tally import Tally
from mmai.engine.traffic import Traffic
from mmai.engine.wish import Choice, Wish
from mmai.errors import MmaiError, NoEligibleModel, StorageError, UnknownModel, UsageError
from mmai.render.talking import dropped_line, left_out_line
from mmai.telemetry.ids import new_id
from mmai.values.conversation import Conversation, Turn
from mmai.values.model import ModelCard
from mmai.values.request import Message, Request, TextPart


class Said(Struct, frozen=True, kw_only=True):
    """What the command line says of conversations."""

    name: str | None
    """A name, an id or the beginning of one; None is the conversation that was gone on with last."""
    summarise: bool = False
    keeps_model: bool = True
    """Nothing was said of who should answer: whoever answered last does."""


def demand_name(conversation: str | None) -> str | None:
    """The name or id that was given.

    Raises:
        UsageError: it is empty, as an unset variable of a script is.
    """
    if conversation is not None and not conversation.strip():
        raise UsageError("`--conversation` has an empty name", hint="mmai history")
    return conversation


class Talk:
    """A conversation that a run goes on with, and what was told of it."""

    def __init__(
        self, conversation: Conversation, here: World, call: Frame, *, summarise: bool = False, keeps_model: bool = True
    ) -> None:
        self.conversation = conversation
        self._here = here
        self._call = call
        self._summarise = summarise
        self._keeps_model = keeps_model
        self._summary: str | None = None
        self._fitted: dict[str, Carried] = {}
        self._last: Carried | None = None

    @classmethod
    def open(cls, said: Said, here: World, call: Frame) -> "Talk":
        """The conversation that is meant; one that is not there yet begins under its name.

        Raises:
            UsageError: there is none to go on with, or several are meant.
        """
        try:
            found = here.history.conversation(said.name)
        except StorageError as error:
            call.warn(f"{error.message}: nothing is known of earlier turns")
            found = None
        if found is None and said.name is None:
            raise UsageError("there is no conversation to go on with", hint='mmai run "your question"')
        return cls(
            found or Conversation(id="", name=said.name), here, call, summarise=said.summarise, keeps_model=said.keeps_model
        )

    @property
    def follows(self) -> str | None:
        """What the record of a run says of its conversation."""
        return self.conversation.id or None

    def request(self, request: Request) -> Request:
        """The request with the instructions of the conversation, where it has none of its own."""
        if request.system or not self.conversation.system:
            return request
        return replace(request, messages=(Message("system", (TextPart(self.conversation.system),)), *request.messages))

    def wish(self, wish: Wish) -> Wish:
        """The model that answered last, where nothing is said of who should answer."""
        model = self.conversation.model
        return replace(wish, model=model) if self._keeps_model and model is not None else wish

    async def choose(self, request: Request, wish: Wish, *, explained: bool = False) -> Choice:
        """Whom to call: somebody who can read all of it, or else the latest turn alone."""
        wanted = self.wish(wish)
        try:
            return await self._here.choose(plainly(self.conversation, request), wanted, explained=explained)
        except NoEligibleModel as error:
            if wanted is not wish:
                self._call.note(f"{error.message}: another model goes on")
            return await self._here.choose(request, wish, explained=explained)

    def lets_go(self, error: MmaiError | None) -> bool:
        """Whether the model of the conversation is gone, and another one is to be asked the same."""
        if not (self._keeps_model and self.conversation.model and isinstance(error, UnknownModel)):
            return False
        self._keeps_model = False
        self._call.note(f"{error.message}: another model goes on")
        return True

    async def prepare(self, request: Request, choice: Choice, traffic: Traffic, *, timeout_s: float | None) -> None:
        """Have the turns summarised that the first model cannot take, where that is wished."""
        route = choice.routes[0]
        dropped = carried(self.conversation, request, route.card, summary=LONGEST_SUMMARY).dropped if self._summarise else ()
        if dropped:
            self._summary = await self._summarised(dropped, route, traffic, timeout_s)

    def fit(self, request: Request, card: ModelCard) -> Request:
        """The request as this model gets it; what it does not get is said once."""
        ref = str(card.ref)
        if ref not in self._fitted:
            fitted = self._fitted[ref] = carried(self.conversation, request, card, summary=self._summary)
            if fitted.dropped:
                self._call.note(
                    dropped_line(len(fitted.dropped), card.ref, fitted.window_tokens, summarised=self._summary is not None)
                )
            if fitted.left_out:
                self._call.note(left_out_line(fitted.left_out, card.ref))
        self._last = self._fitted[ref]
        return self._last.request

    def begin(self, run_id: str, *, logged: bool) -> str | None:
        """What the record of a run says of its conversation. One that begins with it gets its name now, where it is kept at all:
        of several that begin under one name at the same time, the others follow the first.
        """
        if not logged or self.follows is not None or not self.conversation.name:
            return self.follows
        try:
            first = self._here.history.claim_name(run_id, self.conversation.name)
        except StorageError as error:
            self._call.warn(error.message)
            return None
        self.conversation = replace(self.conversation, id=first)
        return None if first == run_id else first

    def data(self, run_id: str) -> dict[str, object]:
        """The part of the envelope's data that is about it."""
        return {
            "id": self.conversation.id or run_id,
            "name": self.conversation.name,
            "turns": len(self.conversation.turns) + 1,
            "dropped_turns": len(self._last.dropped) if self._last else 0,
            "left_out": list(self._last.left_out) if self._last else [],
        }

    async def _summarised(
        self, dropped: tuple[Turn, ...], route: Route, traffic: Traffic, timeout_s: float | None
    ) -> str | None:
        request = Request(messages=(Message("user", (TextPart(to_summarise(dropped)),)),))
        tally = Tally(request, run_id=new_id(self._here.clock.now()), clock=self._here.clock, conversation="")
        run = Run(
            request,
            [route],
            session=self._here.session,
            traffic=traffic,
            tally=tally,
            log=self._here.history,
            timeout_s=timeout_s,
        )
        end: Ended | None = None
        async with aclosing(run.steps()) as steps:
            async for step in steps:
                end = step if isinstance(step, Ended) else end
        if end is None or end.error or not end.record.text.strip():
            why = end.error.message if end and end.error else "it answered with nothing"
            self._call.warn(f"the earlier turns could not be summarised: {why}")
            return None
        return end.record.text.strip()

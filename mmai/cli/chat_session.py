"""A chat: what is said in it, who answers, and what it has cost so far."""

from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from mmai.cli.asking import Asking, Turn, begin
from mmai.cli.frame import Frame
from mmai.cli.shown import View
from mmai.cli.talking import Said, Talk
from mmai.cli.world import World
from mmai.engine.traffic import Traffic
from mmai.engine.wish import Wish
from mmai.errors import MmaiError
from mmai.render.notes import error_lines
from mmai.values import conversation as said
from mmai.values.conversation import Conversation
from mmai.values.record import RunRecord
from mmai.values.request import Message, Part, Request, TextPart


class Spent(Struct):
    """What the answers of this chat took. None is unknown."""

    answers: int = 0
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0

    def add(self, record: RunRecord) -> None:
        """One more answer, whole or not."""
        self.answers += 1
        self.input_tokens = _sum(self.input_tokens, record.usage.input_tokens)
        self.output_tokens = _sum(self.output_tokens, record.usage.output_tokens)
        self.cost_usd = _sum(self.cost_usd, record.cost_usd)
        self.seconds += (record.timings.total_ms or 0.0) / 1000


Number = TypeVar("Number", int, float)


def _sum(so_far: Number | None, more: Number | None) -> Number | None:
    return None if so_far is None or more is None else so_far + more


class ChatSession:
    """What slash commands change: the model, the instructions, what is attached."""

    def __init__(
        self,
        *,
        template: Request,
        wish: Wish,
        said: Said | None,
        summarise: bool,
        keeps_model: bool,
        attached: list[Part],
        view: View,
        timeout_s: float,
        log: bool,
    ) -> None:
        """`template` has the instructions and the tuning of every message."""
        self.template = template
        self.wish = wish
        self.said = said
        self.attached = attached
        self.view = view
        self.timeout_s = timeout_s
        self.log = log
        self.spent = Spent()
        self.last: tuple[Part, ...] = ()
        """The message that was sent last, for `/retry`."""
        self.summarise = summarise
        self.keeps_model = keeps_model
        """Whoever answered last goes on, as long as nothing is said of who should."""

    def asking(self, parts: tuple[Part, ...]) -> Asking:
        """One message as it goes out."""
        request = replace(self.template, messages=(*self.template.messages, Message("user", parts)))
        return Asking(request=request, wish=self.wish, timeout_s=self.timeout_s, log=self.log)


class Chat:
    """A session with everything that is open for it."""

    def __init__(self, session: ChatSession, talk: Talk, traffic: Traffic, here: World, call: Frame) -> None:
        self.session = session
        self.talk = talk
        self.here = here
        self.call = call
        self.exit_code = 0
        """Of the last message or command that failed."""
        self._traffic = traffic

    async def say(self, text: str) -> None:
        """Send a message with what is attached, and show the answer. A failure is shown, and the chat goes on."""
        words = (TextPart(text),) if text.strip() else ()
        parts, self.session.attached = (*self.session.attached, *words), []
        if parts:
            await self.send(parts)

    async def send(self, parts: tuple[Part, ...]) -> None:
        """The same for parts that were put together before."""
        self.session.last = parts
        turn: Turn | None = None
        try:
            turn = await begin(self.session.asking(parts), self.session.view, self.here, self.call, self.talk, self._traffic)
            await turn.finish()
            if self.talk.lets_go(turn.error):
                self.session.keeps_model = False
                await self.send(parts)
            elif turn.error is not None:
                self.tell(turn.error)
        except MmaiError as error:
            self.tell(error)
        finally:
            if turn is not None:
                self._keep(parts, turn.run.tally.record)

    def tell(self, error: MmaiError) -> None:
        """Say what failed; the chat goes on."""
        self.exit_code = error.exit_code
        self.call.say(error_lines(error, self.call.err))

    def anew(self) -> None:
        """Begin another conversation."""
        self.talk = self._talk_of(Conversation(id=""))

    def forget_last(self) -> None:
        """Take the message that was sent last, and what came of it, out of what is carried on."""
        talk = self.talk.conversation
        if talk.turns and talk.turns[-1].user.parts == self.session.last:
            self.carry(replace(talk, turns=talk.turns[:-1]))

    def _keep(self, parts: tuple[Part, ...], record: RunRecord) -> None:
        answer = Message("assistant", (TextPart(record.text),)) if record.text else None
        turn = said.Turn(
            run_id=record.id,
            at=record.started_at,
            user=Message("user", parts),
            answer=answer,
            model=record.model,
            status=record.status,
        )
        talk = self.talk.conversation
        self.carry(
            replace(
                talk,
                id=talk.id or record.id,
                turns=(*talk.turns, turn),
                system=record.system or talk.system,
                model=record.model,
            )
        )
        if record.attempts:
            self.session.spent.add(record)

    def carry(self, conversation: Conversation) -> None:
        """Go on with this, under what the session says now."""
        self.talk = self._talk_of(conversation)

    def _talk_of(self, conversation: Conversation) -> Talk:
        session = self.session
        return Talk(conversation, self.here, self.call, summarise=session.summarise, keeps_model=session.keeps_model)

"""What a model gets to read of a conversation: as much as fits its window, in the forms it takes. Pure.

System and the latest turn always go along. Before them the oldest turns are left out whole, question and answer, until what is
sent and the room for the answer fit; a summary may stand for them. A window nobody knows takes everything.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from mmai.selection.tokens import request_tokens
from mmai.values.conversation import Conversation, Turn
from mmai.values.model import ModelCard
from mmai.values.request import AudioPart, ImagePart, Message, Part, Request, TextPart
from mmai.values.task import Modality

SAFE = 0.9
"""Share of the window that is filled: tokens are estimated."""

ROOM_TOKENS, ROOM_SHARE = 2048, 0.25
"""Kept for the answer where no length was asked for: this many tokens, or this share of a small window."""

UNFINISHED = "[this answer was cut off here]"
LONGEST_SUMMARY = "word " * 300
"""In the place of a summary that is not written yet."""
SUMMARY = "Summary of the conversation before this point:"


class Carried(Struct, frozen=True, kw_only=True):
    """A request with the conversation before it."""

    request: Request
    dropped: tuple[Turn, ...] = ()
    """The oldest turns, which do not fit."""
    left_out: tuple[str, ...] = ()
    """Images and recordings of earlier turns that the model cannot take, by name or as `an image`."""
    window_tokens: int | None = None
    """What the model reads at most, answer included; None is unknown."""


def carried(conversation: Conversation, request: Request, card: ModelCard, *, summary: str | None = None) -> Carried:
    """The request as the model gets it. `summary` stands for the turns that are dropped, where any are."""
    told = [turn for turn in conversation.turns if turn.answer is not None]
    left_out: list[str] = []
    turns = [_messages(turn, card, left_out) for turn in told]
    note = f"{SUMMARY}\n\n{summary}" if summary else None
    first = _first_that_fits(turns, request, card)
    if first and note:
        first = _first_that_fits(turns, replace(request, messages=_joined([], request, note)), card)
    note = note if first else None
    kept = [message for messages in turns[first:] for message in messages]
    return Carried(
        request=replace(request, messages=_joined(kept, request, note)),
        dropped=tuple(told[:first]),
        left_out=tuple(left_out),
        window_tokens=_window(request, card),
    )


def plainly(conversation: Conversation, request: Request) -> Request:
    """The whole of it, for choosing a model: with all words, and without the attachments of earlier turns, which a model that
    takes none can do without.
    """
    told = [turn for turn in conversation.turns if turn.answer is not None]
    before = [message for turn in told for message in _messages(turn, None, [])]
    return replace(request, messages=_joined(before, request, None))


def to_summarise(turns: Sequence[Turn]) -> str:
    """What a model is asked, so that its answer can stand for the turns."""
    said = "\n\n".join(f"User: {turn.user.text}\n\nAssistant: {turn.answer.text}" for turn in turns if turn.answer)
    return (
        "Summarise this conversation so that it can be gone on with: facts, names, figures, decisions and open questions, in the"
        f" language it is in, in at most 200 words. Write the summary alone.\n\n{said}"
    )


def _first_that_fits(turns: Sequence[Sequence[Message]], request: Request, card: ModelCard) -> int:
    """The index of the oldest turn that goes along."""
    window = _window(request, card)
    if window is None:
        return 0
    room = request.options.max_tokens or min(ROOM_TOKENS, int(window * ROOM_SHARE))
    left = int(window * SAFE) - room - request_tokens(request)
    for index in range(len(turns) - 1, -1, -1):
        left -= request_tokens(replace(request, messages=tuple(turns[index]), tools=(), schema=None))
        if left < 0:
            return index + 1
    return 0


def _window(request: Request, card: ModelCard) -> int | None:
    given = request.options.extra.get("num_ctx")
    return min((size for size in (card.context_tokens, given) if isinstance(size, int)), default=None)


def _messages(turn: Turn, card: ModelCard | None, left_out: list[str]) -> list[Message]:
    """Question and answer; what `card` cannot take is noted in `left_out`. What it has answered before, it can."""
    seen = card is not None and turn.model == str(card.ref)
    parts = tuple(part for part in turn.user.parts if seen or _takes(card, part, left_out))
    answer = turn.answer
    assert answer is not None
    if turn.status != "ok":
        answer = replace(answer, parts=(TextPart(f"{answer.text} {UNFINISHED}"),))
    return [replace(turn.user, parts=parts or (TextPart(""),)), answer]


def _takes(card: ModelCard | None, part: Part, left_out: list[str]) -> bool:
    wanted = {ImagePart: Modality.IMAGE, AudioPart: Modality.AUDIO}.get(type(part))
    if wanted is None:
        return True
    if card is not None and (wanted in card.inputs or (wanted is Modality.IMAGE and "vision" in card.capabilities)):
        return True
    name = getattr(part, "name", None)
    left_out.append(f"`{name}`" if name else "an image" if wanted is Modality.IMAGE else "a recording")
    return False


def _joined(before: Sequence[Message], request: Request, note: str | None) -> tuple[Message, ...]:
    system = [message for message in request.messages if message.role == "system"]
    others = [message for message in request.messages if message.role != "system"]
    if note:
        told = "\n\n".join([*(message.text for message in system), note])
        system = [Message("system", (TextPart(told),))]
    return (*system, *before, *others)

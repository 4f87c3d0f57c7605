"""Conversations as tables, as text to read, and as messages for programs."""

import time
from collections.abc import Sequence
from typing import Any

from mmai.render.learning import beginning
from mmai.render.table import Cell, Column, Table
from mmai.values.conversation import FOUND, Conversation, Hit, Listed, Turn
from mmai.values.request import AudioPart, ImagePart

SHORT_ID = 10
"""Characters of an id that tell it apart: those of the millisecond it began in."""


def summary_data(listed: Listed) -> dict[str, Any]:
    """A conversation as one row of JSON."""
    return {
        "id": listed.id,
        "name": listed.name,
        "turns": listed.turns,
        "model": listed.model,
        "started_at": listed.started_at,
        "updated_at": listed.updated_at,
        "prompt": beginning(listed.prompt),
    }


def conversation_data(conversation: Conversation) -> dict[str, Any]:
    """The `data` of `history show`."""
    return {
        "id": conversation.id,
        "name": conversation.name,
        "model": conversation.model,
        "system": conversation.system,
        "turns": [_turn_data(each) for each in conversation.turns],
    }


def export_data(conversation: Conversation) -> dict[str, Any]:
    """Messages as chat APIs take them, under the id and name of the conversation."""
    system = [{"role": "system", "content": conversation.system}] if conversation.system else []
    said = [
        {"role": message.role, "content": message.text}
        for turn in conversation.turns
        for message in (turn.user, turn.answer)
        if message is not None
    ]
    return {"id": conversation.id, "name": conversation.name, "model": conversation.model, "messages": system + said}


def markdown(conversation: Conversation) -> str:
    """Every turn, each below who said it, for people."""
    title = conversation.name or beginning(conversation.turns[0].user.text)
    blocks = [f"# {title}"]
    if conversation.system:
        blocks.append(f"> {conversation.system}".replace("\n", "\n> "))
    for turn in conversation.turns:
        blocks += [f"## You, {_moment(turn.at)}", *_attached(turn), turn.user.text]
        unfinished = "" if turn.status == "ok" else f" ({turn.status})"
        blocks += [f"## {turn.model or 'nobody'}{unfinished}", turn.answer.text if turn.answer else "*no answer*"]
    return "\n\n".join(block for block in blocks if block.strip()) + "\n"


def conversations_table(conversations: Sequence[Listed], *, now: float) -> Table:
    """A row each, the latest first."""
    return Table(
        columns=(
            Column("id", "ID"),
            Column("updated_at", "When"),
            Column("turns", "Turns", justify="right"),
            Column("model", "Model", drop=2),
            Column("name", "Name", drop=1),
            Column("prompt", "First words"),
        ),
        rows=[
            (
                Cell(each.id, each.id[:SHORT_ID]),
                Cell(each.updated_at, ago(each.updated_at, now=now)),
                each.turns,
                each.model,
                each.name,
                beginning(each.prompt),
            )
            for each in conversations
        ],
    )


def hit_data(hit: Hit) -> dict[str, Any]:
    """A run that was found."""
    return {
        "id": hit.run_id,
        "conversation": hit.conversation,
        "at": hit.at,
        "model": hit.model,
        "snippet": _bare(hit.snippet),
    }


def hits_table(hits: Sequence[Hit], *, now: float) -> Table:
    """A row each, the best first."""
    return Table(
        columns=(
            Column("conversation", "ID"),
            Column("at", "When"),
            Column("model", "Model", drop=1),
            Column("snippet", "Words", wrap=True),
        ),
        rows=[
            (
                Cell(hit.conversation, hit.conversation[:SHORT_ID]),
                Cell(hit.at, ago(hit.at, now=now)),
                hit.model,
                _bare(hit.snippet),
            )
            for hit in hits
        ],
    )


def ago(moment: float, *, now: float) -> str:
    """`just now`, `12 min ago`, `5 h ago`, `3 d ago`, or the day."""
    seconds = max(0.0, now - moment)
    if seconds < 60:
        return "just now"
    for unit, size, most in (("min", 60, 3600), ("h", 3600, 86400), ("d", 86400, 30 * 86400)):
        if seconds < most:
            return f"{int(seconds // size)} {unit} ago"
    return time.strftime("%Y-%m-%d", time.localtime(moment))


def _turn_data(turn: Turn) -> dict[str, Any]:
    return {
        "id": turn.run_id,
        "at": turn.at,
        "prompt": turn.user.text,
        "attachments": [getattr(part, "name", None) for part in turn.user.parts if isinstance(part, ImagePart | AudioPart)],
        "text": turn.answer.text if turn.answer else None,
        "model": turn.model,
        "status": turn.status,
    }


def _attached(turn: Turn) -> list[str]:
    names = [part.name or part.media_type for part in turn.user.parts if isinstance(part, ImagePart | AudioPart)]
    return [f"*with {', '.join(f'`{name}`' for name in names)}*"] if names else []


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _bare(snippet: str) -> str:
    for mark in FOUND:
        snippet = snippet.replace(mark, "")
    return " ".join(snippet.split())

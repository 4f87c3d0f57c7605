"""What begins with a slash in a chat."""

import shlex
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mmai.cli.attachments import read_attachment
from mmai.cli.chat_session import Chat
from mmai.engine.wish import AUTO
from mmai.errors import UsageError
from mmai.render.units import UNKNOWN, duration, money
from mmai.values.request import Message, Part, TextPart

LISTED = 20
"""Models that `/model` names."""


class Leave(Exception):
    """The chat is over."""


class Command(Struct, frozen=True):
    """One of them."""

    usage: str
    help: str
    run: Callable[[Chat, str], Awaitable[None]]


async def obey(line: str, chat: Chat) -> None:
    """Do what a line says.

    Raises:
        MmaiError: it cannot be done.
        Leave: it said to end the chat.
    """
    name, _, rest = line.partition(" ")
    command = COMMANDS.get(name)
    if command is None:
        from difflib import get_close_matches

        near = get_close_matches(name, COMMANDS, n=1)
        raise UsageError(f"there is no `{name}`" + (f": perhaps `{near[0]}`" if near else ""), hint="/help")
    await command.run(chat, rest.strip())


async def _model(chat: Chat, rest: str) -> None:
    session = chat.session
    if not rest:
        current = session.wish.model if session.wish.model != AUTO else chat.talk.wish(session.wish).model
        chat.call.say(f"model: {current}")
        known = sorted(chat.here.directory.registry().models)
        others = f"\n  … and {len(known) - LISTED} more: mmai models" if len(known) > LISTED else ""
        chat.call.say("\n".join(f"  {ref}" for ref in known[:LISTED]) + others)
        return
    ref = AUTO if rest == AUTO else str((await chat.here.directory.card(rest)).ref)
    session.wish, session.keeps_model = replace(session.wish, model=ref), rest == AUTO
    chat.carry(replace(chat.talk.conversation, model=None))
    chat.call.note(f"model: {session.wish.model}")


async def _system(chat: Chat, rest: str) -> None:
    session = chat.session
    session.template = replace(session.template, messages=(Message("system", (TextPart(rest),)),) if rest else ())
    chat.talk.conversation = replace(chat.talk.conversation, system=rest)
    chat.call.note("instructions: none" if not rest else f"instructions: {rest}")


async def _attach(chat: Chat, rest: str) -> None:
    try:
        names = shlex.split(rest)
    except ValueError as exc:
        raise UsageError(f"`{rest}` has an open quote", hint="/attach FILE") from exc
    if not names and not chat.session.attached:
        raise UsageError("nothing is attached, and nothing was named", hint="/attach FILE")
    chat.session.attached += _read(names)
    count = len(chat.session.attached)
    named = [name for part in chat.session.attached if (name := getattr(part, "name", None))]
    which = f": {', '.join(named)}" if named else ""
    chat.call.note(f"{count} file{'s' * (count != 1)} go{'es' * (count == 1)} with the next message{which}")


async def _save(chat: Chat, rest: str) -> None:
    from mmai import files
    from mmai.render.history import markdown

    if not chat.talk.conversation.turns:
        raise UsageError("there is nothing to save yet")
    path = _place(rest)
    files.replace(path, markdown(chat.talk.conversation).encode("utf-8", "replace"), mode=0o644)
    chat.call.note(f"wrote {path}")


def _read(names: Sequence[str]) -> list[Part]:
    return [read_attachment(Path(name).expanduser()) for name in names]


def _place(wanted: str) -> Path:
    """Where to save to."""
    name = wanted.removesuffix("!").strip()
    if not name:
        raise UsageError("nothing says where to", hint="/save FILE.md")
    path = Path(name).expanduser()
    if path.exists() and not wanted.endswith("!"):
        raise UsageError(f"`{name}` is there already", hint=f"/save {name}!")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder `{path.parent}`", hint=f"mkdir -p {shlex.quote(str(path.parent))}")
    return path


async def _usage(chat: Chat, rest: str) -> None:
    spent = chat.session.spent
    cost = "cost unknown" if spent.cost_usd is None else money(spent.cost_usd)
    answers = f"{spent.answers} answer{'s' * (spent.answers != 1)}"
    tokens = f"{_known(spent.input_tokens)} in, {_known(spent.output_tokens)} out"
    chat.call.say(f"{answers} · {tokens} · {cost} · {duration(spent.seconds * 1000)}")


def _known(count: int | None) -> str:
    return UNKNOWN if count is None else str(count)


async def _retry(chat: Chat, rest: str) -> None:
    parts = chat.session.last
    if not parts:
        raise UsageError("nothing was sent yet")
    chat.forget_last()
    await chat.send(parts)


async def _clear(chat: Chat, rest: str) -> None:
    chat.anew()
    chat.call.note("a new conversation")


async def _help(chat: Chat, rest: str) -> None:
    width = max(len(command.usage) for command in COMMANDS.values())
    for command in COMMANDS.values():
        chat.call.say(f"  {command.usage:<{width}}  {command.help}")


async def _exit(chat: Chat, rest: str) -> None:
    raise Leave


COMMANDS: dict[str, Command] = {
    "/model": Command("/model [REF|auto]", "say who answers, or change it; auto chooses anew", _model),
    "/system": Command("/system [TEXT]", "change the instructions; without a text there are none", _system),
    "/attach": Command("/attach FILE…", "send files with the next message", _attach),
    "/save": Command("/save FILE", "write the conversation as Markdown; FILE! writes over one that is there", _save),
    "/usage": Command("/usage", "tokens, cost and time so far", _usage),
    "/retry": Command("/retry", "send the last message again", _retry),
    "/clear": Command("/clear", "begin a new conversation", _clear),
    "/help": Command("/help", "this list; a message that begins with // is sent with one slash", _help),
    "/exit": Command("/exit", "leave, as Ctrl-D does", _exit),
}

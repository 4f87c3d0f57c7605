"""Where the messages of a chat come from: a terminal with an editor, or a pipe."""

import os
import sys
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from mmai.cli import completion
from mmai.cli.chat_commands import COMMANDS
from mmai.cli.frame import Frame
from mmai.engine.many import Feed

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completer
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

FENCE = '"""'
"""A line of it opens a message of several lines, and another closes it."""


async def piped_lines() -> AsyncGenerator[str, None]:
    """Every line of standard input, as it comes."""
    feed = Feed(_decoded(sys.stdin.buffer))
    while (line := await feed.next()) is not None:
        yield line


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        yield line.rstrip(b"\r\n").decode("utf-8", "replace")


async def typed_lines(call: Frame) -> AsyncGenerator[str, None]:
    """Every message somebody types, until Ctrl-D."""
    session = _session(call)
    while True:
        try:
            # Ctrl-C is a key here, and prompt_toolkit's own handler of its signal would take it from whoever comes next.
            text = await session.prompt_async("> ", handle_sigint=False)
        except KeyboardInterrupt:
            call.note("Ctrl-D leaves")
            continue
        except EOFError:
            return
        yield unfenced(text)


def unfenced(text: str) -> str:
    """A message without the marks that held its lines together."""
    stripped = text.strip()
    if not (stripped.startswith(FENCE) and stripped.endswith(FENCE) and len(stripped) >= 2 * len(FENCE)):
        return text
    inside = stripped[len(FENCE) : -len(FENCE)].strip("\n")
    return f"/{inside}" if inside.startswith("/") else inside  # It is no command.


def is_open(text: str) -> bool:
    """More lines are to come."""
    fenced = text.lstrip().startswith(FENCE)
    return text.endswith("\\") or (fenced and (text.strip() == FENCE or not text.rstrip().endswith(FENCE)))


def _session(call: Frame) -> "PromptSession[str]":
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory
    from prompt_toolkit.output.vt100 import Vt100_Output

    path = call.paths.history.with_name("chat-inputs")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        kept: History = FileHistory(str(path))
    except OSError:
        kept = InMemoryHistory()
    # Answers may go into a file while somebody types.
    output = Vt100_Output.from_pty(sys.stdout if call.out.is_tty else sys.stderr, term=call.env.get("TERM"))
    output.enable_cpr = False  # It would ask the terminal where the cursor is, and some never answer.
    return PromptSession(
        output=output,
        reserve_space_for_menu=4,
        history=kept,
        multiline=True,
        prompt_continuation=lambda width, number, wrapped: ". ".rjust(width),
        key_bindings=_keys(),
        completer=_completer(),
        complete_while_typing=False,
        enable_history_search=True,
    )


def _keys() -> "KeyBindings":
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: "KeyPressEvent") -> None:
        buffer = event.current_buffer
        if is_open(buffer.text):
            buffer.delete_before_cursor(int(buffer.document.text_before_cursor.endswith("\\")))
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    @keys.add("c-j")
    def _(event: "KeyPressEvent") -> None:
        event.current_buffer.insert_text("\n")

    return keys


def _completer() -> "Completer":
    from prompt_toolkit.completion import Completer, Completion, PathCompleter
    from prompt_toolkit.document import Document

    paths = PathCompleter(expanduser=True)

    class SlashCompleter(Completer):
        def get_completions(self, document: Document, complete_event: "CompleteEvent") -> "Iterable[Completion]":
            text = document.text_before_cursor
            command, space, rest = text.partition(" ")
            if not text.startswith("/"):
                return
            if not space:
                yield from (Completion(name, -len(text)) for name in COMMANDS if name.startswith(text))
            elif command == "/model":
                with suppress(Exception):
                    yield from (Completion(ref, -len(rest)) for ref in completion.models_or_auto(rest))
            elif command in ("/attach", "/save"):
                yield from paths.get_completions(Document(rest), complete_event)

    return SlashCompleter()

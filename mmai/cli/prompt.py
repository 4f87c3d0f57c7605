"""From the command line, standard input and files to the messages of a request."""

import sys
from collections.abc import Sequence
from pathlib import Path

from mmai.cli.attachments import as_part, read_attachment
from mmai.cli.frame import Frame
from mmai.cli.refusals import demand_material
from mmai.cli.stdin import piped, read_piped
from mmai.errors import UsageError
from mmai.values.request import Message, Part, TextPart
from mmai.values.task import TaskType


def gather(
    words: Sequence[str],
    *,
    system: str | None,
    files: Sequence[Path],
    no_stdin: bool,
    stdin_timeout_s: float,
    call: Frame,
    task: TaskType | None = None,
    inputs: Sequence[str] = (),
) -> tuple[Message, ...]:
    """The system turn, if any, and the user's: standard input, files and inputs by name, then the prompt as it was typed.

    Raises:
        UsageError: there is nothing to ask, or not what `task` needs, or something of it cannot be read.
    """
    prompt = " ".join(words)
    from_terminal = prompt == "-" or Path("-") in files
    parts: list[Part] = []
    if not no_stdin or from_terminal:
        parts += _standard_input(even_terminal=from_terminal, give_up_s=stdin_timeout_s, call=call)
    parts += [read_attachment(path) for path in files if path != Path("-")]
    if inputs:
        from mmai.cli.inputs import read_inputs

        parts += read_inputs(inputs)
    if prompt.strip() and prompt != "-":
        parts.append(TextPart(prompt))
    for text, what in ((prompt, "the prompt"), (system or "", "`--system`")):
        _demand_utf8(text, what)
    demand_material(task, parts)
    if not parts:
        raise UsageError("there is no prompt: nothing was typed, piped or attached", hint='mmai run "your question"')
    user = Message("user", tuple(parts))
    return (Message("system", (TextPart(system),)), user) if system else (user,)


def _demand_utf8(text: str, what: str) -> None:
    """Bytes of the command line that are no UTF-8 arrive as lone surrogates, which no provider takes."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise UsageError(f"{what} is not UTF-8 text: it has byte 0x{ord(text[exc.start]) & 0xFF:02x}") from exc


def _standard_input(*, even_terminal: bool, give_up_s: float, call: Frame) -> list[Part]:
    stream = piped()
    if stream is not None:
        data = read_piped(stream, give_up_s=give_up_s, say=call.note)
    elif even_terminal and sys.stdin is not None:
        data = sys.stdin.buffer.read()
    else:
        return []
    part = as_part(data, "standard input")
    if isinstance(part, TextPart):
        text = part.text.rstrip("\r\n")
        return [TextPart(text)] if text.strip() else []
    return [part]

"""`mmai history`: what was asked and answered."""

from typing import TYPE_CHECKING, Annotated

import typer

from mmai.cli import options as opt
from mmai.cli.frame import Frame, frame
from mmai.cli.listing import ListByDefault
from mmai.errors import UsageError
from mmai.values.output import Output

if TYPE_CHECKING:
    from mmai.telemetry.history import History
    from mmai.values.conversation import Conversation

history = typer.Typer(
    cls=ListByDefault,
    help="""Show what was asked and answered. Without a command: list.

    Example: mmai history search "blue sky"
    """,
    rich_markup_mode=None,
)

WHICH = typer.Argument(metavar="[last|ID|NAME]", help="Which conversation; the latest one by default.", show_default=False)
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="How many.")]


@history.command("list")
def list_conversations(
    limit: LimitOption = 20,
    output: opt.OutputOption = Output.TABLE,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """List the latest conversations.

    Example: mmai history list -n 5
    """
    call = frame("history list", output, json=json, quiet=quiet, no_color=no_color)
    from mmai.cli.learned import books
    from mmai.render.history import conversations_table, summary_data

    with books(call) as kept:
        found = kept.history.conversations(limit)
        now = kept.clock.now()
    if not found:
        call.note('nothing was asked yet: mmai run "why is the sky blue?"')
    rows = [summary_data(each) for each in found]
    call.emit({"conversations": rows}, lambda: conversations_table(found, now=now), rows=rows)


@history.command("show")
def show(
    which: Annotated[str | None, WHICH] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Do not render Markdown on a terminal.", show_default=False)] = False,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Show every turn of a conversation.

    Example: mmai history show last
    """
    call = frame("history show", Output.TABLE, json=json, quiet=quiet, no_color=no_color)
    from mmai.clock import Clock
    from mmai.render.answer import open_answer
    from mmai.render.history import conversation_data, markdown

    found = _demand(which, call)
    if call.json:
        call.envelope(conversation_data(found))
        return
    with open_answer(call.out, raw=raw, clock=Clock()) as writer:
        writer.write(markdown(found))
        writer.close()


@history.command("search")
def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS…", help="All of them, or beginnings of words.")],
    limit: LimitOption = 20,
    output: opt.OutputOption = Output.TABLE,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Find runs by what was asked or answered.

    Example: mmai history search blue sky
    """
    call = frame("history search", output, json=json, quiet=quiet, no_color=no_color)
    from mmai.cli.learned import books
    from mmai.render.history import hit_data, hits_table

    wanted = [word for text in words for word in text.split()]
    if not wanted:
        raise UsageError("there is nothing to look for", hint="mmai history search WORDS")
    with books(call) as kept:
        hits = kept.history.search(wanted, limit)
        now = kept.clock.now()
    if not hits:
        call.note(f"no run has {' and '.join(f'`{word}`' for word in wanted)}")
    rows = [hit_data(hit) for hit in hits]
    call.emit({"hits": rows}, lambda: hits_table(hits, now=now), rows=rows)


@history.command("rm")
def remove(
    which: Annotated[list[str] | None, typer.Argument(metavar="ID|NAME…", show_default=False)] = None,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="AGE", help="All that nobody went on with for so long: 30d, 12h.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.", show_default=False)] = False,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Forget what was said in conversations.

    What they cost stays, for the budget.

    \b
    Examples:
      mmai history rm 01M83P1TW0
      mmai history rm --older-than 90d
    """
    call = frame("history rm", Output.TABLE, json=json, quiet=quiet, no_color=no_color)
    from mmai.cli.learned import books

    with books(call) as kept:
        talks = [_found(name, kept.history).id for name in which or ()]
        if older_than is not None:
            talks += kept.history.idle_since(kept.clock.now() - _age_s(older_than))
        elif not talks:
            raise UsageError("nothing says which conversations", hint="mmai history rm ID")
        talks = list(dict.fromkeys(talks))
        if talks and not yes and call.err.is_tty and not typer.confirm(f"forget {_count(len(talks))}?", err=True):
            return
        runs = kept.history.forget(talks)
    call.note(f"forgot {_count(len(talks))}")
    if call.json:
        call.envelope({"conversations": talks, "runs": runs})


@history.command("name")
def name(
    which: Annotated[str, WHICH],
    wanted: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    quiet: opt.QuietOption = False,
) -> None:
    """Give a conversation a name.

    Example: mmai history name last work, and then: mmai run --conversation work "and now?"
    """
    call = frame("history name", Output.TABLE, quiet=quiet)
    from mmai.cli.learned import books

    if not wanted.strip() or not wanted.isprintable():
        raise UsageError(f"`{wanted}` cannot be a name: it is one line of text", hint="mmai history name last NAME")
    with books(call) as kept:
        kept.history.name(_found(which, kept.history).id, wanted)
    call.note(f"named {wanted}")


@history.command("export")
def export(
    which: Annotated[str | None, WHICH] = None,
    form: Annotated[str, typer.Option("--output", "-o", metavar="md|json|jsonl", help="In which form.")] = "md",
    everything: Annotated[bool, typer.Option("--all", help="Every conversation.", show_default=False)] = False,
) -> None:
    """Write out a conversation, for people or programs.

    As Markdown, or as messages with role and content.

    Example: mmai history export last -o json
    """
    call = frame("history export", Output.TABLE)
    from mmai.cli.learned import books
    from mmai.render.envelope import json_lines
    from mmai.render.history import export_data, markdown

    if form not in ("md", "json", "jsonl"):
        raise UsageError(f"`-o {form}` is none of md, json and jsonl", hint="mmai history export -o md")
    with books(call) as kept:
        names = [each.id for each in kept.history.conversations(-1)] if everything else [which]
        found = (_found(name, kept.history) for name in names)
        if form == "json" and everything:
            call.write(json_lines([[export_data(each) for each in found]]))
            return
        for number, each in enumerate(found):
            if form == "md":
                call.write((("\n---\n\n" if number else "") + markdown(each)).encode("utf-8", "replace"))
            else:
                call.write(json_lines([export_data(each)]))


def _demand(which: str | None, call: Frame) -> "Conversation":
    from mmai.cli.learned import books

    with books(call) as kept:
        return _found(which, kept.history)


def _found(which: str | None, kept: "History") -> "Conversation":
    found = kept.conversation(None if which in (None, "last") else which)
    if found is None:
        what = "no conversation yet" if which in (None, "last") else f"no conversation `{which}`"
        raise UsageError(f"there is {what}", hint="mmai history")
    return found


def _age_s(text: str) -> float:
    from mmai.settings.durations import duration_s

    try:
        return duration_s(text)
    except ValueError:
        raise UsageError(f"`--older-than {text}` is no age such as 30d, 12h or 90m", hint="mmai history rm --help") from None


def _count(count: int) -> str:
    return "1 conversation" if count == 1 else f"{count} conversations"

"""`mmai chat`: one question after another."""

from typing import Annotated

import typer

from mmai.cli import options as opt
from mmai.cli.frame import frame
from mmai.values.output import AnswerOutput


def chat(
    model: opt.ModelOption = None,
    system: opt.SystemOption = None,
    file: opt.FileOption = None,
    go_on: opt.ContinueOption = False,
    conversation: opt.ConversationOption = None,
    summarise: opt.SummariseOption = False,
    temperature: opt.TemperatureOption = None,
    max_tokens: opt.MaxTokensOption = None,
    option: opt.PairOption = None,
    fallback: opt.FallbackOption = None,
    provider: opt.ProviderOption = None,
    local_only: opt.LocalOnlyOption = False,
    max_cost: opt.MaxCostOption = None,
    policy: opt.PolicyOption = None,
    timeout: opt.TimeoutOption = None,
    raw: Annotated[bool, typer.Option("--raw", help="Do not render Markdown on a terminal.", show_default=False)] = False,
    no_log: Annotated[bool, typer.Option("--no-log", help="Leave no trace in the history.", show_default=False)] = False,
    quiet: opt.QuietOption = False,
    verbose: opt.VerboseOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Ask one question after another.

    Every answer knows what was said before. Enter sends; Alt-Enter, or a line that ends with a backslash, goes on in the next line, and so does everything between two
    lines of three double quotes. Ctrl-C stops an answer and keeps it, Ctrl-D leaves. /help lists what begins with a slash. From
    a pipe every line is a question. `mmai run -c` and `mmai chat -c` go on with it later.

    \b
    Examples:
      mmai chat
      mmai chat -m ollama:qwen3:8b -s "Answer in French."
      mmai chat --conversation work
    """
    call = frame("chat", AnswerOutput.TEXT, quiet=quiet, no_color=no_color)
    from mmai.cli.attachments import read_attachment
    from mmai.cli.chat_loop import converse
    from mmai.cli.chat_session import ChatSession
    from mmai.cli.shown import View
    from mmai.cli.talking import Said, demand_name
    from mmai.cli.wishes import limits, tuning, wish
    from mmai.errors import UsageError
    from mmai.values.request import Message, Request, TextPart

    settings = call.settings
    if go_on and conversation is not None:
        raise UsageError("`-c` goes on with the latest conversation, and `--conversation` with another", hint="mmai history")
    wished = wish(
        settings.selection,
        limits(settings.selection.constraints, provider=provider, local_only=local_only, max_cost=max_cost),
        model=model or settings.run.model,
        fallbacks=fallback or (),
        policy=policy,
    )
    usual = wish(settings.selection, limits(settings.selection.constraints))
    options = tuning(temperature=temperature, max_tokens=max_tokens, stop=(), seed=None, executor=None, pairs=option or ())
    session = ChatSession(
        template=Request(messages=(Message("system", (TextPart(system),)),) if system else (), options=options),
        wish=wished,
        said=Said(name=demand_name(conversation), summarise=summarise) if go_on or conversation is not None else None,
        summarise=summarise,
        keeps_model=wished == usual,
        attached=[read_attachment(path) for path in file or ()],
        view=View(raw=raw, verbose=verbose, usage=verbose),
        timeout_s=settings.run.timeout_s if timeout is None else timeout,
        log=settings.run.log and not no_log,
    )
    code = call.run(converse(session, call))
    raise typer.Exit(code)

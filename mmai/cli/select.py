"""`mmai select`: which model would take a prompt, and why."""

from typing import Annotated

import typer

from mmai.cli import options as opt
from mmai.cli.frame import frame
from mmai.errors import UsageError
from mmai.values.output import Output


def select(
    prompt: opt.PromptArgument = None,
    system: opt.SystemOption = None,
    file: opt.FileOption = None,
    task: opt.TaskOption = None,
    schema: opt.SchemaOption = None,
    max_tokens: opt.MaxTokensOption = None,
    provider: opt.ProviderOption = None,
    local_only: opt.LocalOnlyOption = False,
    exclude: opt.ExcludeOption = None,
    require: opt.RequireOption = None,
    max_cost: opt.MaxCostOption = None,
    max_latency: opt.MaxLatencyOption = None,
    min_reliability: opt.MinReliabilityOption = None,
    policy: opt.PolicyOption = None,
    weights: opt.WeightsOption = None,
    explore: opt.ExploreOption = False,
    explain: opt.ExplainOption = False,
    reset_learning: Annotated[
        bool,
        typer.Option("--reset-learning", help="Forget what ratings and runs have taught; choose nothing.", show_default=False),
    ] = False,
    no_stdin: opt.NoStdinOption = False,
    stdin_timeout: opt.StdinTimeoutOption = None,
    output: opt.OutputOption = Output.TABLE,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Show which model would take a prompt, and why.

    On a terminal: how the prompt is read, and the models, best first. In a pipe: the choice alone, as `provider:name`, or as
    the name its provider knows it by when --provider says which one that is.

    \b
    Examples:
      mmai select "prove that the square root of 2 is irrational" --explain
      ollama run "$(mmai select --provider ollama "write a haiku")"
    """
    call = frame("select", output, json=json, quiet=quiet, no_color=no_color)
    if reset_learning:
        from mmai.cli.learned import reset_learning as reset

        if prompt:
            raise UsageError("`--reset-learning` takes no prompt", hint="mmai select --reset-learning")
        reset(call)
        return
    from mmai.cli.prompt import gather
    from mmai.cli.wishes import limits, read_shape, wish
    from mmai.cli.world import world
    from mmai.render.selection import explanation_table, selection_data, selection_table
    from mmai.values.decision import Decision
    from mmai.values.request import Options, Request

    wait_s = call.settings.run.stdin_timeout_s if stdin_timeout is None else stdin_timeout
    messages = gather(prompt or (), system=system, files=file or (), no_stdin=no_stdin, stdin_timeout_s=wait_s, call=call)
    request = Request(messages=messages, options=Options(max_tokens=max_tokens), schema=read_shape(schema), task=task)
    wished = wish(
        call.settings.selection,
        limits(
            call.settings.selection.constraints,
            provider=provider,
            local_only=local_only,
            exclude=exclude or (),
            require=require or (),
            max_cost=max_cost,
            max_latency=max_latency,
            min_reliability=min_reliability,
        ),
        task=task,
        policy=policy,
        weights=weights,
        explore=explore,
    )

    async def look() -> Decision:
        async with world(call) as here:
            return await here.chooser.decide(request, wished, explained=explain or call.json)

    decision = call.run(look())
    assert decision.choice is not None, "`decide` raises where there is none"
    if output is Output.TABLE and not json and not explain and not call.out.is_tty:
        ref = decision.choice.card.ref
        call.out.write(f"{ref.name if provider else ref}\n")
        return
    data = selection_data(decision)
    call.emit(data, lambda: explanation_table(decision) if explain else selection_table(decision), rows=data["candidates"])

"""`mmai run`: ask, and print the answer as it comes."""

from typing import Annotated

import typer

from mmai.cli import options as opt
from mmai.cli.frame import frame
from mmai.values.output import AnswerOutput


def run(
    prompt: opt.PromptArgument = None,
    model: opt.ModelOption = None,
    system: opt.SystemOption = None,
    file: opt.FileOption = None,
    input: opt.InputOption = None,
    task: opt.TaskOption = None,
    temperature: opt.TemperatureOption = None,
    max_tokens: opt.MaxTokensOption = None,
    stop: opt.StopOption = None,
    seed: opt.SeedOption = None,
    option: opt.PairOption = None,
    executor: opt.ExecutorOption = None,
    schema: opt.SchemaOption = None,
    extract: Annotated[
        bool, typer.Option("--extract", "-x", help="Print only the first code block of the answer.", show_default=False)
    ] = False,
    go_on: opt.ContinueOption = False,
    conversation: opt.ConversationOption = None,
    summarise: opt.SummariseOption = False,
    fallback: opt.FallbackOption = None,
    restart_on_cut: opt.RestartOption = False,
    provider: opt.ProviderOption = None,
    local_only: opt.LocalOnlyOption = False,
    exclude: opt.ExcludeOption = None,
    require: opt.RequireOption = None,
    max_cost: opt.MaxCostOption = None,
    max_latency: opt.MaxLatencyOption = None,
    min_reliability: opt.MinReliabilityOption = None,
    infer_constraints: opt.InferConstraintsOption = False,
    policy: opt.PolicyOption = None,
    weights: opt.WeightsOption = None,
    explore: opt.ExploreOption = False,
    timeout: opt.TimeoutOption = None,
    out: opt.OutOption = None,
    no_stream: Annotated[
        bool, typer.Option("--no-stream", help="Print the answer when it is whole.", show_default=False)
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Do not render Markdown on a terminal.", show_default=False)] = False,
    usage: Annotated[
        bool, typer.Option("--usage", "-u", help="Say tokens, cost and speed afterwards.", show_default=False)
    ] = False,
    explain: opt.ExplainOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.", show_default=False)
    ] = False,
    count_tokens: Annotated[
        bool,
        typer.Option(
            "--count-tokens",
            help="Say how many tokens the prompt has and what it would cost; ask nothing.",
            show_default=False,
        ),
    ] = False,
    no_stdin: opt.NoStdinOption = False,
    stdin_timeout: opt.StdinTimeoutOption = None,
    batch: Annotated[
        str | None,
        typer.Option(
            "--batch",
            metavar="FILE",
            help="Ask every line of a file: JSON lines with a `prompt`, CSV, or text; or of `-`. A prompt may name fields: {city}.",
        ),
    ] = None,
    parallel: Annotated[
        str,
        typer.Option("--parallel", "-j", metavar="N|auto", help="Rows of a batch to ask at a time.", show_default=False),
    ] = "auto",
    ordered: Annotated[
        bool, typer.Option("--ordered", help="Answers of a batch in the order of its rows.", show_default=False)
    ] = False,
    via_provider_batch: Annotated[
        bool,
        typer.Option(
            "--via-provider-batch",
            help="Hand the batch to the provider's own service: within a day, and at half the price.",
            show_default=False,
        ),
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option("--resume", metavar="ID", help="Go on with a batch that was submitted, and collect its answers."),
    ] = None,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="With --resume: ask for no more, and collect what is there.", show_default=False)
    ] = False,
    no_log: Annotated[
        bool, typer.Option("--no-log", help="Leave no trace in the history; a budget does not count it.", show_default=False)
    ] = False,
    output: opt.AnswerOption = AnswerOutput.TEXT,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    verbose: opt.VerboseOption = False,
    no_color: opt.NoColorOption = False,
) -> None:
    """Run a prompt on the model you name, or on the best one for it.

    Standard input comes first, then files, then the prompt. The answer goes to standard output, everything else to standard
    error.

    `--batch` writes one JSON object for each row of its file as it is answered: `id`, `index`, `text`, `usage`, `cost_usd`,
    `error` and your own fields. With --out FILE the same command goes on where it was stopped, and asks rows again that
    failed; what was under way at a kill is asked again too. --max-cost is for all rows together. It ends with the exit code of
    the first row that failed.

    \b
    Examples:
      mmai run "why is the sky blue?"
      git diff | mmai run "write a commit message" -m ollama:qwen3:8b
      mmai run -c "and in one sentence?"
      mmai run "summarise in two sentences" -f report.md --local-only
      mmai run "a lighthouse at dusk" --out lighthouse.png
      mmai run -m coreml:FastViTT8F16 -f cat.png -f dog.png
      mmai run -m coreml:Denoiser --input noisy=a.npy --out clean.npz
      mmai run "Name the river of {city}" --batch cities.csv --out rivers.jsonl -j 8
      mmai run -m openai:gpt-5.6-luna --batch prompts.jsonl --via-provider-batch
    """
    call = frame("run", output, json=json, quiet=quiet, no_color=no_color)
    from msgspec.structs import replace

    from mmai.cli.asking import Asking, ask, preview
    from mmai.cli.prompt import gather
    from mmai.cli.refusals import demand_model
    from mmai.cli.saving import STDOUT, Saving
    from mmai.cli.shown import View
    from mmai.cli.wishes import limits, read_shape, tuning, wish, with_words
    from mmai.errors import UsageError
    from mmai.selection.analyze import last_user_text
    from mmai.values.request import Request

    settings = call.settings
    saving = None if out in (None, STDOUT) else Saving(out)
    if saving and not dry_run:
        saving.check()
    if out == STDOUT and call.output != "text":
        raise UsageError(f"`--out -` and `-o {call.output}` both want standard output", hint="mmai run --out FILE --json")
    # A file name says what somebody wants as clearly as a task does.
    task = task or (saving.task if saving else None)
    template = Request(
        messages=(),
        options=tuning(
            temperature=temperature,
            max_tokens=max_tokens,
            stop=stop or (),
            seed=seed,
            executor=executor,
            pairs=option or (),
        ),
        schema=read_shape(schema),
        media_type=saving.media_type if saving else None,
        task=task,
    )
    wished = wish(
        settings.selection,
        limits(
            settings.selection.constraints,
            provider=provider,
            local_only=local_only,
            exclude=exclude or (),
            require=require or (),
            max_cost=max_cost,
            max_latency=max_latency,
            min_reliability=min_reliability,
        ),
        model=model or settings.run.model,
        fallbacks=fallback or (),
        task=task,
        policy=policy,
        weights=weights,
        explore=explore,
    )
    log = settings.run.log and not no_log
    if batch is not None or via_provider_batch or resume is not None or cancel:
        from mmai.cli.batch import Job, demand_batch, read_parallel, run_batch

        single = {
            "`--continue`": go_on,
            "`--conversation`": conversation,
            "`--file`": file,
            "`--input`": input,
            "`--fallback`": fallback,
            "`--extract`": extract,
            "`--explain`": explain,
            "`--count-tokens`": count_tokens,
        }
        demand_batch(
            batch, resume, via_provider=via_provider_batch, cancel=cancel, wish=wished, prompt=prompt or (), single=single
        )
        job = Job(
            file=batch,
            resume=resume,
            cancel=cancel,
            out=saving,
            template=template,
            system=system,
            wish=wished,
            max_cost_usd=max_cost,
            timeout_s=timeout,
            log=log,
            dry_run=dry_run,
            prompt=" ".join(prompt or ()),
            parallel=read_parallel(parallel),
            ordered=ordered,
            restart_on_cut=restart_on_cut,
        )
        if via_provider_batch or resume is not None:
            call.run(run_batch(job, call))
            return
        from mmai.cli.many import run_many

        call.run(run_many(replace(job, timeout_s=settings.run.timeout_s if timeout is None else timeout), call))
        return
    demand_model(wished, input or ())
    messages = gather(
        prompt or (),
        system=system,
        files=file or (),
        inputs=input or (),
        no_stdin=no_stdin,
        stdin_timeout_s=settings.run.stdin_timeout_s if stdin_timeout is None else stdin_timeout,
        call=call,
        task=task,
    )
    request = replace(template, messages=messages)
    said = None
    if go_on or conversation is not None:
        from mmai.cli.talking import Said, demand_name

        if go_on and conversation is not None:
            raise UsageError(
                "`-c` goes on with the latest conversation, and `--conversation` with another", hint="mmai history"
            )
        said = Said(
            name=demand_name(conversation),
            summarise=summarise,
            keeps_model=wished == wish(settings.selection, limits(settings.selection.constraints), task=task),
        )
    asking = Asking(
        request=request,
        wish=with_words(wished, last_user_text(request)) if infer_constraints else wished,
        timeout_s=settings.run.timeout_s if timeout is None else timeout,
        log=log,
        restart_on_cut=restart_on_cut,
        conversation=said,
    )
    if count_tokens:
        from mmai.cli.counting import count

        call.run(count(asking, call))
    elif dry_run:
        call.run(preview(asking, call))
    else:
        view = View(
            stream=not no_stream and not (restart_on_cut and not call.out.is_tty),
            raw=raw,
            usage=usage or verbose,
            extract=extract,
            verbose=verbose,
            out=saving,
            to_stdout=out == STDOUT,
        )
        call.run(ask(asking, view, call, explain=explain))

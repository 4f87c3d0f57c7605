"""Options that several commands share, each written once."""

from pathlib import Path
from typing import Annotated

import typer

from mmai.cli import completion
from mmai.values.decision import PolicyName
from mmai.values.execution import ExecutorChoice
from mmai.values.output import AnswerOutput, Output
from mmai.values.task import TaskType

OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="Form of the output; table when not given.", show_default=False)
]
AnswerOption = Annotated[
    AnswerOutput, typer.Option("--output", "-o", help="Form of the answer; text when not given.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Same as -o json.", show_default=False)]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing on standard error but errors.", show_default=False)
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say on standard error what is done and how long it took.", show_default=False)
]
NoColorOption = Annotated[bool, typer.Option("--no-color", help="No colour, as NO_COLOR=1.", show_default=False)]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.", show_default=False)]

PromptArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PROMPT]", help="What to ask; `-` reads it from standard input.", show_default=False),
]
SystemOption = Annotated[
    str | None, typer.Option("--system", "-s", metavar="TEXT", help="Instructions that stand above the prompt.")
]
FileOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--file", "-f", "--attach", "-a", metavar="PATH", help="Add a file: text, image or audio, by its content. Repeatable."
    ),
]
InputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="NAME=FILE|JSON",
        help="An input of a model in a file: .npy, .npz, a picture, or JSON. Repeatable.",
    ),
]
ExecutorOption = Annotated[
    ExecutorChoice | None,
    typer.Option(
        "--executor",
        help="What runs a model in a file: Core ML on a Mac, or mmai's own in NumPy, slow, on any system.",
        show_default=False,
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Answer into this file; its suffix chooses the form: cat.png, talk.mp3, x.npz. `-` is standard output.",
    ),
]
NoStdinOption = Annotated[bool, typer.Option("--no-stdin", "-I", help="Ignore standard input.", show_default=False)]
StdinTimeoutOption = Annotated[
    float | None,
    typer.Option("--stdin-timeout", metavar="S", min=0, help="Give up on a silent standard input after S seconds."),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="REF|auto",
        help="Model to call, `provider:name`; auto chooses one.",
        autocompletion=completion.models_or_auto,
    ),
]
TaskOption = Annotated[
    TaskType | None, typer.Option("--task", metavar="TASK", help="Kind of work, instead of reading it from the prompt.")
]
ProviderOption = Annotated[
    str | None,
    typer.Option("--provider", metavar="NAME", help="Only models of this provider.", autocompletion=completion.providers),
]
LocalOnlyOption = Annotated[
    bool, typer.Option("--local-only", help="Only models that run on this machine.", show_default=False)
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="REF",
        help="Not this model or provider; * matches anything. Repeatable.",
        autocompletion=completion.models_or_providers,
    ),
]
RequireOption = Annotated[
    list[str] | None,
    typer.Option(
        "--require",
        metavar="CAP",
        help="Only models with this capability, such as vision or tools. Repeatable.",
        autocompletion=completion.capabilities,
    ),
]
MaxCostOption = Annotated[
    float | None, typer.Option("--max-cost", metavar="USD", min=0, help="Most that one request may cost.")
]
MaxLatencyOption = Annotated[
    float | None, typer.Option("--max-latency", metavar="S", min=0, help="Only models expected to answer within S seconds.")
]
MinReliabilityOption = Annotated[
    float | None,
    typer.Option("--min-reliability", metavar="SHARE", min=0, max=1, help="Only models of which this share of calls succeed."),
]
InferConstraintsOption = Annotated[
    bool,
    typer.Option(
        "--infer-constraints",
        help='Read limits from the prompt, too: "answer quickly", "spend at most 1 cent", "keep it local".',
        show_default=False,
    ),
]
WhyNotOption = Annotated[
    str | None, typer.Option("--why-not", metavar="REF", help="Say why this model is not the choice, and what would make it.")
]
ParetoOption = Annotated[
    bool,
    typer.Option(
        "--pareto", help="Draw expected cost against expected quality: which models are worth it.", show_default=False
    ),
]
SelectBatchOption = Annotated[
    str | None,
    typer.Option("--batch", metavar="FILE", help='Choose for each line of a file, {"prompt": "…"}; `-` is standard input.'),
]
PolicyOption = Annotated[
    PolicyName | None,
    typer.Option("--policy", help="What counts in an automatic choice; local and private also limit where models run."),
]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="TERM=W,…",
        help="What performance, cost, reliability and capability count for; a term that is not named counts nothing.",
    ),
]
ExploreOption = Annotated[
    bool,
    typer.Option("--explore", help="Perhaps take another model than the best, to learn how good it is.", show_default=False),
]
TemperatureOption = Annotated[
    float | None, typer.Option("--temperature", "-t", metavar="T", min=0, help="Randomness; 0 is the most repeatable.")
]
MaxTokensOption = Annotated[int | None, typer.Option("--max-tokens", min=1, metavar="N", help="Longest answer, in tokens.")]
StopOption = Annotated[
    list[str] | None, typer.Option("--stop", metavar="TEXT", help="End the answer before this text. Repeatable.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", metavar="N", help="Same seed, same answer, where the provider can.")]
PairOption = Annotated[
    list[str] | None,
    typer.Option("--option", "-O", metavar="KEY=VALUE", help="The provider's own option, such as num_ctx=8192. Repeatable."),
]
SchemaOption = Annotated[
    str | None, typer.Option("--schema", metavar="FILE|DSL", help="JSON the answer must be: a JSON schema, or 'name, age int'.")
]
FallbackOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fallback",
        metavar="REF",
        help="Model to call if the one before it fails. Repeatable.",
        autocompletion=completion.models,
    ),
]
ContinueOption = Annotated[
    bool,
    typer.Option(
        "--continue", "-c", help="Go on with the latest conversation: the last run and what was before it.", show_default=False
    ),
]
ConversationOption = Annotated[
    str | None,
    typer.Option("--conversation", metavar="NAME|ID", help="Go on with this conversation, or begin one under this name."),
]
SummariseOption = Annotated[
    bool,
    typer.Option(
        "--summarise", help="Turns that do not fit the model's window are summarised by it, not left out.", show_default=False
    ),
]
RestartOption = Annotated[
    bool,
    typer.Option(
        "--restart-on-cut",
        help="Where an answer is cut after it began, begin it anew with another model; a pipe gets only what is whole.",
        show_default=False,
    ),
]
TimeoutOption = Annotated[
    float | None, typer.Option("--timeout", metavar="S", min=0, help="Give up on the whole request after S seconds.")
]
ExplainOption = Annotated[bool, typer.Option("--explain", help="Say why each model was or was not chosen.", show_default=False)]

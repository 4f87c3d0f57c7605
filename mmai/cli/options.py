"""Options that several commands share, each written once."""

from typing import Annotated

import typer

from mmai.values.output import AnswerOutput, Output

OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Form of the output.", show_default="table")]
AnswerOption = Annotated[AnswerOutput, typer.Option("--output", "-o", help="Form of the answer.", show_default="text")]
JsonOption = Annotated[bool, typer.Option("--json", help="Same as -o json.", show_default=False)]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on standard error but errors.", show_default=False)]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say on standard error what is done and how long it took.", show_default=False)
]
NoColorOption = Annotated[bool, typer.Option("--no-color", help="No colour, as NO_COLOR=1.", show_default=False)]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.", show_default=False)]

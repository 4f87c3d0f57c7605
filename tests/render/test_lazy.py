"""What a piped run must not pay for."""

import subprocess
import sys

SCRIPT = """
import io, sys
from mmai.clock import Clock
from mmai.errors import UsageError
from mmai.render.answer import open_answer
from mmai.render.envelope import envelope
from mmai.render.notes import ReasoningWriter, error_lines
from mmai.render.progress import open_progress
from mmai.render.run import run_data
from mmai.render.spinner import Spinner
from mmai.render.show import show
from mmai.render.table import Column, Table
from mmai.render.terminal import terminal
from mmai.values.output import Output
pipe = terminal(io.TextIOWrapper(io.BytesIO()), env={}, no_color=False)
with Spinner(pipe, "x", clock=Clock()), open_answer(pipe, raw=False, clock=Clock()) as answer:
    answer.write("hi")
with open_progress(pipe, clock=Clock()):
    pass
show(Table(columns=(Column("a"),), rows=()), Output.CSV, pipe)
envelope("run", None, error=UsageError(error_lines(UsageError("x"), pipe)))
print(*sorted({"rich", "tabulate", "markdown_it", "pygments", "asyncio", "subprocess"} & set(sys.modules)))
"""


def test_a_piped_run_imports_neither_rich_nor_tabulate() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []

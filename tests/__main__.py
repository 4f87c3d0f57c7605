"""`python -m tests` runs every check there is: style, types, floors, tests. It stops at the first that fails."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

CHECKS = (
    [BIN / "ruff", "check", "."],
    [BIN / "ruff", "format", "--check", "."],
    [BIN / "mypy"],
    [BIN / "lint-imports"],
    [sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal"],
)

for check in CHECKS:
    command = [str(word) for word in check]
    print("$", Path(command[0]).name, *command[1:], flush=True)
    if code := subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONWARNINGS": ""}).returncode:
        sys.exit(code)

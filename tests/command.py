"""The real command, on an empty home, with nothing of this machine's settings in its environment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

COMMAND = [str(Path(sys.executable).with_name("mmai"))]
PATIENCE_S = 30
"""Nothing here takes a second; a hang ends the test instead of the suite."""


class Result(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


class Mmai:
    """`mmai("run", "hi", stdin=b"...")` runs it to the end; `.start(...)` leaves it running."""

    def __init__(self, home: Path, nowhere: str) -> None:
        self.command = COMMAND
        self.home = home
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "MMAI_HOME": str(home / "mmai"),
            "OLLAMA_HOST": nowhere,
            "LANG": "C.UTF-8",
            "COLUMNS": "80",
        }
        self.cwd = home

    def __call__(self, *args: str, stdin: bytes | None = None, env: dict[str, str] | None = None) -> Result:
        done = subprocess.run(
            [*self.command, *args],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env={**self.env, **(env or {})},
            cwd=self.cwd,
            timeout=PATIENCE_S,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *args: str, stdin: int = subprocess.DEVNULL, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self.command, *args],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.env, **(env or {})},
            cwd=self.cwd,
        )

    def configure(self, yaml: str) -> None:
        config = self.home / "mmai" / "config.yaml"
        config.parent.mkdir(exist_ok=True)
        config.write_text(yaml)

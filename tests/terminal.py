"""A terminal for a process that looks for one."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# In a process of its own: a fork of this one, which has threads, is warned of since CPython 3.12.
_SPAWN = "import pty, sys; pty.spawn(sys.argv[1:])"


def on_a_terminal(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout_s: float, keys: str = "") -> str:
    """All that the screen was sent while `command` ran there and `keys` were typed."""
    done = subprocess.run(
        [sys.executable, "-c", _SPAWN, *command],
        input=keys.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        timeout=timeout_s,
    )
    return done.stdout.decode(errors="replace").replace("\r\n", "\n")

"""Whole-process start-up, as ratios to bare python (and to `llm` where it is installed), and what a run adds to `--version`.

    python tests/benchmarks/startup.py [RUNS]

Needs mmai installed from a wheel, bytecode compiled; an editable install measures slower.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from voices import VOICES, Fake, Voice

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 15
MMAI = str(Path(sys.executable).with_name("mmai"))


def registry_of(models: int, home: Path, url: str) -> None:
    """A registry that was discovered a moment ago."""
    from mmai.registry.store import Store
    from mmai.values.health import Health, ProviderStatus
    from mmai.values.model import FREE, ModelCard
    from mmai.values.registry import Registry

    cards = {
        f"ollama:m{i}:7b": ModelCard(
            provider="ollama",
            name=f"m{i}:7b",
            endpoints=(url,),
            locality="local",
            capabilities=("text_generation", "tools", "json_schema"),
            context_tokens=32768,
            size_bytes=4_700_000_000 + i,
            parameter_count=7_000_000_000,
            quantization="Q4_K_M",
            family="llama",
            digest=f"{i:064x}",
            price=FREE,
        )
        for i in range(models)
    }
    rows = [
        ProviderStatus(provider="builtin", endpoint=None, health=Health(state="healthy"), models=4),
        ProviderStatus(provider="ollama", endpoint=url, health=Health(state="healthy"), models=models),
    ]
    full = Registry(models=cards, providers={row.key: row for row in rows}, discovered_at=time.time())
    Store(home / "registry.json", warn=print).update(lambda _: full)


Command = tuple[list[str], dict[str, str]]
"""What is run, and what its environment has beside the usual."""


def median_ms(commands: dict[str, Command], env: dict[str, str]) -> dict[str, float]:
    """Medians of interleaved runs, so that a drift of the machine touches all alike."""
    seen: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(RUNS + 1):
        for name, (command, more) in commands.items():
            start = time.perf_counter()
            subprocess.run(command, env=env | more, stdin=subprocess.DEVNULL, capture_output=True, check=True)
            if run:
                seen[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(times) for name, times in seen.items()}


def run_of(voice: Voice, server: Fake, home: Path) -> Command:
    """A run of one of its models, in a home of its own where it needs settings."""
    server.streams("Hello", ", world")
    more = voice.at(server)
    if not voice.address:
        home.mkdir()
        (home / "config.yaml").write_text(voice.settings(server))
        more["MMAI_HOME"] = str(home)
    return [MMAI, "run", "-m", voice.ref, "hi"], more


with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
    home = Path(folder)
    env = {"PATH": os.environ["PATH"], "HOME": folder, "MMAI_HOME": str(home / "small")}
    servers = {name: voice.fake() for name, voice in VOICES.items()}
    for server in servers.values():
        stack.enter_context(server)
    large = {"MMAI_HOME": str(home / "large"), "OLLAMA_HOST": servers["ollama"].url}
    registry_of(2000, home / "large", servers["ollama"].url)
    commands: dict[str, Command] = {
        "python -c pass": ([sys.executable, "-c", "pass"], {}),
        "mmai --version": ([MMAI, "--version"], {}),
        "mmai --help": ([MMAI, "--help"], {}),
        **{f"mmai run, {name}": run_of(VOICES[name], server, home / name) for name, server in servers.items()},
        "mmai select hi (2,000 models)": ([MMAI, "select", "hi"], large),
    }
    if llm := shutil.which("llm"):
        commands["llm --help"] = [llm, "--help"], {}
    medians = median_ms(commands, env)

floor, version = medians["python -c pass"], medians["mmai --version"]
for name, ms in medians.items():
    print(f"{name:32} {ms:7.1f} ms {ms / floor:6.1f} x bare python {ms - version:+7.1f} ms over --version")
print(json.dumps({name: round(ms / floor, 2) for name, ms in medians.items()}))

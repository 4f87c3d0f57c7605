"""Whole-process start-up, as ratios to bare python (and to `llm` where it is installed).

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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes.ollama import FakeOllama  # noqa: E402

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


def median_ms(commands: dict[str, list[str]], env: dict[str, str]) -> dict[str, float]:
    """Medians of interleaved runs, so that a drift of the machine touches all alike."""
    seen: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(RUNS + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
            if run:
                seen[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(times) for name, times in seen.items()}


with tempfile.TemporaryDirectory() as folder, FakeOllama() as ollama:
    home = Path(folder)
    ollama.add("x:latest")
    ollama.streams("Hello", ", world")
    registry_of(2000, home / "large", ollama.url)
    env = {"PATH": os.environ["PATH"], "HOME": folder, "MMAI_HOME": str(home / "small"), "OLLAMA_HOST": ollama.url}
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "mmai --version": [MMAI, "--version"],
        "mmai --help": [MMAI, "--help"],
        "mmai run -m ollama:x hi": [MMAI, "run", "-m", "ollama:x", "hi"],
        "mmai select hi (2,000 models)": ["env", f"MMAI_HOME={home / 'large'}", MMAI, "select", "hi"],
    }
    if llm := shutil.which("llm"):
        commands["llm --help"] = [llm, "--help"]
    medians = median_ms(commands, env)

floor = medians["python -c pass"]
for name, ms in medians.items():
    print(f"{name:32} {ms:7.1f} ms {ms / floor:6.1f} x bare python")
print(json.dumps({name: round(ms / floor, 2) for name, ms in medians.items()}))

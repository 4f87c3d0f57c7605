"""What looking at Core ML models costs: whole processes beside `mmai --version`, and the reading alone.

    python tests/benchmarks/coreml_discovery.py [RUNS]

Needs mmai installed from a wheel, bytecode compiled; an editable install measures slower. Builds a model of 50 MB with coremltools.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 15
MMAI = str(Path(sys.executable).with_name("mmai"))


def large_models(folder: Path) -> None:
    """A program with its weights beside it, and a network with its weights in it, 50 MB each."""
    import numpy as np

    sys.path.insert(0, str(Path(__file__).parents[1]))
    from packages.reference import program
    from packages.toolkit import built, mb

    weight = np.random.default_rng(0).standard_normal((3536, 3536)).astype(np.float32)

    @program(mb.TensorSpec(shape=(1, 3536)))
    def model(x: Any) -> Any:
        return mb.linear(x=x, weight=weight, name="y")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        built(model, folder / "Program.mlpackage")
        older: dict[str, Any] = {"minimum_deployment_target": None, "compute_precision": None}
        built(model, folder / "Network.mlmodel", convert_to="neuralnetwork", **older)


def once(*args: str, env: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([MMAI, *args], env=env, capture_output=True, check=True)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Print the medians."""
    with tempfile.TemporaryDirectory() as home:
        models = Path(home, "models")
        models.mkdir()
        large_models(models)
        env = {"MMAI_HOME": home, "PATH": os.environ["PATH"], "HOME": home, "OLLAMA_HOST": "127.0.0.1:9"}
        commands = {
            "--version": ("--version",),
            "discover coreml": ("discover", "coreml", "--json"),
            "models show": ("models", "show", "coreml:Program", "--json"),
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(RUNS):
            for name, command in commands.items():
                times[name].append(once(*command, env=env))
        floor = statistics.median(times["--version"])
        for name, taken in times.items():
            median = statistics.median(taken)
            print(f"{name:20} {median:6.1f} ms  {median / floor:4.1f} x  {median - floor:+6.1f} ms")
        for path in sorted(models.iterdir()):
            print(f"{path.name:20} {reading(path):6.2f} ms to read")


def reading(path: Path) -> float:
    from mmai.backends.coreml.files import read_package

    def take() -> float:
        started = time.perf_counter()
        read_package(path)
        return (time.perf_counter() - started) * 1000

    return statistics.median(take() for _ in range(RUNS))


if __name__ == "__main__":
    main()

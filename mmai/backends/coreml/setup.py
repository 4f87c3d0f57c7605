"""The settings of Core ML, as the adapter uses them."""

from pathlib import Path
from typing import Any

from msgspec import Struct

from mmai.values.execution import ExecutorChoice

UNITS = ("all", "neural_engine", "cpu_and_gpu", "cpu_only")
"""What Core ML may compute on, from the most to the least that can go wrong."""


class Setup(Struct, frozen=True, kw_only=True):
    """Where models are, and how they are run."""

    directories: tuple[Path, ...] = ()
    """Absolute; looked through with all their folders."""
    named: bool = False
    """The settings name them; otherwise it is mmai's own place, which need not be there."""
    files: dict[str, Path] = {}
    """Models that the settings name one by one, by their name."""
    cache_dir: Path
    """Compiled models, and what is known of those that bring a process down."""
    executor: ExecutorChoice = "auto"
    compute_units: str = "all"
    load_timeout_s: float = 600.0
    """The first load of a model on a Neural Engine takes minutes, since it is specialised for the device."""
    predict_timeout_s: float = 60.0
    cache_limit_bytes: int = 10_000_000_000
    """Compiled models that take more than this together are deleted, the least recently used first."""

    @classmethod
    def of(cls, options: dict[str, Any]) -> "Setup":
        """From `Endpoint.options`."""
        timeouts = {
            name: options[f"{name[:-2]}_ms"] / 1000
            for name in ("load_timeout_s", "predict_timeout_s")
            if options.get(f"{name[:-2]}_ms") is not None
        }
        return cls(
            directories=tuple(map(Path, options["directories"])),
            named=options["named"],
            files={name: Path(file["path"]) for name, file in options.get("files", {}).items()},
            cache_dir=Path(options["cache_dir"]),
            executor=options.get("executor", "auto"),
            compute_units=options.get("compute_units", "all"),
            **timeouts,
        )

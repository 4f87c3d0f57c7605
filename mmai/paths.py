"""Where state lives. Nothing here creates a folder or reads a file."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from msgspec import Struct

PROJECT_FILE = "mmai.yaml"


def meant(written: str | Path, *, folder: Path) -> Path:
    """The absolute path that somebody wrote: from home with `~`, or from `folder`. A user nobody knows is a file's name."""
    try:
        path = Path(written).expanduser()
    except RuntimeError:
        path = Path(written)
    return (folder / path).absolute()


class Paths(Struct, frozen=True):
    """The three folders of one user."""

    config_dir: Path
    data_dir: Path
    cache_dir: Path

    @classmethod
    def find(cls, env: Mapping[str, str]) -> Self:
        """`MMAI_HOME` holds everything when it is set; otherwise each platform's own places.

        On macOS `$XDG_CONFIG_HOME`, or a `~/.config` that exists, wins over `~/Library`, since that is where people who
        live in a terminal keep their settings.
        """
        if home := env.get("MMAI_HOME"):
            root = Path(home).expanduser()
            return cls(root, root, root / "cache")
        from platformdirs import PlatformDirs

        dirs = PlatformDirs("mmai", appauthor=False)
        config = dirs.user_config_path
        if sys.platform == "darwin":
            dot_config = Path(env.get("XDG_CONFIG_HOME") or Path.home() / ".config")
            config = dot_config / "mmai" if env.get("XDG_CONFIG_HOME") or dot_config.is_dir() else config
        return cls(config, dirs.user_data_path, dirs.user_cache_path)

    @property
    def config(self) -> Path:
        """Settings, which people write."""
        return self.config_dir / "config.yaml"

    @property
    def keys(self) -> Path:
        """Stored keys, mode 0600."""
        return self.config_dir / "keys.json"

    @property
    def registry(self) -> Path:
        """Cards, profiles, health and slots, which only mmai writes."""
        return self.config_dir / "registry.json"

    @property
    def history(self) -> Path:
        """SQLite database of runs."""
        return self.data_dir / "history.db"

    @property
    def models(self) -> Path:
        """Models in files, where the settings name no folder of their own."""
        return self.data_dir / "models"

    @property
    def batches(self) -> Path:
        """A folder with a record of every batch that was handed to a provider."""
        return self.data_dir / "batches"

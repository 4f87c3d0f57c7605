"""What is built, installed where nothing of the checkout is in reach."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import NamedTuple

import pytest
from command import PATIENCE_S

import mmai

ROOT = Path(__file__).parents[1]
SHARED = (
    "share/bash-completion/completions/mmai",
    "share/zsh/site-functions/_mmai",
    "share/fish/vendor_completions.d/mmai.fish",
)


class Installed(NamedTuple):
    """A virtual environment with the wheel, and with the libraries of the one the tests run in."""

    prefix: Path
    elsewhere: Path
    """An empty folder to stand in, and a home."""

    def __call__(self, command: str, *args: str) -> str:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.elsewhere),
            "MMAI_HOME": str(self.elsewhere),
            "OLLAMA_HOST": "127.0.0.1:1",
            "LANG": "C.UTF-8",
        }
        return subprocess.run(
            [self.prefix / "bin" / command, *args],
            env=env,
            cwd=self.elsewhere,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
        ).stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "hatchling", "build", "-d", str(folder))
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    prefix = tmp_path_factory.mktemp("venv")
    venv.create(prefix, symlinks=True)
    python = prefix / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "-q"]
    _run(*pip, "install", "--no-deps", "--no-index", *map(str, built.glob("*.whl")))
    site = Path(sysconfig.get_path("purelib", vars={"base": str(prefix), "platbase": str(prefix)}))
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return Installed(prefix, tmp_path_factory.mktemp("elsewhere"))


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S * 4)
    assert done.returncode == 0, done.stdout + done.stderr


def _metadata(wheel: zipfile.ZipFile) -> Message:
    return message_from_bytes(wheel.read(f"mmai-{mmai.__version__}.dist-info/METADATA"))


def test_the_command_runs_from_the_wheel(installed: Installed) -> None:
    assert installed("mmai", "--version") == f"mmai {mmai.__version__}\n"
    assert installed("python", "-m", "mmai", "--version") == f"mmai {mmai.__version__}\n"
    where = Path(installed("python", "-c", "import mmai; print(mmai.__file__)").strip())
    assert where.is_relative_to(installed.prefix)
    assert where.with_name("py.typed").exists()


def test_the_installed_command_summarises_without_network_or_key(installed: Installed) -> None:
    text = installed.elsewhere / "text.md"
    text.write_text("# Bees\n\nBees make honey. Bees live in hives. A hive has one queen, and all bees of the hive are hers.\n")
    answer = installed("mmai", "run", "summarise in one sentence", "-f", str(text))
    assert answer.strip() in text.read_text()
    assert answer.endswith(".\n")


def test_the_catalogue_of_hosted_models_is_in_the_wheel(installed: Installed) -> None:
    assert "openai:gpt-4-turbo,2026-10-23," in installed("mmai", "models", "--stale", "--provider", "openai", "-o", "csv")


@pytest.mark.parametrize("file", SHARED)
def test_completions_are_put_where_shells_look(installed: Installed, file: str) -> None:
    shell = {"bash-completion": "bash", "zsh": "zsh", "fish": "fish"}[file.split("/")[1]]
    assert (installed.prefix / file).read_text() == installed("mmai", "--show-completion", shell)


def test_every_module_and_nothing_else_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    files = [path for path in (ROOT / "mmai").rglob("*") if path.suffix in (".py", ".typed", ".yaml", ".json", ".bin", ".md")]
    models = [path for path in (ROOT / "mmai" / "data" / "coreml").rglob("*") if path.is_file()]
    source = {str(path.relative_to(ROOT)) for path in {*files, *models}}
    packed = {name for name in wheel.namelist() if not name.startswith(f"mmai-{mmai.__version__}.")}
    assert packed == source


def test_the_metadata_is_true(wheel: zipfile.ZipFile) -> None:
    metadata = _metadata(wheel)
    assert (metadata["Name"], metadata["Version"]) == ("mmai", mmai.__version__)
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_all("Provides-Extra") == ["all", "keyring"]
    assert metadata.get_all("Project-URL") is None
    assert str(metadata.get_payload()).startswith("# mmai\n")
    entry_points = wheel.read(f"mmai-{mmai.__version__}.dist-info/entry_points.txt").decode()
    assert entry_points.split() == ["[console_scripts]", "mmai", "=", "mmai.cli.bridge:main"]


def test_the_source_archive_can_be_tested_and_built(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "PKG-INFO", "mmai/py.typed"} <= names
    assert {"completions/mmai.bash", "completions/_mmai", "completions/mmai.fish"} <= names
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py")} <= names


def test_no_library_contradicts_another() -> None:
    _run(sys.executable, "-m", "pip", "check")

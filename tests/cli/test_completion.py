"""Tab, pressed in real shells on a terminal of their own."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from command import COMMAND, Mmai
from fakes.ollama import FakeOllama, usual_models
from screen import Screen

from completions import FILES
from mmai.cli.completion import Shell

START = {
    Shell.BASH: ["bash", "--norc", "--noprofile", "-i"],
    Shell.ZSH: ["zsh", "-f", "-i"],
    Shell.FISH: ["fish", "--no-config", "-i"],
}
SOURCE = {Shell.BASH: "source", Shell.ZSH: "autoload -Uz compinit; compinit -u -D; source", Shell.FISH: "source"}
HOME, END = "\x01", "\x05"
"""Ctrl-A and Ctrl-E, which every one of them takes."""

Typed = Callable[[str], str]


@pytest.fixture(params=Shell)
def typed(request: pytest.FixtureRequest, on: Mmai, tmp_path: Path) -> Typed:
    """`typed("mmai ru\\t")` is the command line as the shell leaves it."""
    shell: Shell = request.param
    if not shutil.which(shell):
        pytest.skip(f"no {shell} on this machine")
    assert on("discover").exit_code == 0

    def press(keys: str) -> str:
        return _press(shell, keys, on, tmp_path / "line")

    return press


def _press(shell: Shell, keys: str, mmai: Mmai, line: Path) -> str:
    program, *options = START[shell]
    mmai.command = [shutil.which(program) or program, *options]
    path = f"{Path(COMMAND[0]).parent}{os.pathsep}{os.environ['PATH']}"
    with Screen(mmai, env={"PATH": path, "TERM": "xterm", "PS1": "$ "}) as screen:
        screen.press(f"{SOURCE[shell]} {FILES[shell]}\r{keys}{HOME}echo {END} >{line}; exit\r")
        screen.end()
    assert line.exists(), screen.text
    return line.read_text().rstrip()


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("mmai disc\t", "mmai discover"),
        ("mmai models sh\t", "mmai models show"),
        ("mmai run -m ollama:ll\t", "mmai run -m ollama:llama3.2:3b"),
        ("mmai run -m ollama:llama3.2:\t", "mmai run -m ollama:llama3.2:3b"),
        ("mmai run -m 'ollama:ll\t", "mmai run -m ollama:llama3.2:3b"),
        ("mmai run --model=ollama:ll\t", "mmai run --model=ollama:llama3.2:3b"),
        ("mmai run -m ll\t", "mmai run -m llama3.2:3b"),
        ("mmai models show ollama:nom\t", "mmai models show ollama:nomic-embed-text:latest"),
        ("mmai run 'why is' -m ollama:ll\t", "mmai run why is -m ollama:llama3.2:3b"),
        ("LANG=C mmai run -m ollama:ll\t", "LANG=C mmai run -m ollama:llama3.2:3b"),
        ("bin/mmai run -m ollama:ll\t", "bin/mmai run -m ollama:llama3.2:3b"),
        ("~/bin/mmai run -m ollama:ll\t", "HOME/bin/mmai run -m ollama:llama3.2:3b"),
        ("mmai run --task summ\t", "mmai run --task summarization"),
        ("mmai run -f rep\t", "mmai run -f report.md"),
    ],
)
def test_tab(typed: Typed, on: Mmai, keys: str, line: str) -> None:
    (on.home / "report.md").touch()
    (on.home / "bin").mkdir()
    (on.home / "bin" / "mmai").symlink_to(COMMAND[0])
    assert typed(keys) == line.replace("HOME", str(on.home))


def offered(mmai: Mmai, line: str) -> list[str]:
    """What mmai answers a shell, which must be said without a word on standard error."""
    asking = {
        "_MMAI_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": f"mmai {line}",
    }
    done = mmai(env=asking)
    assert (done.exit_code, done.stderr) == (0, "")
    return [value for row in done.stdout.splitlines() if (value := row.partition("\t")[0])]


@pytest.fixture
def found(mmai: Mmai) -> Mmai:
    """Models were discovered, and then the server went away."""
    with FakeOllama(*usual_models()) as ollama:
        mmai.env["OLLAMA_HOST"] = ollama.url
        assert mmai("discover").exit_code == 0
    return mmai


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("run -m oll", ["ollama:gemma3:4b", "ollama:llama3.2:3b", "ollama:nomic-embed-text:latest", "ollama:qwen3:8b"]),
        ("run -m a", ["auto"]),
        ("run --fallback q", ["qwen3:8b"]),
        ("models rm builtin:te", ["builtin:textrank"]),
        ("models show z", []),
        ("select --provider ", ["builtin", "ollama", "openai", "anthropic", "google", "coreml"]),
        ("discover b", ["builtin"]),
        (
            "run --exclude ollama",
            ["ollama", "ollama:gemma3:4b", "ollama:llama3.2:3b", "ollama:nomic-embed-text:latest", "ollama:qwen3:8b"],
        ),
        ("run --require vis", ["vision"]),
        ("run --task image_", ["image_classification", "image_understanding", "image_generation"]),
        ("run -o j", ["json", "jsonl"]),
        ("--show-completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_what_is_offered_needs_no_server(found: Mmai, line: str, values: list[str]) -> None:
    assert offered(found, line) == values


def test_models_of_the_settings_are_offered_before_any_discovery(mmai: Mmai) -> None:
    mmai.configure("backends: {openai: {models: [gpt-4-turbo]}}")
    assert offered(mmai, "run -m o") == ["openai:gpt-4-turbo"]


def test_a_broken_settings_file_leaves_the_registry_to_offer(found: Mmai) -> None:
    found.configure("backends: [")
    assert offered(found, "run -m ollama:q") == ["ollama:qwen3:8b"]


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b'{"schema_version": 99}', b'{"models": 1}'])
def test_a_broken_registry_offers_nothing_and_says_nothing(mmai: Mmai, damage: bytes) -> None:
    (mmai.home / "mmai").mkdir()
    (mmai.home / "mmai" / "registry.json").write_bytes(damage)
    assert offered(mmai, "run -m ollama:") == []


@pytest.mark.parametrize("shell", Shell)
def test_the_files_that_are_shipped_are_what_the_command_prints(mmai: Mmai, shell: Shell) -> None:
    assert mmai("--show-completion", shell).stdout == FILES[shell].read_text(), "python tests/completions.py writes them"


def test_a_shell_without_a_script_is_a_usage_error(mmai: Mmai) -> None:
    done = mmai("--show-completion", "tcsh")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "'bash', 'zsh', 'fish'" in done.stderr

"""Runs where nothing can be kept: the answer comes all the same."""

import subprocess

import pytest
from command import PATIENCE_S, Mmai
from fakes.ollama import FakeOllama

LLAMA = ("run", "-m", "ollama:llama3.2:3b")


def test_a_home_that_cannot_be_costs_one_warning(on: Mmai) -> None:
    result = on(*LLAMA, "hi", env={"MMAI_HOME": "/dev/null/mmai"})
    assert (result.exit_code, result.stdout) == (0, "Hello there\n")
    assert result.stderr.startswith("warning: no history is kept")
    assert result.stderr.count("\n") == 1


def test_an_automatic_choice_needs_no_registry_on_disk(on: Mmai) -> None:
    result = on("run", "what is 2+2?", env={"MMAI_HOME": "/dev/null/mmai"})
    assert (result.exit_code, result.stdout) == (0, "Hello there\n")


def test_nothing_is_kept_with_no_log(on: Mmai) -> None:
    assert on(*LLAMA, "--no-log", "hi").exit_code == 0
    assert not list((on.home / "mmai").glob("history*"))


@pytest.mark.parametrize("size", [1024, 16384])
def test_a_full_disk_costs_a_warning_and_not_the_answer(on: Mmai, ollama: FakeOllama, size: int) -> None:
    ollama.streams("x" * 60_000)
    script = f'ulimit -f {size // 1024}; exec "$0" "$@"'
    done = subprocess.run(
        ["bash", "-c", script, *on.command, *LLAMA, "hi"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=on.env,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stdout) == (0, b"x" * 60_000 + b"\n")
    assert done.stderr.count(b"warning: ") == 1
    assert b"Traceback" not in done.stderr


def test_no_home_in_the_environment(on: Mmai) -> None:
    del on.env["HOME"], on.env["MMAI_HOME"]
    assert on("--version").exit_code == 0
    assert on("paths", "--json").json["data"]["config"].endswith("mmai/config.yaml")

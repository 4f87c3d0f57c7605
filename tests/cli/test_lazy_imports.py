"""What a start does not import: start-up is a feature, and this holds it without a clock."""

import json
import subprocess
import sys

import pytest
from command import PATIENCE_S, Mmai
from voices import VOICES

from mmai.backends import ADAPTERS

IMPORTED = """
import json, sys
from mmai.cli.bridge import main
try:
    main(sys.argv[1:])
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
HEAVY = {
    "openai",
    "anthropic",
    "google",
    "pydantic",
    "httpx",
    "httpx2",
    "anyio",
    "jmespath",
    "yaml",
    "numpy",
    "rich",
    "jsonschema",
}


def imported(mmai: Mmai, *args: str) -> set[str]:
    """The modules in memory when a command ends well."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=mmai.env,
        cwd=mmai.cwd,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_imports_nothing_heavy(mmai: Mmai) -> None:
    assert not imported(mmai, "--help") & (HEAVY | {"coremltools", "sqlite3", "asyncio"})


@pytest.mark.parametrize("name", VOICES)
def test_a_run_of_a_named_model_imports_its_own_protocol_and_nothing_heavy(mmai: Mmai, name: str) -> None:
    voice = VOICES[name]
    with voice.fake() as server:
        server.streams("Hello")
        mmai.env |= voice.at(server)
        if not voice.address:
            mmai.configure(voice.settings(server))
        modules = imported(mmai, "run", "-m", voice.ref, "hi")
    # Settings that were written a moment ago have to be parsed, and where in an answer is what they say in JMESPath.
    assert modules & HEAVY == (set() if voice.address else {"yaml", "jmespath"})
    assert {kind for kind in ADAPTERS if f"mmai.backends.{kind}" in modules} == {voice.adapter}
    assert sum(f"mmai.dialects.{name}" in modules for name in ("anthropic", "gemini", "ollama", "openai")) <= 1

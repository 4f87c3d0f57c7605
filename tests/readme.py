"""README's commands, run as its reader would run them: `python tests/readme.py` writes what they print into README.

A block whose lines begin with `$` is run in a terminal of 80 columns, in the order of the page, on an empty home beside fakes of
Ollama, OpenAI, Anthropic and a service at models.example.com. What is exported holds to the end of its section. A block with a
file name behind its language is that file. A line `…` stands for lines left out.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from command import COMMAND, Mmai
from fakes.anthropic import FakeAnthropic
from fakes.anthropic import usual_models as anthropic_models
from fakes.ollama import METRICS, Answer, FakeOllama, Layer, usual_models
from fakes.openai_batch import OpenAIBatch
from fakes.openai_media import OpenAIMedia
from fakes.openai_media import usual_models as openai_models
from fakes.wall import Seen, Wall
from packages.shipped import FOLDER, color_png, tone_wav
from screen import Screen

from mmai.settings.reference import BACKEND, SECTIONS
from mmai.settings.table import ANY_NAME, Key, Table

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"

OLLAMA_URL = "http://127.0.0.1:11434"
OPENAI_URL = "https://api.openai.com"
ANTHROPIC_URL = "https://api.anthropic.com"
SERVICE_URL = "https://models.example.com"
"""What the page calls the fakes."""

ANSWERS = {
    "sky blue": "Air scatters blue light far more than red, so blue reaches you from every side.",
    "licence": "The MIT licence.",
    "picture": "A clear blue sky.",
    "hello": "Hello!",
    "first program": '{"name": "Ada Lovelace", "born": 1815}',
    "one-liner": "Count them with `sum`:\n\n```python\nprint(sum(1 for _ in open(0)))\n```\n",
}
"""What the fake server says to a prompt with these words."""

RECORDED = ("Rate", "Conversations")
"""Sections whose runs go into a history of their own; elsewhere the speed of this machine would have a say in the scores."""

BLOCK = re.compile(r"^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"(<!-- (settings|backend) -->\n).*?(<!-- /\2 -->)", re.DOTALL)
CUT = "…"

VOLATILE = re.compile(r" · [\d.]+ tokens/s|<?\d[\d.,]* ?(?:ms|s)\b|<?\d[\d.,]*(?= ?(?:kB|tokens/s)\b|/s)|─+| +")
"""The one rule for what may differ from run to run: figures of time, speed and our own size, and the width they make columns."""


def rewritten(text: str) -> str:
    """The page as it would be if it were run now; what differs only in `VOLATILE` stays."""
    with (
        tempfile.TemporaryDirectory() as folder,
        FakeOllama(*usual_models()) as ollama,
        FakeOpenAIService(*openai_models()) as openai,
        FakeAnthropic(*anthropic_models()) as anthropic,
        Wall() as service,
    ):
        _script(ollama)
        openai.streams("Air scatters blue light ", "far more than red.", usage=(14, 9))
        anthropic.streams("Because air scatters ", "blue light most.", usage=(15, 8))
        service.answers(200, [[{"label": "POSITIVE", "score": 0.9987}, {"label": "NEGATIVE", "score": 0.0013}]])
        places = {ollama.url: OLLAMA_URL, openai.url: OPENAI_URL, anthropic.url: ANTHROPIC_URL, service.url: SERVICE_URL}
        page = _Page(Path(folder).resolve(), places)
        return TABLE.sub(_table, BLOCK.sub(page.block, text))


class FakeOpenAIService(OpenAIBatch, OpenAIMedia):
    """Everything at once."""


class _Page:
    def __init__(self, home: Path, places: dict[str, str]) -> None:
        """`places` are the addresses of the fakes, and what the page calls them."""
        self.home, self.places = home, places
        self.real = {shown: url for url, shown in places.items()}
        self.folder = home / "checkout"
        self.folder.mkdir()
        for name in ("README.md", "LICENSE"):
            (self.folder / name).write_bytes((ROOT / name).read_bytes())
        (self.folder / "sky.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
        shutil.copytree(FOLDER, self.folder / "models", ignore=shutil.ignore_patterns("*.md"))
        (self.folder / "red.png").write_bytes(color_png((255, 0, 0)))
        (self.folder / "sea.png").write_bytes(color_png((10, 20, 250), size=(640, 480)))
        (self.folder / "tones.wav").write_bytes(tone_wav("deadbeef"))
        self.section, self.exported = 0, dict[str, str]()
        packages = home / "packages"
        self.shell = Mmai(home, self.real[OLLAMA_URL])
        self.shell.command = [shutil.which("bash") or "bash", "-c"]
        self.shell.cwd = self.folder
        del self.shell.env["MMAI_HOME"]
        self.shell.env |= {
            "PATH": f"{Path(COMMAND[0]).parent}{os.pathsep}{os.environ['PATH']}",
            # `pip install` as the page has it, but without the network and beside the environment of the tests.
            "PYTHONPATH": str(packages),
            "PIP_TARGET": str(packages),
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def block(self, found: re.Match[str]) -> str:
        if found["file"]:
            file = self.folder / found["file"]
            file.parent.mkdir(exist_ok=True)
            file.write_text(found["text"].replace(SERVICE_URL, self.real[SERVICE_URL]))
        if found["language"] != "console":
            return found[0]
        if (section := found.string.count("\n## ", 0, found.start())) != self.section:
            self.section, self.exported = section, {}
            title = found.string[: found.start()].rpartition("\n## ")[2].partition("\n")[0]
            self.shell.env["MMAI_LOG"] = str(title in RECORDED).lower()
            self.shell.env.pop("XDG_DATA_HOME", None)
            if title in RECORDED:
                self.shell.env["XDG_DATA_HOME"] = str(self.home / title)
        lines = [
            line for command, shown in _commands(found["text"]) for line in [f"$ {command}", *self._printed(command, shown)]
        ]
        return "\n".join(["```console", *lines, "```"])

    def _printed(self, command: str, shown: list[str]) -> list[str]:
        if command.startswith("export "):
            self._export(dict(pair.split("=", 1) for pair in command.split()[1:]))
            return shown
        runnable = _installed(command)
        if runnable is None:
            return shown
        with Screen(self.shell, runnable, env={"TERM": "dumb", **self.exported}) as screen:
            screen.end()
        text = screen.text.replace(str(self.home), "~")
        for url, name in self.places.items():
            text = text.replace(url, name).replace(url.partition("://")[2], name.partition("://")[2])
        printed = [line.rstrip() for line in text.rstrip().splitlines()]
        if CUT in shown:
            head, tail = shown.index(CUT), len(shown) - shown.index(CUT) - 1
            printed = [*printed[:head], CUT, *printed[len(printed) - tail :]]
        return shown if _settled(printed) == _settled(shown) else printed

    def _export(self, variables: dict[str, str]) -> None:
        """With a key comes the address of the fake that it is for."""
        bases = {"OPENAI_API_KEY": self.real[OPENAI_URL] + "/v1", "ANTHROPIC_API_KEY": self.real[ANTHROPIC_URL]}
        self.exported |= variables | {name.replace("API_KEY", "BASE_URL"): bases[name] for name in variables if name in bases}


def _commands(block: str) -> Iterator[tuple[str, list[str]]]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, shown


def _installed(command: str) -> str | None:
    """What a set-up command runs of mmai once it is installed; None for the tests, which run this."""
    last = command.rpartition(" && ")[2].removeprefix(".venv/bin/")
    return None if last == "python -m tests" else last


def _settled(lines: list[str]) -> list[str]:
    return [VOLATILE.sub(" ", line).rstrip() for line in lines]


def _script(ollama: FakeOllama) -> None:
    ollama.library.models["smollm2:135m"] = (Layer("sha256:" + "eb2c714d40d4" * 5 + "eb2c", 270_000_000),)

    for words, text in ANSWERS.items():
        pieces = tuple(re.findall(r"\s*\S+\s*", text))
        answer = Answer(pieces, metrics={**METRICS, "eval_count": len(pieces), "eval_duration": 25_000_000 * len(pieces)})
        ollama.when(partial(_asks, words), answer.script)


def _asks(words: str, seen: Seen) -> bool:
    return seen.path == "/api/chat" and bool(seen.json.get("messages")) and words in seen.json["messages"][-1]["content"]


def _table(found: re.Match[str]) -> str:
    rows = _rows(BACKEND if found[2] == "backend" else SECTIONS, "")
    head = ["| key | meaning | default |", "|---|---|---|"]
    return "\n".join([found[1], *head, *(f"| {' | '.join(row)} |" for row in rows), "", found[3]])


def _rows(table: Table, above: str) -> Iterator[tuple[str, ...]]:
    for name, entry in table.items():
        if isinstance(entry, Key):
            default = "" if entry.default == "null" else f"`{entry.default}`"
            only = f" ({entry.kind} only)" if entry.kind else ""
            yield f"`{above}{name}`", f"{entry.meaning}{only}", default
        elif ANY_NAME not in entry:
            yield from _rows(entry, f"{above}{name}.")


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text()))

"""A fake Ollama: the native API over `wall.py`, with models, memory and downloads, and scripted answers.

    ollama.streams("Hel", "lo")                                  # every chat from now on
    ollama.streams("Hel", gate, "lo", model="qwen3:8b")          # waits at the gate
    ollama.streams("Hel", b'{"error":"boom"}\n', done=False)     # an error line after text
    ollama.streams("Hel", RESET)                                 # cut
    ollama.answers(503, {"error": "busy"}, path="/api/chat", times=1)

Run alone for trying things by hand: `python tests/fakes/ollama.py --port 11434`.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from fakes.wall import CHUNKED, LAST_CHUNK, Gate, Script, Seen, Step, Wall, chunk, head, serve, whole, words

CREATED = "2026-01-02T03:04:05.678901Z"
METRICS = {
    "total_duration": 10_706_818_083,
    "load_duration": 6_338_219_291,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 130_079_000,
    "eval_count": 259,
    "eval_duration": 4_232_710_000,
}
"""What the last line of an answer measures, durations in nanoseconds: the example of Ollama's own documentation."""


@dataclass(frozen=True)
class FakeModel:
    """One model on the fake server."""

    name: str
    capabilities: tuple[str, ...] = ("completion", "tools")
    context_tokens: int = 131_072
    family: str = "llama"
    size_bytes: int = 2_019_393_189
    parameter_count: int = 3_212_749_888
    parameter_size: str = "3.2B"
    quantization: str = "Q4_K_M"
    remote_host: str | None = None
    """Set for a model that runs at ollama.com."""
    described: bool = False
    """`/api/tags` carries capabilities and context, as newer servers do."""

    @property
    def digest(self) -> str:
        """64 hexadecimal digits."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def details(self) -> dict[str, Any]:
        """The block that tags, show and ps share."""
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.family,
            "families": [self.family],
            "parameter_size": self.parameter_size,
            "quantization_level": self.quantization,
            **({"context_length": self.context_tokens} if self.described else {}),
        }

    @property
    def remote(self) -> dict[str, Any]:
        """The fields of a model that runs elsewhere."""
        return {"remote_model": self.name.removesuffix("-cloud"), "remote_host": self.remote_host} if self.remote_host else {}

    @property
    def tag(self) -> dict[str, Any]:
        """Its entry in `/api/tags`."""
        return {
            "name": self.name,
            "model": self.name,
            "modified_at": CREATED,
            "size": self.size_bytes,
            "digest": self.digest,
            "details": self.details,
            **self.remote,
            **({"capabilities": list(self.capabilities)} if self.described else {}),
        }

    @property
    def shown(self) -> dict[str, Any]:
        """The answer of `/api/show`."""
        return {
            "license": "MIT",
            "modelfile": f"FROM {self.name}",
            "parameters": "num_ctx 4096",
            "template": "{{ .Prompt }}",
            "details": self.details,
            "model_info": {
                "general.architecture": self.family,
                "general.parameter_count": self.parameter_count,
                f"{self.family}.context_length": self.context_tokens,
            },
            "capabilities": list(self.capabilities),
            "modified_at": CREATED,
            **self.remote,
        }


@dataclass(frozen=True)
class Layer:
    """A file of a model in the library."""

    digest: str
    size_bytes: int


@dataclass
class Library:
    """What can be pulled, and how much of each layer has come so far."""

    models: dict[str, tuple[Layer, ...]] = field(default_factory=dict)
    completed: dict[str, int] = field(default_factory=dict)
    """Digest to bytes on disk; a second pull goes on from here."""
    pauses: dict[int, Gate] = field(default_factory=dict)
    """Gates to stop at, before the progress line of this number."""


INFERENCE = ("/api/chat", "/api/generate", "/api/embed")


class FakeOllama(Wall):
    """The server: state in `models`, `loaded` and `library`, what it saw in `journal`, its address in `url`.

    A model it does not have is 404 whatever is scripted. `says` and `answers` without a path script inference alone, so that
    listing, loading and health go on.
    """

    def __init__(self, *models: FakeModel, port: int = 0, host: str = "127.0.0.1") -> None:
        self.models = {model.name: model for model in models}
        self.loaded: dict[str, FakeModel] = {}
        self.for_good: set[str] = set()
        """Names of models that were told to stay, by a negative `keep_alive`."""
        self.load_gate: Gate | None = None
        """Where a model that is not in memory waits before it is."""
        self.library = Library()
        self.version = "0.33.0"
        self.vector = [0.25, -0.5, 1.0]
        super().__init__(port, host)

    def add(self, name: str, **facts: Any) -> FakeModel:
        """Put a model on the server."""
        self.models[name] = model = FakeModel(name, **facts)
        return model

    def streams(
        self,
        *pieces: str | Step,
        thinking: Sequence[str] = (),
        tool_calls: Sequence[tuple[str, Mapping[str, Any]]] = (),
        usage: tuple[int, int] = (26, 259),
        metrics: Mapping[str, Any] | None = None,
        done_reason: str = "stop",
        done: bool = True,
        model: str | None = None,
        times: int | None = None,
    ) -> None:
        """Answer chats and generations with these pieces, one line each; bytes go out as they are, within a chunk."""
        counts = {"prompt_eval_count": usage[0], "eval_count": usage[1]}
        answer = Answer(pieces, thinking, tool_calls, {**METRICS, **counts, **(metrics or {})}, done_reason, done)
        paths = ("/api/chat", "/api/generate")
        self.when(lambda seen: seen.path in paths and _asks(seen) and model in (None, seen.model), answer.script, times=times)

    def says(self, *steps: Step, path: str | None = None, model: str | None = None, times: int | None = None) -> None:
        """Answer with raw steps, in place of inference where no path is given."""
        self.when(
            lambda seen: (path == seen.path if path else _asks(seen)) and model in (None, seen.model),
            lambda seen: steps,
            times=times,
        )

    def script(self, seen: Seen) -> Script:
        """What is said, and what happens to the memory meanwhile."""
        if seen.path not in INFERENCE:
            return super().script(seen)
        model = self.find(seen)
        return self._infer(model, seen) if model else self._missing(seen)

    def default(self, seen: Seen) -> Script:
        """The native API."""
        match seen.method, seen.path:
            case (("GET" | "HEAD"), "/"):
                return [whole(200, "Ollama is running")]
            case "GET", "/api/version":
                return [whole(200, {"version": self.version})]
            case "GET", "/api/tags":
                return [whole(200, {"models": [model.tag for model in self.models.values()]})]
            case "GET", "/api/ps":
                return [
                    whole(
                        200,
                        {"models": [_running(model, for_good=model.name in self.for_good) for model in self.loaded.values()]},
                    )
                ]
            case "POST", "/api/show":
                model = self.find(seen)
                return [whole(200, model.shown)] if model else self._missing(seen)
            case "POST", ("/api/chat" | "/api/generate"):
                return self._generate(seen)
            case "POST", "/api/embed":
                return self._embed(seen)
            case "POST", "/api/pull":
                return self._pull(seen)
            case "DELETE", "/api/delete":
                return self._delete(seen)
            case _:
                return [whole(404, "404 page not found")]

    def find(self, seen: Seen) -> FakeModel | None:
        """The model a request names, `:latest` being implied."""
        name = seen.model or ""
        return self.models.get(name) or self.models.get(f"{name}:latest")

    def _missing(self, seen: Seen) -> Script:
        return [whole(404, {"error": f"model '{seen.model}' not found"})]

    def _infer(self, model: FakeModel, seen: Seen) -> Iterator[Step]:
        keep_alive = seen.json.get("keep_alive")
        if seen.path != "/api/embed" and not _asks(seen) and keep_alive == 0:
            self.loaded.pop(model.name, None)
            yield whole(200, {"model": seen.model, "created_at": CREATED, "done": True, "done_reason": "unload"})
            return
        if model.name not in self.loaded and not model.remote_host:
            if self.load_gate:
                yield self.load_gate
            self.loaded[model.name] = model
        if isinstance(kept := (seen.json or {}).get("keep_alive"), int | float) and kept < 0:
            self.for_good.add(model.name)
        yield from super().script(seen)
        if keep_alive == 0:
            self.loaded.pop(model.name, None)

    def _generate(self, seen: Seen) -> Script:
        model = self.find(seen)
        if model and "completion" not in model.capabilities:
            return [whole(400, {"error": f'"{seen.model}" does not support generate'})]
        if _asks(seen):
            return Answer(("Hello", " there"), metrics=METRICS).script(seen)
        return [whole(200, {"model": seen.model, "created_at": CREATED, "response": "", "done": True, "done_reason": "load"})]

    def _embed(self, seen: Seen) -> Script:
        texts = seen.json["input"]
        count = (1 if texts else 0) if isinstance(texts, str) else len(texts)
        numbers = {"total_duration": 14_143_917, "load_duration": 1_019_500, "prompt_eval_count": 8} if count else {}
        return [whole(200, {"model": seen.model, "embeddings": [self.vector] * count, **numbers})]

    def _pull(self, seen: Seen) -> Script:
        name = seen.model or ""
        lines = self._pulling(name if ":" in name else f"{name}:latest")
        if seen.json.get("stream") is False:
            *_, last = lines
            return [whole(200, last)]
        return self._paused(lines)

    def _paused(self, lines: Iterator[dict[str, Any]]) -> Iterator[Step]:
        yield head(200, CHUNKED)
        for number, line in enumerate(lines):
            if gate := self.library.pauses.get(number):
                yield gate
            yield chunk(_line(line))
        yield LAST_CHUNK

    def _pulling(self, name: str) -> Iterator[dict[str, Any]]:
        library = self.library
        yield {"status": "pulling manifest"}
        if name not in library.models:
            yield {"error": "pull model manifest: file does not exist"}
            return
        for layer in library.models[name]:
            facts = {"status": f"pulling {layer.digest[7:19]}", "digest": layer.digest, "total": layer.size_bytes}
            yield facts
            while (done := library.completed.get(layer.digest, 0)) < layer.size_bytes:
                done = min(layer.size_bytes, done + max(1, layer.size_bytes // 4))
                yield {**facts, "completed": done}
                library.completed[layer.digest] = done
        yield {"status": "verifying sha256 digest"}
        yield {"status": "writing manifest"}
        self.add(name, size_bytes=sum(layer.size_bytes for layer in library.models[name]))
        yield {"status": "success"}

    def _delete(self, seen: Seen) -> Script:
        model = self.find(seen)
        if model is None:
            return self._missing(seen)
        del self.models[model.name]
        self.loaded.pop(model.name, None)
        return [whole(200)]


@dataclass(frozen=True)
class Answer:
    """A scripted generation, in the form of whichever of the two paths asks for it."""

    pieces: Sequence[str | Step]
    thinking: Sequence[str] = ()
    tool_calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    done_reason: str = "stop"
    done: bool = True

    def script(self, seen: Seen) -> Script:
        """One line each, or all in one object where `stream` is false."""
        last = {"done": True, "done_reason": self.done_reason, **self.metrics}
        if seen.json.get("stream") is False:
            texts = "".join(piece for piece in self.pieces if isinstance(piece, str))
            yield whole(200, _said(seen, texts, "".join(self.thinking), self.tool_calls) | last)
            return
        yield head(200, CHUNKED)
        for text in self.thinking:
            yield chunk(_line(_said(seen, thinking=text)))
        for piece in self.pieces:
            yield (
                chunk(_line(_said(seen, piece)))
                if isinstance(piece, str)
                else chunk(piece)
                if isinstance(piece, bytes)
                else piece
            )
        if self.tool_calls:
            yield chunk(_line(_said(seen, tool_calls=self.tool_calls)))
        # Ollama sends `done` in a line of its own, after the last text.
        yield (chunk(_line(_said(seen) | last)) if self.done else b"") + LAST_CHUNK


def _said(
    seen: Seen, text: str = "", thinking: str = "", tool_calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
) -> dict[str, Any]:
    content: dict[str, Any] = {"thinking": thinking} if thinking else {}
    if tool_calls:
        content["tool_calls"] = [{"function": {"name": name, "arguments": arguments}} for name, arguments in tool_calls]
    common = {"model": seen.model, "created_at": CREATED, "done": False}
    if seen.path == "/api/chat":
        return common | {"message": {"role": "assistant", "content": text, **content}}
    return common | {"response": text, **content}


def _asks(seen: Seen) -> bool:
    """Whether a request wants an answer, and not only the model in or out of memory."""
    if not (seen.path in INFERENCE and isinstance(seen.json, dict)):
        return False
    return bool(seen.json.get("messages") or seen.json.get("prompt") or seen.json.get("input"))


def _running(model: FakeModel, *, for_good: bool) -> dict[str, Any]:
    memory = model.size_bytes * 5 // 4
    return {
        "name": model.name,
        "model": model.name,
        "size": memory,
        "digest": model.digest,
        "details": model.details,
        "expires_at": "2318-03-10T07:44:27.123456789Z" if for_good else "2026-01-02T03:09:05.678901Z",
        "size_vram": memory,
        "context_length": 4096,
    }


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def usual_models() -> list[FakeModel]:
    """One that chats, one that thinks, one that sees, one that embeds."""
    return [
        FakeModel("llama3.2:3b"),
        FakeModel(
            "qwen3:8b",
            ("completion", "tools", "thinking"),
            40_960,
            "qwen3",
            5_225_388_164,
            8_190_735_360,
            "8.2B",
            described=True,
        ),
        FakeModel("gemma3:4b", ("completion", "vision"), 131_072, "gemma3", 3_338_801_804, 4_299_915_632, "4.3B"),
        FakeModel("nomic-embed-text:latest", ("embedding",), 2_048, "nomic-bert", 274_302_450, 136_727_040, "137M", "F16"),
    ]


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A fake Ollama on loopback.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--text", help="what every chat is answered with, word by word")
    arguments = parser.parse_args()
    server = FakeOllama(*usual_models(), port=arguments.port)
    server.library.models["smollm2:135m"] = (Layer("sha256:" + "ab" * 32, 270_000_000), Layer("sha256:" + "cd" * 32, 1_000))
    if arguments.text:
        server.streams(*words(arguments.text))
    serve(server, server.url)


if __name__ == "__main__":
    main()

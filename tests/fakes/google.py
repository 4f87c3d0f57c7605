"""A fake Gemini API over `wall.py`: models, generation whole and streamed, embeddings, and scripted answers.

    google.streams("Hel", "lo")                                      # every generation from now on
    google.streams("Hel", gate, "lo", model="gemini-2.5-flash")      # waits at the gate
    google.streams("Hel", event(error(503, "busy")), done=False)     # an error event after text
    google.streams("Hel", RESET)                                     # cut
    google.answers(429, error(429, "slow down", retry_info("17s")), times=1)

Run alone for trying things by hand: `python tests/fakes/google.py --port 8300`.
"""

import argparse
import base64
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from fakes.wall import LAST_CHUNK, Script, Seen, Step, Wall, chunk, head, serve, whole, words

MODELS = "/v1beta/models"
VERSIONS = ("/v1beta/", "/v1/")
"""Google serves both, and its own client asks for the second."""
GENERATE, STREAM, EMBED, EMBED_MANY, COUNT = (
    "generateContent",
    "streamGenerateContent",
    "embedContent",
    "batchEmbedContents",
    "countTokens",
)
INFERENCE = (GENERATE, STREAM, EMBED, EMBED_MANY)
SSE = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""HTTP status to the name Google gives it most often; source: google.rpc.Code."""


@dataclass(frozen=True)
class FakeModel:
    """One model on the fake server."""

    name: str
    methods: tuple[str, ...] = (GENERATE, COUNT)
    input_tokens: int = 1_048_576
    output_tokens: int = 65_536
    thinking: bool = False
    version: str = "001"

    @property
    def full_name(self) -> str:
        """`models/gemini-2.5-flash`; tuned ones have a collection of their own."""
        return self.name if "/" in self.name else f"models/{self.name}"

    @property
    def listed(self) -> dict[str, Any]:
        """Its entry in the list."""
        return {
            "name": self.full_name,
            "version": self.version,
            "displayName": self.name.replace("-", " ").title(),
            "description": "A fake",
            "inputTokenLimit": self.input_tokens,
            "outputTokenLimit": self.output_tokens,
            "supportedGenerationMethods": list(self.methods),
            "temperature": 1,
            "topP": 0.95,
            "topK": 64,
            "maxTemperature": 2,
            **({"thinking": True} if self.thinking else {}),
        }


class FakeGoogle(Wall):
    """The server: state in `models`, what it saw in `journal`, its address in `url`.

    A request without the right key, or for a model it does not have, is refused whatever is scripted. `says` and `answers`
    without a path script inference alone, so that listing goes on; a path is written without its query.
    """

    def __init__(self, *models: FakeModel, key: str | None = None, port: int = 0, host: str = "127.0.0.1") -> None:
        """`key` is the only one that is let in; without it everybody is."""
        self.models = {model.full_name: model for model in models}
        self.key = key
        self.page_size: int | None = None
        """Most models of one page of the list, whatever is asked for."""
        self.vector = [0.25, -0.5, 1.0]
        super().__init__(port, host)

    def add(self, name: str, **facts: Any) -> FakeModel:
        """Put a model on the server."""
        model = FakeModel(name, **facts)
        self.models[model.full_name] = model
        return model

    def asked(self, *methods: str) -> list[Seen]:
        """The requests for these methods, such as `embedContent`; without any, those for inference."""
        return [seen for seen in self.journal.requests if method_of(seen) in (methods or INFERENCE)]

    def streams(
        self,
        *pieces: str | Step,
        thinking: Sequence[str] = (),
        tool_calls: Sequence[tuple[str, Mapping[str, Any]]] = (),
        media: Sequence[tuple[str, bytes]] = (),
        usage: tuple[int, int] = (26, 259),
        metadata: Mapping[str, Any] | None = None,
        finish_reason: str = "STOP",
        done: bool = True,
        model: str | None = None,
        times: int | None = None,
    ) -> None:
        """Answer generations with these pieces, one event each; bytes go out as they are, within a chunk.

        `media` are types and bytes of generated images or sound, `metadata` is laid over `usageMetadata`.
        """
        counts = {"promptTokenCount": usage[0], "candidatesTokenCount": usage[1], "totalTokenCount": sum(usage)}
        answer = Answer(pieces, thinking, tool_calls, media, {**counts, **(metadata or {})}, finish_reason, done)
        self._script(answer.script, (GENERATE, STREAM), model=model, times=times)

    def says(self, *steps: Step, path: str | None = None, model: str | None = None, times: int | None = None) -> None:
        """See `Wall.says`."""
        self.when(
            lambda seen: (
                (method_of(seen) in INFERENCE if path is None else _path(seen) == path) and model in (None, name_of(seen))
            ),
            lambda seen: steps,
            times=times,
        )

    def script(self, seen: Seen) -> Script:
        """What is said to one request."""
        if refusal := self._refusal(seen):
            return [refusal]
        name = name_of(seen)
        return [_missing(seen)] if name is not None and self.find(name) is None else super().script(seen)

    def default(self, seen: Seen) -> Script:
        """The native API."""
        method, name = method_of(seen), name_of(seen)
        model = self.find(name) if name is not None else None
        if seen.method == "GET" and _resource(seen) == "models":
            return [whole(200, self._page(_query(seen)))]
        if model is None:
            return [_failure(404, f"nothing is scripted for {seen.method} {seen.path}")]
        if seen.method == "GET":
            return [whole(200, model.listed)]
        if method not in (*model.methods, STREAM, EMBED_MANY) or (
            method in (GENERATE, STREAM) and GENERATE not in model.methods
        ):
            return [_missing(seen)]
        return [whole(200, {"totalTokens": 26})] if method == COUNT else self._answer(seen)

    def find(self, name: str) -> FakeModel | None:
        """The model of that name, `models/` being implied."""
        return self.models.get(name if "/" in name else f"models/{name}")

    def _script(self, say: Callable[[Seen], Script], methods: Sequence[str], *, model: str | None, times: int | None) -> None:
        self.when(lambda seen: method_of(seen) in methods and model in (None, name_of(seen)), say, times=times)

    def _answer(self, seen: Seen) -> Script:
        match method_of(seen):
            case "embedContent":
                return [whole(200, {"embedding": {"values": self.vector}})]
            case "batchEmbedContents":
                return [whole(200, {"embeddings": [{"values": self.vector}] * len(seen.json["requests"])})]
            case _:
                return Answer(("Hello", " there")).script(seen)

    def _page(self, query: Mapping[str, str]) -> dict[str, Any]:
        models = [model.listed for model in self.models.values() if model.full_name.startswith("models/")]
        start, size = int(query.get("pageToken") or 0), int(query.get("pageSize") or 50)
        end = start + min(size, self.page_size or size)
        return {"models": models[start:end], **({"nextPageToken": str(end)} if end < len(models) else {})}

    def _refusal(self, seen: Seen) -> bytes | None:
        if self.key is None:
            return None
        shown = seen.headers.get("x-goog-api-key") or _query(seen).get("key")
        if not shown:
            told = "Method doesn't allow unregistered callers (callers without established identity). Please use API Key."
            return _failure(403, told)
        if shown == self.key:
            return None
        return _failure(400, "API key not valid. Please pass a valid API key.", error_info("API_KEY_INVALID"))


@dataclass(frozen=True)
class Answer:
    """A scripted generation, whole or as a stream, whichever is asked for."""

    pieces: Sequence[str | Step]
    thinking: Sequence[str] = ()
    tool_calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    media: Sequence[tuple[str, bytes]] = ()
    usage: Mapping[str, Any] = field(
        default_factory=lambda: {"promptTokenCount": 26, "candidatesTokenCount": 259, "totalTokenCount": 285}
    )
    finish_reason: str = "STOP"
    done: bool = True

    def script(self, seen: Seen) -> Script:
        """Events, or one object."""
        end = {"finishReason": self.finish_reason} if self.done else {}
        thoughts = [{"text": text, "thought": True} for text in self.thinking]
        others = [*map(_call, self.tool_calls), *(_inline(kind, data) for kind, data in self.media)]
        if method_of(seen) == GENERATE:
            texts = [{"text": piece} for piece in self.pieces if isinstance(piece, str)]
            yield whole(200, _said(seen, [*thoughts, *texts, *others], end) | {"usageMetadata": self.usage})
            return
        yield head(200, SSE)
        for part in thoughts:
            yield chunk(event(self._so_far(seen, [part])))
        for piece in self.pieces:
            if isinstance(piece, str):
                yield chunk(event(self._so_far(seen, [{"text": piece}])))
            else:
                yield chunk(piece) if isinstance(piece, bytes) else piece
        for part in others:
            yield chunk(event(self._so_far(seen, [part])))
        last = event(_said(seen, [{"text": ""}], end) | {"usageMetadata": self.usage})
        yield (chunk(last) if self.done else b"") + LAST_CHUNK

    def _so_far(self, seen: Seen, parts: list[dict[str, Any]]) -> dict[str, Any]:
        """An event before the last, which counts the prompt already."""
        prompt = self.usage.get("promptTokenCount")
        return _said(seen, parts, {}) | {"usageMetadata": {"promptTokenCount": prompt, "totalTokenCount": prompt}}


def generate_path(name: str, *, stream: bool = True) -> str:
    """The path, with its query, that asks a model for an answer."""
    return f"{MODELS}/{name}:{f'{STREAM}?alt=sse' if stream else GENERATE}"


def event(value: Any) -> bytes:
    """One server-sent event, as Google frames it."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\r\n\r\n"


def error(code: int, message: str, *details: Mapping[str, Any], status: str | None = None) -> dict[str, Any]:
    """The body of a failure."""
    told: dict[str, Any] = {"code": code, "message": message, "status": status or STATUSES[code]}
    return {"error": told | ({"details": [*details]} if details else {})}


def error_info(reason: str) -> dict[str, Any]:
    """The detail that names the reason."""
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def retry_info(delay: str) -> dict[str, Any]:
    """The detail that says when to come back, such as `17s`."""
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def quota_failure(quota_id: str, value: str | None = None) -> dict[str, Any]:
    """The detail that names the quota, such as `GenerateRequestsPerDayPerProjectPerModel-FreeTier`."""
    violation = {"quotaId": quota_id, "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests"}
    kind = "type.googleapis.com/google.rpc.QuotaFailure"
    return {"@type": kind, "violations": [violation | ({"quotaValue": value} if value else {})]}


def method_of(seen: Seen) -> str | None:
    """What is asked of the model, such as `generateContent`."""
    return _path(seen).rpartition(":")[2] if ":" in _path(seen) else None


def name_of(seen: Seen) -> str | None:
    """The model a path names, without `models/`."""
    name = _resource(seen).partition(":")[0]
    return unquote(name.removeprefix("models/")) if "/" in name else None


def _path(seen: Seen) -> str:
    return urlsplit(seen.path).path


def _resource(seen: Seen) -> str:
    """`models/gemini-2.5-flash:generateContent`, whichever version of the API it is asked of."""
    path = _path(seen)
    return next((path.removeprefix(version) for version in VERSIONS if path.startswith(version)), "")


def _query(seen: Seen) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(seen.path).query).items()}


def _failure(code: int, message: str, *details: Mapping[str, Any]) -> bytes:
    return whole(code, error(code, message, *details))


def _missing(seen: Seen) -> bytes:
    name, method = name_of(seen), method_of(seen)
    if method is None:
        return _failure(404, f"Model is not found: models/{name} for api version v1beta")
    told = f"models/{name} is not found for API version v1beta, or is not supported for {method}."
    return _failure(404, f"{told} Call ListModels to see the list of available models and their supported methods.")


def _said(seen: Seen, parts: Sequence[Mapping[str, Any]], end: Mapping[str, Any]) -> dict[str, Any]:
    candidate = {"content": {"parts": [*parts], "role": "model"}, **end, "index": 0}
    return {"candidates": [candidate], "modelVersion": name_of(seen), "responseId": "mAoKZ5v0N4u1nsEPr9"}


def _call(call: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    name, arguments = call
    return {"functionCall": {"name": name, "args": arguments, "id": f"call-{name}"}, "thoughtSignature": "c2lnbmF0dXJl"}


def _inline(media_type: str, data: bytes) -> dict[str, Any]:
    return {"inlineData": {"mimeType": media_type, "data": base64.b64encode(data).decode()}}


def usual_models() -> list[FakeModel]:
    """Two that chat and think, one that draws, one that speaks, one that embeds, and two that are asked in other ways."""
    return [
        FakeModel("gemini-2.5-flash", thinking=True),
        FakeModel("gemini-3.5-flash", thinking=True),
        FakeModel("gemini-2.5-flash-image", input_tokens=32_768, output_tokens=32_768),
        FakeModel("gemini-2.5-flash-preview-tts", input_tokens=8_192, output_tokens=16_384),
        FakeModel("gemini-embedding-001", (EMBED, "countTextTokens", COUNT), 2_048, 1),
        FakeModel("imagen-4.0-generate-001", ("predict",), 480, 8_192),
        FakeModel("gemini-2.5-flash-native-audio-latest", (COUNT, "bidiGenerateContent"), 131_072, 8_192),
    ]


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A fake Gemini API on loopback.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", help="the only key that is let in")
    parser.add_argument("--text", help="what every generation is answered with, word by word")
    arguments = parser.parse_args()
    server = FakeGoogle(*usual_models(), key=arguments.key, port=arguments.port)
    if arguments.text:
        server.streams(*words(arguments.text))
    serve(server, server.url)


if __name__ == "__main__":
    main()

"""A fake Anthropic: the Messages API over `wall.py`, with models, token counts and scripted answers.

    anthropic.streams("Hel", "lo")                               # every message from now on
    anthropic.streams("Hel", gate, "lo", model="claude-opus-5")  # waits at the gate
    anthropic.streams("Hel", error_event("overloaded_error"), done=False)
    anthropic.streams("Hel", RESET)                              # cut
    anthropic.answers(529, error_body("overloaded_error", "Overloaded"), times=1)

Run alone for trying things by hand: `python tests/fakes/anthropic.py --port 8642`, then `ANTHROPIC_BASE_URL=http://127.0.0.1:8642`.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from fakes.wall import LAST_CHUNK, Script, Seen, Step, Wall, chunk, head, serve, whole, words

MESSAGES, COUNT, MODELS = "/v1/messages", "/v1/messages/count_tokens", "/v1/models"
EVENTS = {"Content-Type": "text/event-stream; charset=utf-8", "Transfer-Encoding": "chunked"}
MESSAGE_ID, REQUEST_ID = "msg_013Zva2CMHLNnXjNJJKqJ2EF", "req_011CSHoEeqs5C35K2UUqR7Fy"
SIGNATURE = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds"
SAMPLING = ("temperature", "top_p", "top_k")


@dataclass(frozen=True)
class FakeModel:
    """One model on the fake server."""

    id: str
    context_tokens: int = 1_000_000
    max_tokens: int = 128_000
    samples: bool = False
    """It takes `temperature` and its like, as models before 4.7 do."""
    thinking: tuple[str, ...] = ("adaptive", "disabled")
    """Values of `thinking.type` it takes."""
    vision: bool = True
    schemas: bool = True
    lifecycle: str = "active"
    retires_at: str | None = None
    line: str | None = None
    described: bool = True
    """The list says more than its name, as it does since 2026."""

    @property
    def entry(self) -> dict[str, Any]:
        """Its entry in `/v1/models`."""
        name = {"type": "model", "id": self.id, "display_name": self.id.replace("-", " "), "created_at": "2026-02-04T00:00:00Z"}
        if not self.described:
            return name
        return name | {
            "max_input_tokens": self.context_tokens,
            "max_tokens": self.max_tokens,
            "capabilities": self.capabilities,
            "line": self.line,
            "lifecycle": self.lifecycle,
            "deprecated_at": None if self.lifecycle == "active" else "2026-06-01T00:00:00Z",
            "retires_at": self.retires_at,
        }

    @property
    def capabilities(self) -> dict[str, Any]:
        """What the list says it can do."""
        types = ("adaptive", "between_tools", "disabled", "enabled")
        return {
            "batch": {"supported": True},
            "citations": {"supported": True},
            "code_execution": {"supported": True},
            "context_management": {"supported": True},
            "effort": {
                "supported": "adaptive" in self.thinking,
                **{level: _can("adaptive" in self.thinking) for level in LEVELS},
            },
            "image_input": _can(self.vision),
            "pdf_input": _can(self.vision),
            "server_tools": {"supported": True, "code_execution": {"supported": True}, "web_search": {"supported": True}},
            "structured_outputs": _can(self.schemas),
            "thinking": {
                "supported": bool({"adaptive", "enabled"} & set(self.thinking)),
                "types": {name: _can(name in self.thinking) for name in types},
            },
        }


LEVELS = ("low", "medium", "high", "xhigh", "max")


class FakeAnthropic(Wall):
    """The server: state in `models`, what it saw in `journal`, its address in `url`.

    A wrong key, a missing version and a model it does not have are refused whatever is scripted. `says` and `answers` without a
    path script messages alone, so that listing and counting go on.
    """

    def __init__(self, *models: FakeModel, port: int = 0, host: str = "127.0.0.1", key: str | None = None) -> None:
        self.models = {model.id: model for model in models}
        self.key = key
        """The one that is let in; None lets in everybody."""
        self.counted = 2_095
        """What every prompt is counted as."""
        super().__init__(port, host)

    def streams(
        self,
        *pieces: str | Step,
        thinking: Sequence[str] = (),
        tool_calls: Sequence[tuple[str, Mapping[str, Any]]] = (),
        usage: tuple[int, int] = (25, 15),
        cache: tuple[int, int] = (0, 0),
        stop_reason: str | None = None,
        done: bool = True,
        model: str | None = None,
        times: int | None = None,
    ) -> None:
        """Answer messages with these pieces, one event each; bytes go out as they are, within a chunk.

        `usage` is (input, output) as the API counts them, `cache` what was (read from, written to) its cache beside the input.
        """
        reason = stop_reason or ("tool_use" if tool_calls else "end_turn")
        answer = Answer(pieces, tuple(thinking), tuple(tool_calls), usage, cache, reason, done)
        self.when(lambda seen: _path(seen) == MESSAGES and model in (None, seen.model), answer.script, times=times)

    def says(self, *steps: Step, path: str | None = None, model: str | None = None, times: int | None = None) -> None:
        """Answer with raw steps, in place of messages where no path is given."""
        self.when(
            lambda seen: _path(seen) == (path or MESSAGES) and model in (None, seen.model), lambda seen: steps, times=times
        )

    def script(self, seen: Seen) -> Script:
        """What is said, once the request is one the API takes."""
        refusal = self._refusal(seen)
        return [refusal] if refusal else super().script(seen)

    def default(self, seen: Seen) -> Script:
        """The API."""
        match seen.method, _path(seen):
            case "POST", "/v1/messages":
                return Answer(("Hello", " there")).script(seen)
            case "POST", "/v1/messages/count_tokens":
                return [_said(200, {"input_tokens": self.counted})]
            case "GET", "/v1/models":
                return [_said(200, self._page(seen))]
            case "GET", path if model := self.models.get(path.removeprefix(f"{MODELS}/")):
                return [_said(200, model.entry)]
            case _:
                return [_failed(404, "not_found_error", "Not found")]

    def _refusal(self, seen: Seen) -> bytes | None:
        given = (seen.headers.get("x-api-key"), seen.headers.get("authorization", "").removeprefix("Bearer "))
        if self.key is not None and self.key not in given:
            return _failed(401, "authentication_error", "invalid x-api-key")
        if "anthropic-version" not in seen.headers:
            return _failed(400, "invalid_request_error", "anthropic-version: header is required")
        if _path(seen) not in (MESSAGES, COUNT):
            return None
        model = self.models.get(seen.model or "")
        if model is None:
            return _failed(404, "not_found_error", f"model: {seen.model}")
        wrong = _wrong(seen.json, model, counting=_path(seen) == COUNT)
        return _failed(400, "invalid_request_error", wrong) if wrong else None

    def _page(self, seen: Seen) -> dict[str, Any]:
        query = parse_qs(urlsplit(seen.path).query)
        names = list(self.models)
        start = names.index(query["after_id"][0]) + 1 if "after_id" in query else 0
        page = names[start : start + int(query.get("limit", ["20"])[0])]
        return {
            "data": [self.models[name].entry for name in page],
            "has_more": start + len(page) < len(names),
            "first_id": page[0] if page else None,
            "last_id": page[-1] if page else None,
        }


@dataclass(frozen=True)
class Answer:
    """A scripted message, as events or whole."""

    pieces: Sequence[str | Step]
    thinking: tuple[str, ...] = ()
    tool_calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    usage: tuple[int, int] = (25, 15)
    cache: tuple[int, int] = (0, 0)
    stop_reason: str = "end_turn"
    done: bool = True

    def script(self, seen: Seen) -> Script:
        """Events, or one object where `stream` is not asked for."""
        if not seen.json.get("stream"):
            yield _said(200, self._message(seen) | {"content": self._content(), "stop_reason": self.stop_reason})
            return
        yield head(200, EVENTS | {"request-id": REQUEST_ID})
        started = self._message(seen)
        yield _event("message_start", message=started | {"usage": started["usage"] | {"output_tokens": 1}})
        number = 0
        for number, (block, steps) in enumerate(self._blocks()):
            yield _event("content_block_start", index=number, content_block=block)
            if number == 0:
                yield _event("ping")
            for step in steps:
                yield _event("content_block_delta", index=number, delta=step) if isinstance(step, dict) else step
            if self.done:
                yield _event("content_block_stop", index=number)
        if self.done:
            delta = {"stop_reason": self.stop_reason, "stop_sequence": None}
            yield _event("message_delta", delta=delta, usage={"output_tokens": self.usage[1]})
            yield _event("message_stop")
        yield LAST_CHUNK

    def _blocks(self) -> Iterator[tuple[dict[str, Any], Iterator[dict[str, Any] | Step]]]:
        if self.thinking:
            yield {"type": "thinking", "thinking": "", "signature": ""}, self._thoughts()
        if self.pieces or not self.tool_calls:
            yield {"type": "text", "text": ""}, self._texts()
        for number, (name, arguments) in enumerate(self.tool_calls):
            yield {"type": "tool_use", "id": f"toolu_{number:02}", "name": name, "input": {}}, _inputs(arguments)

    def _thoughts(self) -> Iterator[dict[str, Any]]:
        for text in self.thinking:
            yield {"type": "thinking_delta", "thinking": text}
        yield {"type": "signature_delta", "signature": SIGNATURE}

    def _texts(self) -> Iterator[dict[str, Any] | Step]:
        for piece in self.pieces:
            if isinstance(piece, str):
                yield {"type": "text_delta", "text": piece}
            else:
                yield chunk(piece) if isinstance(piece, bytes) else piece

    def _content(self) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = []
        if self.thinking:
            blocks.append({"type": "thinking", "thinking": "".join(self.thinking), "signature": SIGNATURE})
        if text := "".join(piece for piece in self.pieces if isinstance(piece, str)):
            blocks.append({"type": "text", "text": text, "citations": None})
        for number, (name, arguments) in enumerate(self.tool_calls):
            blocks.append({"type": "tool_use", "id": f"toolu_{number:02}", "name": name, "input": dict(arguments)})
        return blocks

    def _message(self, seen: Seen) -> dict[str, Any]:
        return {
            "id": MESSAGE_ID,
            "type": "message",
            "role": "assistant",
            "model": seen.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {
                "input_tokens": self.usage[0],
                "cache_read_input_tokens": self.cache[0],
                "cache_creation_input_tokens": self.cache[1],
                "output_tokens": self.usage[1],
                "service_tier": "standard",
            },
        }


def error_body(kind: str, message: str) -> dict[str, Any]:
    """A failure as the API words it."""
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": REQUEST_ID}


def error_event(kind: str, message: str = "Overloaded") -> bytes:
    """A failure within a stream, to stand among the pieces."""
    return f"event: error\ndata: {json.dumps(error_body(kind, message))}\n\n".encode()


def usual_models() -> list[FakeModel]:
    """The newest three lines, one that still samples, and one that is about to go."""
    return [
        FakeModel("claude-opus-5-5", thinking=("adaptive",), line="opus"),
        FakeModel("claude-sonnet-5-5", thinking=("adaptive", "between_tools"), line="sonnet"),
        FakeModel("claude-haiku-5-5", line="haiku"),
        FakeModel("claude-haiku-4-5", 200_000, 64_000, samples=True, thinking=("disabled", "enabled"), line="haiku"),
        FakeModel(
            "claude-sonnet-4-5",
            200_000,
            64_000,
            samples=True,
            thinking=("disabled", "enabled"),
            lifecycle="deprecated",
            retires_at="2026-11-30T00:00:00Z",
            line="sonnet",
        ),
    ]


def _wrong(body: Mapping[str, Any], model: FakeModel, *, counting: bool) -> str | None:
    """What the API would say of a request it does not take."""
    sampled = [name for name in SAMPLING if name in body]
    thinking = (body.get("thinking") or {}).get("type")
    if not body.get("messages"):
        return "messages: at least one message is required"
    if any(block == {"type": "text", "text": ""} for message in body["messages"] for block in message["content"]):
        return "messages: text content blocks must be non-empty"
    if thinking and thinking not in model.thinking:
        return f'"thinking.type.{thinking}" is not supported for this model.'
    if counting:
        return f"{sampled[0]}: Extra inputs are not permitted" if sampled else None
    if "max_tokens" not in body:
        return "max_tokens: Field required"
    if body["max_tokens"] > model.max_tokens:
        limit = f"{body['max_tokens']} > {model.max_tokens}"
        return f"max_tokens: {limit}, which is the maximum allowed number of output tokens for {model.id}"
    if sampled and not model.samples:
        return f"`{sampled[0]}` is deprecated for this model."
    return None


def _inputs(arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    text = json.dumps(arguments)
    for part in ("", text[:3], text[3:]):
        yield {"type": "input_json_delta", "partial_json": part}


def _path(seen: Seen) -> str:
    return urlsplit(seen.path).path


def _can(supported: bool) -> dict[str, bool]:
    return {"supported": supported}


def _event(kind: str, **fields: Any) -> bytes:
    return chunk(f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n".encode())


def _said(status: int, body: object) -> bytes:
    return whole(status, body, {"request-id": REQUEST_ID})


def _failed(status: int, kind: str, message: str) -> bytes:
    return _said(status, error_body(kind, message))


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A fake Anthropic on loopback.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", help="the one key that is let in; everybody when not given")
    parser.add_argument("--text", help="what every message is answered with, word by word")
    arguments = parser.parse_args()
    server = FakeAnthropic(*usual_models(), port=arguments.port, key=arguments.key)
    if arguments.text:
        server.streams(*words(arguments.text))
    serve(server, server.url)


if __name__ == "__main__":
    main()

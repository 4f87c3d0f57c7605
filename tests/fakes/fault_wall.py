"""The fault wall: a server that speaks OpenAI's chat completions, where the model's name chooses what goes wrong.

    wall = FaultWall(); endpoint wall.base_url; models: `ok`, `silent`, `cut`, `429-ms`, … (`FAULTS`)

The journal has every attempt (`wall.attempts("silent")`), with the key it came with; `wall.calls` counts them by name. A name may
carry a suffix behind `+`, so that two routes have the same fault: `ok+b`.
"""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator

from fakes.wall import CLOSE, LAST_CHUNK, RESET, SILENCE, Gate, Script, Seen, Step, Wall, chunk, head, whole

CHAT = "/v1/chat/completions"
SSE = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
WORDS = [f"word{number:02d} " for number in range(1, 61)]
ANSWER = "".join(WORDS)
"""Sixty words; whoever gets another text and calls it whole has lost something."""


def event(value: object) -> bytes:
    """One event of a stream."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def piece(text: str | None, *, finish: str | None = None) -> bytes:
    """One chunk of an answer."""
    delta = {} if text is None else {"content": text}
    return event(
        {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    )


USAGE = event({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 60, "total_tokens": 65}})
END = piece(None, finish="stop") + USAGE
DONE = b"data: [DONE]\n\n"


def fault(message: str, *, kind: str = "server_error", code: str | None = None) -> dict[str, object]:
    """An error as OpenAI words it."""
    return {"error": {"message": message, "type": kind, "code": code, "param": None}}


def stream(*steps: bytes | Step) -> Iterator[Step]:
    """A streamed answer; bytes go out as chunks."""
    yield head(200, SSE)
    for step in steps:
        yield chunk(step) if isinstance(step, bytes) else step


def answer(*, to: int = 60, end: bytes = END + DONE, last: Step | None = LAST_CHUNK) -> Iterator[Step]:
    """The first words of the answer, and how it ends."""
    yield from stream(*(piece(word) for word in WORDS[:to]), *([end] if end else []))
    if last is not None:
        yield last


def limited(**headers: str) -> list[Step]:
    """429."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [whole(429, fault("slow down", kind="rate_limit_error"), named)]


def bytewise(data: bytes) -> Iterator[Step]:
    """A chunked answer a byte at a time."""
    yield head(200, SSE)
    for number in range(len(data)):
        yield chunk(data[number : number + 1])
    yield LAST_CHUNK


def _split(text: str) -> bytes:
    return b"".join(piece(part) for part in (text, *WORDS)) + END + DONE


FAULTS: dict[str, Callable[["FaultWall", Seen], Script]] = {
    "ok": lambda wall, seen: answer(),
    "silent": lambda wall, seen: [SILENCE],
    "headers-then-silence": lambda wall, seen: [head(200, SSE), SILENCE],
    "pings-then-silence": lambda wall, seen: stream(b": ping\n\n", b": ping\n\n", SILENCE),
    "cut": lambda wall, seen: answer(to=40, end=b"", last=CLOSE),
    "reset-in-stream": lambda wall, seen: answer(to=40, end=b"", last=RESET),
    "stall": lambda wall, seen: answer(to=40, end=b"", last=SILENCE),
    "drip": lambda wall, seen: [
        *stream(*(piece(word) for word in WORDS[:40])),
        wall.gate,
        *(chunk(piece(word)) for word in WORDS[40:]),
        chunk(END + DONE),
        LAST_CHUNK,
    ],
    "429-always": lambda wall, seen: limited(),
    "429-once-ms": lambda wall, seen: limited(retry_after_ms="50") if wall.calls[seen.model or ""] == 1 else answer(),
    "429-once-0": lambda wall, seen: limited(Retry_After="0") if wall.calls[seen.model or ""] == 1 else answer(),
    "429-once-garbage": lambda wall, seen: limited(Retry_After="soon") if wall.calls[seen.model or ""] == 1 else answer(),
    "429-once-past": lambda wall, seen: (
        limited(Retry_After="Sun, 06 Nov 1994 08:49:37 GMT") if wall.calls[seen.model or ""] == 1 else answer()
    ),
    "429-tomorrow": lambda wall, seen: limited(Retry_After="86400"),
    "quota": lambda wall, seen: [
        whole(429, fault("You exceeded your current quota", kind="insufficient_quota", code="insufficient_quota"))
    ],
    "500-once": lambda wall, seen: [whole(500, fault("hiccup"))] if wall.calls[seen.model or ""] == 1 else answer(),
    "503": lambda wall, seen: [whole(503, fault("overloaded"))],
    "reset": lambda wall, seen: [RESET],
    "reset-in-head": lambda wall, seen: [b"HTTP/1.1 200 OK\r\nContent-", RESET],
    "bad-json-once": lambda wall, seen: stream(
        *map(piece, WORDS[:30]), b"data: {oops\n\n", *map(piece, WORDS[30:]), END + DONE, b""
    ),
    "bad-json-twice": lambda wall, seen: stream(
        *map(piece, WORDS[:30]), b"data: {oops\n\n", b"data: {again\n\n", *map(piece, WORDS[30:])
    ),
    "split-utf8": lambda wall, seen: bytewise(_split("héllo wörld 日本 ")),
    "crlf": lambda wall, seen: bytewise(_split("").replace(b"\n", b"\r\n")),
    "comments": lambda wall, seen: stream(b": keepalive\n\n", piece(ANSWER), b": keepalive\n\n", END + DONE, LAST_CHUNK),
    "multi-line-data": lambda wall, seen: stream(
        b'data: {"choices": [{"index": 0,\ndata: "delta": {"content": "one"}}]}\n\n', END + DONE, LAST_CHUNK
    ),
    "no-done": lambda wall, seen: answer(end=END),
    "no-done-no-finish": lambda wall, seen: answer(end=b""),
    "done-twice": lambda wall, seen: answer(end=END + DONE + DONE),
    "bytes-after": lambda wall, seen: answer(end=END + DONE + b"data: {more}\n\ngarbage"),
    "200-error": lambda wall, seen: [whole(200, fault("something broke"))],
    "200-html": lambda wall, seen: [whole(200, "<html>sign in</html>", {"Content-Type": "text/html"})],
    "200-empty": lambda wall, seen: [whole(200, b"")],
    "200-short": lambda wall, seen: [head(200, {"Content-Type": "application/json", "Content-Length": "500"}), b'{"id"', CLOSE],
    "200-gzip": lambda wall, seen: [whole(200, gzip.compress(b"{}"), {"Content-Encoding": "gzip"})],
    "error-in-stream": lambda wall, seen: stream(*map(piece, WORDS[:40]), event(fault("overloaded")), LAST_CHUNK),
    "error-at-once-in-stream": lambda wall, seen: stream(event(fault("overloaded")), LAST_CHUNK),
    "context": lambda wall, seen: [
        whole(
            400,
            fault(
                "This model's maximum context length is 8 tokens. However, your messages resulted in 9 tokens.",
                kind="invalid_request_error",
                code="context_length_exceeded",
            ),
        )
    ],
    "filter": lambda wall, seen: stream(piece("I "), piece(None, finish="content_filter") + USAGE + DONE, LAST_CHUNK),
    "invalid": lambda wall, seen: [whole(400, fault("temperature is out of range", kind="invalid_request_error"))],
    "gone": lambda wall, seen: [
        whole(404, fault("The model does not exist", kind="invalid_request_error", code="model_not_found"))
    ],
    "401": lambda wall, seen: [
        whole(401, fault("Incorrect API key provided", kind="invalid_request_error", code="invalid_api_key"))
    ],
    "401-first-key": lambda wall, seen: (
        FAULTS["401"](wall, seen) if "key-one" in seen.headers.get("authorization", "") else answer()
    ),
    "403": lambda wall, seen: [whole(403, fault("Project does not have access", kind="permission_error"))],
}


class FaultWall(Wall):
    """The server. `gate` holds the `drip`, and `calls` counts attempts by name."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.gate: Gate = Gate()
        super().__init__()
        self.base_url = f"{self.url}/v1"

    def attempts(self, model: str) -> list[Seen]:
        """Every request that named the model, in order."""
        return [seen for seen in self.journal.requests if seen.path == CHAT and seen.model == model]

    def default(self, seen: Seen) -> Script:
        """What the model's name says."""
        if seen.path != CHAT:
            return [whole(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in FAULTS]})]
        model = seen.model or ""
        self.calls[model] += 1
        return FAULTS[model.partition("+")[0]](self, seen)

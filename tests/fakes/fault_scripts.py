"""What can go wrong with an answer, as scripts for `fault_wall.py`: by name, in the words of either protocol.

A script is made for one `Call`, which says how its protocol words things and how often its model was called before.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fakes.wall import CLOSE, LAST_CHUNK, RESET, SILENCE, Fault, Gate, Script, Seen, Step, chunk, head, whole

WORDS = [f"word{number:02d} " for number in range(1, 61)]
ANSWER = "".join(WORDS)
"""Sixty words; whoever gets another text and calls it whole has lost something."""
CUT = "".join(WORDS[:40])
SPLIT = "héllo wörld 日本 👩‍👩‍👧 "
LARGE_BYTES = 1 << 20
LONG = ANSWER * 1_800
"""More than a pipe and a socket hold, and less than the history keeps."""


class OpenAISpeech:
    """Chat completions over server-sent events: `kind` is the content type, `end` says that the answer is whole, `done` comes last."""

    kind = "text/event-stream"
    done = b"data: [DONE]\n\n"

    def __init__(self) -> None:
        self.end = self.finish("stop")

    def value(self, value: object) -> bytes:
        return b"data: " + json.dumps(value).encode() + b"\n\n"

    def text(self, text: str, **more: object) -> bytes:
        return self._chunk({"content": text}, None, **more)

    def finish(self, reason: str) -> bytes:
        usage = {"prompt_tokens": 5, "completion_tokens": 60, "total_tokens": 65}
        return self._chunk({}, reason) + self.value({"choices": [], "usage": usage})

    def blank(self) -> bytes:
        return b": ping\n\n"

    def broken(self, text: str) -> bytes:
        return f"data: {{{text}\n\n".encode()

    def fault(self, message: str, *, kind: str = "server_error", code: str | None = None) -> dict[str, Any]:
        return {"error": {"message": message, "type": kind, "code": code, "param": None}}

    def answer(self, text: str) -> object:
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": 5, "completion_tokens": 60}
        return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}

    def _chunk(self, delta: object, reason: str | None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return self.value({"id": "1", "object": "chat.completion.chunk", "choices": [choice], **more})


class OllamaSpeech:
    """The same of `/api/chat` over lines, where nothing comes after the end."""

    kind = "application/x-ndjson"
    done = b""

    def __init__(self) -> None:
        self.end = self.finish("stop")

    def value(self, value: object) -> bytes:
        return json.dumps(value).encode() + b"\n"

    def text(self, text: str, **more: object) -> bytes:
        return self.value({"model": "m", "message": {"role": "assistant", "content": text}, "done": False, **more})

    def finish(self, reason: str) -> bytes:
        counts = {"prompt_eval_count": 5, "eval_count": 60}
        return self.value({"message": {"content": ""}, "done": True, "done_reason": reason, **counts})

    def blank(self) -> bytes:
        return b"\n"

    def broken(self, text: str) -> bytes:
        return f"{{{text}\n".encode()

    def fault(self, message: str, *, kind: str = "server_error", code: str | None = None) -> dict[str, Any]:
        return {"error": message}

    def answer(self, text: str) -> object:
        return {"message": {"role": "assistant", "content": text}, "done": True, "done_reason": "stop"}


OPENAI, OLLAMA = OpenAISpeech(), OllamaSpeech()


@dataclass
class Call:
    """One attempt, and its place in the journal."""

    seen: Seen
    wall: str
    """Address of the server."""
    say: "OpenAISpeech | OllamaSpeech"
    """How its protocol words things."""
    number: int
    """Counted from 1, by the model's name."""
    at: float
    """On the monotonic clock of this machine, so that the attempts of several servers have an order."""
    gate: Gate
    ended: Fault | None = None
    """How the server broke it off."""
    chunks: int = 0
    """Steps taken so far."""
    said: bool = False
    """Everything that was to be said was said; whether the client stayed to hear it is the journal's `hangups`."""

    @property
    def model(self) -> str:
        return self.seen.model or ""

    @property
    def key(self) -> str | None:
        """The credential it came with."""
        return self.seen.headers.get("authorization", "").removeprefix("Bearer ") or None

    @property
    def streamed(self) -> dict[str, str]:
        """The headers of a streamed answer."""
        return {"Content-Type": self.say.kind, "Transfer-Encoding": "chunked"}

    def stream(self, *steps: bytes | Step) -> Iterator[Step]:
        """A streamed answer; bytes go out as chunks."""
        yield head(200, self.streamed)
        for step in steps:
            yield chunk(step) if isinstance(step, bytes) and step != LAST_CHUNK else step

    def words(self, first: int = 0, to: int = 60) -> list[bytes]:
        """Some words of the answer, a piece each."""
        return [self.say.text(word) for word in WORDS[first:to]]

    def whole(self, end: bytes | None = None) -> Iterator[Step]:
        """The answer from the first word to the last, and how it ends."""
        yield from self.stream(*self.words(), *filter(None, [self.say.end + self.say.done if end is None else end]))
        yield LAST_CHUNK

    def cut(self, last: Step) -> Iterator[Step]:
        """Forty words, and then that."""
        yield from self.stream(*self.words(to=40), last)

    def refuses(self, status: int, message: str, headers: dict[str, str] | None = None, **words: Any) -> Script:
        """A whole response that is a failure."""
        return [whole(status, self.say.fault(message, **words), headers)]

    def limits(self, **headers: str) -> Script:
        """429."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.refuses(429, "slow down", named, kind="rate_limit_error")

    def first(self, fault: Script) -> Script:
        """That at the first call, the answer at each further one."""
        return fault if self.number == 1 else self.whole()

    @property
    def everything(self) -> bytes:
        """The body of a whole answer."""
        return b"".join((*self.words(), self.say.end, self.say.done))


def bytewise(call: Call, data: bytes) -> Iterator[Step]:
    """A chunked answer a byte at a time."""
    yield head(200, call.streamed)
    for number in range(len(data)):
        yield chunk(data[number : number + 1])
    yield LAST_CHUNK


def flood(call: Call) -> Iterator[Step]:
    """Words without end."""
    yield head(200, call.streamed)
    while True:
        yield chunk(call.say.text(WORDS[0]) * 100)


def blanks(call: Call, *before: bytes) -> Iterator[Step]:
    """Signs of life without end, and no word."""
    yield from call.stream(*before)
    while True:
        yield chunk(call.say.blank())


def one_line(call: Call, count: int) -> Iterator[Step]:
    """A piece that never ends."""
    yield head(200, call.streamed)
    yield chunk(b"data: " if call.say is OPENAI else b" ")
    for _ in range(count):
        yield chunk(b"x" * LARGE_BYTES)
    yield SILENCE


def bare(call: Call, data: bytes) -> Script:
    """An answer that ends where the connection does."""
    return [head(200, {"Content-Type": call.say.kind, "Connection": "close"}) + data, CLOSE]


def measured(call: Call, data: bytes, length: int) -> Script:
    """An answer that says how long it is."""
    return [head(200, {"Content-Type": call.say.kind, "Content-Length": str(length)}) + data, CLOSE]


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")


Faults = dict[str, Callable[[Call], Script]]

FAULTS: Faults = {
    "ok": Call.whole,
    # Silence
    "silent": lambda call: [SILENCE],
    "headers-then-silence": lambda call: [head(200, call.streamed), SILENCE],
    "pings-then-silence": lambda call: call.stream(call.say.blank(), call.say.blank(), SILENCE),
    "pings-for-ever": blanks,
    "head-for-ever": lambda call: [b"HTTP/1.1 200 OK\r\nX-", SILENCE],
    "503-then-silence": lambda call: [head(503, call.streamed), SILENCE],
    "stall": lambda call: call.cut(SILENCE),
    "drip": lambda call: [
        *call.cut(call.gate),
        *(chunk(word) for word in call.words(first=40)),
        chunk(call.say.end + call.say.done),
        LAST_CHUNK,
    ],
    "words-then-pings": lambda call: blanks(call, *call.words(to=40)),
    "flood": flood,
    # Connections that end
    "reset": lambda call: [RESET],
    "reset-in-head": lambda call: [b"HTTP/1.1 200 OK\r\nContent-", RESET],
    "closed": lambda call: [CLOSE],
    "cut": lambda call: call.cut(CLOSE),
    "reset-in-stream": lambda call: call.cut(RESET),
    "200-short": lambda call: [head(200, {"Content-Type": "application/json", "Content-Length": "500"}), b'{"id"', CLOSE],
    "length-too-long": lambda call: measured(call, b"".join(call.words(to=40)), 100_000),
    "length-too-short": lambda call: measured(call, call.everything, len(b"".join(call.words(to=40)))),
    "no-length": lambda call: bare(call, call.everything),
    "no-length-cut": lambda call: bare(call, b"".join(call.words(to=40))),
    "bad-chunk": lambda call: [*call.stream(*call.words(to=40)), b"zz\r\nwhat\r\n", CLOSE],
    # Refusals
    "429-always": lambda call: call.limits(),
    "429-once-ms": lambda call: call.first(call.limits(retry_after_ms="50")),
    "429-once-0": lambda call: call.first(call.limits(Retry_After="0")),
    "429-once-garbage": lambda call: call.first(call.limits(Retry_After="soon")),
    "429-once-past": lambda call: call.first(call.limits(Retry_After="Sun, 06 Nov 1994 08:49:37 GMT")),
    "429-ms": lambda call: call.limits(retry_after_ms="50"),
    "429-tomorrow": lambda call: call.limits(Retry_After="86400"),
    "429-date": lambda call: call.limits(Retry_After=tomorrow()),
    "quota": lambda call: call.refuses(
        429, "You exceeded your current quota", kind="insufficient_quota", code="insufficient_quota"
    ),
    "500-once": lambda call: call.first(call.refuses(500, "hiccup")),
    "503": lambda call: call.refuses(503, "overloaded"),
    "503-ms": lambda call: call.first(call.refuses(503, "overloaded", {"retry-after-ms": "50"})),
    "529": lambda call: call.refuses(529, "Overloaded"),
    "flap": lambda call: call.refuses(503, "overloaded") if call.number % 2 else call.whole(),
    "invalid": lambda call: call.refuses(400, "temperature is out of range", kind="invalid_request_error"),
    "gone": lambda call: call.refuses(
        404, f"model '{call.model}' not found", kind="invalid_request_error", code="model_not_found"
    ),
    "401": lambda call: call.refuses(401, f"Incorrect API key provided: {call.key}", code="invalid_api_key"),
    "401-first-key": lambda call: FAULTS["401"](call) if "key-one" in (call.key or "") else call.whole(),
    "401-after-one": lambda call: call.whole() if call.number == 1 else FAULTS["401"](call),
    "403": lambda call: call.refuses(403, "Project does not have access", kind="permission_error"),
    "redirect": lambda call: [whole(307, b"", {"Location": "http://elsewhere.example/v1"})],
    "context": lambda call: call.refuses(
        400,
        "This model's maximum context length is 8 tokens, which your prompt of 9 tokens would exceed",
        kind="invalid_request_error",
        code="context_length_exceeded",
    ),
    "filter": lambda call: call.stream(call.say.text("I "), call.say.finish("content_filter") + call.say.done, LAST_CHUNK),
    "token-limit": lambda call: call.stream(*call.words(to=40), call.say.finish("length") + call.say.done, LAST_CHUNK),
    # Bytes in odd pieces, which mean what they should
    "split-utf8": lambda call: bytewise(call, call.say.text(SPLIT) + call.everything),
    "crlf": lambda call: bytewise(call, call.everything.replace(b"\n", b"\r\n")),
    "comments": lambda call: call.stream(call.say.blank(), call.say.text(ANSWER), call.say.blank(), call.say.end, LAST_CHUNK),
    "multi-line-data": lambda call: call.stream(
        f'data: {{"choices": [{{"index": 0,\ndata: "delta": {{"content": "{ANSWER}"}}}}]}}\n\n'.encode(),
        call.say.end + call.say.done,
        LAST_CHUNK,
    ),
    "huge-line": lambda call: call.stream(
        call.say.text(ANSWER, padding="x" * LARGE_BYTES), call.say.end + call.say.done, LAST_CHUNK
    ),
    "hints": lambda call: [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", *call.whole()],
    "long": lambda call: call.stream(
        *(call.say.text(ANSWER * 60) for _ in range(30)), call.say.end + call.say.done, LAST_CHUNK
    ),
    "at-once": lambda call: [whole(200, call.say.answer(ANSWER))],
    "bad-json-once": lambda call: call.stream(
        *call.words(to=30), call.say.broken("oops"), *call.words(first=30), call.say.end + call.say.done, LAST_CHUNK
    ),
    # Bytes that mean nothing
    "bad-json-twice": lambda call: call.stream(
        *call.words(to=30), call.say.broken("oops"), call.say.broken("again"), *call.words(30)
    ),
    "line-for-ever": lambda call: one_line(call, 70),
    "200-error": lambda call: call.refuses(200, "something broke"),
    "200-html": lambda call: [whole(200, "<html>sign in</html>", {"Content-Type": "text/html"})],
    "200-empty": lambda call: [whole(200, b"")],
    "204": lambda call: [head(204)],
    "200-gzip": lambda call: [whole(200, gzip.compress(b"{}"), {"Content-Encoding": "gzip"})],
    "not-http": lambda call: [b"SSH-2.0-OpenSSH_9.9\r\n\r\n", CLOSE],
    "empty-stream": lambda call: call.stream(LAST_CHUNK),
    # Ends
    "no-done": lambda call: call.whole(call.say.end),
    "no-done-no-finish": lambda call: call.whole(b""),
    "done-twice": lambda call: call.whole(call.say.end + call.say.done + call.say.done),
    "bytes-after": lambda call: call.whole(call.say.end + call.say.done + b"data: {more}\n\ngarbage"),
    "answer-twice": lambda call: call.whole(call.say.end + call.say.done + call.everything),
    "error-in-stream": lambda call: call.stream(*call.words(to=40), call.say.value(call.say.fault("overloaded")), LAST_CHUNK),
    "error-at-once-in-stream": lambda call: call.stream(call.say.value(call.say.fault("overloaded")), LAST_CHUNK),
}

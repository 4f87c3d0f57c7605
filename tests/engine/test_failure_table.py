"""What follows each failure, over every adapter: how often its server is called, what the run ends with, what is kept of the
answer, and whether somebody else is asked."""

import asyncio
import gzip
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import pytest
from builders import a_request
from fakes.wall import CLOSE, LAST_CHUNK, RESET, SILENCE, Step, Wall, head, refused, whole
from msgspec.structs import replace
from voices import KEY, VOICES, Fake, Voice

from mmai.clock import Clock
from mmai.engine import retry
from mmai.engine.run import Ended, Run
from mmai.engine.session import Route, Session
from mmai.engine.tally import Tally
from mmai.engine.traffic import Traffic
from mmai.errors import CallError
from mmai.values.endpoint import Secret, Timeouts

PATIENT, NO_BEGINNING, NO_MORE = Timeouts(), Timeouts(first_token_s=0.15), Timeouts(stall_s=0.15)
"""How long silence is borne: short only where a row is about it."""
DEADLINE_S = 15.0
"""Of a run; waits that do not fit into it are not waited."""
MALFORMED, FAILING = attrgetter("malformed"), attrgetter("failing")
"""What a voice makes of these among the pieces of an answer."""
PAST, FUTURE = "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 2094 08:49:37 GMT"


class Row(NamedTuple):
    """One failure and what follows."""

    script: Callable[[Voice, Fake], None]
    code: str | None
    """Of the error the run ends with when there is nobody else; None where it is well."""
    attempts: int = 1
    """Calls when there is nobody else."""
    elsewhere: bool = True
    """Another endpoint is asked, and answers."""
    attempts_beside: int | None = None
    """Calls before another is asked, where that differs."""
    text: str = ""
    """What is kept of the answer."""
    timeouts: Timeouts = PATIENT
    in_stream: bool = False
    """The failure is told where an answer was due."""

    def expected(self, voice: Voice, *, beside: bool = False) -> int:
        """Calls of the server that fails."""
        if self.in_stream and voice.in_words:
            return 1
        return (self.attempts_beside if beside else None) or self.attempts


def status(failure: str | int, **headers: str) -> Callable[[Voice, Fake], None]:
    """The server refuses with this."""

    def script(voice: Voice, server: Fake) -> None:
        if isinstance(failure, str) and failure not in voice.failures:
            pytest.skip("its protocol has no words for that")
        said = voice.said(failure)
        server.answers(said.status, said.body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return script


def says(*steps: Step) -> Callable[[Voice, Fake], None]:
    """The server does this, whatever its protocol."""
    return lambda voice, server: server.says(*steps)


def streams(*pieces: Step | str | Callable[[Voice], bytes], **how: Any) -> Callable[[Voice, Fake], None]:
    """The server begins an answer; a function among the pieces makes bytes of the voice."""

    def script(voice: Voice, server: Fake) -> None:
        server.streams(*(piece(voice) if callable(piece) else piece for piece in pieces), **how)

    return script


def ends(why: str, *pieces: str) -> Callable[[Voice, Fake], None]:
    """The server says that the answer ends here, and why."""

    def script(voice: Voice, server: Fake) -> None:
        if why not in voice.ends:
            pytest.skip("its protocol knows no such end")
        server.streams(*pieces, **voice.ends[why])

    return script


def failed(voice: Voice, server: Fake) -> None:
    """A failure stands where the answer was due."""
    server.answers(200, voice.said(503).body)


def squeezed() -> bytes:
    """An answer that is compressed, though nobody asked for that."""
    return whole(200, gzip.compress(b"{}"), {"Content-Encoding": "gzip"})


TABLE = {
    "reset before a byte": Row(says(RESET), "cannot_connect", 2),
    "closed before a byte": Row(says(CLOSE), "cannot_connect", 2),
    "closed within the head": Row(says(b"HTTP/1.1 200 OK\r\nContent-", CLOSE), "cannot_connect", 2),
    "silence": Row(says(SILENCE), "timeout", timeouts=NO_BEGINNING),
    "a head, then silence": Row(says(head(200, {"Transfer-Encoding": "chunked"}), SILENCE), "timeout", timeouts=NO_BEGINNING),
    "429": Row(status(429), "rate_limited", 2, attempts_beside=1),
    "429, back at once": Row(status(429, Retry_After="0"), "rate_limited", 2, attempts_beside=1),
    "429, back in 20 ms": Row(status(429, retry_after_ms="20"), "rate_limited", 2, attempts_beside=1),
    "429, back after the deadline": Row(status(429, Retry_After="20"), "rate_limited"),
    "429, back tomorrow": Row(status(429, Retry_After="86400"), "rate_limited"),
    "429, back at a date long past": Row(status(429, Retry_After=PAST), "rate_limited", 2, attempts_beside=1),
    "429, back at a date far away": Row(status(429, Retry_After=FUTURE), "rate_limited"),
    "429, back soon": Row(status(429, Retry_After="soon"), "rate_limited", 2, attempts_beside=1),
    "quota": Row(status("quota"), "quota"),
    "402": Row(status(402), "quota"),
    "500": Row(status(500), "provider", 2),
    "502": Row(status(502), "provider", 2),
    "503": Row(status(503), "provider", 2),
    "504": Row(status(504), "provider", 2),
    "529": Row(status(529), "provider", 2),
    "503, back after the deadline": Row(status(503, Retry_After="20"), "provider"),
    "401": Row(status(401), "auth"),
    "403": Row(status(403), "auth"),
    "no such model": Row(status("unknown_model"), "unknown_model"),
    "invalid": Row(status("invalid"), "invalid_request", elsewhere=False),
    "422": Row(status(422), "invalid_request", elsewhere=False),
    "context": Row(status("context"), "context_length_exceeded", elsewhere=False),
    "filter": Row(ends("filter", "Hel"), "incomplete", elsewhere=False, text="Hel"),
    "filter before the first word": Row(ends("filter"), "incomplete", elsewhere=False),
    "length": Row(ends("length", "Hel"), "incomplete", elsewhere=False, text="Hel"),
    "length before the first word": Row(ends("length"), "incomplete", elsewhere=False),
    "cut": Row(streams("Hel", CLOSE, done=False), "incomplete", elsewhere=False, text="Hel"),
    "stalled": Row(streams("Hel", SILENCE, done=False), "incomplete", elsewhere=False, text="Hel", timeouts=NO_MORE),
    "no end": Row(streams("Hel", done=False), "incomplete", elsewhere=False, text="Hel"),
    "malformed once": Row(streams("Hel", MALFORMED, "lo"), None, elsewhere=False, text="Hello"),
    "malformed twice": Row(streams("Hel", MALFORMED, "lo", MALFORMED), "incomplete", elsewhere=False, text="Hello"),
    "malformed from the start": Row(streams(MALFORMED, MALFORMED, done=False), "protocol"),
    "a failure among the events": Row(streams("Hel", FAILING, done=False), "incomplete", elsewhere=False, text="Hel"),
    "a failure before the first word": Row(streams(FAILING, done=False), "provider", 2, in_stream=True),
    "200 with a failure": Row(failed, "provider", 2, in_stream=True),
    "200 with a page": Row(says(whole(200, f"<html>{KEY}</html>", {"Content-Type": "text/html"})), "protocol"),
    "200 with nothing": Row(says(whole(200, b"")), "protocol"),
    "200 with nothing in chunks": Row(says(head(200, {"Transfer-Encoding": "chunked"}) + LAST_CHUNK), "protocol"),
    "200 shorter than it says": Row(says(head(200, {"Content-Length": "100"}), CLOSE), "incomplete"),
    "200 that is no HTTP": Row(says(f"SSH-2.0-{KEY}\r\n\r\n".encode(), CLOSE), "protocol"),
    "200 with a chunk that is none": Row(says(head(200, {"Transfer-Encoding": "chunked"}), b"zz\r\n", CLOSE), "protocol"),
    "compressed": Row(says(squeezed()), "protocol"),
}
"""A failure to what follows it, whichever the protocol. Who is asked again and when is `advise` and `retry.after`."""


@pytest.fixture(autouse=True)
def prompt_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait before a second try is the business of `test_retry.py`."""
    monkeypatch.setattr(retry, "BACKOFF_S", (0.0, 0.0))
    monkeypatch.setattr(retry, "UNTOLD_S", (0.0, 0.0))


@pytest.fixture(params=list(VOICES))
def voice(request: pytest.FixtureRequest) -> Voice:
    return VOICES[request.param]


@pytest.fixture
def server(voice: Voice) -> Iterator[Fake]:
    with voice.fake() as server:
        yield server


@pytest.fixture
def other(voice: Voice) -> Iterator[Fake]:
    """A second server of the same kind, which is well."""
    with voice.fake() as server:
        server.streams("Fine")
        yield server


def run(voice: Voice, *urls: str, timeouts: Timeouts = PATIENT, windows: Sequence[int] = (8_192, 8_192)) -> Ended:
    """One run against the first URL, which has these timeouts, with the others to fall back on."""
    first, *others = urls
    endpoints = [voice.endpoint(first, timeouts), *(voice.endpoint(url, PATIENT) for url in others)]

    async def walk() -> Ended:
        async with Session(endpoints, find_key=lambda endpoint: Secret(KEY)) as session:
            routes = [
                Route(
                    replace(session.backend(endpoint).assume(voice.model), provider=name, context_tokens=window, api=voice.api),
                    endpoint,
                )
                for endpoint, window, name in zip(endpoints, windows, (voice.provider, "spare"), strict=False)
            ]
            request = a_request("hi")
            tally = Tally(request, run_id="1", clock=Clock())
            steps = [
                step
                async for step in Run(
                    request,
                    routes,
                    session=session,
                    traffic=Traffic(None, clock=Clock()),
                    tally=tally,
                    log=None,
                    timeout_s=DEADLINE_S,
                ).steps()
            ]
        assert isinstance(steps[-1], Ended)
        return steps[-1]

    return asyncio.run(walk())


@pytest.mark.parametrize("name", TABLE)
def test_alone(voice: Voice, server: Fake, name: str) -> None:
    row = TABLE[name]
    row.script(voice, server)
    end = run(voice, server.url, timeouts=row.timeouts)
    assert (end.error.code if end.error else None) == row.code, end.error
    assert len(server.journal.requests) == len(end.record.attempts) == row.expected(voice)
    assert end.record.text == row.text
    assert KEY not in said_of(end)
    server.journal.wait_all_closed()


@pytest.mark.parametrize("name", TABLE)
def test_beside_one_who_is_well(voice: Voice, server: Fake, other: Fake, name: str) -> None:
    row = TABLE[name]
    row.script(voice, server)
    end = run(voice, server.url, other.url, timeouts=row.timeouts)
    assert len(server.journal.requests) == row.expected(voice, beside=True)
    assert len(other.journal.requests) == row.elsewhere
    if row.elsewhere:
        assert (end.error, end.record.text) == (None, "Fine")
    else:
        assert ((end.error.code if end.error else None), end.record.text) == (row.code, row.text)


@pytest.mark.parametrize(("window", "asked"), [(8_192, 0), (16_384, 1)])
def test_a_prompt_too_long_goes_to_a_wider_window_alone(
    voice: Voice, server: Fake, other: Fake, window: int, asked: int
) -> None:
    status("context")(voice, server)
    run(voice, server.url, other.url, windows=(8_192, window))
    assert len(other.journal.requests) == asked


def test_refused(voice: Voice, other: Fake) -> None:
    with refused() as nowhere:
        alone, beside = run(voice, nowhere), run(voice, nowhere, other.url)
    assert [attempt.failure for attempt in alone.record.attempts] == ["cannot_connect"] * 2
    assert [attempt.failure for attempt in beside.record.attempts] == ["cannot_connect", "cannot_connect", None]
    assert (beside.error, beside.record.text) == (None, "Fine")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_takes_no_key_along(voice: Voice, server: Fake, wall: Wall, code: int) -> None:
    server.answers(code, headers={"Location": f"{wall.url}/v1"})
    end = run(voice, server.url)
    assert (end.error.code if end.error else None) == "provider"
    assert wall.url.removeprefix("http://") in said_of(end)
    assert (len(server.journal.requests), wall.journal.connections) == (1, 0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "20"}, 20),
        ({"Retry-After": "86400"}, 86_400),
        ({"Retry-After": PAST}, 0),
        ({"Retry-After": "soon"}, None),
        ({"retry-after-ms": "15500", "Retry-After": "2"}, 15.5),
    ],
)
def test_how_long_to_wait_is_heard(voice: Voice, server: Fake, headers: dict[str, str], seconds: float | None) -> None:
    said = voice.said(429)
    server.answers(said.status, said.body, headers=headers)
    error = run(voice, server.url).error
    assert isinstance(error, CallError)
    assert (error.status, error.retry_after_s) == (429, seconds)


def said_of(end: Ended) -> str:
    """Every word a run leaves behind."""
    error = end.error
    told = [error.message, error.hint, getattr(error, "body", None)] if error else []
    return f"{told} {[attempt.message for attempt in end.record.attempts]}"

"""One set of promises, held by both transports: plain h11 and httpx."""

import asyncio
import gzip
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from fakes.wall import CHUNKED, CLOSE, LAST_CHUNK, RESET, SILENCE, Gate, Wall, chunk, head, refused, whole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmai.backends.wire import Reply, Transport, Wire
from mmai.backends.wire.plain import Plain
from mmai.backends.wire.secure import Secure
from mmai.errors import (
    CannotConnect,
    ConfigError,
    IncompleteAnswer,
    MmaiError,
    ProtocolError,
    ProviderError,
    TimedOut,
    UsageError,
)
from mmai.values.endpoint import Timeouts
from mmai.values.url import Address

SHORT = Timeouts(first_token_s=0.05, stall_s=0.05)
TRANSPORTS: dict[str, Callable[[str], Transport]] = {
    "plain": lambda url: Plain(Address.parse(url)),
    "secure": lambda url: Secure(f"`{Address.parse(url).authority}`", proxied=False),
}


class Client:
    """Opens wires over one of the transports."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    @asynccontextmanager
    async def wire(self, url: str, timeouts: Timeouts | None = None) -> AsyncIterator[Wire]:
        wire = Wire(url, timeouts=timeouts, transport=TRANSPORTS[self.kind](url))
        try:
            yield wire
        finally:
            await wire.aclose()

    def get(self, url: str, path: str = "/", timeouts: Timeouts | None = None) -> tuple[int, bytes]:
        async def ask() -> tuple[int, bytes]:
            async with self.wire(url, timeouts) as wire, wire.open("GET", path) as reply:
                return reply.status, await reply.read()

        return asyncio.run(ask())

    def failing(self, url: str, timeouts: Timeouts | None = None) -> tuple[bytes, MmaiError]:
        """What came of the body before the error, and the error."""
        came = bytearray()

        async def ask() -> None:
            async with self.wire(url, timeouts) as wire, wire.open("POST", "/", b"{}") as reply:
                async for piece in reply.chunks():
                    came.extend(piece)

        with pytest.raises(MmaiError) as raised:
            asyncio.run(ask())
        return bytes(came), raised.value


@pytest.fixture(params=list(TRANSPORTS))
def client(request: pytest.FixtureRequest) -> Client:
    return Client(request.param)


# What goes out and comes back


def test_a_request_arrives_whole_with_honest_headers(client: Client, wall: Wall) -> None:
    wall.answers(200, b"ok")

    async def ask() -> None:
        transport = TRANSPORTS[client.kind](wall.url)
        wire = Wire(wall.url + "/prefix/", headers={"X-Mine": "1"}, transport=transport)
        async with wire.open("POST", "/api/chat", b'{"a":1}') as reply:
            assert (reply.status, reply.headers["content-type"], await reply.read()) == (200, "text/plain", b"ok")
        await wire.aclose()

    asyncio.run(ask())
    (seen,) = wall.journal.requests
    assert (seen.method, seen.path, seen.json) == ("POST", "/prefix/api/chat", {"a": 1})
    assert seen.headers["host"] == f"127.0.0.1:{wall.port}"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["content-length"] == "7"
    assert seen.headers["user-agent"].startswith("mmai/")
    assert seen.headers["x-mine"] == "1"


@pytest.mark.parametrize(
    "steps",
    [
        (whole(200, b"Hello"),),
        (head(200, CHUNKED), chunk(b"Hel"), chunk(b"lo"), LAST_CHUNK),
        (head(200, CHUNKED), b"3;why=1\r\nHel\r\n", chunk(b"lo"), b"0\r\nX-Trailer: 1\r\n\r\n"),
        (head(200, {"Connection": "close"}), b"Hello", CLOSE),
        (b"HTTP/1.0 200 OK\r\n\r\n", b"Hello", CLOSE),
        (head(100), head(103, {"Link": "x"}), whole(200, b"Hello")),
        (whole(200, b"Hello")[:9], whole(200, b"Hello")[9:40], whole(200, b"Hello")[40:]),
    ],
    ids=["length", "chunked", "extensions and trailers", "until close", "1.0", "informational first", "head in pieces"],
)
def test_every_framing_of_a_body_is_read(client: Client, wall: Wall, steps: tuple[bytes, ...]) -> None:
    wall.says(*steps)
    assert client.get(wall.url) == (200, b"Hello")


@pytest.mark.parametrize("status", [204, 404, 429, 500, 503])
def test_a_status_is_no_error_here(client: Client, wall: Wall, status: int) -> None:
    wall.answers(status, b"" if status == 204 else b"why", headers={"Retry-After": "2"})
    assert client.get(wall.url) == (status, b"" if status == 204 else b"why")


def test_repeated_headers_are_joined(client: Client, wall: Wall) -> None:
    wall.says(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n")

    async def ask() -> str:
        async with client.wire(wall.url) as wire, wire.open("GET", "/") as reply:
            return reply.headers["x-a"]

    assert asyncio.run(ask()) == "1, 2"


def test_pieces_come_as_they_arrive(client: Client, wall: Wall) -> None:
    gates = [Gate(), Gate()]
    wall.says(head(200, CHUNKED), chunk(b"one"), gates[0], chunk(b"two"), gates[1], chunk("é".encode()[:1]), LAST_CHUNK)

    async def ask() -> list[bytes]:
        pieces = []
        async with client.wire(wall.url) as wire, wire.open("GET", "/") as reply:
            async for piece in reply.chunks():
                pieces.append(piece)
                if gates:
                    gates.pop(0).open()  # the server goes on only when this piece has been read
        return pieces

    assert asyncio.run(ask()) == [b"one", b"two", b"\xc3"]


def test_a_large_body_goes_up_and_down(client: Client, wall: Wall) -> None:
    wall.says(head(200, CHUNKED), *(chunk(b"x" * 100_000) for _ in range(30)), LAST_CHUNK)

    async def ask() -> bytes:
        async with client.wire(wall.url) as wire, wire.open("POST", "/", b"y" * 3_000_000) as reply:
            return await reply.read()

    assert asyncio.run(ask()) == b"x" * 3_000_000
    assert wall.journal.requests[0].body == b"y" * 3_000_000


def test_an_answer_before_the_body_was_sent_is_heard(client: Client, wall: Wall) -> None:
    wall.reads_bodies = False
    wall.answers(413, b"too large", headers={"Connection": "close"})

    async def ask() -> tuple[int, bytes]:
        async with client.wire(wall.url) as wire, wire.open("POST", "/", b"y" * 3_000_000) as reply:
            return reply.status, await reply.read()

    assert asyncio.run(ask()) == (413, b"too large")


def test_a_body_over_the_limit_is_refused(client: Client, wall: Wall) -> None:
    wall.answers(200, b"x" * 11)

    async def ask() -> None:
        async with client.wire(wall.url) as wire, wire.open("GET", "/") as reply:
            await reply.read(10)

    with pytest.raises(ProtocolError, match="more than 10 bytes"):
        asyncio.run(ask())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=300), max_size=6), st.data())
def test_any_packets_give_the_same_body(client: Client, wall: Wall, pieces: list[bytes], data: st.DataObject) -> None:
    raw = head(200, CHUNKED) + b"".join(map(chunk, pieces)) + LAST_CHUNK
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    wall.says(*(raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)))
    assert client.get(wall.url) == (200, b"".join(pieces))


# Connections


def test_a_connection_serves_request_after_request(client: Client, wall: Wall) -> None:
    wall.answers(200, b"ok")

    async def ask() -> None:
        async with client.wire(wall.url) as wire:
            for _ in range(3):
                async with wire.open("GET", "/") as reply:
                    await reply.read()
            async with wire.open("GET", "/"):
                pass  # nobody reads this answer, and its connection is kept nevertheless
            async with wire.open("GET", "/") as reply:
                await reply.read()

    asyncio.run(ask())
    assert (len(wall.journal.requests), wall.journal.connections) == (5, 1)


def test_many_requests_at_once_each_get_their_own_answer(client: Client, wall: Wall) -> None:
    wall.when(lambda seen: True, lambda seen: [whole(200, seen.path)])

    async def ask(wire: Wire, path: str) -> str:
        async with wire.open("GET", path) as reply:
            return (await reply.read()).decode()

    async def ask_all() -> list[str]:
        async with client.wire(wall.url) as wire:
            return await asyncio.gather(*(ask(wire, f"/{number}") for number in range(20)))

    assert asyncio.run(ask_all()) == [f"/{number}" for number in range(20)]


def test_a_connection_the_server_gave_up_is_not_used_again(client: Client, wall: Wall) -> None:
    gate = Gate()
    wall.says(whole(200, b"first"), gate, CLOSE, times=1)
    wall.answers(200, b"second")

    async def ask() -> bytes:
        async with client.wire(wall.url) as wire:
            async with wire.open("GET", "/") as reply:
                assert await reply.read() == b"first"
            gate.open()
            await asyncio.to_thread(wall.journal.wait_all_closed)
            async with wire.open("POST", "/", b"{}") as reply:
                return await reply.read()

    assert asyncio.run(ask()) == b"second"


def test_a_kept_connection_that_dies_unheard_is_replaced_once(wall: Wall) -> None:
    # httpx looks before it writes, which leaves a narrower gap and no second try; plain does both.
    wall.answers(200, b"first", times=1)
    wall.says(RESET, times=1)
    wall.answers(200, b"third", times=1)
    wall.says(RESET)

    async def ask() -> None:
        async with Client("plain").wire(wall.url) as wire:
            for expected in (b"first", b"third"):
                async with wire.open("POST", "/", b"{}") as reply:
                    assert await reply.read() == expected
            with pytest.raises(CannotConnect):
                async with wire.open("POST", "/", b"{}"):
                    pass

    asyncio.run(ask())
    assert len(wall.journal.requests) == 5  # first, reset, third, reset, reset


def test_a_kept_connection_that_dies_after_a_byte_is_not_replaced(wall: Wall) -> None:
    wall.answers(200, b"first", times=1)
    gate = Gate()
    wall.says(b"HTTP/1.1 200", gate, RESET, times=1)
    gate.open()

    async def ask() -> None:
        async with Client("plain").wire(wall.url) as wire:
            async with wire.open("GET", "/") as reply:
                await reply.read()
            async with wire.open("GET", "/"):
                pass

    with pytest.raises(CannotConnect):
        asyncio.run(ask())
    assert len(wall.journal.requests) == 2


def test_localhost_reaches_a_server_on_either_loopback_address(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def both(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        """What a hosts file with both says, whatever this machine's does."""
        names = ("::1", "127.0.0.1") if host in ("localhost", b"localhost") else (host,)
        return [info for name in names for info in look_up(name, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    for host in ("127.0.0.1", "::1"):
        with Wall(host=host) as wall:
            wall.answers(200, b"ok")
            assert client.get(f"http://localhost:{wall.port}") == (200, b"ok")
            assert client.get(wall.url) == (200, b"ok")


def test_bytes_after_an_answer_do_not_begin_the_next_one(wall: Wall) -> None:
    # httpx takes them for the next answer; servers behind TLS and proxies are not known to send any.
    wall.says(whole(200, b"first") + whole(200, b"stray"), times=1)
    wall.answers(200, b"second")

    async def ask() -> list[bytes]:
        bodies = []
        async with Client("plain").wire(wall.url) as wire:
            for _ in range(2):
                async with wire.open("GET", "/") as reply:
                    bodies.append(await reply.read())
        return bodies

    assert asyncio.run(ask()) == [b"first", b"second"]


# Leaving early


def test_leaving_half_way_cancels_upstream(client: Client, wall: Wall) -> None:
    wall.says(head(200, CHUNKED), chunk(b"Hel"), SILENCE)

    async def ask() -> None:
        async with client.wire(wall.url) as wire:
            with pytest.raises(KeyError):
                async with wire.open("GET", "/") as reply:
                    assert await anext(reply.chunks()) == b"Hel"
                    raise KeyError
            await asyncio.to_thread(wall.journal.wait_hangups)

    asyncio.run(ask())


@pytest.mark.parametrize("steps", [(SILENCE,), (head(200, CHUNKED), chunk(b"Hel"), SILENCE)], ids=["before", "within"])
def test_a_cancelled_task_cancels_upstream(client: Client, wall: Wall, steps: tuple[bytes, ...]) -> None:
    wall.says(*steps)

    async def read(wire: Wire) -> None:
        async with wire.open("GET", "/") as reply:
            await reply.read()

    async def ask() -> None:
        async with client.wire(wall.url) as wire:
            task = asyncio.create_task(read(wire))
            await asyncio.to_thread(wall.journal.wait_requests)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(wall.journal.wait_hangups)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(ask())


def test_closing_leaves_no_connection_behind(client: Client, wall: Wall) -> None:
    wall.answers(200, b"ok")

    async def ask() -> None:
        async with client.wire(wall.url) as wire:
            async with wire.open("GET", "/") as reply:
                await reply.read()
            await wire.aclose()

    asyncio.run(ask())
    wall.journal.wait_all_closed()


# What goes wrong


def test_a_refused_connection_says_so(client: Client) -> None:
    with refused() as url:
        came, error = client.failing(url)
    assert came == b""
    assert type(error) is CannotConnect
    assert error.message == f"cannot connect to `{url.removeprefix('http://')}`: connection refused"


def test_a_refused_localhost_says_so_for_all_its_addresses(client: Client) -> None:
    with refused() as url:
        _, error = client.failing(url.replace("127.0.0.1", "localhost"))
    assert type(error) is CannotConnect
    assert error.message.endswith("connection refused")


def test_an_unknown_host_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    _, error = client.failing("http://no-such-host.invalid:1")
    assert type(error) is CannotConnect
    assert error.message == "cannot connect to `no-such-host.invalid:1`: no such host"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue of connections refuses instead of ignoring")
def test_a_server_that_takes_no_connection_is_given_up(client: Client) -> None:
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        _, error = client.failing(f"http://127.0.0.1:{deaf.getsockname()[1]}", Timeouts(connect_s=0.05))
    assert isinstance(error, TimedOut)
    assert error.phase == "connect"
    assert "within 0.05 s" in error.message


@pytest.mark.parametrize(
    "steps", [(SILENCE,), (head(200, CHUNKED), SILENCE), (b"HTTP/1.1 20", SILENCE)], ids=["nothing", "head", "half a head"]
)
def test_a_server_that_does_not_begin_is_given_up_and_told(client: Client, wall: Wall, steps: tuple[bytes, ...]) -> None:
    wall.says(*steps)
    came, error = client.failing(wall.url, SHORT)
    assert came == b""
    assert isinstance(error, TimedOut)
    assert error.phase == "first_token"
    wall.journal.wait_hangups()


def test_a_server_that_stalls_is_given_up_and_told(client: Client, wall: Wall) -> None:
    wall.says(head(200, CHUNKED), chunk(b"Hel"), SILENCE)
    came, error = client.failing(wall.url, Timeouts(stall_s=0.05))
    assert came == b"Hel"
    assert isinstance(error, TimedOut)
    assert error.phase == "stall"
    wall.journal.wait_hangups()


def test_a_slow_drip_is_no_stall(client: Client, wall: Wall) -> None:
    wall.says(head(200, CHUNKED), *(step for byte in b"drip" * 10 for step in (chunk(bytes([byte])),)), LAST_CHUNK)
    assert client.get(wall.url, timeouts=Timeouts(stall_s=5)) == (200, b"drip" * 10)


@pytest.mark.parametrize("end", [RESET, CLOSE])
@pytest.mark.parametrize("start", [(), (b"HTTP/1.1 200 OK\r\nConte",)], ids=["nothing", "half a head"])
def test_a_connection_that_ends_before_the_answer_was_no_connection(
    client: Client, wall: Wall, start: tuple[bytes, ...], end: bytes
) -> None:
    wall.says(*start, end)
    came, error = client.failing(wall.url)
    assert came == b""
    assert type(error) is CannotConnect
    assert error.message.startswith(f"`127.0.0.1:{wall.port}` ")
    assert error.message.endswith("the connection before it answered")


@pytest.mark.parametrize("end", [RESET, CLOSE])
@pytest.mark.parametrize("promise", [CHUNKED, {"Content-Length": "100"}], ids=["chunked", "length"])
def test_a_connection_that_ends_within_the_body_is_a_cut(
    client: Client, wall: Wall, promise: dict[str, str], end: bytes
) -> None:
    gate = Gate()
    wall.says(head(200, promise), chunk(b"Hel"), gate, end)

    async def ask() -> bytes:
        came = bytearray()
        async with client.wire(wall.url) as wire, wire.open("GET", "/") as reply:
            with pytest.raises(IncompleteAnswer) as raised:
                async for piece in reply.chunks():
                    came.extend(piece)
                    gate.open()
        assert raised.value.reason == "cut"
        return bytes(came)

    assert b"Hel" in asyncio.run(ask())


@pytest.mark.parametrize(
    "steps",
    [
        (b"220 mail.example.com ESMTP\r\n\r\n", CLOSE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",),
        (head(200, CHUNKED), b"not a length\r\n", LAST_CHUNK),
    ],
    ids=["another protocol", "length", "endless head", "chunk"],
)
def test_what_is_not_http_is_named(client: Client, wall: Wall, steps: tuple[bytes, ...]) -> None:
    wall.says(*steps)
    _, error = client.failing(wall.url)
    assert type(error) is ProtocolError
    assert "does not answer in HTTP" in error.message


def test_a_redirect_is_named_and_not_followed(client: Client, wall: Wall) -> None:
    wall.answers(302, headers={"Location": "https://user:pw@elsewhere.example/login"})
    _, error = client.failing(wall.url)
    assert type(error) is ProviderError
    assert error.status == 302
    assert "`elsewhere.example`" in error.message
    assert "pw" not in error.message
    assert len(wall.journal.requests) == 1


def test_a_compressed_answer_nobody_asked_for_is_refused(client: Client, wall: Wall) -> None:
    wall.answers(200, gzip.compress(b"Hello"), headers={"Content-Encoding": "gzip"})
    _, error = client.failing(wall.url)
    assert type(error) is ProtocolError
    assert "gzip" in error.message


# Which transport, and its settings


def test_this_machine_is_never_reached_through_a_proxy(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    wall.answers(200, b"ok")

    async def ask(wire: Wire) -> bytes:
        async with wire.open("GET", "/") as reply:
            body = await reply.read()
        await wire.aclose()
        return body

    assert asyncio.run(ask(Wire(wall.url, proxied=True))) == b"ok"


def test_another_host_is_reached_through_the_proxy_where_one_is_named(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", wall.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    wall.answers(200, b"by proxy")

    async def ask() -> bytes:
        wire = Wire("http://models.example:11434", proxied=True)
        async with wire.open("GET", "/x") as reply:
            body = await reply.read()
        await wire.aclose()
        return body

    assert asyncio.run(ask()) == b"by proxy"
    assert wall.journal.paths == ["GET http://models.example:11434/x"]


def test_a_header_that_cannot_be_sent_is_refused_without_its_value() -> None:
    with pytest.raises(ConfigError) as raised:
        Wire("http://box:1", headers={"Authorization": "Bearer sk-secret\n"})
    assert "Authorization" in raised.value.message
    assert "sk-secret" not in raised.value.message


def test_another_scheme_is_refused() -> None:
    with pytest.raises(UsageError, match="ftp://box"):
        Wire("ftp://box")


def test_a_plain_wire_imports_no_httpx() -> None:
    code = "import sys, mmai.backends.wire; print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command + names, check=True, capture_output=True)
    return folder


@pytest.fixture
def tls_wall(certificate: Path) -> Iterator[Wall]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with closing(Wall(tls=context)) as wall:
        yield wall


def body_over_tls(url: str) -> bytes:
    async def ask() -> bytes:
        wire = Wire(url)
        try:
            async with wire.open("GET", "/") as reply:
                assert isinstance(reply, Reply)
                return await reply.read()
        finally:
            await wire.aclose()

    return asyncio.run(ask())


def test_tls_trusts_what_the_environment_names(tls_wall: Wall, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    tls_wall.answers(200, b"ok")
    assert body_over_tls(tls_wall.url) == b"ok"


def test_tls_refuses_a_stranger(tls_wall: Wall) -> None:
    with pytest.raises(CannotConnect) as raised:
        body_over_tls(tls_wall.url)
    assert "certificate not trusted: self" in raised.value.message

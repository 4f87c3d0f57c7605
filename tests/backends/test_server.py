"""What every adapter has from `Server`: credentials that go out and never come back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest
from fakes.wall import Wall

from mmai.backends.server import Server
from mmai.clock import Clock
from mmai.dialects.http import status_error
from mmai.errors import CallError, MmaiError, ProtocolError
from mmai.values.endpoint import Endpoint
from mmai.values.model import ModelRef

KEY = "sk-quoted-0123456789"


def failure(status: int, body: bytes, *, where: str, ref: ModelRef | None, headers: Mapping[str, str], now: float) -> MmaiError:
    return status_error(status, body.decode(), where=where, headers=headers, now=now)


def raised_by(read: Callable[[Server], Awaitable[object]], url: str) -> CallError:
    """What reading from a server with a key fails with."""
    server = Server(
        Endpoint(provider="some", kind="some", url=url),
        name="Some",
        url=url,
        credentials={"Authorization": f"Bearer {KEY}"},
        failure=failure,
        clock=Clock(),
    )

    async def fail() -> CallError:
        with pytest.raises(CallError) as raised:
            await read(server)
        await server.aclose()
        return raised.value

    return asyncio.run(fail())


@pytest.mark.parametrize("quoted", [KEY, KEY[:12], f"{KEY} and {KEY}", f"{KEY[:10]} {KEY}"])
def test_a_quoted_key_is_taken_out_even_where_it_is_cut_short(wall: Wall, quoted: str) -> None:
    wall.answers(401, f"Bearer {quoted}, no")
    error = raised_by(lambda server: server.ask("GET", "/"), wall.url)
    assert wall.journal.requests[0].headers["authorization"] == f"Bearer {KEY}"
    shown = quoted.replace(KEY, "****").replace(KEY[:12], "****").replace(KEY[:10], "****")
    assert error.body == f"Bearer {shown}, no"
    assert error.message.endswith(f": Bearer {shown}, no")
    assert str(error) == error.message


def test_whoever_reads_the_reply_is_discreet_too(wall: Wall) -> None:
    wall.answers(200, KEY)

    async def read(server: Server) -> None:
        async with server.open("GET", "/") as reply:
            raise ProtocolError(f"unreadable: {(await reply.read()).decode()}")

    assert raised_by(read, wall.url).message == "unreadable: ****"

"""What the engine adds to a call: requests a second and latency, beside the same server called bare.

    python tests/benchmarks/overhead.py [SECONDS]

One process calls, another answers at once, both on this machine: an Ollama stream of four lines, whose sizes it prints. `bare` writes the same request over kept raw connections and reads to the end of the answer, parsing nothing;
`engine` is `Run` as a batch uses it, with choice, deadlines, breakers and limits, without history; `with history` keeps every run.
Rounds are shuffled; medians of 5.
"""

import asyncio
import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from mmai.clock import Clock
from mmai.engine.many import Asker, GroupedLog
from mmai.engine.session import Route, Session
from mmai.engine.traffic import Traffic
from mmai.engine.wish import Choice, Wish
from mmai.telemetry.history import History
from mmai.values.endpoint import Endpoint
from mmai.values.model import FREE, ModelCard
from mmai.values.request import Message, Request, TextPart

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
ROUNDS = 5
LINES = (
    b'{"model":"m","message":{"role":"assistant","content":"Hello"},"done":false}\n',
    b'{"model":"m","message":{"role":"assistant","content":" there"},"done":false}\n',
    b'{"model":"m","message":{"role":"assistant","content":"."},"done":false}\n',
    b'{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":1,'
    b'"load_duration":1,"prompt_eval_count":9,"prompt_eval_duration":1,"eval_count":3,"eval_duration":1}\n',
)
CHUNKS = b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in LINES) + b"0\r\n\r\n"
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS
REQUEST = Request(messages=(Message("user", (TextPart("word " * 60),)),))
CARD = ModelCard(provider="ollama", name="m", locality="local", capabilities=("text_generation",), price=FREE)


class Server(asyncio.Protocol):
    """Answers every request at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (at := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:at].lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            if len(self.buffer) < at + 4 + length:
                return
            self.buffer = self.buffer[at + 4 + length :]
            self.transport.write(REPLY)


def serve(port: "multiprocessing.Queue[int]") -> None:
    """The other process."""

    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


async def measured(call: Callable[[], Awaitable[None]], concurrency: int) -> tuple[float, list[float]]:
    """Calls a second, and the milliseconds each took."""
    until, times = time.perf_counter() + SECONDS, list[float]()

    async def client() -> None:
        while (began := time.perf_counter()) < until:
            await call()
            times.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(client() for _ in range(concurrency)))
    return len(times) / SECONDS, times


async def bare(port: int, concurrency: int) -> tuple[float, list[float]]:
    """Raw connections, one for each client."""
    body = b'{"model":"m","messages":[{"role":"user","content":"' + b"word " * 60 + b'"}],"stream":true,"truncate":false}'
    message = b"POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(concurrency)]
    whole = len(REPLY)

    async def call() -> None:
        reader, writer = connection = idle.pop()
        writer.write(message)
        await reader.readexactly(whole)
        idle.append(connection)

    found = await measured(call, concurrency)
    for _, writer in idle:
        writer.close()
    return found


async def engine(port: int, concurrency: int, history: History | None) -> tuple[float, list[float]]:
    """The engine, as a batch asks."""
    clock = Clock()
    endpoint = Endpoint(provider="ollama", kind="ollama", url=f"http://127.0.0.1:{port}")
    log = GroupedLog(history.finish_all, clock=clock) if history else None
    async with Session([endpoint], find_key=lambda _: None) as session:
        with Traffic(history, clock=clock) as traffic:
            asker = Asker(
                lambda _: Choice(routes=(Route(CARD, endpoint),)),
                Wish(model="ollama:m"),
                session=session,
                traffic=traffic,
                log=log,
                clock=clock,
                timeout_s=60.0,
                check=None,
                restart_on_cut=False,
            )

            async def call() -> None:
                answer = await asker.ask(REQUEST)
                assert answer.record.text == "Hello there."

            found = await measured(call, concurrency)
        if log:
            log.flush()
    return found


def main() -> None:
    """Every way at every concurrency."""
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(ports,), daemon=True)
    server.start()
    port = ports.get()
    results: dict[tuple[int, str], list[tuple[float, float, float]]] = {}
    rounds = [(concurrency, way) for concurrency in (1, 16, 64) for way in ("bare", "engine", "with history")] * ROUNDS
    random.shuffle(rounds)
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder) / "history.db", warn=print)
        for concurrency, way in rounds:
            work = bare(port, concurrency) if way == "bare" else engine(port, concurrency, history if way != "engine" else None)
            rate, times = asyncio.run(work)
            times.sort()
            results.setdefault((concurrency, way), []).append((rate, times[len(times) // 2], times[len(times) * 99 // 100]))
        history.close()
    server.terminate()
    print(f"about 400 bytes of request, {len(REPLY)} of answer, all streamed; medians of {ROUNDS} rounds of {SECONDS:g} s")
    print(f"{'':14}{'at a time':>10}{'calls/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'added p50':>11}")
    for concurrency in (1, 16, 64):
        base = statistics.median(p50 for _, p50, _ in results[concurrency, "bare"])
        for way in ("bare", "engine", "with history"):
            rate, p50, p99 = (statistics.median(column) for column in zip(*results[concurrency, way], strict=True))
            print(f"{way:14}{concurrency:10d}{rate:10.0f}{p50:9.2f}{p99:9.2f}{p50 - base:11.2f}")


if __name__ == "__main__":
    main()

"""A service somebody wrote at home over `wall.py`: one path, an answer in events of its own, and a key in a header of its own.

    service.streams("Hel", "lo")                      # every question from now on
    service.streams("Hel", event({"error": "boom"}), done=False)
    service.answers(503, {"error": "busy"}, times=1)

Run alone for trying things by hand: `python tests/fakes/homemade.py --port 9000`; it prints the row it takes in the settings.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from fakes.wall import LAST_CHUNK, Script, Seen, Step, Wall, chunk, head, serve, whole, words

ASK = "/ask"
EVENTS = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
ROW: Mapping[str, Any] = {
    "kind": "custom",
    "request": {"path": ASK, "body": {"model": "{model}", "question": "{prompt}"}},
    "response": {
        "stream": "sse",
        "text": "delta",
        "usage": {"input_tokens": "counts[0]", "output_tokens": "counts[1]"},
        "finish_reason": "ended",
        "error": "error",
        "done": "ended",
    },
    "models": ["parrot"],
}
"""What the settings say of it, beside its address."""


class FakeService(Wall):
    """The server: what it saw in `journal`, its address in `url`. With a `key`, whoever sends another is 401."""

    def __init__(self, *, key: str | None = None, port: int = 0, host: str = "127.0.0.1") -> None:
        self.key = key
        super().__init__(port, host)

    def streams(
        self,
        *pieces: str | Step,
        usage: tuple[int, int] = (26, 259),
        ended: str = "stop",
        done: bool = True,
        model: str | None = None,
        times: int | None = None,
    ) -> None:
        """Answer with these pieces, one event each; bytes go out as they are, within a chunk."""

        def script(seen: Seen) -> Iterator[Step]:
            yield head(200, EVENTS)
            for piece in pieces:
                if isinstance(piece, str):
                    yield chunk(event({"delta": piece}))
                else:
                    yield chunk(piece) if isinstance(piece, bytes) else piece
            yield (chunk(event({"ended": ended, "counts": usage})) if done else b"") + LAST_CHUNK

        self.when(lambda seen: seen.path == ASK and model in (None, seen.model), script, times=times)

    def script(self, seen: Seen) -> Script:
        """What is said, once the key is right."""
        if self.key is not None and seen.headers.get("authorization") != f"Bearer {self.key}":
            return [whole(401, {"error": "who are you?"})]
        return super().script(seen)


def event(value: Any) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A home-made service on loopback.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--text", default="Hello there", help="what every question is answered with, word by word")
    arguments = parser.parse_args()
    server = FakeService(port=arguments.port)
    server.streams(*words(arguments.text))
    serve(server, json.dumps({"backends": {"homemade": {"endpoint": server.url, **ROW}}}))


if __name__ == "__main__":
    main()

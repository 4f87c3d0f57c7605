"""The part of a fake Anthropic that takes message batches; `anthropic.py` answers their rows.

    anthropic.batching.polls = 2                  # asked twice, it is still running
    anthropic.batching.most = 1                   # rows that are answered before the rest expires
    anthropic.batching.gate = Gate()              # before a new batch is confirmed

Each row is answered as a message of its own would be: by what is scripted, or by the API itself. The results come in the
opposite order, since the real ones promise none.

Run alone for trying things by hand: `python tests/fakes/anthropic_batch.py --port 8642`.

Source: platform.claude.com/docs, "Message Batches"; fields as in the SDK 2.12.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from fakes.anthropic import FakeAnthropic, usual_models
from fakes.wall import Gate, Script, Seen, Step, Wall, serve, whole

BATCHES, MESSAGES = "/v1/messages/batches", "/v1/messages"
CREATED, ENDED, EXPIRES = "2026-01-02T03:04:05Z", "2026-01-02T04:04:05Z", "2026-01-03T03:04:05Z"
NAME = re.compile("[a-zA-Z0-9_-]{1,64}")


@dataclass
class Batching:
    """What batches do, and what became of them."""

    polls: int = 0
    """Questions that find a batch still running."""
    most: int | None = None
    """Rows that are done before a batch ends; all of them when not given."""
    gate: Gate | None = None
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    results: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    """Questions about each batch so far."""


class AnthropicBatch(Wall):
    """Message batches, over a server that answers their rows."""

    batching: Batching

    def __init__(self, *args: Any, **options: Any) -> None:
        self.batching = Batching()
        super().__init__(*args, **options)

    def default(self, seen: Seen) -> Script:
        """The endpoints."""
        path = urlsplit(seen.path).path
        if not path.startswith(BATCHES):
            return super().default(seen)
        match seen.method, path.removeprefix(BATCHES).strip("/").split("/"):
            case "POST", [""]:
                return self._create(seen)
            case "GET", [""]:
                found = list(self.batching.batches.values())[::-1]
                return [whole(200, {"data": found, "has_more": False, "first_id": None, "last_id": None})]
            case "GET", [name]:
                return [self._retrieve(name)]
            case "GET", [name, "results"]:
                return [self._results(name)]
            case "POST", [name, "cancel"]:
                return [self._cancel(name)]
            case _:
                return super().default(seen)

    def _create(self, seen: Seen) -> Iterator[Step]:
        requests = seen.json.get("requests")
        if wrong := _wrong(requests):
            yield _failed(400, "invalid_request_error", wrong)
            return
        if self.batching.gate:
            yield self.batching.gate
        identity = f"msgbatch_{len(self.batching.batches) + 1:06}"
        self.batching.requests[identity] = requests
        self.batching.batches[identity] = {
            "id": identity,
            "type": "message_batch",
            "processing_status": "in_progress",
            "request_counts": _counts(processing=len(requests)),
            "ended_at": None,
            "created_at": CREATED,
            "expires_at": EXPIRES,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": None,
        }
        yield whole(200, self.batching.batches[identity])

    def _retrieve(self, identity: str) -> bytes:
        batch = self.batching.batches.get(identity)
        if batch is None:
            return _failed(404, "not_found_error", f"Batch {identity} not found")
        asked = self.batching.asked[identity] = self.batching.asked.get(identity, 0) + 1
        if batch["processing_status"] != "ended" and asked > self.batching.polls:
            self._end(batch)
        return whole(200, batch)

    def _end(self, batch: dict[str, Any]) -> None:
        requests = self.batching.requests[batch["id"]]
        most = len(requests) if self.batching.most is None else self.batching.most
        rest = "canceled" if batch["processing_status"] == "canceling" else "expired"
        rows = [{"custom_id": row["custom_id"], "result": self._answer(row["params"])} for row in requests[:most]]
        rows += [{"custom_id": row["custom_id"], "result": {"type": rest}} for row in requests[most:]]
        kinds = [row["result"]["type"] for row in rows]
        self.batching.results[batch["id"]] = rows[::-1]
        batch |= {
            "processing_status": "ended",
            "request_counts": _counts(**{kind: kinds.count(kind) for kind in ("succeeded", "errored", "canceled", "expired")}),
            "ended_at": ENDED,
            "results_url": f"{self.url}{BATCHES}/{batch['id']}/results",
        }

    def _answer(self, params: dict[str, Any]) -> dict[str, Any]:
        """A row as if it had been sent alone."""
        entry = {"anthropic-version": "2023-06-01"} | ({"x-api-key": key} if (key := getattr(self, "key", None)) else {})
        asked = Seen("POST", MESSAGES, {"content-type": "application/json"} | entry, json.dumps(params).encode())
        said = b"".join(step for step in self.script(asked) if isinstance(step, bytes))
        top, _, body = said.partition(b"\r\n\r\n")
        value = json.loads(body)
        return {"type": "succeeded", "message": value} if int(top.split()[1]) == 200 else {"type": "errored", "error": value}

    def _results(self, identity: str) -> bytes:
        if identity not in self.batching.batches:
            return _failed(404, "not_found_error", f"Batch {identity} not found")
        if identity not in self.batching.results:
            return _failed(404, "not_found_error", f"Batch {identity} has no available results yet")
        lines = b"".join(json.dumps(row).encode() + b"\n" for row in self.batching.results[identity])
        return whole(200, lines, {"Content-Type": "application/x-jsonl"})

    def _cancel(self, identity: str) -> bytes:
        batch = self.batching.batches.get(identity)
        if batch is None:
            return _failed(404, "not_found_error", f"Batch {identity} not found")
        if batch["processing_status"] == "in_progress":
            batch |= {"processing_status": "canceling", "cancel_initiated_at": CREATED}
        return whole(200, batch)


class FakeAnthropicBatches(AnthropicBatch, FakeAnthropic):
    """An Anthropic that takes batches."""


def _wrong(requests: Any) -> str | None:
    """What the real one says of a batch it does not take. What is in a row is only looked at when it is its turn."""
    if not requests:
        return "requests: List should have at least 1 item after validation, not 0"
    names = [row.get("custom_id", "") for row in requests]
    for number, name in enumerate(names):
        if not NAME.fullmatch(name):
            return f"requests.{number}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
        if name in names[:number]:
            return f"requests.{number}.custom_id: `{name}` is not unique"
    return None


def _counts(**given: int) -> dict[str, int]:
    return {"processing": 0, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0} | given


def _failed(status: int, kind: str, message: str) -> bytes:
    return whole(status, {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"})


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A fake Anthropic on loopback, which takes batches.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--polls", type=int, default=3, help="questions that find a batch still running")
    arguments = parser.parse_args()
    server = FakeAnthropicBatches(*usual_models(), port=arguments.port)
    server.batching.polls = arguments.polls
    serve(server, server.url)


if __name__ == "__main__":
    main()

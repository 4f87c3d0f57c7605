"""The part of a fake OpenAI that takes files and batches; `openai.py` answers their rows.

    openai.batching.polls = 2                     # asked twice, it is still running
    openai.batching.ends_as = "expired"           # or failed, cancelled
    openai.batching.most = 1                      # rows that are answered before it ends
    openai.batching.gate = Gate()                 # before a new batch is confirmed

Each row is answered as a request of its own would be: by what is scripted, or by the API itself. The results come in the
opposite order, since the real ones promise none.

Run alone for trying things by hand: `python tests/fakes/openai_batch.py --port 8080`.

Source: OpenAI API reference, "Files" and "Batch"; fields as in the SDK 3.54.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from fakes.openai import FakeOpenAI, usual_models
from fakes.openai_media import form
from fakes.wall import Gate, Script, Seen, Step, Wall, serve, whole

FILES, BATCHES = "/v1/files", "/v1/batches"
ENDPOINTS = ("/v1/responses", "/v1/chat/completions", "/v1/embeddings", "/v1/completions", "/v1/moderations")
CREATED = 1_767_323_045
DAY_S = 86_400
EXPIRED = "This request could not be executed before the completion window expired."


@dataclass
class Batching:
    """What batches do, and what became of them."""

    polls: int = 0
    """Questions that find a batch still running."""
    most: int | None = None
    """Rows that are done before a batch ends; all of them when not given."""
    ends_as: str = "completed"
    gate: Gate | None = None
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    """Questions about each batch so far."""


class OpenAIBatch(Wall):
    """Files and batches, over a server that answers their rows."""

    batching: Batching

    def __init__(self, *args: Any, **options: Any) -> None:
        self.batching = Batching()
        super().__init__(*args, **options)

    def default(self, seen: Seen) -> Script:
        """The endpoints."""
        path = urlsplit(seen.path).path
        match seen.method, path.removeprefix("/v1/").split("/"):
            case "POST", ["files"]:
                return [self._upload(seen)]
            case "GET", ["files", name]:
                return [_found("file", name, self.batching.files.get(name))]
            case "GET", ["files", name, "content"]:
                content = self.batching.contents.get(name)
                return [_missing("file", name) if content is None else _bytes(content)]
            case "DELETE", ["files", name]:
                return [self._delete(name)]
            case "POST", ["batches"]:
                return self._create(seen)
            case "GET", ["batches"]:
                found = list(self.batching.batches.values())[::-1]
                return [whole(200, {"object": "list", "data": found, "has_more": False})]
            case "GET", ["batches", name]:
                return [self._retrieve(name)]
            case "POST", ["batches", name, "cancel"]:
                return [self._cancel(name)]
            case _:
                return super().default(seen)

    def _upload(self, seen: Seen) -> bytes:
        fields = form(seen)
        if "file" not in fields or "purpose" not in fields:
            return _refused("'file' and 'purpose' are required", param="file")
        file, purpose = fields["file"][0], fields["purpose"][0].text
        if purpose == "batch" and not (file.filename or "").endswith(".jsonl"):
            return _refused("Invalid file format for Batch API. Must be .jsonl", param="file")
        return whole(200, self._keep(file.data, file.filename or "", purpose))

    def _keep(self, content: bytes, name: str, purpose: str) -> dict[str, Any]:
        identity = f"file-{len(self.batching.files) + 1:06}"
        self.batching.contents[identity] = content
        self.batching.files[identity] = facts = {
            "id": identity,
            "object": "file",
            "bytes": len(content),
            "created_at": CREATED,
            "filename": name,
            "purpose": purpose,
            "status": "processed",
        }
        return facts

    def _delete(self, name: str) -> bytes:
        if self.batching.files.pop(name, None) is None:
            return _missing("file", name)
        del self.batching.contents[name]
        return whole(200, {"id": name, "object": "file", "deleted": True})

    def _create(self, seen: Seen) -> Iterator[Step]:
        asked = seen.json
        name = asked.get("input_file_id", "")
        if asked.get("completion_window") != "24h":
            yield _refused("Invalid value for 'completion_window': supported values are '24h'.", param="completion_window")
        elif asked.get("endpoint") not in ENDPOINTS:
            yield _refused(f"Invalid value: '{asked.get('endpoint')}'.", param="endpoint")
        elif self.batching.files.get(name, {}).get("purpose") != "batch":
            yield _refused(f"Invalid file ID: {name}", param="input_file_id")
        else:
            if self.batching.gate:
                yield self.batching.gate
            identity = f"batch_{len(self.batching.batches) + 1:06}"
            self.batching.batches[identity] = _batch(identity, asked)
            yield whole(200, self.batching.batches[identity])

    def _retrieve(self, identity: str) -> bytes:
        batch = self.batching.batches.get(identity)
        if batch is not None and batch["status"] in ("validating", "in_progress", "cancelling"):
            self._go_on(batch)
        return _found("batch", identity, batch)

    def _go_on(self, batch: dict[str, Any]) -> None:
        lines = [json.loads(line) for line in self.batching.contents[batch["input_file_id"]].splitlines()]
        asked = self.batching.asked[batch["id"]] = self.batching.asked.get(batch["id"], 0) + 1
        if faults := list(_faults(lines, batch["endpoint"])):
            batch |= {"status": "failed", "failed_at": CREATED + 1, "errors": {"object": "list", "data": faults}}
            return
        if self.batching.ends_as == "failed":
            fault = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached.", "param": None, "line": None}
            batch |= {"status": "failed", "failed_at": CREATED + 1, "errors": {"object": "list", "data": [fault]}}
            return
        batch["request_counts"]["total"] = len(lines)
        if asked <= self.batching.polls and batch["status"] != "cancelling":
            done = len(lines) * asked // (self.batching.polls + 1)
            batch |= {"status": "in_progress", "in_progress_at": CREATED + 1}
            batch["request_counts"]["completed"] = done
            return
        self._end(batch, lines)

    def _end(self, batch: dict[str, Any], lines: list[dict[str, Any]]) -> None:
        status = "cancelled" if batch["status"] == "cancelling" else self.batching.ends_as
        most = len(lines) if self.batching.most is None else self.batching.most
        results = [self._answer(line, batch["endpoint"]) for line in lines[:most]]
        good = [row for row in results if row["response"]["status_code"] == 200]
        bad = [row for row in results if row not in good]
        if status == "expired":
            error = {"code": "batch_expired", "message": EXPIRED}
            bad += [
                {"id": "batch_req_0", "custom_id": line["custom_id"], "response": None, "error": error} for line in lines[most:]
            ]
        for kind, found in (("output", good), ("error", bad)):
            if found:
                content = b"".join(json.dumps(row).encode() + b"\n" for row in reversed(found))
                batch[f"{kind}_file_id"] = self._keep(content, f"{batch['id']}_{kind}.jsonl", "batch_output")["id"]
        batch["request_counts"] |= {"completed": len(good), "failed": len(bad)}
        batch |= {"status": status, f"{status}_at": CREATED + 2}

    def _answer(self, line: dict[str, Any], endpoint: str) -> dict[str, Any]:
        """A row as if it had been sent alone."""
        asked = Seen("POST", endpoint, {"content-type": "application/json"} | self._entry(), json.dumps(line["body"]).encode())
        said = b"".join(step for step in self.script(asked) if isinstance(step, bytes))
        top, _, body = said.partition(b"\r\n\r\n")
        response = {"status_code": int(top.split()[1]), "request_id": "req_1", "body": _decoded(body)}
        return {"id": f"batch_req_{line['custom_id']}", "custom_id": line["custom_id"], "response": response, "error": None}

    def _entry(self) -> dict[str, str]:
        key = getattr(self, "key", None)
        return {"authorization": f"Bearer {key}"} if key else {}

    def _cancel(self, identity: str) -> bytes:
        batch = self.batching.batches.get(identity)
        if batch is not None and batch["status"] in ("validating", "in_progress"):
            batch |= {"status": "cancelling", "cancelling_at": CREATED + 1}
        return _found("batch", identity, batch)


class FakeOpenAIBatches(OpenAIBatch, FakeOpenAI):
    """An OpenAI that takes batches."""


def _batch(identity: str, asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": identity,
        "object": "batch",
        "endpoint": asked["endpoint"],
        "model": None,
        "errors": None,
        "input_file_id": asked["input_file_id"],
        "completion_window": "24h",
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": CREATED,
        "in_progress_at": None,
        "expires_at": CREATED + DAY_S,
        "finalizing_at": None,
        "completed_at": None,
        "failed_at": None,
        "expired_at": None,
        "cancelling_at": None,
        "cancelled_at": None,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": asked.get("metadata"),
    }


def _faults(lines: list[dict[str, Any]], endpoint: str) -> Iterator[dict[str, Any]]:
    """What the real one finds before it begins; lines count from 1."""
    seen: set[str] = set()
    models = itertools.chain.from_iterable([line.get("body", {}).get("model")] for line in lines)
    first = next(models, None)
    for number, line in enumerate(lines, 1):
        if line.get("custom_id") in seen:
            yield _fault("duplicate_custom_id", f"The custom_id '{line['custom_id']}' is not unique.", "custom_id", number)
        elif line.get("method") != "POST":
            yield _fault("invalid_method", "The method must be POST.", "method", number)
        elif line.get("url") != endpoint:
            yield _fault("mismatched_url", "The url of the request does not match the endpoint.", "url", number)
        elif line["body"].get("stream"):
            yield _fault("invalid_request", "Streaming is not supported in batches.", "body.stream", number)
        elif line["body"].get("model") != first:
            yield _fault("mismatched_model", "All requests of a batch must be for one model.", "body.model", number)
        seen.add(line.get("custom_id", ""))


def _fault(code: str, message: str, param: str, line: int) -> dict[str, Any]:
    return {"code": code, "message": message, "param": param, "line": line}


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _bytes(content: bytes) -> bytes:
    return whole(200, content, {"Content-Type": "application/octet-stream"})


def _found(kind: str, name: str, value: dict[str, Any] | None) -> bytes:
    return _missing(kind, name) if value is None else whole(200, value)


def _missing(kind: str, name: str) -> bytes:
    message = f"No such File object: {name}" if kind == "file" else f"No batch found with id '{name}'."
    return whole(404, {"error": {"message": message, "type": "invalid_request_error", "param": "id", "code": None}})


def _refused(message: str, *, param: str) -> bytes:
    return whole(400, {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": None}})


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A fake OpenAI on loopback, which takes batches.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--polls", type=int, default=3, help="questions that find a batch still running")
    arguments = parser.parse_args()
    server = FakeOpenAIBatches(*usual_models(), port=arguments.port)
    server.batching.polls = arguments.polls
    serve(server, server.base_url)


if __name__ == "__main__":
    main()

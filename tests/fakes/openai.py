"""A fake OpenAI: models, chat completions, responses and embeddings over `wall.py`, with scripted answers.

    openai.streams("Hel", "lo")                                        # every chat or response from now on
    openai.streams("Hel", gate, "lo", model="gpt-5.6-luna")            # waits at the gate
    openai.streams("Hel", event({"error": {"message": "boom"}}), done=False)
    openai.streams("Hel", RESET)                                       # cut
    openai.answers(503, fault("busy", kind="server_error"), times=1)

It is also any server that speaks this protocol: `thinking` goes out as the `reasoning_content` that those send. Paths beyond
these come by a subclass that answers them in `default` and adds them to `inference`. Run alone for trying things by hand:
`python tests/fakes/openai.py --port 8080`.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from fakes.wall import LAST_CHUNK, Script, Seen, Step, Wall, chunk, head, serve, whole, words

CREATED = 1_767_323_045
SSE = {"Content-Type": "text/event-stream; charset=utf-8", "Transfer-Encoding": "chunked"}
DONE = b"data: [DONE]\n\n"
CHAT, RESPONSES, EMBEDDINGS, MODELS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/models"


@dataclass(frozen=True)
class FakeModel:
    """One model on the fake server."""

    name: str
    reasons: bool = False
    """It takes `max_completion_tokens` and no temperature, and counts its thinking."""
    writes: bool = True
    """It answers chats and responses."""
    chats: bool = True
    """It answers chats too, and not responses alone."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What other servers add to its entry in the list, and OpenAI's own `shutdown_date`."""

    @property
    def listed(self) -> dict[str, Any]:
        """Its entry in `/v1/models`."""
        return {"id": self.name, "object": "model", "created": CREATED, "owned_by": "system", **self.facts}


class FakeOpenAI(Wall):
    """The server: its `models`, what it saw in `journal`, its address in `url`, and with `/v1` behind it in `base_url`.

    With a `key`, whoever sends another is 401 whatever is scripted, and so is a model it does not have 404. `says` and
    `answers` without a path script inference alone, so that listing goes on.
    """

    inference: tuple[str, ...] = (CHAT, RESPONSES, EMBEDDINGS)

    def __init__(self, *models: FakeModel, key: str | None = None, port: int = 0, host: str = "127.0.0.1") -> None:
        self.models = {model.name: model for model in models}
        self.key = key
        self.vector = [0.25, -0.5, 1.0]
        super().__init__(port, host)
        self.base_url = f"{self.url}/v1"

    def add(self, name: str, **facts: Any) -> FakeModel:
        """Put a model on the server."""
        self.models[name] = model = FakeModel(name, **facts)
        return model

    def streams(
        self,
        *pieces: str | Step,
        thinking: Sequence[str] = (),
        tool_calls: Sequence[tuple[str, Mapping[str, Any]]] = (),
        refusal: str | None = None,
        usage: tuple[int, int] = (26, 259),
        cached_tokens: int = 0,
        reasoning_tokens: int = 0,
        finish_reason: str | None = None,
        resolved: str | None = None,
        done: bool = True,
        model: str | None = None,
        times: int | None = None,
    ) -> None:
        """Answer chats and responses with these pieces, one event each; bytes go out as they are, within a chunk.

        `finish_reason` is that of a chat; where it says more than `stop`, a response is incomplete for the same reason.
        `resolved` is the name the answer says it is of.
        """
        reason = finish_reason or ("tool_calls" if tool_calls else "stop")
        counts = Counts(*usage, cached_tokens, reasoning_tokens)
        answer = Answer(pieces, thinking, tool_calls, refusal, counts, reason, resolved, done)
        self.when(lambda seen: seen.path in (CHAT, RESPONSES) and model in (None, seen.model), answer.script, times=times)

    def says(self, *steps: Step, path: str | None = None, model: str | None = None, times: int | None = None) -> None:
        """Answer with raw steps, in place of inference where no path is given."""
        self.when(
            lambda seen: (
                (path == seen.path if path else seen.path in self.inference) and (model is None or model == seen.model)
            ),
            lambda seen: steps,
            times=times,
        )

    def script(self, seen: Seen) -> Script:
        """What is said, once the key and the model are right."""
        return self.refusal(seen) or super().script(seen)

    def refusal(self, seen: Seen) -> list[Step]:
        """What is said to a request of a stranger, or for a model that is not there; nothing where it may pass."""
        sent = seen.headers.get("authorization")
        if self.key is not None and sent != f"Bearer {self.key}":
            return [whole(401, _wrong_key(sent))]
        if seen.path in self.inference and _is_json(seen) and seen.model not in self.models:
            return [whole(404, _no_model(seen.model))]
        return []

    def default(self, seen: Seen) -> Script:
        """The API itself."""
        match seen.method, seen.path:
            case "GET", "/v1/models":
                return [whole(200, {"object": "list", "data": [model.listed for model in self.models.values()]})]
            case "POST", ("/v1/chat/completions" | "/v1/responses"):
                return self._generate(seen)
            case "POST", "/v1/embeddings":
                return self._embed(seen)
            case "GET", path if path.startswith(f"{MODELS}/"):
                model = self.models.get(path.removeprefix(f"{MODELS}/"))
                return [whole(200, model.listed) if model else whole(404, _no_model(path.removeprefix(f"{MODELS}/")))]
            case _:
                return [whole(404, fault(f"Invalid URL ({seen.method} {seen.path})"))]

    def _generate(self, seen: Seen) -> Script:
        model = self.models[seen.model or ""]
        if not model.writes:
            said = "This is not a chat model and thus not supported in the v1/chat/completions endpoint."
            return [whole(404, fault(said, param="model"))]
        if seen.path == CHAT and not model.chats:
            said = "This model is only supported in v1/responses and not in v1/chat/completions."
            return [whole(404, fault(said, param="model"))]
        wrong = _unsupported(model, seen.json) or _loose(seen.json)
        return [whole(400, wrong)] if wrong else Answer(("Hello", " there")).script(seen)

    def _embed(self, seen: Seen) -> Script:
        texts = seen.json["input"]
        count = 1 if isinstance(texts, str) else len(texts)
        data = [{"object": "embedding", "index": index, "embedding": self.vector} for index in range(count)]
        usage = {"prompt_tokens": 8, "total_tokens": 8}
        return [whole(200, {"object": "list", "data": data, "model": seen.model, "usage": usage})]


def event(value: object, name: str | None = None) -> bytes:
    """One server-sent event, `name` being its type where the protocol gives it one."""
    return (f"event: {name}\n" if name else "").encode() + f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def fault(
    message: str, *, kind: str = "invalid_request_error", code: str | None = None, param: str | None = None
) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(frozen=True)
class Counts:
    """The tokens of an answer."""

    input_tokens: int = 26
    output_tokens: int = 259
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def of_chat(self) -> dict[str, Any]:
        """As `usage` of a chat completion."""
        return {
            "prompt_tokens": self.input_tokens,
            "completion_tokens": self.output_tokens,
            "total_tokens": self.input_tokens + self.output_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": self.reasoning_tokens,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    @property
    def of_response(self) -> dict[str, Any]:
        """As `usage` of a response."""
        return {
            "input_tokens": self.input_tokens,
            "input_tokens_details": {"cached_tokens": self.cached_tokens, "cache_write_tokens": 0},
            "output_tokens": self.output_tokens,
            "output_tokens_details": {"reasoning_tokens": self.reasoning_tokens},
            "total_tokens": self.input_tokens + self.output_tokens,
        }


@dataclass(frozen=True)
class Answer:
    """A scripted generation, in the form of whichever of the two paths asks for it."""

    pieces: Sequence[str | Step]
    thinking: Sequence[str] = ()
    tool_calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    refusal: str | None = None
    counts: Counts = Counts()
    finish_reason: str = "stop"
    resolved: str | None = None
    done: bool = True

    def script(self, seen: Seen) -> Script:
        """Events, or all in one object where `stream` is not true."""
        chats = seen.path == CHAT
        if not seen.json.get("stream"):
            return [whole(200, self.completion(seen) if chats else self.response(seen))]
        return self._streamed(self.chunks(seen) if chats else self.events(seen), end=DONE if chats and self.done else b"")

    @property
    def text(self) -> str:
        """All that it says."""
        return "".join(piece for piece in self.pieces if isinstance(piece, str))

    def _streamed(self, events: Iterator[Step], *, end: bytes) -> Iterator[Step]:
        yield head(200, SSE)
        for step in events:
            yield chunk(step) if isinstance(step, bytes) else step
        yield (chunk(end) if end else b"") + LAST_CHUNK

    # Chat completions

    def completion(self, seen: Seen) -> dict[str, Any]:
        """A whole `chat.completion`."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None, "refusal": self.refusal}
        if self.thinking:
            message["reasoning_content"] = "".join(self.thinking)
        if self.tool_calls:
            message["tool_calls"] = [
                {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
                for n, (name, arguments) in enumerate(self.tool_calls)
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return self._common(seen, "chat.completion") | {"choices": [choice], "usage": self.counts.of_chat}

    def chunks(self, seen: Seen) -> Iterator[Step]:
        """The `chat.completion.chunk` events before `[DONE]`."""
        counts = (seen.json.get("stream_options") or {}).get("include_usage")
        common = self._common(seen, "chat.completion.chunk") | ({"usage": None} if counts else {})

        def said(delta: Mapping[str, Any], finish_reason: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
            return event(common | {"choices": [choice]})

        yield said({"role": "assistant", "content": "", "refusal": None})
        yield from (said({"reasoning_content": text}) for text in self.thinking)
        yield from (said({"content": piece}) if isinstance(piece, str) else piece for piece in self.pieces)
        if self.refusal:
            yield said({"refusal": self.refusal})
        for index, (name, arguments) in enumerate(self.tool_calls):
            called = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
            yield said({"tool_calls": [called]})
            yield from (
                said({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
                for part in _in_two(json.dumps(arguments))
            )
        if self.done:
            yield said({}, self.finish_reason)
            if counts:
                # Usage comes in a chunk of its own, without choices, after the one that finishes.
                yield event(common | {"choices": [], "usage": self.counts.of_chat})

    # Responses

    def response(self, seen: Seen, *, status: str | None = None, finished: bool = True) -> dict[str, Any]:
        """A whole `response`, or as it stands before anything is generated."""
        reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(self.finish_reason)
        return {
            "id": "resp_1",
            "object": "response",
            "created_at": CREATED,
            "status": status or ("incomplete" if reason else "completed"),
            "error": None,
            "incomplete_details": {"reason": reason} if reason and finished else None,
            "instructions": seen.json.get("instructions"),
            "metadata": {},
            "model": self.resolved or seen.model,
            "output": self._items() if finished else [],
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": seen.json.get("tools") or [],
            "top_p": 1.0,
            "usage": self.counts.of_response if finished else None,
        }

    def events(self, seen: Seen) -> Iterator[Step]:
        """The typed events of a response."""
        numbers = itertools.count()

        def said(kind: str, **fields: Any) -> bytes:
            return event({"type": kind, "sequence_number": next(numbers), **fields}, kind)

        yield said("response.created", response=self.response(seen, status="in_progress", finished=False))
        yield said("response.in_progress", response=self.response(seen, status="in_progress", finished=False))
        for index, item in enumerate(self._items()):
            yield said("response.output_item.added", output_index=index, item=_begun(item))
            for step in self._parts(item):
                yield (said(step[0], item_id=item["id"], output_index=index, **step[1]) if isinstance(step, tuple) else step)
            if self.done:
                yield said("response.output_item.done", output_index=index, item=item)
        if self.done:
            last = self.response(seen)
            yield said(f"response.{last['status']}", response=last)

    def _parts(self, item: Mapping[str, Any]) -> Iterator[Step | tuple[str, dict[str, Any]]]:
        """What comes between the beginning and the end of an item."""
        match item["type"]:
            case "reasoning":
                part = {"type": "summary_text", "text": ""}
                yield "response.reasoning_summary_part.added", {"summary_index": 0, "part": part}
                for text in self.thinking:
                    yield "response.reasoning_summary_text.delta", {"summary_index": 0, "delta": text}
                yield "response.reasoning_summary_text.done", {"summary_index": 0, "text": "".join(self.thinking)}
            case "message":
                for index, part in enumerate(item["content"]):
                    at = {"content_index": index}
                    yield "response.content_part.added", {**at, "part": {**part, part["type"].removeprefix("output_"): ""}}
                    if part["type"] == "refusal":
                        yield "response.refusal.delta", {**at, "delta": self.refusal}
                        continue
                    for piece in self.pieces:
                        said: dict[str, Any] = {**at, "delta": piece, "logprobs": []}
                        yield ("response.output_text.delta", said) if isinstance(piece, str) else piece
                    if self.done:
                        yield "response.output_text.done", {**at, "text": self.text, "logprobs": []}
            case _:
                for fragment in _in_two(item["arguments"]):
                    yield "response.function_call_arguments.delta", {"delta": fragment}
                whole_call = {"name": item["name"], "arguments": item["arguments"]}
                yield "response.function_call_arguments.done", whole_call

    def _items(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        if self.thinking:
            summary = [{"type": "summary_text", "text": "".join(self.thinking)}]
            items.append({"id": "rs_1", "type": "reasoning", "summary": summary})
        if self.pieces or self.refusal:
            content = [{"type": "output_text", "text": self.text, "annotations": [], "logprobs": []}] if self.pieces else []
            content += [{"type": "refusal", "refusal": self.refusal}] if self.refusal else []
            items.append({"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": content})
        for n, (name, arguments) in enumerate(self.tool_calls):
            call = {"call_id": f"call_{n}", "name": name, "arguments": json.dumps(arguments), "status": "completed"}
            items.append({"id": f"fc_{n}", "type": "function_call", **call})
        return items

    def _common(self, seen: Seen, kind: str) -> dict[str, Any]:
        named = {"model": self.resolved or seen.model, "service_tier": "default", "system_fingerprint": "fp_1"}
        return {"id": "chatcmpl-1", "object": kind, "created": CREATED, **named}


def _begun(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item before its content has come."""
    empty: dict[str, Any] = {"reasoning": {"summary": []}, "message": {"content": []}, "function_call": {"arguments": ""}}
    return {**item, **empty[item["type"]], **({"status": "in_progress"} if "status" in item else {})}


def _in_two(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def _is_json(seen: Seen) -> bool:
    return seen.headers.get("content-type", "").startswith("application/json")


def _wrong_key(sent: str | None) -> dict[str, Any]:
    if not sent:
        return fault("You didn't provide an API key. You need to provide your API key in an Authorization header.")
    key = sent.removeprefix("Bearer ")
    return fault(f"Incorrect API key provided: {key[:3]}****{key[-4:]}.", code="invalid_api_key")


def _no_model(name: str | None) -> dict[str, Any]:
    return fault(f"The model `{name}` does not exist or you do not have access to it.", code="model_not_found")


def _unsupported(model: FakeModel, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a model that reasons says to the options of one that does not, and the other way round."""
    if model.reasons and "max_tokens" in body:
        said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        return fault(said, code="unsupported_parameter", param="max_tokens")
    if model.reasons and body.get("temperature") not in (None, 1):
        said = f"Unsupported value: 'temperature' does not support {body['temperature']} with this model."
        return fault(said, code="unsupported_value", param="temperature")
    if model.reasons and body.get("stop"):
        said = "Unsupported parameter: 'stop' is not supported with this model."
        return fault(said, code="unsupported_parameter", param="stop")
    if not model.reasons and (body.get("reasoning_effort") or body.get("reasoning")):
        said = "Unrecognized request argument supplied: reasoning_effort"
        return fault(said, param=None)
    return None


def _loose(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a schema is told that calls itself strict and leaves something open."""
    chat, response = body.get("response_format") or {}, (body.get("text") or {}).get("format") or {}
    asked = chat.get("json_schema") or response
    schema = asked.get("schema") or {}
    if not asked.get("strict") or schema.get("additionalProperties") is False:
        return None
    said = f"Invalid schema for response_format '{asked['name']}': 'additionalProperties' is required to be false."
    return fault(said, param="response_format")


def usual_models() -> list[FakeModel]:
    """One that chats, one that reasons, one that embeds."""
    return [
        FakeModel("gpt-4.1-mini"),
        FakeModel("gpt-5.6-luna", reasons=True),
        FakeModel("text-embedding-3-small", writes=False),
    ]


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A fake OpenAI on loopback.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", help="the only key that is let in")
    parser.add_argument("--text", help="what every chat is answered with, word by word")
    arguments = parser.parse_args()
    server = FakeOpenAI(*usual_models(), port=arguments.port, key=arguments.key)
    if arguments.text:
        server.streams(*words(arguments.text))
    serve(server, server.base_url)


if __name__ == "__main__":
    main()

"""What is sent to Ollama."""

from typing import Any

import msgspec

from mmai.values.request import AudioPart, ImagePart, Message, Options, Request, Tool

TOP_LEVEL = ("truncate", "shift", "dimensions", "logprobs", "top_logprobs")
"""Fields a user may set with `-O` that stand beside `options` in a request."""


def chat_body(name: str, request: Request, *, stream: bool = True) -> bytes:
    """The body of `POST /api/chat`. Options that are None are left to the model's own defaults."""
    body: dict[str, Any] = {"model": name, "messages": [_message(message) for message in request.messages], "stream": stream}
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.schema is not None:
        body["format"] = request.schema
    if request.options.think is not None:
        body["think"] = request.options.think
    return msgspec.json.encode(body | _tuning(request.options))


def embed_body(name: str, request: Request) -> bytes:
    """The body of `POST /api/embed` for one text, the user turns together."""
    return msgspec.json.encode({"model": name, "input": request.prompt} | _tuning(request.options))


def load_body(name: str, *, embeds: bool = False, keep_alive: float | str | None = None) -> bytes:
    """A request that asks nothing, which loads the model; with `keep_alive` 0 it lets it go.

    It is for `POST /api/embed` where the model `embeds` and cannot generate, otherwise for `POST /api/generate`.
    """
    body: dict[str, Any] = {"model": name, "input": []} if embeds else {"model": name, "stream": False}
    return msgspec.json.encode(body if keep_alive is None else body | {"keep_alive": keep_alive})


def name_body(name: str) -> bytes:
    """The body of show, pull and delete."""
    return msgspec.json.encode({"model": name})


def _message(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": message.text}
    # Recordings travel among the images, where the server tells them apart by their first bytes. msgspec writes bytes as base64.
    if media := [part.data for part in message.parts if isinstance(part, ImagePart | AudioPart)]:
        turn["images"] = media
    if message.tool_calls:
        turn["tool_calls"] = [{"function": {"name": call.name, "arguments": call.arguments}} for call in message.tool_calls]
    if message.tool_name:
        turn["tool_name"] = message.tool_name
    if message.tool_call_id:
        turn["tool_call_id"] = message.tool_call_id
    return turn


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _tuning(options: Options) -> dict[str, Any]:
    """What follows from the options. A prompt that does not fit is an error, unless `-O truncate=true` asks for the server's own
    way, which drops the oldest part of it in silence."""
    given = {
        "temperature": options.temperature,
        "num_predict": options.max_tokens,
        "stop": options.stop or None,
        "seed": options.seed,
    }
    tuning: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    body: dict[str, Any] = {"truncate": False}
    for key, value in options.extra.items():
        (body if key in TOP_LEVEL else tuning)[key] = value
    if tuning:
        body["options"] = tuning
    return body if options.keep_alive is None else body | {"keep_alive": options.keep_alive}

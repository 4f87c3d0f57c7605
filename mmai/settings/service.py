"""Keys of a service that the settings alone describe: how it is asked (`request`), and where its answer is (`response`)."""

from typing import Any

from mmai.settings.expressions import compiles, ending_compiles, expression
from mmai.settings.fillings import body, content_type, filled_path, form, query
from mmai.settings.node import Node, Wrong
from mmai.settings.shapes import HEADER, choice, text
from mmai.settings.table import Key, Table, prove, read, walk
from mmai.values.event import Usage
from mmai.values.service import CARRIERS, OUTPUTS, ServiceRequest, ServiceResponse

COUNTS = tuple(name for name in Usage.__struct_fields__ if name != "estimated")

REQUEST: Table = {
    "method": Key(choice("POST", "PUT", "PATCH", "GET"), "of HTTP", "POST"),
    "path": Key(filled_path, "behind the endpoint; `{model}` in it is the model's name"),
    "query": Key(query, "names to values behind the `?`, with placeholders such as `{prompt}`"),
    "body": Key(body, "what is sent, with placeholders; `{audio}` or `{image}` alone is the attached file itself"),
    "content_type": Key(
        content_type,
        "of the body; JSON, or the type of the file, by default; `multipart/form-data` and the like make it a form",
    ),
}

RESPONSE: Table = {
    "stream": Key(choice("none", "sse", "ndjson"), "in which form the answer comes", "none"),
    "text": Key(expression, "path of the text; in a stream, of more text", proof=compiles),
    "labels": Key(expression, "path of names with probabilities", proof=compiles),
    "vector": Key(expression, "path of an embedding", proof=compiles),
    "image": Key(expression, "path of images in base64; `@` is the body itself", proof=compiles),
    "audio": Key(expression, "path of sound in base64; `@` is the body itself", proof=compiles),
    "usage": {name: Key(expression, "path of a count", proof=compiles) for name in COUNTS},
    "finish_reason": Key(expression, "path of why the answer ended", proof=compiles),
    "error": Key(expression, "path of what only a failure has", proof=compiles),
    "done": Key(expression, "what ends a stream: a path that is true, or a text such as `[DONE]`", proof=ending_compiles),
}


def request(node: Node) -> ServiceRequest:
    """How the service is asked."""
    row = {path[0]: read(key, item, path) for path, key, item in walk(node, REQUEST)}
    asked = ServiceRequest(**row)
    if asked.method == "GET" and asked.body is not None:
        raise _at(node, "body", "a GET has no body; `query` is for what it sends")
    if isinstance(node.value, dict) and "body" in node.value:
        try:
            form(node.value["body"], asked.content_type)
        except Wrong as wrong:
            raise Wrong(wrong.sentence, line=wrong.line, path=("body", *wrong.path)) from wrong
    if not asked.places() & {name for names in CARRIERS.values() for name in names}:
        raise Wrong(
            "nothing of what is asked has a place in it: `{prompt}`, `{messages}`, an image or a recording", line=node.line
        )
    return asked


def response(node: Node) -> ServiceResponse:
    """Where its answer is."""
    row: dict[str, Any] = {}
    for path, key, item in walk(node, RESPONSE):
        below = row.setdefault(path[0], {}) if len(path) > 1 else row
        below[path[-1]] = read(key, item, path)
    if row.keys().isdisjoint(OUTPUTS):
        raise Wrong(f"it does not say where the answer is: one of {', '.join(f'`{name}`' for name in OUTPUTS)}", line=node.line)
    if "done" in row and row.get("stream", "none") == "none":
        raise _at(node, "done", "`done` ends a stream, and `stream` is `none`")
    return ServiceResponse(**row)


def _at(node: Node, name: str, sentence: str) -> Wrong:
    """A mistake of one key that another key makes one."""
    assert isinstance(node.value, dict)
    return Wrong(sentence, line=node.value[name].line, path=(name,))


def response_compiles(node: Node) -> None:
    """Hold every path of a response to its grammar."""
    for path, key, item in walk(node, RESPONSE):
        prove(key, item, path)


def auth(node: Node) -> str:
    """`bearer`, or the name of a header."""
    value = text(node)
    if HEADER.fullmatch(value):
        return value
    raise Wrong(f"{node.shown} is neither `bearer` nor the name of a header")

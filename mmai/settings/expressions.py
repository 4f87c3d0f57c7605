"""Paths into answers: JMESPath, and of JSONPath what JMESPath has as well. https://jmespath.org, RFC 9535."""

import re
from typing import Any

from mmai.settings.node import Node, Wrong
from mmai.settings.shapes import text
from mmai.values.service import is_mark

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SEGMENT = re.compile(
    r"""(?P<same>\.\*|\[(?:-?\d+|\*|-?\d*:-?\d*)\])"""
    r"""|(?:\.(?P<name>[^.\[\]\s*'"()?@]+)|\['(?P<single>[^'\\]+)'\]|\["(?P<double>[^"\\]+)"\])"""
)

BEYOND = (
    (re.compile(r"\.\."), "`..`, which looks at every depth"),
    (re.compile(r"\[\?"), "a filter"),
    (re.compile(r"\[\("), "a script"),
    (re.compile(r"\[[^\]]*,"), "a union"),
)
"""What JSONPath has and JMESPath has not, or writes otherwise: how it begins, and what it is."""


def expression(node: Node) -> str:
    """A path as JMESPath; whether it is one is for `compiles` to say."""
    if not isinstance(node.value, str):
        raise Wrong(f"{node.shown} is not a path: one that begins with `[` or `{{` needs quotes around it")
    written = text(node).strip()
    return jmespath_of(written) if written.startswith("$") else written


def jmespath_of(jsonpath: str) -> str:
    """JSONPath of names, indices, slices and `*` as JMESPath: `$.a[*]['b c']` is `a[*]."b c"`.

    Raises:
        Wrong: it holds something else, which is named.
    """
    parts: list[str] = []
    end = 1
    while end < len(jsonpath):
        found = _SEGMENT.match(jsonpath, end)
        if found is None:
            rest = jsonpath[end:]
            what = next((what for sign, what in BEYOND if sign.match(rest)), f"`{rest}`")
            raise Wrong(
                f"`{jsonpath}` is JSONPath with {what}; names, `[0]`, `[0:2]` and `*` are taken of it, and all of JMESPath"
            )
        end = found.end()
        same, *names = found.groups()
        name = next((name for name in names if name), "")
        parts.append(same or f".{name if _NAME.fullmatch(name) else _quoted(name)}")
    return "".join(parts).removeprefix(".") or "@"


def compiles(node: Node) -> None:
    """Hold a path to the grammar of JMESPath, and its functions to those there are.

    Raises:
        Wrong: with the expression and the reason.
    """
    import jmespath  # noqa: PLC0415 15 ms, which only a thorough look needs
    from jmespath.exceptions import JMESPathError  # noqa: PLC0415
    from jmespath.functions import Functions  # noqa: PLC0415

    try:
        parsed = jmespath.compile(expression(node)).parsed
    except JMESPathError as exc:
        raise Wrong(f"{node.shown} is not JMESPath: {_reason(exc)}") from exc
    known: Any = Functions.FUNCTION_TABLE
    if unknown := next((name for name in _functions(parsed) if name not in known), None):
        raise Wrong(f"{node.shown} is not JMESPath: it has no function `{unknown}`")


def ending_compiles(node: Node) -> None:
    """The same of `done`, which may be a mark instead of a path."""
    if not is_mark(expression(node)):
        compiles(node)


def _functions(tree: Any) -> list[str]:
    below = [name for child in tree["children"] for name in _functions(child)]
    return [tree["value"], *below] if tree["type"] == "function_expression" else below


def _reason(error: ValueError) -> str:
    """One line of what the parser says, and where."""
    position = getattr(error, "lex_position", None)
    said = str(error).partition("\n")[0].rstrip(":")
    said = (
        said.partition(": Parse error")[0]
        .removeprefix("Invalid jmespath expression: ")
        .removeprefix("Bad jmespath expression: ")
    )
    said = said[:1].lower() + said[1:]
    return said if position is None else f"{said}, at column {position + 1}"


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

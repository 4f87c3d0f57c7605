"""`${VAR}` and `${VAR:-default}` in values; `$$` is one dollar."""

import re
from collections.abc import Mapping

from mmai.settings.node import Node, Wrong

_DOLLAR = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|(\{))")


class Unset(Exception):
    """`variable` is named without a default and is not in the environment."""

    def __init__(self, variable: str) -> None:
        super().__init__(variable)
        self.variable = variable


def interpolate(text: str, env: Mapping[str, str]) -> str:
    """`text` with its variables filled in. As in a shell, a `:-` default also stands in for a variable that is empty.

    Raises:
        Unset: a variable without default is not set.
        Wrong: `${` without a name or an end.
    """

    def value(match: re.Match[str]) -> str:
        dollar, variable, default, broken = match.groups()
        if dollar:
            return "$"
        if broken:
            raise Wrong("`${` begins a variable that does not end, which is `${NAME}` or `${NAME:-default}`; `$$` is a dollar")
        if default is not None:
            return env.get(variable) or default
        if variable not in env:
            raise Unset(variable)
        return env[variable]

    return _DOLLAR.sub(value, text)


def variables(text: str) -> tuple[str, ...]:
    """The variables `text` names, in order."""
    return tuple(match[2] for match in _DOLLAR.finditer(text) if match[2])


def interpolated(node: Node, env: Mapping[str, str]) -> Node:
    """The whole subtree filled in.

    Raises:
        Wrong: with the line of the value; an `Unset` is left to the caller, who knows whether it matters, as its cause.
    """
    match node.value:
        case str(text):
            try:
                filled = interpolate(text, env)
            except Wrong as wrong:
                raise Wrong(wrong.sentence, line=node.line) from wrong
            except Unset as unset:
                raise Wrong(f"`{unset.variable}` is not set", line=node.line) from unset
            return node if filled == text else Node(node.line, filled, node.plain, text)
        case list(items):
            return Node(node.line, [interpolated(item, env) for item in items])
        case entries:
            return Node(node.line, {key: interpolated(item, env) for key, item in entries.items()})

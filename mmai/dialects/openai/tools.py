"""Calls of functions, put together from the fragments they come in."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from mmai.dialects.body import UNREADABLE
from mmai.dialects.records import SHOWN
from mmai.errors import ProtocolError
from mmai.values.request import ToolCall


class Function(Struct):
    """The name comes once, the arguments as pieces of a JSON text; some servers send them as the object itself."""

    name: str | None = None
    arguments: dict[str, Any] | str | None = None


class Fragment(Struct):
    """A piece of one call. Servers that leave out `index` send each call whole."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


class _Call:
    def __init__(self, index: int | None, call_id: str | None) -> None:
        self.index = index
        self.id = call_id
        self.name = ""
        self.text = ""
        self.arguments: dict[str, Any] | None = None

    def take(self, function: Function) -> None:
        self.name = self.name or function.name or ""
        if isinstance(function.arguments, dict):
            self.arguments = function.arguments
        else:
            self.text += function.arguments or ""


class Calls:
    """The calls of one answer, in the order they began."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    def has(self, call_id: str | None) -> bool:
        """Whether the call of this id is among them."""
        return call_id is not None and any(call.id == call_id for call in self._calls)

    def take(self, fragment: Fragment) -> None:
        """Add a piece."""
        self._of(fragment).take(fragment.function or Function())

    def events(self, *, cut: bool = False) -> Iterator[ToolCall]:
        """The calls. With `cut`, the answer ended early, and one whose arguments are not whole is left out.

        Raises:
            ProtocolError: while iterating: arguments that are no JSON object.
        """
        for call in self._calls:
            try:
                arguments = _arguments(call)
            except UNREADABLE as exc:
                if cut:
                    continue
                seen = call.text[:SHOWN]
                raise ProtocolError(f"`{call.name}` was called with arguments that are no JSON object: `{seen}`") from exc
            yield ToolCall(call.name, arguments, call.id)

    def _of(self, fragment: Fragment) -> _Call:
        """The call a piece belongs to. An id that is new begins another, even at an index that was there before."""
        for call in reversed(self._calls):
            same_place = fragment.index == call.index if fragment.index is not None else not _names(fragment)
            if same_place and fragment.id in (None, "", call.id):
                return call
        self._calls.append(_Call(fragment.index, fragment.id or None))
        return self._calls[-1]


def _names(fragment: Fragment) -> bool:
    return bool(fragment.function and fragment.function.name)


def _arguments(call: _Call) -> dict[str, Any]:
    if call.arguments is not None:
        return call.arguments
    return msgspec.json.decode(call.text, type=dict[str, Any]) if call.text.strip() else {}

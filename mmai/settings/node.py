"""A settings file as text: every value with the line it stands on, before anything is interpolated or judged."""

from msgspec import Struct

NULLS = frozenset(("", "~", "null", "Null", "NULL"))


class Node(Struct, frozen=True, array_like=True, omit_defaults=True):
    """One value. Scalars stay text: what a key takes decides how they are read, so `no` and `1e3` can be names."""

    line: int
    """Counted from 1; of its key where it has one."""
    value: "str | list[Node] | dict[str, Node]"
    plain: bool = False
    """A scalar without quotes."""
    written: str | None = None
    """The text before interpolation, where that changed it."""

    @property
    def absent(self) -> bool:
        """A key without a value, or with `null`: as if it were not there."""
        return self.plain and isinstance(self.value, str) and self.value in NULLS

    @property
    def shown(self) -> str:
        """How a message names it: never what a variable held."""
        match self.value:
            case str(text):
                text = text if self.written is None else self.written
                return f"`{text if len(text) <= 60 else text[:57] + '...'}`"
            case list():
                return "a list"
            case _:
                return "a mapping"


class Wrong(Exception):
    """A value that does not fit, on its way to a `ConfigError`: whoever knows the file, line or key adds it."""

    def __init__(self, sentence: str, *, line: int | None = None, path: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.line = line
        self.path = path

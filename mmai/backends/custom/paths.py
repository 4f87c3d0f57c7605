"""The paths of a response, compiled once for an answer, and what they lead to. https://jmespath.org"""

from typing import Any

from mmai.errors import ConfigError
from mmai.values.service import AS_IT_CAME, OUTPUTS, ServiceResponse, is_mark

JSON_ONLY = ("labels", "vector")
SINGLE = ("error", "finish_reason", "done")


class Unreadable(Exception):
    """A function of a path does not take what it finds; says so in half a sentence."""


class Paths:
    """By the names of the keys in the settings."""

    def __init__(self, response: ServiceResponse, *, provider: str) -> None:
        """Compile them.

        Raises:
            ConfigError: one is not JMESPath; `config check` says why.
        """
        import jmespath  # noqa: PLC0415 15 ms, and adapters are also opened to be asked what they can do
        from jmespath.exceptions import JMESPathError  # noqa: PLC0415

        given = {name: path for name in (*OUTPUTS, *SINGLE) if (path := getattr(response, name))}
        self.raw = tuple(
            name for name, path in given.items() if path == AS_IT_CAME and name in OUTPUTS and name not in JSON_ONLY
        )
        """Outputs that are the record itself."""
        self.outputs = tuple(name for name in given if name in OUTPUTS and name not in self.raw)
        self.usage = tuple(response.usage)
        self._texts = given | response.usage
        self._error = JMESPathError
        self._compiled = {}
        for name, path in self._texts.items():
            if name in self.raw or (name == "done" and is_mark(path)):
                continue
            try:
                self._compiled[name] = jmespath.compile(path)
            except JMESPathError as exc:
                sentence = f"`{name}: {path}` in the `response` of `{provider}` is not JMESPath"
                raise ConfigError(sentence, hint="mmai config check") from exc

    def find(self, name: str, document: Any) -> Any:
        """What a path leads to; None where it leads to nothing, or there is no such path.

        Raises:
            Unreadable: a function in it does not take what is there.
        """
        if name not in self._compiled:
            return None
        try:
            return self._compiled[name].search(document)
        except self._error as exc:
            raise Unreadable(str(exc)) from exc

    def shown(self, name: str) -> str:
        """A path as the settings have it."""
        return f"`{name}: {self._texts[name]}`"

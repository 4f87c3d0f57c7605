"""The fault wall: a server that speaks OpenAI's chat completions and Ollama's chat, where the model's name chooses what goes wrong.

    wall = FaultWall(); endpoint wall.base_url, or wall.url for Ollama; models: `ok`, `silent`, `cut`, `429-ms`, … (`FAULTS`)

The journal has every attempt (`wall.attempts("silent")`), with the key it came with, when, and how it ended; `wall.calls` counts
them by name. A name may carry a suffix behind `+`, so that two routes have the same fault: `ok+b`.
"""

import time
from collections import Counter
from collections.abc import Iterator

from fakes.fault_scripts import ANSWER, CUT, FAULTS, LONG, OLLAMA, OPENAI, SPLIT, WORDS, Call, OllamaSpeech, OpenAISpeech
from fakes.wall import Fault, Gate, Script, Seen, Step, Wall, whole

__all__ = ["ANSWER", "CUT", "FAULTS", "LONG", "SPLIT", "WORDS", "Call", "FaultWall"]

SPOKEN: dict[str, OpenAISpeech | OllamaSpeech] = {"/v1/chat/completions": OPENAI, "/api/chat": OLLAMA}


class FaultWall(Wall):
    """The server. `gate` holds the `drip`, and `calls` counts attempts by name."""

    def __init__(self, port: int = 0) -> None:
        self.calls: Counter[str] = Counter()
        self.gate: Gate = Gate()
        self.tried: list[Call] = []
        """Every attempt, in order."""
        self.faults = dict(FAULTS)
        """What each name means here."""
        super().__init__(port)
        self.base_url = f"{self.url}/v1"

    def attempts(self, model: str) -> list[Call]:
        """Every attempt that named the model, in order."""
        return [call for call in self.tried if call.model == model]

    def hung_up(self, call: Call) -> bool:
        """The client left before everything was said."""
        return any(seen is call.seen for seen in self.journal.hangups)

    def default(self, seen: Seen) -> Script:
        """What the model's name says."""
        if seen.path not in SPOKEN:
            return [whole(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in self.faults]})]
        model = seen.model or ""
        self.calls[model] += 1
        call = Call(seen, self.url, SPOKEN[seen.path], self.calls[model], time.monotonic(), self.gate)
        self.tried.append(call)
        return self._noted(call, self.faults[model.partition("+")[0]](call))

    def _noted(self, call: Call, script: Script) -> Iterator[Step]:
        for step in script:
            if isinstance(step, Fault):
                call.ended = step
            yield step
            call.chunks += 1
        call.said = True

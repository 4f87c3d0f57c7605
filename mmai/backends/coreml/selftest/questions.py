"""The models that mmai ships, and questions to which the right answers are known by construction."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from mmai.backends.coreml.speech.ctc import collapsed
from mmai.backends.coreml.speech.features import log_mel
from mmai.values.package import AudioPreparation

SHIPPED = Path(__file__).parents[3] / "data" / "coreml"

LETTERS = "abcdefgh"
INTENTS = ("turn_on", "turn_off", "weather")

Feeds = dict[str, np.ndarray[Any, Any]]


class Question(Struct, frozen=True):
    """What goes in, and what has to come out."""

    feeds: Feeds
    answer: str


class Known(Struct, frozen=True):
    """A model with its questions."""

    model: str
    questions: tuple[Question, ...]
    read: Callable[[Mapping[str, Any]], str]
    """The answer in what the model gave."""

    @property
    def path(self) -> Path:
        """Where it lies."""
        return SHIPPED / f"{self.model}.mlpackage"


def known() -> tuple[Known, ...]:
    """All of them."""
    return (
        Known("DominantColor", tuple(Question({"image": _color(color)}, name) for name, color in COLORS.items()), _label),
        Known("ToneLetters", tuple(Question({"mel": _mel(word)}, word) for word in ("abba", "cafe", "deadbeef")), _letters),
        Known("KeywordIntents", tuple(Question(_tokens(ids), intent) for ids, intent in SENTENCES.items()), _intent),
    )


COLORS = {"red": (255, 0, 0), "green": (0, 200, 30), "blue": (10, 20, 250), "white": (250, 250, 250), "black": (3, 3, 3)}

SENTENCES = {(1, 6): "turn_off", (1, 1, 9): "weather", (3,): "turn_on"}
"""`please stop`, `will it rain` and `start`, by the numbers of their words."""


def _color(color: tuple[int, int, int]) -> np.ndarray[Any, Any]:
    return np.full((32, 32, 3), color, np.uint8)


def _label(outputs: Mapping[str, Any]) -> str:
    return str(outputs["classLabel"])


def _mel(word: str) -> np.ndarray[Any, Any]:
    """A tone of 0.2 s for each letter, 0.1 s of silence between, as features."""
    time_s = np.arange(3200) / 16_000
    envelope = np.minimum(1, np.minimum(time_s, 0.2 - time_s) / 0.03)
    silence = np.zeros(1600)
    sounds = [silence]
    for letter in word:
        sounds += [0.5 * envelope * np.sin(2 * np.pi * 400 * 1.4 ** LETTERS.index(letter) * time_s), silence]
    return log_mel(np.concatenate(sounds).astype(np.float32), AudioPreparation())[np.newaxis]


def _letters(outputs: Mapping[str, Any]) -> str:
    best = outputs["logits"][0].argmax(axis=-1).tolist()
    return "".join(LETTERS[token - 1] for token in collapsed(best, blank=0))


def _tokens(ids: tuple[int, ...]) -> Feeds:
    filled = np.zeros((1, 16), np.int32)
    filled[0, : len(ids)] = ids
    return {"input_ids": filled, "attention_mask": (filled > 0).astype(np.int32)}


def _intent(outputs: Mapping[str, Any]) -> str:
    return INTENTS[int(outputs["logits"].argmax())]

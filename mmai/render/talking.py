"""What is said of a conversation that a model does not get whole."""

from collections.abc import Sequence

from mmai.render.clean import clean_line
from mmai.values.model import ModelRef


def dropped_line(count: int, ref: ModelRef, window_tokens: int | None, *, summarised: bool) -> str:
    """`the first 12 turns do not fit into the 8192 tokens of ollama:qwen3:8b: a summary stands for them`."""
    turns = "the first turn does" if count == 1 else f"the first {count} turns do"
    instead = "a summary stands for them" if summarised else "left out"
    return clean_line(f"{turns} not fit into the {window_tokens} tokens of {ref}: {instead}")


def left_out_line(names: Sequence[str], ref: ModelRef) -> str:
    """`ollama:qwen3:8b cannot take `cat.png` of an earlier turn: left out`."""
    earlier = "an earlier turn" if len(names) == 1 else "earlier turns"
    return clean_line(f"{ref} cannot take {', '.join(names)} of {earlier}: left out")

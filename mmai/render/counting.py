"""What a prompt takes before it is sent."""

from msgspec import Struct

from mmai.render.clean import clean_line
from mmai.render.units import money


class Counted(Struct, frozen=True, kw_only=True):
    """The `data` of `run --count-tokens`. None is unknown."""

    model: str
    input_tokens: int
    estimated: bool
    """Counted here, and not by the provider."""
    input_cost_usd: float | None
    worst_cost_usd: float | None
    """With the longest answer there can be."""


def counted_text(counted: Counted) -> str:
    """One line, the count first: `~14 tokens · input ~$0.00007 · at most $2.56 · openai:gpt-5.6-luna`."""
    about = "~" if counted.estimated else ""
    tokens = f"{about}{counted.input_tokens} token{'' if counted.input_tokens == 1 else 's'}"
    input_cost = f"{about if counted.input_cost_usd else ''}{money(counted.input_cost_usd)}"
    return f"{tokens} · input {input_cost} · at most {money(counted.worst_cost_usd)} · {clean_line(counted.model)}\n"

"""What each embedded model says of itself."""

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mmai.values.model import FREE, ModelCard
from mmai.values.task import TaskType

MAX_TEXT_BYTES = 4_000_000
"""One request, as UTF-8; 1 MB takes half a second, and Ctrl-C waits for what has begun."""
BYTES_PER_TOKEN = 4
"""The rule by which tokens are estimated here: there is no tokenizer, and English averages four bytes."""

_EMBEDDED = replace(FREE, reason="ships inside mmai")


class Kind(Struct, frozen=True):
    """One model's abilities."""

    tasks: tuple[TaskType, ...]
    options: tuple[str, ...] = ()
    """What `-O` takes."""
    capability: str = "text_generation"
    extracts: str | None = None
    """What it can extract, as people ask for it: a regular expression. Nothing here finds dates, names or numbers."""
    baseline: bool = False
    """Something to compare others with; it runs when it is named and is never chosen."""


_SENTENCES = (
    r"(?:key|main|most important|central|crucial)\W+(?:points?|sentences?|ideas?|takeaways?|facts?|messages?)|highlights"
)
_PHRASES = r"key\W?(?:words?|phrases?|terms?|concepts?)|topics?|tags?|schlüsselw|schlagw|mots[- ]clés|palabras clave|parole chiave|ключев|关键词|關鍵詞|キーワード|키워드"

KINDS = {
    "textrank": Kind((TaskType.SUMMARIZATION, TaskType.INFORMATION_EXTRACTION), ("sentences", "words"), extracts=_SENTENCES),
    "lead": Kind((TaskType.SUMMARIZATION,), ("sentences", "words"), baseline=True),
    "keywords": Kind((TaskType.INFORMATION_EXTRACTION,), ("phrases",), extracts=_PHRASES),
    "embed": Kind((TaskType.EMBEDDING,), capability="embedding"),
}
"""Model name to what it does."""


def cards(provider: str) -> list[ModelCard]:
    """One card a model, the same on every machine but for the size."""
    size_bytes = _size_bytes()
    return [
        ModelCard(
            provider=provider,
            name=name,
            locality="embedded",
            capabilities=(kind.capability,),
            tasks=() if kind.baseline else kind.tasks,
            only_tasks=True,
            context_tokens=MAX_TEXT_BYTES // BYTES_PER_TOKEN,
            size_bytes=size_bytes,
            price=_EMBEDDED,
            loaded=True,
        )
        for name, kind in KINDS.items()
    ]


def _size_bytes() -> int | None:
    """The code and word lists of this folder: there are no other weights."""
    return sum(path.stat().st_size for path in Path(__file__).parent.glob("*.py")) or None

"""How fast and how good the embedded summariser is, against its lead baseline: `python tests/benchmarks/summary.py`."""

import random
import time
from collections.abc import Iterable, Sequence

from mmai.backends.builtin.document import Document, read_document
from mmai.backends.builtin.phrases import key_phrases
from mmai.backends.builtin.summary import Limits, choose, rank_sentences
from mmai.backends.builtin.words import terms

MEGABYTE = 1_000_000
STORIES = 200
FACTS = 4


def a_story(rng: random.Random) -> tuple[str, set[str]]:
    """A report of made-up words, and the words of its facts: each fact is taken up again twice, small talk is not."""
    words = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("lan", "ner", "dos", "vik", "rum")]
    rng.shuffle(words)
    fresh = iter(words)
    facts, rest = [], []
    for _ in range(FACTS):
        fact = [next(fresh) for _ in range(7)]
        facts.append(fact)
        rest += [[*rng.sample(fact, 4), *(next(fresh) for _ in range(4))] for _ in range(2)]
    rest += [[next(fresh) for _ in range(8)] for _ in range(8)]
    sentences = facts + rest
    rng.shuffle(sentences)
    text = " ".join(" ".join(sentence).capitalize() + "." for sentence in sentences)
    return text, {term for fact in facts for term in terms(" ".join(fact))}


def recall(document: Document, order: Iterable[int], reference: set[str]) -> float:
    """ROUGE-1 recall: the share of the reference's words in a summary of as many sentences as there are facts."""
    said = set(terms(" ".join(choose(document, order, Limits(sentences=FACTS)).sentences)))
    return len(said & reference) / len(reference)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def quality() -> None:
    rng = random.Random(7)
    ranked, lead = [], []
    for _ in range(STORIES):
        text, reference = a_story(rng)
        document = read_document(text)
        ranked.append(recall(document, rank_sentences(document), reference))
        lead.append(recall(document, range(len(document.sentences)), reference))
    print(f"ROUGE-1 recall over {STORIES} made-up reports: textrank {mean(ranked):.2f}, lead {mean(lead):.2f}")


def speed() -> None:
    rng = random.Random(7)
    text = ""
    while len(text) < MEGABYTE:
        text += "\n\n".join(a_story(rng)[0] for _ in range(100)) + "\n\n"
    text = text[:MEGABYTE]
    started = time.perf_counter()
    document = read_document(text)
    read = time.perf_counter()
    choose(document, rank_sentences(document), Limits())
    ranked = time.perf_counter()
    key_phrases(document)
    named = time.perf_counter()
    print(f"1 MB, {len(document.sentences):,} sentences: read {read - started:.2f} s, rank {ranked - read:.2f} s")
    print(f"its key phrases: {named - ranked:.2f} s")


if __name__ == "__main__":
    quality()
    speed()

"""What the shape of a prompt says, whatever its words: code, numbers, questions, options, tables, dialogue."""

import re
from itertools import pairwise

from msgspec import Struct

from mmai.selection.words import Clause, clauses, is_greeting, word_set

HEAD_CHARS = 1_200
TAIL_CHARS = 600
"""Instructions stand at the start or the end; what lies between is material."""

SHORT_PARAGRAPH_WORDS = 15

_MODELS = word_set("model models")
_NAMES = word_set("claude gpt gemini llama mistral qwen deepseek openai anthropic ollama")
_CHOOSING = word_set("use choose pick select route switch")
_RANKS = word_set(
    "expensive cheap cheapest best better strongest strong largest larger biggest smallest smaller powerful capable local hosted"
    " fastest dearest smartest"
)

_TELLING = ("model", *sorted(_NAMES))

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*+")
_SUM = re.compile(r"\d ?[+*×÷^] ?\d|\d [-/] \d")
_OPTION = re.compile(r"^[ \t]*(?:[-*]\s|\(?[a-e1-9][).]\s)|\([a-e1-5]\) ", re.MULTILINE)
_SPEAKER = re.compile(r"^[ \t]*-?[ \t]*(?:user|customer|agent|human|ai|assistant|speaker ?\w?|person ?\w|bot) ?:", re.MULTILINE)
_CODE_MARKS = (
    "```", "def ", "#include", "();", "){", ") {", "</", "=>", "import ", "return ", "select * ", "/*", "public class", "{%",
)  # fmt: skip
_MATH_MARKS = ("\\frac", "\\sqrt", "\\(", "\\[", "$", "^2", "^3", "√", "∫", "≤", "x =", "= ?", " + ", " * ", "=?", " / ")


class Features(Struct, frozen=True, kw_only=True):
    """Counts over the head and the tail of a prompt."""

    text: str
    """Both, in lower case, stripped."""
    clauses: tuple[Clause, ...]
    words: int
    """Of head and tail."""
    numbers: int
    options: int
    """Lines or marks that look like choices or list items."""
    speakers: int
    """Lines of a dialogue."""
    code_marks: int
    math_marks: int
    sums: int
    """Numbers joined by an operator."""
    columns: int
    """Lines with two or more commas, tabs or bars in equal number: a table."""
    edges: tuple[Clause, ...]
    """How the first and the last of several paragraphs begin, where they are short."""
    asks: bool
    """Ends with a question mark."""
    greets: bool
    """A greeting and nothing else."""

    @property
    def commands(self) -> tuple[Clause, ...]:
        """The first three clauses and the last two, where people say what they want."""
        return self.clauses if len(self.clauses) <= 5 else self.clauses[:3] + self.clauses[-2:]


def features(prompt: str) -> Features:
    """Look at the head and the tail only, so a megabyte costs what a page costs."""
    text = _ends(prompt).lower()
    parts = tuple(clauses(text))
    if any(name in text for name in _TELLING):
        parts = tuple(clause for clause in parts if not _of_models(clause)) or parts
    return Features(
        text=text,
        clauses=parts,
        words=sum(map(len, parts)),
        numbers=len(_NUMBER.findall(text)),
        options=len(_OPTION.findall(text)),
        speakers=len(_SPEAKER.findall(text)),
        code_marks=sum(mark in text for mark in _CODE_MARKS),
        math_marks=sum(mark in text for mark in _MATH_MARKS),
        sums=len(_SUM.findall(text)),
        columns=_table_lines(text),
        edges=_edges(text),
        asks=text.endswith(("?", "？", "؟")),
        greets=len(parts) <= 2 and all(map(is_greeting, parts)) and bool(parts),
    )


def _of_models(clause: Clause) -> bool:
    """What a clause says of the model that should answer is no part of the task, and must not sway who gets it."""
    words = set(clause)
    return bool((words & _MODELS and words & _RANKS) or (words & _NAMES and words & _CHOOSING))


def _ends(prompt: str) -> str:
    if len(prompt) > HEAD_CHARS + TAIL_CHARS:
        prompt = f"{prompt[:HEAD_CHARS]}\n{prompt[-TAIL_CHARS:]}"
    return prompt.replace("\r\n", "\n").strip()


def _edges(text: str) -> tuple[Clause, ...]:
    paragraphs = text.split("\n\n")
    if len(paragraphs) == 1:
        return ()
    ends = (clauses(paragraphs[0]), clauses(paragraphs[-1]))
    return tuple(found[0] for found in ends if found and sum(map(len, found)) <= SHORT_PARAGRAPH_WORDS)


def _table_lines(text: str) -> int:
    lines = [line for line in text.splitlines() if line]
    best = 0
    for separator in ",\t|":
        counts = [line.count(separator) for line in lines]
        best = max(best, sum(count >= 2 and count == after for count, after in pairwise(counts)))
    return best

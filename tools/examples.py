"""What the classifier learns from: prompts with a task type, a field or a degree of complexity, each with the collection it is of.

`DATA` is a folder with `routing/tasktype.jsonl`, `domain.jsonl`, `routellm_mmlu.jsonl`, `routellm_gsm8k.jsonl` and
`llmrouter9.jsonl`; `tools/prompts` has those the project wrote itself.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

OWN = Path(__file__).parent / "prompts"
APART = Path(__file__).parent / "apart"
"""Prompts nobody trains on, of styles of their own, without words that give their task away."""

FIELDS = (
    "code", "math", "science", "medicine", "law", "finance", "history", "philosophy", "psychology", "general",
)  # fmt: skip
_FIELD_OF_DOMAIN = {
    "computer science": "code", "engineering": "science", "physics": "science", "chemistry": "science", "biology": "science",
    "health": "medicine", "business": "finance", "economics": "finance", "other": "general",
}  # fmt: skip
_FIELD_OF_SUBJECT = (
    ("code", "computer_science computer_security machine_learning"),
    ("math", "mathematics algebra statistics formal_logic"),
    ("medicine", "medicine anatomy clinical_knowledge medical_genetics virology nutrition human_aging human_sexuality"),
    ("science", "physics chemistry biology astronomy electrical_engineering"),
    ("law", "law jurisprudence"),
    ("finance", "accounting economics econometrics business_ethics management marketing"),
    ("history", "history prehistory"),
    ("philosophy", "philosophy moral logical_fallacies world_religions"),
    ("psychology", "psychology"),
)
_TASK_OF_SUBJECT = (("math", "mathematics algebra"), ("reasoning", "formal_logic logical_fallacies"))
_LOOSELY_GENERAL = ("miscellaneous", "global_facts")

_TASK_AND_COMPLEXITY = {
    "natural_qa": ("question_answering", 0.25),
    "trivia_qa": ("question_answering", 0.3),
    "mmlu": ("question_answering", 0.45),
    "arc_challenge": ("question_answering", 0.35),
    "openbook_qa": ("question_answering", 0.35),
    "gpqa": ("question_answering", 0.85),
    "gsm8k": ("math", 0.4),
    "agentverse-mgsm": ("math", 0.4),
    "math": ("math", 0.65),
    "commonsense_qa": ("reasoning", 0.3),
    "agentverse-logicgrid": ("reasoning", 0.7),
    "mbpp": ("code_generation", 0.45),
    "human_eval": ("code_generation", 0.5),
    "commongen": ("creative_writing", 0.35),
}
"""Of the collections in LLMRouter's data. The middle of each is judged by hand from how models do on it; what differs within one
is learned from their answers."""
MMLU_COMPLEXITY, GSM8K_COMPLEXITY = 0.45, 0.4

STRONG = ("llama-3.1-nemotron-51b-instruct", "llama-3.3-nemotron-super-49b-v1")
WEAK = ("mistral-7b-instruct-v0.3", "codegemma-7b", "gemma-2-9b-it", "llama-3.1-8b-instruct", "qwen2.5-7b-instruct")

GAIN = 1.5
"""Complexity for one more right answer of the strong model against the weak one."""


class Example(NamedTuple):
    """One prompt; None where a label is not known."""

    prompt: str
    source: str
    """The collection; evaluation leaves whole ones out."""
    task: str | None = None
    field: str | None = None
    complexity: float | None = None


_KIN = ("gsm", "mmlu", "humaneval", "human_eval", "mbpp", "agentverse-logicgrid")


def collection(source: str) -> str:
    """The group a source is of: what must be left out with it, since it is the same data or the same hand."""
    name = "/".join(source.split("/")[:2]) if source.startswith("mmai/") else source.replace("/nine/", "/")
    kin = next((each for each in _KIN if each in name), None)
    return name if kin is None else kin.replace("human_eval", "humaneval")


def examples(data: Path, written: Path = OWN) -> list[Example]:
    """All of them, in the files' order."""
    routing = data / "routing"
    return [
        *own(written),
        *_typed(routing / "tasktype.jsonl"),
        *_fields(routing / "domain.jsonl"),
        *_nine_models(routing / "llmrouter9.jsonl"),
        *_two_models(routing / "routellm_mmlu.jsonl", "mmlu", MMLU_COMPLEXITY),
        *_two_models(routing / "routellm_gsm8k.jsonl", "gsm8k", GSM8K_COMPLEXITY),
    ]


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, filter(str.strip, lines))


def own(folder: Path) -> Iterator[Example]:
    """The prompts of a folder of the project's."""
    for path in sorted(folder.glob("*.jsonl")):
        for row in read_rows(path):
            yield Example(
                row["prompt"], f"mmai/{path.stem}/{row['style']}", row["task_type"], row["domain"], (row["difficulty"] - 1) / 4
            )


def _typed(path: Path) -> Iterator[Example]:
    for row in read_rows(path):
        yield Example(row["prompt"], row["source"], re.sub(r"(?<!^)(?=[A-Z])", "_", row["task_type"]).lower())


def _fields(path: Path) -> Iterator[Example]:
    for row in read_rows(path):
        yield Example(row["prompt"], row["source"], field=_FIELD_OF_DOMAIN.get(row["domain"], row["domain"]))


def _nine_models(path: Path) -> Iterator[Example]:
    rows = [(row, _gain(row["scores"])) for row in read_rows(path)]
    usual = {task: fmean(gain for row, gain in rows if row["task"] == task) for task in {row["task"] for row, _ in rows}}
    for row, gain in rows:
        task, complexity = _TASK_AND_COMPLEXITY[row["task"]]
        yield Example(
            row["prompt"], f"LLMRouter/nine/{row['task']}", task, complexity=complexity + GAIN * (gain - usual[row["task"]])
        )


def _gain(scores: dict[str, float]) -> float:
    return fmean(scores[name] for name in STRONG) - fmean(scores[name] for name in WEAK)


def _two_models(path: Path, name: str, complexity: float) -> Iterator[Example]:
    rows = list(read_rows(path))
    gains = [row["strong_correct"] - row["weak_correct"] for row in rows]
    usual = fmean(gains)
    for row, gain in zip(rows, gains, strict=True):
        subject = row.get("subject", "")
        yield Example(
            row["prompt"],
            f"RouteLLM/{name}",
            _of_subject(subject, _TASK_OF_SUBJECT) or ("question_answering" if subject else "math"),
            None
            if subject in _LOOSELY_GENERAL
            else _of_subject(subject, _FIELD_OF_SUBJECT) or ("general" if subject else "math"),
            complexity + GAIN * (gain - usual),
        )


def _of_subject(subject: str, table: tuple[tuple[str, str], ...]) -> str | None:
    return next((label for label, parts in table if any(part in subject for part in parts.split())), None)

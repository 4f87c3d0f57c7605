"""Make the table of abilities: `python -m tools.abilities DATA_FOLDER`, run by hand from a checkout.

Published scores of 85 models on five kinds of skill are put on one scale, the logit of a quality from 0 to 1 as WildBench has it:
`(score + 20) / 110`. Each score is taken as

    logit(score) = ability[model, skill] + ease[benchmark],    ability[model, skill] = general[model] + own[model, skill]

`own` is drawn toward 0, and `general` toward what a model of its age and size has, which the same fit learns:

    general = line + doubling x log2(parameters) + early x (years before mid-2024) + late x (years after it)

So models of one source are placed among those of another by their age and size, and by the models both have. WildBench's ease is 0.
"""

import csv
import json
import sys
from collections.abc import Iterator
from math import log, log2
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmai.selection.abilities import SKILLS, TABLE, Skill, key
from mmai.selection.lineage import FLAGSHIP, lineage
from tools.examples import read_rows

CATEGORIES: dict[str, Skill] = {
    "Creative Tasks": "writing",
    "Planning & Reasoning": "reasoning",
    "Math & Data Analysis": "mathematics",
    "Information/Advice seeking": "knowledge",
    "Coding & Debugging": "code",
}
"""WildBench's."""
BENCHMARKS: dict[str, Skill] = {
    "AIME": "mathematics",
    "LiveMathBench": "mathematics",
    "LiveCodeBench": "code",
    "SWE-Bench": "code",
    "GPQA": "reasoning",
    "HLE": "knowledge",
    "MMLU-Pro": "knowledge",
    "SimpleQA": "knowledge",
    "ArenaHard": "writing",
}
"""LLMRouterBench's; tau2 tests tools, which are a capability here."""
COLLECTIONS: dict[str, Skill] = {
    "natural_qa": "knowledge",
    "trivia_qa": "knowledge",
    "mmlu": "knowledge",
    "arc_challenge": "knowledge",
    "openbook_qa": "knowledge",
    "gpqa": "knowledge",
    "gsm8k": "mathematics",
    "agentverse-mgsm": "mathematics",
    "math": "mathematics",
    "commonsense_qa": "reasoning",
    "agentverse-logicgrid": "reasoning",
    "mbpp": "code",
    "human_eval": "code",
    "commongen": "writing",
}
"""LLMRouter's."""
NAMES = {
    "Claude-v4": "claude-sonnet-4", "DeepSeek-R1": "deepseek-r1", "DeepSeek-V3": "deepseek-v3", "DS-V3.1-Tms": "deepseek-v3.1-terminus",
    "Gemini-Flash": "gemini-2.5-flash", "Gemini-Pro": "gemini-2.5-pro", "GLM-4.6": "glm-4.6", "GPT-5": "gpt-5", "GPT-5-Chat": "gpt-5-chat",
    "Intern-S1": "intern-s1", "Kimi-K2": "kimi-k2", "Qwen3-235B": "qwen3-235b-a22b-instruct-2507", "Qwen3-Thinking": "qwen3-235b-a22b-thinking-2507",
}  # fmt: skip
"""What LLMRouterBench calls a model, and what the others do."""

OWN, GENERAL, LINE, EASE = 1.5, 2.0, 4.0, 0.05
"""How firmly abilities, models and lines are drawn to where they belong, and the rest to 0, in scores."""
EXPECTED = ((0.22, 300.0), (0.8, 100.0), (0.5, 300.0))
"""`doubling`, `early` and `late` before the data speak, and how firmly. A doubling is worth 0.21 to 0.25 logits from 8 to 70 billion in
Llama 3 and from 2 to 9 in Gemma 2; a year brought 0.6 to 1 from Llama 2 to 3. No model stands in sources of both before and after
2025, so that `late` is an assumption."""
TUNED = (
    "simpo",
    "dpo",
    "expo",
    "magpie",
    "selm",
    "hermes",
    "starling",
    "tulu",
    "neo",
    "zephyr",
    "chatqa",
    "athene",
    "codegemma",
    "gemma2b",
    "gemma7b",
    "llama27b",
    "llama270b",
)
"""Parts of the names of models that others made from a line's own, or for one use: they teach nothing of the line; and the first Gemma
and second Llama, which are far below what came after them."""
BRIDGE = ("deepseek-v3", "deepseek-v2-chat-0628", 0.5, 30.0)
"""A model of LLMRouterBench, one of WildBench, how many logits the first is taken to be better, and how firmly. It ties the two
together; the difference is what half a year brought before."""
COUNT_OF_COLLECTION = 3.0
"""What a collection of LLMRouter's counts for beside one category of WildBench: it has hundreds of prompts."""
CLIP = 0.02


class Score(NamedTuple):
    """One published figure."""

    model: str
    benchmark: str
    skill: Skill
    quality: float
    """0 to 1."""
    source: str
    weight: float = 1.0


def main(data: Path) -> None:
    """Fit, write the table, and print how it orders the models."""
    scores = [*_wildbench(data), *_router_bench(data), *_nine(data), *_two(data)]
    TABLE.write_text(encoded(scores), encoding="utf-8")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)


def _wildbench(data: Path) -> Iterator[Score]:
    for row in _rows(data / "published" / "wildbench_wbscore_by_category.csv"):
        for category, skill in CATEGORIES.items():
            yield Score(row["model"].partition("@")[0], "WildBench", skill, (float(row[category]) + 20) / 110, "WildBench v2")


def _router_bench(data: Path) -> Iterator[Score]:
    for row in _rows(data / "published" / "llmrouterbench_table9_accuracy.csv"):
        for benchmark, skill in BENCHMARKS.items():
            if row[benchmark] != "-":
                yield Score(NAMES[row["model"]], benchmark, skill, float(row[benchmark]) / 100, "LLMRouterBench, table 9")


def _nine(data: Path) -> Iterator[Score]:
    found: dict[tuple[str, str], list[float]] = {}
    for row in read_rows(data / "routing" / "llmrouter9.jsonl"):
        for model, score in row["scores"].items():
            found.setdefault((model, row["task"]), []).append(score)
    for (model, task), each in found.items():
        yield Score(model, task, COLLECTIONS[task], sum(each) / len(each), "LLMRouter's query set", COUNT_OF_COLLECTION)


def _two(data: Path) -> Iterator[Score]:
    asked: tuple[tuple[str, Skill], ...] = (("mmlu", "knowledge"), ("gsm8k", "mathematics"))
    for name, skill in asked:
        rows = list(read_rows(data / "routing" / f"routellm_{name}.jsonl"))
        for model, column in (("gpt-4-1106-preview", "strong_correct"), ("mixtral-8x7b-instruct-v0.1", "weak_correct")):
            yield Score(model, f"RouteLLM {name}", skill, sum(row[column] for row in rows) / len(rows), "RouteLLM")


def encoded(scores: list[Score]) -> str:
    """The table as JSON, a line each for the formula and for every model."""
    models = sorted({key(score.model) for score in scores})
    lines = sorted({each for each in map(_line, models) if each} - {"chatqa", "codegemma", "hermes", "zephyr"})
    benchmarks = sorted({score.benchmark for score in scores} - {"WildBench"})
    own = {(model, skill): at for at, (model, skill) in enumerate((model, skill) for model in models for skill in SKILLS)}
    general = {model: len(own) + at for at, model in enumerate(models)}
    ease = {benchmark: len(own) + len(models) + at for at, benchmark in enumerate(benchmarks)}
    start = len(own) + len(models) + len(benchmarks)
    of_line = {line: start + 4 + at for at, line in enumerate(lines)}
    of_skill = {skill: start + 4 + len(lines) + at for at, skill in enumerate(SKILLS)}
    width = start + 4 + len(lines) + len(SKILLS)
    equations: list[tuple[dict[int, float], float, float]] = []
    for score in scores:
        quality = min(1 - CLIP, max(CLIP, score.quality))
        terms = {own[key(score.model), score.skill]: 1.0, general[key(score.model)]: 1.0, of_skill[score.skill]: 1.0}
        if score.benchmark in ease:
            terms[ease[score.benchmark]] = 1.0
        equations.append((terms, log(quality / (1 - quality)), score.weight))
    for model in models:
        if any(part in model for part in TUNED):
            equations.append(({general[model]: 1.0}, 0.0, EASE))
            continue
        terms = dict(enumerate((-value for value in age_and_size(model)), start))
        if (line := _line(model)) in of_line:
            terms[of_line[line]] = -1.0
        equations.append(({general[model]: 1.0} | terms, 0.0, GENERAL))
    newer, older, ahead, firmly = BRIDGE
    equations.append(({general[key(newer)]: 1.0, general[key(older)]: -1.0}, ahead, firmly))
    equations += [({at: 1.0}, 0.0, OWN) for at in own.values()]
    equations += [({at: 1.0}, 0.0, LINE) for at in of_line.values()]
    equations += [({start + 1 + at: 1.0}, value, firmly) for at, (value, firmly) in enumerate(EXPECTED)]
    equations += [({at: 1.0}, 0.0, EASE) for at in (*ease.values(), *of_skill.values())]
    matrix, wanted = np.zeros((len(equations), width)), np.zeros(len(equations))
    for at, (terms, value, count) in enumerate(equations):
        for column, factor in terms.items():
            matrix[at, column] = factor * count**0.5
        wanted[at] = value * count**0.5
    found = np.linalg.solve(matrix.T @ matrix, matrix.T @ wanted)
    first = {key(score.model): score for score in reversed(scores)}
    return "\n".join(
        [
            "{",
            f'"formula": {json.dumps(dict(zip(("start", "doubling", "early", "late"), (round(float(v), 3) for v in found[start : start + 4]), strict=True)))},',
            f'"skills": {json.dumps({skill: round(float(found[at]), 3) for skill, at in of_skill.items()})},',
            '"models": {',
            ",\n".join(
                f"{json.dumps(model)}: "
                + json.dumps(
                    {
                        "abilities": [
                            round(float(found[general[model]] + found[own[model, skill]] + found[of_skill[skill]]), 2)
                            for skill in SKILLS
                        ],
                        "source": first[model].source,
                        **_lineage(first[model].model),
                    }
                )
                for model in models
            ),
            "}",
            "}",
            "",
        ]
    )


def age_and_size(model: str) -> tuple[float, float, float, float]:
    """1, doublings of a billion parameters, years before and after mid-2024."""
    told = lineage(model)
    years = (told.year or 2024.5) - 2024.5
    return 1.0, log2(told.billions or told.tier or FLAGSHIP), min(0.0, years), max(0.0, years)


def _lineage(name: str) -> dict[str, str | float]:
    """What the table tells of a model's place among its relatives."""
    told = lineage(name)
    if told.line is None or told.year is None or any(part in key(name) for part in TUNED):
        return {}
    return {"line": told.line, "year": round(told.year, 2), "billions": told.billions or told.tier or FLAGSHIP}


def _line(model: str) -> str | None:
    return lineage(model).line


if __name__ == "__main__":
    main(Path(sys.argv[1]))

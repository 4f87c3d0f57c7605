"""The card of the classifier: what it is, what it was trained on, and how well it does on collections it has not seen."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tools.examples import Example, collection
from tools.fit import Floats, Labels
from tools.stack import Stack, calibration_error

SOURCES = (
    ("super-natural-instructions, by way of FLAN's constants", "Apache-2.0"),
    ("CLINC150", "CC-BY-3.0"),
    ("P3/T0 prompts from the self-instruct repository", "Apache-2.0; the texts in them CC-BY, CC-BY-SA or MIT"),
    ("FLAN templates over SQuAD-style text", "Apache-2.0, CC-BY-SA-4.0"),
    ("prompts.chat", "CC0-1.0"),
    ("fabric patterns, prompt-engineering-guide, HumanEval, GSM8K (train), BIG-bench Hard, StrategyQA", "MIT"),
    (
        "LLMRouter's query set: MBPP, MATH, Natural Questions, TriviaQA, logic grids, ARC, CommonsenseQA, OpenBookQA, MMLU, GPQA, MGSM,"
        " CommonGen, and the scores of nine models on it",
        "MIT; CC-BY-4.0, CC-BY-SA, Apache-2.0 and MIT for the collections in it",
    ),
    ("InfiAgent-DABench, Spider (dev) with a template", "Apache-2.0, CC-BY-SA-4.0"),
    ("self-instruct seed tasks, Vicuna bench", "Apache-2.0"),
    ("RouteLLM: answers of two models to MMLU and GSM8K", "Apache-2.0"),
    ("vllm-project/semantic-router, prompts by field", "Apache-2.0"),
    ("synthetic templates", "CC0"),
    ("`tools/prompts`, written for this project", "MIT"),
)
"""None of their rows is in the table: only sums over many of them."""


class Unseen(NamedTuple):
    """Predictions for collections that were left out of training."""

    rows: Sequence[Example]
    labels: Labels
    probabilities: Floats
    """(prompts, tasks)."""
    weights: Floats

    @property
    def first(self) -> Floats:
        """1 where the most probable task is the label."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.labels, dtype=float)

    @property
    def second(self) -> Floats:
        """1 where the label is one of the two most probable tasks."""
        order = np.argsort(-self.probabilities, axis=1)
        return np.asarray((order[:, :2] == self.labels[:, None]).any(axis=1), dtype=float)


def card(unseen: Unseen, apart: Unseen, weighed: Stack, *, size_bytes: int) -> str:
    """The whole text, in Markdown."""
    groups = np.array([collection(row.source) for row in unseen.rows])
    share = unseen.weights / unseen.weights.sum()
    first, second = unseen.first, unseen.second
    rows = [
        f"| {name} | {int((groups == name).sum())} | {first[groups == name].mean():.2f} | {second[groups == name].mean():.2f} |"
        for name in sorted(set(groups.tolist()))
    ]
    error = calibration_error(unseen.probabilities, unseen.labels, unseen.weights)
    return "\n".join(
        [
            "# Card of `classifier.bin`",
            "",
            "**What it is.** A table of small integers, a row for each of 32,768 hashed n-grams and 240 bins of a prompt's shape, a column"
            " for each of 14 text tasks and 10 fields, and one for complexity. `mmai/selection/classifier.py` reads it;"
            f" `python -m tools.train DATA_FOLDER` makes it, the same bytes for the same data. {size_bytes:,} bytes.",
            "",
            "**What it says.** Logits of the tasks, which count"
            f" {weighed.grams:.2f} beside {weighed.rules:.2f} for the evidence of rules (`wording.py`); logits of the fields; and how much"
            " better a strong model is expected to answer than a weak one. Tasks with images and sound are the rules' alone.",
            "",
            "**How well, on collections left out of training** (twelve folds of whole collections, kin together; the three numbers that"
            " weigh table and rules were learned on these very predictions):",
            "",
            f"- by collection, each counted for the root of its size and rare tasks for more: accuracy {(first * share).sum():.3f},"
            f" top 2 {(second * share).sum():.3f}",
            f"- by prompt: accuracy {first.mean():.3f}, top 2 {second.mean():.3f}",
            f"- expected calibration error, 15 bins, by collection: {error:.3f}",
            "",
            f"**On {len(apart.rows)} prompts written apart** (`tools/apart`, 27 styles, a seventh of them not English, chosen to give"
            f" nothing away by a word): accuracy {apart.first.mean():.3f}, top 2 {apart.second.mean():.3f}, expected calibration error"
            f" {calibration_error(apart.probabilities, apart.labels, apart.weights):.3f}.",
            "",
            "| left out | prompts | accuracy | top 2 |",
            "|---|---|---|---|",
            *rows,
            "",
            "Neighbours overlap (reasoning and question answering, summarising and extraction), so that about 0.7 is as much as these"
            " labels allow; what reads the table goes by all probabilities and not by the first.",
            "",
            "**Complexity** was learned from where a strong model was right and a weak one wrong, within each collection, and from"
            " degrees of difficulty in the project's own prompts. It is no measure of difficulty for people.",
            "",
            "| trained on | licence |",
            "|---|---|",
            *(f"| {source} | {licence} |" for source, licence in SOURCES),
            "",
            "Licences of collections within collections are as their distributors state them. English makes up most of it; other"
            " languages are in the project's own prompts and in the rules.",
            "",
        ]
    )

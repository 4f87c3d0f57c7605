"""What was learned of models and what was forgotten, in words and as data."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmai.render.clean import clean_line
from mmai.values.outcome import Judged, Tally
from mmai.values.record import RunRecord

PROMPT_LENGTH = 60


def rated_data(run: RunRecord, *, model: str, task: str, rating: float | None, previous: float | None) -> dict[str, Any]:
    """The `data` of `rate`; ratings are 0 to 1, and `rating` is null where one was taken back."""
    return {
        "run": run.id,
        "model": model,
        "task": task,
        "prompt": beginning(run.prompt),
        "rating": rating,
        "previous": previous,
    }


def rated_line(data: Mapping[str, Any]) -> str:
    """`rated ollama:qwen3:8b 1.00 (0.00 before) for math: "What is 2+2?"`."""
    before = "" if data["previous"] is None else f" ({data['previous']:.2f} before)"
    said = f'for {data["task"]}: "{data["prompt"]}"'
    if data["rating"] is None:
        return clean_line(f"took back the rating of {data['model']}{before} {said}")
    return clean_line(f"rated {data['model']} {data['rating']:.2f}{before} {said}")


def beginning(prompt: str) -> str:
    """The first words of a prompt, on one line."""
    line = " ".join(prompt[: 4 * PROMPT_LENGTH].split())
    return line if len(line) <= PROMPT_LENGTH else f"{line[: PROMPT_LENGTH - 1]}…"


def forgotten_data(
    outcomes: Mapping[str, Mapping[str, Tally]], judged: Sequence[Judged], *, learning_since: float
) -> dict[str, Any]:
    """The `data` of `select --reset-learning`: how many outcomes of each model and task, by signal, and how many models' runs
    that nobody rated count no more.
    """
    models = {ref: {task: dict(tally.counts) for task, tally in tasks.items()} for ref, tasks in sorted(outcomes.items())}
    return {
        "outcomes": sum(_counts(models.values())),
        "models": models,
        "judged": sorted({runs.model for runs in judged}),
        "learning_since": learning_since,
    }


def forgotten_line(data: Mapping[str, Any]) -> str:
    """`forgot 12 outcomes of ollama:b, openai:a, and what unrated runs told of ollama:b`."""
    count, models, judged = data["outcomes"], data["models"], data["judged"]
    if not count and not judged:
        return "nothing was learned yet"
    parts = []
    if count:
        parts.append(f"{count} outcome{'s' * (count != 1)} of {', '.join(models)}")
    if judged:
        parts.append(f"what unrated runs told of {', '.join(judged)}")
    return clean_line(f"forgot {', and '.join(parts)}")


def _counts(models: Iterable[Mapping[str, Mapping[str, int]]]) -> Iterable[int]:
    return (count for tasks in models for signals in tasks.values() for count in signals.values())

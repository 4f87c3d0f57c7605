"""A run as JSON, and answers that are not text as text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from mmai.render.clean import clean_line
from mmai.values.event import Label
from mmai.values.preview import Preview
from mmai.values.record import Attempt, RunRecord


def run_data(record: RunRecord, *, extras: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The `data` of `run`. `extras` are `labels`, `vector`, `results`, `tensors` or `files`, where the answer is not text."""
    return {
        "id": record.id,
        "text": record.text,
        "model": record.model,
        "task": record.task,
        "automatic": record.automatic,
        "finish_reason": record.finish_reason,
        "usage": record.usage,
        "cost_usd": record.cost_usd,
        "timings": record.timings,
        "server": record.server,
        "execution": record.execution,
        "attempts": [attempt_data(attempt) for attempt in record.attempts],
        **(extras or {}),
    }


def attempt_data(attempt: Attempt) -> dict[str, Any]:
    """One of the `attempts` in JSON."""
    return {
        "model": attempt.model,
        "endpoint": attempt.endpoint,
        "credential": attempt.credential,
        "class": attempt.failure,
        "message": attempt.message,
        "status": attempt.status,
        "ms": attempt.ms,
        "cost_usd": attempt.cost_usd,
    }


def labels_text(labels: Iterable[Label], *, of: str | None = None) -> str:
    """One class a line, the most probable first: `0.91  tabby cat`; `a.png: 0.91  tabby cat` where they are of one file of several.

    The names stand below each other, two spaces or more behind the probabilities.
    """
    rows = [("-" if label.probability is None else probability(label.probability), clean_line(label.name)) for label in labels]
    width = max((len(share) for share, _ in rows), default=0)
    return "".join(f"{_file(of)}{share:<{width}}  {name}\n" for share, name in rows)


def probability(share: float) -> str:
    """Two digits that say something: `0.91`, `0.0020`, `4.0e-06`."""
    return f"{share:.2f}" if share >= 0.095 or not share else f"{share:#.2g}"


def vector_text(values: Sequence[float], *, of: str | None = None) -> str:
    """An embedding as a JSON array on one line, behind its file where there are several."""
    return f"{_file(of)}{msgspec.json.encode(values).decode()}\n"


def _file(name: str | None) -> str:
    return "" if name is None else f"{clean_line(name)}: "


def preview_data(model: str, preview: Preview) -> dict[str, Any]:
    """The `data` of `run --dry-run`."""
    return {"model": model, "request": preview}


def preview_text(model: str, preview: Preview) -> str:
    """The request as it would go over the wire, its body indented; or that nothing would."""
    where = f"{preview.method} {preview.url}" if preview.url else f"{model} runs inside mmai: nothing would be sent"
    headers = "".join(f"{name}: {value}\n" for name, value in preview.headers.items())
    if preview.body is None:
        return f"{where}\n{headers}"
    body = msgspec.json.format(msgspec.json.encode(preview.body), indent=2).decode()
    return f"{where}\n{headers}\n{body}\n"

"""The state of things on one screen: what is configured, reachable, loaded and active, and what to do next."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from mmai.render.models import health_cell, providers_data, with_key
from mmai.render.table import Cell, Column, Table, Value
from mmai.render.units import duration, money, size, tokens
from mmai.values.budget import Spending
from mmai.values.health import Loaded, ProviderStatus
from mmai.values.registry import Slot
from mmai.values.task import TaskType
from mmai.values.traffic import Place

_COLUMNS = (Column("kind"), Column("name"), Column("state"), Column("detail", wrap=True))


class Status(Struct, frozen=True, kw_only=True):
    """What `status` shows."""

    providers: Sequence[ProviderStatus]
    loaded: Mapping[str, Loaded]
    """By reference."""
    slots: Mapping[str, Slot]
    """By task type: models that were put in place for good."""
    chosen: Mapping[TaskType, str | None]
    """By task type: who takes it where no slot says so; None where nobody can."""
    budget: Sequence[Spending] = ()
    """What is spent of each limit."""
    places: Sequence[Place] = ()
    """Places that are left alone, or whose wise number of calls at a time is known."""
    under_way: Mapping[str, int] = {}
    """Calls of other commands that are under way, by place."""
    memory_budget_bytes: int | None = None
    now: float = 0.0
    """Unix seconds."""
    next_step: str | None = None


def status_table(seen: Status) -> Table:
    """A row for each endpoint, each model in memory, each model with the tasks it takes, and each limit of the budget."""
    return Table(
        columns=_COLUMNS,
        rows=[
            *(_provider_row(status) for status in with_key(seen.providers)),
            *(_loaded_row(ref, one) for ref, one in seen.loaded.items()),
            *_memory_rows(seen),
            *_place_rows(seen),
            *(_slot_row(task, slot) for task, slot in seen.slots.items()),
            *_chosen_rows(seen),
            *(_budget_row(spending) for spending in seen.budget),
        ],
        notes=(f"next: {seen.next_step}",) if seen.next_step else (),
    )


def status_data(seen: Status) -> dict[str, Any]:
    """The `data` of `status`. An automatic choice has no generation."""
    return {
        "providers": providers_data(seen.providers),
        "loaded": [{"model": ref, **_memory(one)} for ref, one in seen.loaded.items()],
        "active": [
            {"task": task, "model": slot.active, "generation": slot.generation}
            if (slot := seen.slots.get(task))
            else {"task": task, "model": ref, "generation": None}
            for task, ref in seen.chosen.items()
        ],
        "budget": [
            {"period": each.period, "limit_usd": each.limit_usd, "spent_usd": each.spent_usd, "left_usd": each.left_usd}
            for each in seen.budget
        ],
        "places": [
            {
                "place": key,
                "left_alone_s": _left_alone_s(place, seen.now),
                "reason": place.reason if _left_alone_s(place, seen.now) else None,
                "calls_at_a_time": place.limit,
                "under_way": seen.under_way.get(key, 0),
            }
            for key, place in _places(seen).items()
        ],
        "memory": {"held_bytes": _held_bytes(seen), "budget_bytes": seen.memory_budget_bytes},
        "next": seen.next_step,
    }


def _places(seen: Status) -> dict[str, Place]:
    """Those that are known, and those where calls are under way."""
    known = {place.key: place for place in seen.places}
    return known | {key: Place(key=key) for key in seen.under_way if key not in known}


def _left_alone_s(place: Place, now: float) -> float | None:
    left = (place.open_until or 0.0) - now
    return left if left > 0 else None


def _place_rows(seen: Status) -> list[list[Value | Cell]]:
    rows: list[list[Value | Cell]] = []
    for key, place in _places(seen).items():
        left_s, under_way = _left_alone_s(place, seen.now), seen.under_way.get(key, 0)
        parts = [
            f"for {duration(left_s * 1000)} more: {place.reason}" if left_s else "",
            "" if place.limit is None else f"{place.limit} call{'s' * (place.limit != 1)} at a time",
            f"{under_way} under way" if under_way else "",
        ]
        state = Cell("left alone", style="warn") if left_s else Cell("called", style="good")
        rows.append(["place", key, state, ", ".join(part for part in parts if part)])
    return rows


def _held_bytes(seen: Status) -> int | None:
    known = [one.size_bytes for one in seen.loaded.values()]
    return None if None in known else sum(each for each in known if each is not None)


def _memory_rows(seen: Status) -> list[list[Value | Cell]]:
    if seen.memory_budget_bytes is None:
        return []
    held = _held_bytes(seen)
    state = Cell("over", style="warn") if held is not None and held > seen.memory_budget_bytes else Cell("within", style="good")
    return [["memory", "local models", state, f"{size(held)} of {size(seen.memory_budget_bytes)} held"]]


def next_step(providers: Sequence[ProviderStatus]) -> str | None:
    """The command that gets a real model to answer, or None when one does already. The built-in models are not counted."""
    served = [status for status in providers if status.endpoint is not None]
    if any(status.health.state == "healthy" and status.models for status in served):
        return None
    if any(status.health.state == "healthy" and status.provider == "ollama" for status in served):
        return "`mmai pull ollama:qwen3:8b` fetches a first model"
    if any(status.health.state == "unauthorized" for status in served):
        refused = next(status.provider for status in served if status.health.state == "unauthorized")
        return f"`mmai keys set {refused}` stores a key that works"
    if any(status.provider == "ollama" for status in served):
        return (
            "`ollama serve` starts the configured Ollama server, `mmai keys set openai` opens a hosted one; "
            "until then the built-in models answer"
        )
    return "`mmai config init` adds a provider; until then the built-in models answer"


def _provider_row(status: ProviderStatus) -> list[Value | Cell]:
    return ["provider", status.key, health_cell(status.health), _provider_detail(status)]


def _provider_detail(status: ProviderStatus) -> str | None:
    health, models = status.health, status.models
    if health.state != "healthy":
        return health.reason
    measured = status.endpoint is not None and health.latency_ms is not None
    parts = [
        "" if models is None else f"{models} model{'' if models == 1 else 's'}",
        "" if health.version is None else f"version {health.version}",
        f"answered in {duration(health.latency_ms)}" if measured else "",
        health.reason or "",
    ]
    return ", ".join(part for part in parts if part) or None


def _loaded_row(ref: str, loaded: Loaded) -> list[Value | Cell]:
    parts = [
        "" if loaded.size_bytes is None else size(loaded.size_bytes),
        f"{loaded.vram_bytes / loaded.size_bytes:.0%} on the accelerator"
        if loaded.size_bytes and loaded.vram_bytes is not None
        else "",
        "" if loaded.context_tokens is None else f"context {tokens(loaded.context_tokens)}",
        "" if loaded.expires_at is None else f"until {loaded.expires_at}",
    ]
    return ["model", ref, Cell("loaded", style="good"), ", ".join(part for part in parts if part) or None]


def _slot_row(task: str, slot: Slot) -> list[Value | Cell]:
    before = None if slot.previous is None else f"before it {slot.previous}"
    return ["task", task, Cell("active", style="good"), slot.active if before is None else f"{slot.active}, {before}"]


def _chosen_rows(seen: Status) -> list[list[Value | Cell]]:
    tasks: dict[str | None, list[str]] = {}
    for task, ref in seen.chosen.items():
        if task not in seen.slots:
            tasks.setdefault(ref, []).append(task.value)
    in_order = sorted(tasks.items(), key=lambda entry: entry[0] is None)
    return [
        ["tasks", ref, Cell("automatic", style="good") if ref else Cell("no model", style="warn"), ", ".join(names)]
        for ref, names in in_order
    ]


def _budget_row(spending: Spending) -> list[Value | Cell]:
    when = {"daily": "today", "monthly": "this month"}[spending.period]
    state = Cell("spent", style="warn") if spending.left_usd == 0 else Cell("within", style="good")
    return ["budget", when, state, f"{money(spending.spent_usd)} of {money(spending.limit_usd)} spent"]


def _memory(loaded: Loaded) -> dict[str, Any]:
    return {
        "size_bytes": loaded.size_bytes,
        "vram_bytes": loaded.vram_bytes,
        "context_tokens": loaded.context_tokens,
        "expires_at": loaded.expires_at,
    }

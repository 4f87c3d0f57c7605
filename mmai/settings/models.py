"""Rows of `models` in the settings, as cards."""

from collections.abc import Mapping
from typing import Any

from mmai.settings.node import Node, Wrong
from mmai.settings.schema import DeclaredModel
from mmai.settings.shapes import listed, number, text, whole, words
from mmai.settings.table import Key, Table, read, walk
from mmai.values.model import ModelCard, Price, Profile
from mmai.values.task import Modality, TaskType

MB = 1_000_000
"""`memory_usage_mb` in bytes."""

CORE_ML_SUFFIXES = (".mlpackage", ".mlmodelc", ".mlmodel")

TASKS = {str(task): task for task in TaskType} | {
    "analysis": TaskType.TEXT_ANALYSIS,
    "chat": TaskType.CONVERSATION,
    "coding": TaskType.CODE_GENERATION,
    "feature_extraction": TaskType.EMBEDDING,
    "speech_to_text": TaskType.SPEECH_TRANSCRIPTION,
    "text_to_speech": TaskType.SPEECH_SYNTHESIS,
}
"""Task types by name, and by the words of the specification and of common use."""

NOT_TEXT = frozenset(("image_generation", "image_classification", "speech_transcription", "speech_synthesis", "embedding"))
"""Task types that are technical abilities too: a model has them, or cannot do the task at all."""

WORDLESS = NOT_TEXT | {"audio", "text_classification", "audio_classification"}
"""Technical abilities that take no generating of text."""

TECHNICAL = {"audio_processing": "audio", "image_understanding": "vision"}
"""Other words for a capability."""

INPUTS = {
    "vision": Modality.IMAGE,
    "image_classification": Modality.IMAGE,
    "audio": Modality.AUDIO,
    "audio_classification": Modality.AUDIO,
    "speech_transcription": Modality.AUDIO,
}
"""Capability to what such a model takes: beside text if it generates text, else instead of it."""

ROW: Table = {
    "name": Key(text, "as the provider calls it"),
    "context_window": Key(whole(), "tokens, input and output together"),
    "max_output_tokens": Key(whole(), "tokens of one answer"),
    "capabilities": Key(words, "what it can do: task types and technical abilities"),
    "performance_profile": {
        "tokens_per_second": Key(number(), "decoding speed"),
        "memory_usage_mb": Key(number(), "while loaded"),
        "cold_start_time_ms": Key(number(), "to load it"),
        "latency_ms": Key(number(), "of one call, where no tokens are generated"),
        "throughput_ips": Key(number(), "calls a second, where no tokens are generated"),
    },
    "connect_timeout_ms": Key(number(1), "longest wait for a connection"),
    "first_token_timeout_ms": Key(number(1), "longest wait for its first token, loading included"),
    "stall_timeout_ms": Key(number(1), "longest silence within its answer"),
    "total_timeout_ms": Key(number(1), "longest time of one call"),
    "cost_per_token": Key(number(), "US dollars, input and output alike"),
    "cost_per_image": Key(number(), "US dollars"),
    "model_path": Key(text, "file or package of a model that runs inside mmai"),
    "input_shape": Key(listed(whole()), "of its input tensor"),
    "output_shape": Key(listed(whole()), "of its output tensor"),
    "deprecated": Key(text, "when or why it goes away"),
}


def declared(node: Node) -> DeclaredModel:
    """One item of `models`: a name, or a row of keys. The card's provider is still empty."""
    if not isinstance(node.value, dict):
        return _named(text(node))
    row = {".".join(path): read(key, item, path) for path, key, item in walk(node, ROW)}
    if "name" not in row:
        raise Wrong("a model needs a `name`", line=node.line)
    named = _named(row["name"])
    path = row.get("model_path", named.path)
    capabilities, tasks = abilities(row["capabilities"]) if "capabilities" in row else (_default_capabilities(path), ())
    return DeclaredModel(
        card=ModelCard(
            provider="",
            name=named.card.name,
            source="configured",
            capabilities=capabilities,
            tasks=tasks,
            only_tasks=bool(tasks) and "text_generation" not in capabilities,
            inputs=_inputs(capabilities),
            context_tokens=row.get("context_window"),
            max_output_tokens=row.get("max_output_tokens"),
            price=_price(row),
            profile=_profile(row),
            deprecated=row.get("deprecated"),
        ),
        path=path,
        timeouts=timeouts(row),
        input_shape=row.get("input_shape", ()),
        output_shape=row.get("output_shape", ()),
    )


def timeouts(row: Mapping[str, Any]) -> dict[str, float]:
    """Of the keys of a row those that are times, as fields of `Timeouts`."""
    names = ("connect", "first_token", "stall", "total")
    return {f"{name}_s": row[key] / 1000 for name in names if row.get(key := f"{name}_timeout_ms") is not None}


def abilities(named: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[TaskType, ...]]:
    """Technical capabilities and task types among the words of one list.

    A model generates text unless every word it is given names something else it makes of its input.
    """
    tasks: list[TaskType] = []
    technical: list[str] = []
    for word in (word.lower().replace("-", "_") for word in named):
        task = TASKS.get(word)
        if task is not None:
            tasks.append(task)
        if task is None or task in NOT_TEXT or word in TECHNICAL:
            technical.append(TECHNICAL.get(word, str(task or word)))
    generates = not technical or not set(tasks) <= NOT_TEXT or not set(technical) <= WORDLESS
    first = ("text_generation",) if generates else ()
    return tuple(dict.fromkeys((*first, *technical))), tuple(dict.fromkeys(tasks))


def _named(name: str) -> DeclaredModel:
    """A model of which only the name is known; the name of a Core ML package is a path as well."""
    suffix = next((suffix for suffix in CORE_ML_SUFFIXES if name.endswith(suffix)), None)
    path = name if suffix else None
    stem = name.rpartition("/")[2].removesuffix(suffix) if suffix else name
    card = ModelCard(provider="", name=stem, source="configured", capabilities=_default_capabilities(path))
    return DeclaredModel(card=card, path=path)


def _default_capabilities(path: str | None) -> tuple[str, ...]:
    """A model behind a server is there to chat; what one in a file does is known when the file is read."""
    return ("text_generation",) if path is None else ()


def _inputs(capabilities: tuple[str, ...]) -> tuple[Modality, ...]:
    others = tuple(dict.fromkeys(INPUTS[word] for word in capabilities if word in INPUTS))
    return others if others and "text_generation" not in capabilities else (Modality.TEXT, *others)


def _price(row: Mapping[str, Any]) -> Price | None:
    token, image = row.get("cost_per_token"), row.get("cost_per_image")
    if token is None and image is None:
        return None
    per_million = None if token is None else round(token * 1e6, 9)
    return Price(input_usd_per_mtok=per_million, output_usd_per_mtok=per_million, image_usd=image)


def _profile(row: Mapping[str, Any]) -> Profile | None:
    figures = {key.removeprefix("performance_profile."): row[key] for key in row if key.startswith("performance_profile.")}
    if not figures:
        return None
    memory_mb, rate = figures.get("memory_usage_mb"), figures.get("throughput_ips")
    return Profile(
        tokens_per_second=figures.get("tokens_per_second"),
        latency_ms=figures.get("latency_ms", 1000 / rate if rate else None),
        cold_start_ms=figures.get("cold_start_time_ms"),
        memory_bytes=None if memory_mb is None else round(memory_mb * MB),
    )

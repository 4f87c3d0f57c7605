"""Models and the endpoints that offer them, as tables and as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmai.render.envelope import plain
from mmai.render.packages import package_rows
from mmai.render.sidecars import sidecar_lines, sidecar_path
from mmai.render.table import MISSING, Cell, Column, Table, Value
from mmai.render.units import UNKNOWN, duration, price, price_details, size, tokens
from mmai.values.health import Health, ProviderStatus, endpoint_key
from mmai.values.model import Locality, ModelCard, Price, Profile
from mmai.values.package import Package

WHERE: dict[Locality, str] = {"embedded": "built in", "local": "this machine", "network": "network", "cloud": "cloud"}
"""Where weights run, for people."""

_COLUMNS = (
    Column("model"),
    Column("provider", drop=8),
    Column("where", drop=5),
    Column("size_bytes", "size", justify="right", drop=3),
    Column("context_tokens", "context", justify="right", drop=2),
    Column("capabilities", drop=7, wrap=True),
    Column("price", drop=4),
    Column("health", wrap=True),
    Column("loaded", drop=6),
)


def discovery_table(providers: Sequence[ProviderStatus], cards: Sequence[ModelCard]) -> Table:
    """Every model, then a row with the reason for each endpoint that is not healthy, offers none, or not all it was to."""
    rows = [status for status in with_key(providers) if len(providers) == 1 or not _is_unused(status)]
    silent = [
        _silent_row(status) for status in rows if not status.models or status.health.state != "healthy" or status.health.reason
    ]
    return Table(columns=_COLUMNS, rows=[*models_table(cards, providers=providers).rows, *silent])


def with_key(providers: Sequence[ProviderStatus]) -> Sequence[ProviderStatus]:
    """Those worth a row; services nobody has set a key for are worth a line together (`keyless_line`), or a row where alone."""
    return [status for status in providers if status.health.state != "no_key"] or providers


def _is_unused(status: ProviderStatus) -> bool:
    """Something of mmai's own that waits for models, and that nobody has set up."""
    health = status.health
    return status.endpoint is None and not status.models and health.state == "healthy" and health.reason is None


def models_table(cards: Sequence[ModelCard], *, providers: Sequence[ProviderStatus]) -> Table:
    """Models in the order given; `providers` say how healthy their endpoints are."""
    health = {status.key: status.health for status in providers}
    return Table(columns=_COLUMNS, rows=[_row(card, health) for card in cards])


def discovery_data(providers: Sequence[ProviderStatus], cards: Sequence[ModelCard]) -> dict[str, Any]:
    """The `data` of `discover` and `models`."""
    return {"providers": providers_data(providers), "models": models_data(cards, providers=providers)}


def providers_data(providers: Sequence[ProviderStatus]) -> list[dict[str, Any]]:
    """One object an endpoint; `models` is how many it lists, None where it could not be asked."""
    return [
        {
            "name": status.provider,
            "endpoint": status.endpoint,
            "state": status.health.state,
            "reason": status.health.reason,
            "ms": status.health.latency_ms,
            "models": status.models,
            "version": status.health.version,
        }
        for status in providers
    ]


def models_data(cards: Sequence[ModelCard], *, providers: Sequence[ProviderStatus]) -> list[dict[str, Any]]:
    """One object a model: its reference, everything on its card, and the health of its best endpoint."""
    health = {status.key: status.health for status in providers}
    return [{"model": str(card.ref), **plain(card), "health": _own(card, health).state} for card in cards]


def model_table(card: ModelCard, *, providers: Sequence[ProviderStatus], profile: Profile | None) -> Table:
    """Everything known of one model, a row each; of one in a file, that has no server to say the rest, no row without a value.

    `profile` is the measured one; the card's own is what a person declared.
    """
    in_file = card.package is not None or card.problem is not None
    health = _own(card, {status.key: status.health for status in providers})
    rows: list[tuple[str, Value | Cell]] = [
        ("model", Cell(str(card.ref), style="strong")),
        ("where", WHERE[card.locality]),
        ("endpoints", ", ".join(card.endpoints) or None),
        ("health", _reasoned(health)),
        ("loaded", _loaded_cell(card.loaded)),
        ("capabilities", ", ".join(card.capabilities)),
        ("inputs", ", ".join(card.inputs)),
        ("good at", _tasks(card)),
        ("context", Cell(card.context_tokens, _counted(card.context_tokens))),
        ("longest answer", Cell(card.max_output_tokens, _counted(card.max_output_tokens))),
        ("size", _size_cell(card.size_bytes)),
        ("parameters", Cell(card.parameter_count, parameters(card.parameter_count))),
        ("quantization", card.quantization),
        ("family", card.family),
        ("price", _price_cell(card.price)),
        *_price_rows(card.price),
        *_profile_rows(profile or card.profile, generates=not in_file),
        ("digest", card.digest),
    ]
    if in_file:
        rows = [(name, value) for name, value in rows if (value.value if isinstance(value, Cell) else value) not in (None, "")]
    if card.deprecated:
        rows.append(("deprecated", Cell(card.deprecated, style="warn")))
    if card.package is not None:
        rows += package_rows(card.package)
    return Table(columns=(Column("what"), Column("value", wrap=True)), rows=rows, notes=_proposal(card))


def model_data(card: ModelCard, *, providers: Sequence[ProviderStatus], profile: Profile | None) -> dict[str, Any]:
    """The `data` of `models show`: as in a list, with the measured profile."""
    found = {**models_data([card], providers=providers)[0], "profile": plain(profile or card.profile)}
    return found if (package := _guessed(card)) is None else found | {"sidecar": "\n".join([*sidecar_lines(package), ""])}


def _proposal(card: ModelCard) -> tuple[str, ...]:
    """The file that would say what is only proposed."""
    if (package := _guessed(card)) is None:
        return ()
    return (f"what it is for is a guess; `{sidecar_path(package)}` says it for good:", *sidecar_lines(package))


def _guessed(card: ModelCard) -> Package | None:
    """Its files, where nobody said what it is for."""
    return card.package if card.package and card.package.roles.source == "proposed" else None


def stale_table(rows: Sequence[Mapping[str, str | None]]) -> Table:
    """Models whose facts are old, or which their providers retire."""
    columns = (Column("model"), Column("deprecated"), Column("read_on", "read on"), Column("source", drop=1))
    return Table(columns=columns, rows=[[row[column.name] for column in columns] for row in rows])


def health_cell(health: Health) -> Cell:
    """The state, in its colour."""
    return Cell(health.state, style={"healthy": "good", "unknown": "dim"}.get(health.state, "bad"))


def parameters(count: int | None) -> str:
    """`8.2B`, `270M`, `12k`."""
    if count is None:
        return UNKNOWN
    if count < 999_500:
        return f"{count / 1e3:.0f}k" if count >= 1000 else str(count)
    return f"{count / 1e9:.1f}B".replace(".0B", "B") if count >= 999_500_000 else f"{count / 1e6:.0f}M"


def _row(card: ModelCard, health: Mapping[str, Health]) -> list[Value | Cell]:
    return [
        str(card.ref),
        card.provider,
        Cell(card.locality, WHERE[card.locality]),
        _size_cell(card.size_bytes),
        _context_cell(card),
        Cell(" ".join(card.capabilities), ", ".join(card.capabilities)),
        _price_cell(card.price),
        _offer_cell(card, _own(card, health)),
        _loaded_cell(card.loaded),
    ]


def _offer_cell(card: ModelCard, health: Health) -> Cell:
    """How the model's best endpoint is; that it does not list a model which the settings declare, or retires it."""
    if card.problem:
        return _reasoned(health)
    if card.source == "configured" and health.state == "healthy":
        return Cell("not listed", style="warn")
    if card.deprecated and health.state in ("healthy", "unknown"):
        return Cell(health.state, "deprecated", style="warn")
    return health_cell(health)


def _silent_row(status: ProviderStatus) -> list[Value | Cell]:
    nothing = Cell(None, "")
    state = _reasoned(status.health, "no models" if status.models == 0 else None)
    return [Cell(None, status.key, style="dim"), status.provider, *[nothing] * 5, state, nothing]


def _reasoned(health: Health, otherwise: str | None = None) -> Cell:
    """The state, and why it is so."""
    reason = health.reason or otherwise
    return Cell(f"{health.state}: {reason}", style=health_cell(health).style) if reason else health_cell(health)


def _own(card: ModelCard, health: Mapping[str, Health]) -> Health:
    """The model's own where it has a problem, else that of the best endpoint that offers it."""
    return Health(state="failing", reason=card.problem) if card.problem else _best(card, health)


def _best(card: ModelCard, health: Mapping[str, Health]) -> Health:
    """Of the endpoints that offer it, the healthiest."""
    keys = [endpoint_key(card.provider, url) for url in card.endpoints or (None,)]
    known = [health[key] for key in keys if key in health]
    return min(known, key=lambda one: one.state != "healthy", default=Health())


def _size_cell(size_bytes: int | None) -> Cell:
    return Cell(size_bytes, None if size_bytes is None else size(size_bytes))


def _context_cell(card: ModelCard) -> Cell:
    unknown = card.context_tokens is None and card.package is not None
    return Cell(card.context_tokens, MISSING if unknown else tokens(card.context_tokens))


def _loaded_cell(loaded: bool | None) -> Cell:
    return Cell(None if loaded is None else "yes" if loaded else "no", style="good" if loaded else None)


def _price_cell(value: Price | None) -> Cell:
    text = price(value)
    return Cell(None if text == UNKNOWN else text, text, style="dim" if text == UNKNOWN else None)


def _price_rows(value: Price | None) -> list[tuple[str, Value | Cell]]:
    """What else there is to say of a price: tiers, and where it was read."""
    if value is None:
        return []
    read = f"{value.source}, read on {value.read_on}" if value.source and value.read_on else value.source
    rows = (("further prices", price_details(value)), ("price from", read), ("price as", value.source and value.reason))
    return [(name, text) for name, text in rows if text]


def _counted(count: int | None) -> str:
    return UNKNOWN if count is None else f"{tokens(count)} tokens"


def _tasks(card: ModelCard) -> str | None:
    only = " and nothing else" if card.only_tasks else ""
    return ", ".join(card.tasks) + only if card.tasks else None


def _profile_rows(profile: Profile | None, *, generates: bool) -> list[tuple[str, Value | Cell]]:
    """How it performs: by tokens where it `generates` them, else by whole calls."""
    profile = profile or Profile()
    speed = profile.tokens_per_second
    runs = "declared" if not profile.runs else f"{profile.runs} runs, {profile.failures} failed"
    tokens = [
        ("first token", Cell(profile.ttft_ms, duration(profile.ttft_ms))),
        ("speed", Cell(speed, UNKNOWN if speed is None else f"{speed:.0f} tokens/s")),
    ]
    return [
        *(tokens if generates else [("latency", Cell(profile.latency_ms, duration(profile.latency_ms)))]),
        ("cold start", Cell(profile.cold_start_ms, duration(profile.cold_start_ms))),
        ("measured over", None if profile == Profile() else runs),
    ]

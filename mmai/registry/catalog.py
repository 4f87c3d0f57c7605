"""What the providers offer: discoveries merged into the registry, and the settings' own facts laid over them. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from msgspec.structs import replace

from mmai.values.endpoint import Endpoint
from mmai.values.health import ProviderStatus, endpoint_key
from mmai.values.model import ModelCard
from mmai.values.registry import Changes, Registry

Found = tuple[ProviderStatus, Sequence[ModelCard] | None]
"""One endpoint as it was found: how it is, and what it offers; None when it could not be asked."""

OBSERVED = frozenset(
    {"endpoints", "locality", "size_bytes", "parameter_count", "quantization", "family", "digest", "loaded", "source"}
)
"""Fields that whoever holds the weights knows better than the settings do."""

UNDECLARED = ModelCard(provider="", name="")
"""What a declared card says where it says nothing."""


def merge(registry: Registry, found: Iterable[Found], *, configured: Sequence[str], now: float) -> tuple[Registry, Changes]:
    """The registry after a discovery, and what differs from before.

    `configured` holds the `endpoint_key` of every endpoint in the settings, best first: a card names its endpoints in that
    order and takes its facts from the first that answered. An endpoint that is not among them is dropped. One that was not
    asked, or could not be, keeps what it offered; one that answered offers what it said and nothing else. `now`: unix seconds.
    """
    asked = {status.key: (_stamped(status, now), cards) for status, cards in found}
    answered = {key for key, (_, cards) in asked.items() if cards is not None}
    rank = {key: place for place, key in enumerate(dict.fromkeys([*configured, *asked]))}
    fresh: dict[str, list[ModelCard]] = {}
    for key in sorted(answered, key=rank.__getitem__):
        for card in _listed(*asked[key]):
            fresh.setdefault(str(card.ref), []).append(card)
    kept = {ref: left for ref, card in registry.models.items() if (left := _without(card, rank.keys() - answered)) is not None}

    models = {ref: _joined(fresh.get(ref, ()), kept.get(ref), rank) for ref in sorted(fresh.keys() | kept.keys())}
    status = registry.providers | {key: status for key, (status, _) in asked.items()}
    after = replace(
        registry,
        discovered_at=now if answered else registry.discovered_at,
        models=models,
        providers={key: status[key] for key in rank if key in status},
    )
    return after, _changes(registry.models, models)


def with_declared(
    registry: Registry, endpoints: Iterable[Endpoint], *, describe: Callable[[ModelCard], ModelCard] | None = None
) -> Registry:
    """The registry with what the settings declare of their models, for use and not for writing.

    What was seen at an address that is none of `endpoints` any more is left out: it says nothing about the one in its place,
    which may be on another machine and cost money. `describe` adds to each card what is known without asking, beneath what is declared; without it the names are right and that
    is all. A declared model that no endpoint offers is added: not every provider lists all it has. `name` stands for
    `name:latest` where that is what is offered.
    """
    endpoints = tuple(endpoints)
    here = {endpoint_key(endpoint.provider, endpoint.url) for endpoint in endpoints}
    reached = ((ref, _without(card, here)) for ref, card in registry.models.items())
    models = {ref: describe(card) if describe else card for ref, card in reached if card is not None}
    for endpoint in endpoints:
        for declared in endpoint.models:
            latest = f"{declared.ref}:latest"
            ref = latest if latest in models else str(declared.ref)
            own = replace(declared, endpoints=(endpoint.url,) if endpoint.url else (), source="configured")
            card = models.get(ref)
            if card is None:
                card = _only_named(own)
                card = describe(card) if describe else card
            models[ref] = overlay(_reaching(card, own), own)
    return replace(registry, models=models)


def overlay(card: ModelCard, declared: ModelCard) -> ModelCard:
    """`card` with what `declared` says of the same model: it wins where it says anything, except for `OBSERVED` facts.

    Those it only fills in where they are unknown.
    """
    fields = {}
    for field in ModelCard.__struct_fields__:
        value = getattr(declared, field)
        if value not in ((), getattr(UNDECLARED, field)) and (field not in OBSERVED or getattr(card, field) is None):
            fields[field] = value
    if "capabilities" in fields:
        fields["capabilities_guessed"] = declared.capabilities_guessed
    return replace(card, **fields)


def endpoint_keys(card: ModelCard) -> Iterator[str]:
    """The `endpoint_key` of each endpoint that offers a model, best first."""
    yield from (endpoint_key(card.provider, url) for url in card.endpoints or (None,))


def _stamped(status: ProviderStatus, now: float) -> ProviderStatus:
    if status.health.checked_at is not None:
        return status
    return replace(status, health=replace(status.health, checked_at=now))


def _listed(status: ProviderStatus, cards: Sequence[ModelCard] | None) -> Iterator[ModelCard]:
    endpoints = (status.endpoint,) if status.endpoint else ()
    for card in cards or ():
        yield replace(card, provider=status.provider, endpoints=endpoints)


def _without(card: ModelCard, remaining: Collection[str]) -> ModelCard | None:
    """The card as the remaining endpoints still offer it; None when none of them does."""
    kept = [key in remaining for key in endpoint_keys(card)]
    if not any(kept):
        return None
    return (
        card
        if all(kept)
        else replace(card, endpoints=tuple(url for url in card.endpoints if endpoint_key(card.provider, url) in remaining))
    )


def _only_named(declared: ModelCard) -> ModelCard:
    """A declared model as if nothing but its name and its place were known."""
    return ModelCard(
        provider=declared.provider,
        name=declared.name,
        endpoints=declared.endpoints,
        locality=declared.locality,
        capabilities_guessed=True,
        source="configured",
    )


def _reaching(card: ModelCard, declared: ModelCard) -> ModelCard:
    """Of several endpoints that only declare a model, each is a way to reach it."""
    if card.source == "discovered" or set(declared.endpoints) <= set(card.endpoints):
        return card
    return replace(card, endpoints=(*card.endpoints, *declared.endpoints))


def _joined(fresh: Sequence[ModelCard], kept: ModelCard | None, rank: dict[str, int]) -> ModelCard:
    """One card of a model that several endpoints offer."""
    cards = (*fresh, kept) if kept is not None else tuple(fresh)
    urls = {url for card in cards for url in card.endpoints}
    first, *others = fresh or cards
    facts = {}
    for field in ModelCard.__struct_fields__:
        if getattr(first, field) is None:
            facts[field] = next((value for card in others if (value := getattr(card, field)) is not None), None)
    if any(card.loaded for card in others):
        facts["loaded"] = True
    ordered = sorted(urls, key=lambda url: rank[endpoint_key(first.provider, url)])
    return replace(first, endpoints=tuple(ordered), **facts)


def _changes(before: dict[str, ModelCard], after: dict[str, ModelCard]) -> Changes:
    differing = {ref: _differing(before[ref], card) for ref, card in after.items() if ref in before}
    return Changes(
        new=tuple(sorted(after.keys() - before.keys())),
        changed={ref: fields for ref, fields in sorted(differing.items()) if fields},
        gone=tuple(sorted(before.keys() - after.keys())),
    )


def _differing(before: ModelCard, after: ModelCard) -> tuple[str, ...]:
    fields = (field for field in ModelCard.__struct_fields__ if field != "loaded")
    return tuple(field for field in fields if getattr(before, field) != getattr(after, field))

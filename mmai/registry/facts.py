"""Facts about hosted models laid over what their providers tell: from the user's price file first, then from the catalogue.

What the settings say wins over everything and is catalog.py's. A price in the file wins over one the provider tells, which wins
over the catalogue's: somebody who keeps a file of prices knows what they pay. Everything else is taken from file and catalogue
only where the provider is silent, as most are: what a model can do, its window, when it is retired.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mmai.registry.known import CATALOGUE, KnownModel, KnownModels, without_date
from mmai.registry.prices import Rows, read_prices
from mmai.values.endpoint import Endpoint
from mmai.values.model import ModelCard, ModelRef, Price

STALE_DAYS = 90
"""Facts that were read longer ago may be wrong by now."""

FILLED = ("context_tokens", "max_output_tokens", "api", "deprecated")
"""Fields of a card that are taken where it has nothing."""


class PriceFile(Struct, frozen=True):
    """The user's own."""

    path: Path
    rows: Rows
    day: str
    """When it was last written."""


class Facts:
    """The two sources as one. Nothing is read before a hosted model is described.

    A dated snapshot without a row of its own is described as the model it is a snapshot of: `gpt-5-2025-08-07` as `gpt-5`. A
    price file that cannot be read is one warning, and the catalogue stands alone.
    """

    def __init__(self, price_file: Path | None = None, *, warn: Callable[[str], None]) -> None:
        self._path = price_file
        self._warn = warn
        self._warned = False

    def describe(self, card: ModelCard) -> ModelCard:
        """The card with what is known beside it. Models that do not run at a company's site are left alone: nobody charges
        there.
        """
        if card.locality != "cloud":
            return card
        if (own := self._own(card.ref)) is not None:
            card = _filled(card, own)
            card = replace(card, price=own.price) if own.price else card
        if (ours := _find(self._catalogue, card.ref)) is not None:
            card = _filled(card, ours)
            card = replace(card, price=ours.price) if card.price is None else card
        return card

    def listed(self, providers: Collection[str]) -> Iterator[tuple[ModelRef, KnownModel]]:
        """Every row there is of these providers' models, by reference; where both sources have one, the price file's."""
        refs = {ref for ref in self._catalogue.refs() if ref.provider in providers}
        if self._file is not None:
            refs |= {ref for ref in self._file.rows.refs() if ref.provider in providers}
        for ref in sorted(refs):
            if (row := self._own(ref) or _find(self._catalogue, ref)) is not None:
                yield ref, row

    @cached_property
    def _catalogue(self) -> KnownModels:
        return KnownModels.parse(CATALOGUE.read_bytes())

    @cached_property
    def _file(self) -> PriceFile | None:
        if self._path is None:
            return None
        try:
            return PriceFile(self._path, *read_prices(self._path))
        except (OSError, ValueError, RecursionError) as exc:
            self._refuse(getattr(exc, "strerror", None) or str(exc))
            return None

    def _own(self, ref: ModelRef) -> KnownModel | None:
        """The price file's row, its price marked with where it stands and since when."""
        if self._file is None:
            return None
        try:
            row = _find(self._file.rows, ref)
        except ValueError as exc:
            self._refuse(f"{exc}, for `{ref}`")
            return None
        if row is None:
            return None
        dated = replace(row, source=str(self._file.path), read_on=row.read_on or self._file.day)
        return replace(dated, price=_marked(dated))

    def _refuse(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(f"prices in `{self._path}` are not used: {reason}")


def stale(facts: Facts, endpoints: Iterable[Endpoint], *, read_before: str) -> tuple[list[dict[str, str | None]], int]:
    """What may be out of date of all that is known of these endpoints' models, and of how many that is.

    A row each for facts that were read before that day, and for models that are deprecated, by reference. Models that the
    settings declare are among them, with the facts they have from elsewhere.
    """
    places = list(endpoints)
    rows = {
        str(ref): {"model": str(ref), "deprecated": row.deprecated, "read_on": row.read_on, "source": row.source}
        for ref, row in facts.listed({place.provider for place in places if place.locality == "cloud"})
    }
    for declared in (card for place in places for card in place.models):
        ref = str(declared.ref)
        known = rows.get(ref, {"model": ref, "deprecated": None, "read_on": None, "source": None})
        card = facts.describe(declared)
        price = card.price or Price()
        told = {"deprecated": card.deprecated, "read_on": price.read_on, "source": price.source}
        rows[ref] = known | {name: value for name, value in told.items() if value is not None}
    found = [row for row in rows.values() if row["deprecated"] or (row["read_on"] or read_before) < read_before]
    return sorted(found, key=lambda row: row["model"] or ""), len(rows)


def _find(rows: Rows, ref: ModelRef) -> KnownModel | None:
    row = rows.find(ref)
    if row is None and (stem := without_date(ref.name)):
        row = rows.find(ModelRef(ref.provider, stem))
        if row is not None and row.price is not None:
            row = replace(row, price=replace(row.price, reason=f"as for `{ref.provider}:{stem}`"))
    return None if row is None else replace(row, price=_marked(row))


def _marked(row: KnownModel) -> Price | None:
    return None if row.price is None else replace(row.price, source=row.source, read_on=row.read_on)


def _filled(card: ModelCard, row: KnownModel) -> ModelCard:
    fields = {name: getattr(row, name) for name in FILLED if getattr(card, name) is None}
    if card.capabilities_guessed and row.capabilities is not None:
        fields["capabilities"] = row.capabilities
        fields["capabilities_guessed"] = False
        fields["inputs"] = row.inputs or card.inputs
    elif row.inputs is not None and row.capabilities == card.capabilities:
        # A name tells what a model makes, and not that it makes images from images too.
        fields["inputs"] = row.inputs
    return replace(card, **fields)

"""What is known of hosted models without asking anybody: the catalogue that ships with mmai, and its file format.

One line a model, whose value is a JSON mapping: any YAML parser reads the file, and so does a JSON decoder, line by line, in a
twentieth of the time.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from mmai.values.model import ModelRef, Price
from mmai.values.task import Modality

CATALOGUE = Path(__file__).parents[1] / "data" / "known_models.yaml"


class KnownModel(Struct, frozen=True, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """The facts of one model, by the names they have on its card. None is unknown."""

    capabilities: tuple[str, ...] | None = None
    inputs: tuple[Modality, ...] | None = None
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    api: str | None = None
    price: Price | None = None
    deprecated: str | None = None
    source: str | None = None
    """The page the facts were read from."""
    read_on: str | None = None
    """The day they were read, `2026-11-22`."""

    def __post_init__(self) -> None:
        """Refuse a price that was misspelt, which would hide the right one."""
        if self.price == Price():
            raise ValueError("its `price` has none of the fields a price has, such as `input_usd_per_mtok`")


class KnownModels:
    """Rows by reference, decoded when they are asked for."""

    def __init__(self, rows: Mapping[str, bytes | KnownModel]) -> None:
        self._rows = rows

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a file of the catalogue's format; only one that has more than a line for some model costs an import of yaml.

        Raises:
            ValueError: it is no YAML, or its `models` is not a mapping of references to facts.
        """
        rows = _lines(data)
        return cls(rows if rows is not None else _documents(data))

    def find(self, ref: ModelRef) -> KnownModel | None:
        """The facts of one model.

        Raises:
            ValueError: its row is broken.
        """
        row = self._rows.get(str(ref))
        return msgspec.json.decode(row, type=KnownModel) if isinstance(row, bytes) else row

    def refs(self) -> Iterable[ModelRef]:
        """Every model there is a row for."""
        return (ModelRef(*ref.split(":", 1)) for ref in self._rows if ":" in ref)


def without_date(name: str) -> str | None:
    """`gpt-5` for `gpt-5-2025-08-07`, `claude-haiku-4-5` for `claude-haiku-4-5-20251001`; None where a name ends in no day."""
    for length in (10, 8):
        stem, day = name[: -length - 1], name[-length:]
        digits = day.replace("-", "")
        if stem and name[-length - 1] == "-" and len(digits) == 8 and digits.isdecimal() and digits.startswith("20"):
            return stem
    return None


def _lines(data: bytes) -> dict[str, bytes | KnownModel] | None:
    """Reference to the JSON behind it; None where a model takes more than its line."""
    _, found, body = data.partition(b"\nmodels:\n")
    rows: dict[str, bytes | KnownModel] = {}
    for line in body.split(b"\n"):
        ref, quote, facts = line.removeprefix(b'  "').partition(b'": ')
        if quote and line.startswith(b'  "') and facts.endswith(b"}"):
            rows[ref.decode()] = facts
        elif line and not line.startswith(b"#"):
            return None
    return rows if found else None


def _documents(data: bytes) -> dict[str, bytes | KnownModel]:
    import yaml  # noqa: PLC0415  9 ms that only a price file written by hand needs

    try:
        # The base loader leaves scalars alone, so that a day stays text; msgspec then reads numbers where they belong.
        document = yaml.load(data, Loader=yaml.BaseLoader)  # noqa: S506  it makes nothing but text, lists and mappings
        return dict(msgspec.convert(document["models"], dict[str, KnownModel], strict=False))
    except (yaml.YAMLError, KeyError, TypeError) as exc:
        raise ValueError("it is no YAML with prices under `models`") from exc

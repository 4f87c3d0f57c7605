"""The catalogue that ships with mmai, and its format."""

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from mmai.registry.known import CATALOGUE, KnownModel, KnownModels, without_date
from mmai.registry.litellm import ABILITIES, MADE
from mmai.settings.providers import PROVIDERS
from mmai.values.model import LongContextPrice, ModelRef, Price
from mmai.values.task import Modality

BY_HAND = b"""
about: my prices
models:
  openai:gpt-6-luna:
    price:
      input_usd_per_mtok: 0.05   # negotiated
      output_usd_per_mtok: 0.25
    read_on: 2026-11-01
    capabilities: [text_generation, tools]
"""


@pytest.fixture(scope="module")
def known() -> KnownModels:
    return KnownModels.parse(CATALOGUE.read_bytes())


@pytest.fixture(scope="module")
def rows(known: KnownModels) -> dict[str, KnownModel]:
    found = {str(ref): known.find(ref) for ref in known.refs()}
    return {ref: row for ref, row in found.items() if row is not None}


def test_any_yaml_parser_reads_the_same_from_the_catalogue_as_mmai(rows: dict[str, KnownModel]) -> None:
    document = yaml.safe_load(CATALOGUE.read_text())
    assert msgspec.json.decode(msgspec.json.encode(rows)) == document["models"]
    assert document["read_on"] == "2026-11-22"


def test_every_row_has_a_source_a_day_and_words_that_cards_know(rows: dict[str, KnownModel]) -> None:
    words = {"text_generation", *ABILITIES.values(), *MADE.values()}
    assert len(rows) >= 244
    for ref, row in rows.items():
        assert row.source is not None and row.source.startswith("https://"), ref
        assert row.read_on is not None and time.strptime(row.read_on, "%Y-%m-%d"), ref
        assert row.deprecated is None or time.strptime(row.deprecated, "%Y-%m-%d"), ref
        assert row.capabilities is not None and set(row.capabilities) <= words, ref
        assert ModelRef.parse(ref).provider in PROVIDERS, ref


def test_no_row_has_a_price_of_nothing(rows: dict[str, KnownModel]) -> None:
    """Unknown is left out; the one thing that is free is the output of an embedding, which is no tokens."""
    for ref, row in rows.items():
        prices: dict[str, Any] = msgspec.to_builtins(row.price) if row.price else {"unknown": None}
        flat = prices | prices.pop("long_context", {})
        free = [name for name, value in flat.items() if value == 0]
        assert free == (["output_usd_per_mtok"] if row.capabilities == ("embedding",) else []), ref


@pytest.mark.parametrize(
    ("ref", "row"),
    [
        (
            "openai:gpt-5.6-luna",
            KnownModel(
                capabilities=("text_generation", "vision", "tools", "thinking", "json_schema"),
                inputs=(Modality.TEXT, Modality.IMAGE),
                context_tokens=1_050_000,
                max_output_tokens=128_000,
                price=Price(
                    input_usd_per_mtok=0.2,
                    output_usd_per_mtok=1.2,
                    cached_usd_per_mtok=0.02,
                    cache_write_usd_per_mtok=0.25,
                    long_context=LongContextPrice(
                        above_tokens=272_000,
                        input_usd_per_mtok=0.4,
                        output_usd_per_mtok=1.8,
                        cached_usd_per_mtok=0.04,
                        cache_write_usd_per_mtok=0.5,
                    ),
                ),
                source="https://developers.openai.com/api/docs/pricing",
                read_on="2026-11-22",
            ),
        ),
        (
            "openai:whisper-1",
            KnownModel(
                capabilities=("speech_transcription",),
                inputs=(Modality.AUDIO,),
                price=Price(audio_usd_per_s=0.0001),
                deprecated="2027-02-26",
                source="https://developers.openai.com/api/docs/pricing",
                read_on="2026-11-22",
            ),
        ),
        (
            "openai:dall-e-3",
            KnownModel(
                capabilities=("image_generation",),
                inputs=(Modality.TEXT,),
                price=Price(image_usd=0.04),
                deprecated="2026-05-12",
                source="https://developers.openai.com/api/docs/deprecations",
                read_on="2026-11-22",
            ),
        ),
    ],
)
def test_a_row_says_what_the_provider_does(rows: dict[str, KnownModel], ref: str, row: KnownModel) -> None:
    assert rows[ref] == row


@pytest.mark.parametrize(
    ("ref", "day"),
    [
        ("openai:gpt-4-turbo", "2026-10-23"),
        ("openai:dall-e-2", "2026-05-12"),
        ("anthropic:claude-3-opus", "2026-01-05"),
        ("anthropic:claude-3-opus-20240229", "2026-01-05"),
        ("openai:tts-1", "2027-01-06"),
        ("openai:gpt-4o-mini-tts", "2027-01-06"),
    ],
)
def test_retired_names_are_known_with_their_day(rows: dict[str, KnownModel], ref: str, day: str) -> None:
    assert rows[ref].deprecated == day


def test_windows_are_input_and_output_together(rows: dict[str, KnownModel]) -> None:
    assert rows["openai:gpt-5"].context_tokens == 400_000  # 272,000 in, 128,000 out
    assert rows["google:gemini-2.5-pro"].context_tokens == 1_048_576  # what goes in, as its own list says
    assert rows["anthropic:claude-haiku-4-5"].context_tokens == 200_000  # the answer is within
    assert rows["openai:gpt-4o"].context_tokens == 128_000


def test_models_of_the_responses_protocol_say_so(rows: dict[str, KnownModel]) -> None:
    assert {ref for ref, row in rows.items() if row.api == "responses"} >= {"openai:gpt-5-pro", "openai:o3-pro"}
    assert rows["openai:gpt-5"].api is None


def test_a_file_written_by_hand_is_read_as_any_yaml() -> None:
    row = KnownModels.parse(BY_HAND).find(ModelRef("openai", "gpt-6-luna"))
    assert row == KnownModel(
        capabilities=("text_generation", "tools"),
        price=Price(input_usd_per_mtok=0.05, output_usd_per_mtok=0.25),
        read_on="2026-11-01",
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"models: [",
        b"prices: {}\n",
        b"- a\n",
        b"models:\n  a:b:\n    prise: 1\n",
        b"\xff",
        b"models: {a:b: {price: {input: 1}}}",
    ],
)
def test_what_is_not_of_the_format_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        KnownModels.parse(data)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("gpt-5-2025-08-07", "gpt-5"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("gpt-5", None),
        ("gpt-4-0613", None),
        ("imagen-3.0-generate-001", None),
        ("-20251001", None),
        ("model-99999999", None),
    ],
)
def test_a_dated_snapshot_has_a_stem(name: str, stem: str | None) -> None:
    assert without_date(name) == stem


def test_the_catalogue_is_one_line_a_model() -> None:
    lines = Path(CATALOGUE).read_text().splitlines()
    assert lines.index("models:") + 1 + len([line for line in lines if line.startswith('  "')]) == len(lines)

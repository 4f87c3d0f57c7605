"""Facts laid over cards: the user's price file, what the provider tells, the catalogue; in that order."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import a_card, a_cloud_card
from msgspec.structs import replace

from mmai.registry.catalog import with_declared
from mmai.registry.facts import Facts
from mmai.registry.known import KnownModel
from mmai.registry.litellm import known_model
from mmai.values.endpoint import Endpoint
from mmai.values.model import FREE, LongContextPrice, ModelCard, ModelRef, Price
from mmai.values.registry import Registry
from mmai.values.task import Modality

SITE = "https://api.openai.com/v1"
LIVE = Price(input_usd_per_mtok=7.0, output_usd_per_mtok=8.0)


def listed(ref: str, **fields: Any) -> ModelCard:
    """A card as a hosted provider lists it: a name and little else."""
    provider, name = ref.split(":", 1)
    guessed: dict[str, Any] = {"capabilities_guessed": True, "locality": "cloud"}
    return ModelCard(provider=provider, name=name, **(guessed | fields))


def written(folder: Path, rows: Any, name: str = "prices.json") -> Path:
    path = folder / name
    path.write_text(rows if isinstance(rows, str) else json.dumps(rows))
    os.utime(path, (1_790_000_000, 1_790_000_000))  # 2026-09-21
    return path


def chat(provider: str = "openai", **fields: Any) -> dict[str, Any]:
    return {
        "litellm_provider": provider,
        "mode": "chat",
        "input_cost_per_token": 3e-06,
        "output_cost_per_token": 9e-06,
        **fields,
    }


@pytest.fixture
def warned() -> list[str]:
    return []


@pytest.fixture
def facts(warned: list[str]) -> Facts:
    return Facts(warn=warned.append)


def test_a_card_without_facts_gets_those_of_the_catalogue_and_is_no_guess_any_more(facts: Facts) -> None:
    card = facts.describe(listed("openai:gpt-4o"))
    assert (card.context_tokens, card.max_output_tokens) == (128_000, 16_384)
    assert card.capabilities == ("text_generation", "vision", "tools", "json_schema")
    assert not card.capabilities_guessed
    assert card.price == Price(
        input_usd_per_mtok=2.5,
        output_usd_per_mtok=10.0,
        cached_usd_per_mtok=1.25,
        source="https://developers.openai.com/api/docs/pricing",
        read_on="2026-11-22",
    )


def test_a_name_that_tells_what_a_model_makes_does_not_tell_what_it_takes(facts: Facts) -> None:
    by_name = listed("openai:gpt-image-2", capabilities=("image_generation",), capabilities_guessed=False)
    assert facts.describe(by_name).inputs == (Modality.TEXT, Modality.IMAGE)
    otherwise = replace(by_name, capabilities=("image_generation", "text_generation"))
    assert facts.describe(otherwise).inputs == (Modality.TEXT,)


def test_what_the_provider_tells_wins_over_the_catalogue(facts: Facts) -> None:
    told = listed(
        "openai:gpt-4o", context_tokens=5, price=LIVE, capabilities=("text_generation", "audio"), capabilities_guessed=False
    )
    card = facts.describe(told)
    assert (card.context_tokens, card.price, card.capabilities) == (5, LIVE, ("text_generation", "audio"))
    assert card.max_output_tokens == 16_384


def test_a_price_file_wins_over_a_live_price_and_fills_in_the_rest(tmp_path: Path, warned: list[str]) -> None:
    path = written(tmp_path, {"sample_spec": {"mode": "one of: chat, …"}, "gpt-4o": chat(max_input_tokens=64_000)})
    card = Facts(path, warn=warned.append).describe(listed("openai:gpt-4o", price=LIVE, max_output_tokens=7))
    assert card.price == Price(input_usd_per_mtok=3.0, output_usd_per_mtok=9.0, source=str(path), read_on="2026-09-21")
    assert (card.context_tokens, card.max_output_tokens) == (64_000, 7)
    assert warned == []


def test_what_the_settings_declare_wins_over_a_price_file(tmp_path: Path, warned: list[str]) -> None:
    facts = Facts(written(tmp_path, {"gpt-4o": chat()}), warn=warned.append)
    own = Price(input_usd_per_mtok=1.0, output_usd_per_mtok=1.0)
    declared = a_cloud_card("openai:gpt-4o", price=own, capabilities=("text_generation",), context_tokens=None)
    endpoint = Endpoint(provider="openai", kind="openai", url=SITE, locality="cloud", models=(declared,))
    for registry in (Registry(), Registry(models={"openai:gpt-4o": listed("openai:gpt-4o", endpoints=(SITE,))})):
        card = with_declared(registry, [endpoint], describe=facts.describe).models["openai:gpt-4o"]
        assert card.price == own
        assert card.context_tokens == 128_000
        assert "vision" in card.capabilities


def test_declared_abilities_are_no_guess_and_are_not_replaced(facts: Facts) -> None:
    declared = a_cloud_card("openai:gpt-4o", capabilities=("text_generation", "insert"))
    endpoint = Endpoint(provider="openai", kind="openai", url=SITE, locality="cloud", models=(declared,))
    listed_too = Registry(models={"openai:unheard-of": listed("openai:unheard-of"), "openai:gpt-4o": listed("openai:gpt-4o")})
    for registry in (Registry(), listed_too):
        card = with_declared(registry, [endpoint], describe=facts.describe).models["openai:gpt-4o"]
        assert card.capabilities == ("text_generation", "insert")
        assert not card.capabilities_guessed


@pytest.mark.parametrize("locality", ["embedded", "local", "network"])
def test_models_of_ones_own_machines_never_take_a_hosted_price(facts: Facts, locality: str) -> None:
    card = a_card("openai:gpt-4o", locality=locality, price=FREE)
    assert facts.describe(card) == card
    assert facts.describe(replace(card, price=None)).price is None


def test_another_provider_of_the_same_name_has_prices_of_its_own(facts: Facts) -> None:
    assert facts.describe(listed("mycloud:gpt-4o")) == listed("mycloud:gpt-4o")


def test_a_snapshot_is_described_as_its_model_and_says_so(facts: Facts) -> None:
    card = facts.describe(listed("openai:gpt-5-2025-08-07"))
    assert card.context_tokens == 400_000
    assert card.deprecated == "2026-12-11"
    assert card.price is not None
    assert (card.price.input_usd_per_mtok, card.price.reason) == (1.25, "as for `openai:gpt-5`")
    assert facts.describe(listed("anthropic:claude-haiku-4-5-20251001")).max_output_tokens == 64_000


def test_a_snapshot_with_a_row_of_its_own_keeps_it(facts: Facts) -> None:
    card = facts.describe(listed("openai:gpt-4o-2024-05-13"))
    assert card.price is not None
    assert (card.price.input_usd_per_mtok, card.price.output_usd_per_mtok, card.price.reason) == (5.0, 15.0, None)


def test_an_unknown_model_stays_unknown(facts: Facts) -> None:
    assert facts.describe(listed("openai:unheard-of")) == listed("openai:unheard-of")


@pytest.mark.parametrize(
    ("ref", "key", "provider"),
    [
        ("openai:gpt-4o", "gpt-4o", "openai"),
        ("openai:gpt-4o", "openai/gpt-4o", "openai"),
        ("anthropic:claude-3-opus-20240229", "claude-3-opus-20240229", "anthropic"),
        ("anthropic:claude-x", "anthropic/claude-x", "anthropic"),
        ("google:gemini-x", "gemini/gemini-x", "gemini"),
        ("together:meta/llama", "together_ai/meta/llama", "together_ai"),
        ("openrouter:openai/gpt-4o", "openrouter/openai/gpt-4o", "openrouter"),
    ],
)
def test_models_are_found_under_the_names_litellm_gives_them(
    tmp_path: Path, warned: list[str], ref: str, key: str, provider: str
) -> None:
    facts = Facts(written(tmp_path, {key: chat(provider)}), warn=warned.append)
    card = facts.describe(listed(ref))
    assert card.price is not None
    assert card.price.input_usd_per_mtok == 3.0
    assert ref in {str(found) for found, _ in facts.listed([ref.split(":")[0]])}


def test_a_name_of_another_provider_is_not_taken_for_ours(tmp_path: Path, warned: list[str]) -> None:
    facts = Facts(written(tmp_path, {"gpt-4o": chat("azure")}), warn=warned.append)
    card = facts.describe(listed("openai:gpt-4o"))
    assert card.price is not None
    assert card.price.input_usd_per_mtok == 2.5


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "truncated"),
        ("[]", "under `models`"),
        ("models: 3\n", "Expected `object`"),
        ('{"models": {"a:b": 1}}', "Expected"),
    ],
)
def test_a_broken_price_file_is_one_warning_and_the_catalogue_stands(
    tmp_path: Path, warned: list[str], content: str, reason: str
) -> None:
    path = written(tmp_path, content)
    facts = Facts(path, warn=warned.append)
    prices = [facts.describe(listed(ref)).price for ref in ("openai:gpt-4o", "openai:gpt-5")]
    assert [price.input_usd_per_mtok for price in prices if price] == [2.5, 1.25]
    assert len(warned) == 1
    assert str(path) in warned[0]
    assert reason in warned[0]


def test_a_missing_price_file_is_one_warning(tmp_path: Path, warned: list[str]) -> None:
    Facts(tmp_path / "none.json", warn=warned.append).describe(listed("openai:gpt-4o"))
    assert warned == [f"prices in `{tmp_path / 'none.json'}` are not used: No such file or directory"]


def test_nothing_is_read_where_no_hosted_model_is_described(tmp_path: Path, warned: list[str]) -> None:
    Facts(tmp_path / "none.json", warn=warned.append).describe(a_card())
    assert warned == []


def test_a_row_that_is_broken_is_one_warning_and_the_others_count(tmp_path: Path, warned: list[str]) -> None:
    lines = '\nmodels:\n  "openai:gpt-4o": {"price": 3}\n  "openai:gpt-5": {"price": {"input_usd_per_mtok": 9}}\n'
    facts = Facts(written(tmp_path, lines, "prices.yaml"), warn=warned.append)
    prices = [facts.describe(listed(ref)).price for ref in ("openai:gpt-4o", "openai:gpt-5", "openai:gpt-4o")]
    assert [price.input_usd_per_mtok for price in prices if price] == [2.5, 9.0, 2.5]
    assert len(warned) == 1


def test_a_price_file_of_the_catalogues_format_keeps_its_own_days(tmp_path: Path, warned: list[str]) -> None:
    text = "models:\n  openai:gpt-5:\n    price: {input_usd_per_mtok: 9, output_usd_per_mtok: 9}\n    read_on: 2026-01-01\n"
    path = written(tmp_path, text, "prices.yaml")
    rows = dict(Facts(path, warn=warned.append).listed(["openai"]))
    row = rows[ModelRef("openai", "gpt-5")]
    assert (row.source, row.read_on) == (str(path), "2026-01-01")
    assert rows[ModelRef("openai", "gpt-4o")].read_on == "2026-11-22"


def converted(**row: Any) -> KnownModel:
    return known_model(row)


def test_long_context_prices_are_read_whatever_their_step() -> None:
    for step in (128, 200, 272):
        fields: dict[str, Any] = {
            f"{kind}_above_{step}k_tokens": usd
            for kind, usd in (
                ("input_cost_per_token", 6e-06),
                ("output_cost_per_token", 2e-05),
                ("cache_read_input_token_cost", 3e-07),
                ("cache_creation_input_token_cost", 7.5e-06),
            )
        }
        price = converted(**chat(**fields)).price
        assert price is not None
        assert price.long_context == LongContextPrice(
            above_tokens=step * 1000,
            input_usd_per_mtok=6.0,
            output_usd_per_mtok=20.0,
            cached_usd_per_mtok=0.3,
            cache_write_usd_per_mtok=7.5,
        )


def test_of_two_steps_the_first_begins_and_the_dearer_counts() -> None:
    row = chat(input_cost_per_token_above_128k_tokens=4e-06, input_cost_per_token_above_256k_tokens=8e-06)
    price = converted(**row).price
    assert price is not None
    assert price.long_context == LongContextPrice(above_tokens=128_000, input_usd_per_mtok=8.0)


def test_seconds_of_sound_are_counted_once() -> None:
    row = converted(mode="audio_transcription", input_cost_per_second=0.0001, output_cost_per_second=0.0001)
    assert row.price == Price(audio_usd_per_s=0.0001)


def test_the_output_of_an_image_model_is_priced_as_images_and_never_as_text() -> None:
    by_token: dict[str, Any] = {"mode": "image_generation", "input_cost_per_token": 5e-06, "input_cost_per_image_token": 8e-06}
    assert converted(**by_token, output_cost_per_token=1e-05).price == Price(input_usd_per_mtok=8.0)
    assert converted(**by_token, output_cost_per_image_token=3e-05).price == Price(
        input_usd_per_mtok=8.0, output_usd_per_mtok=30.0
    )
    assert converted(mode="image_generation", input_cost_per_image=0.02).price == Price(image_usd=0.02)
    both = converted(
        mode="image_generation", output_cost_per_image=0.134, output_cost_per_token=1.2e-05, input_cost_per_image=0.0011
    )
    assert both.price == Price(output_usd_per_mtok=12.0, image_usd=0.134)


def test_an_embedding_has_no_output_to_pay_for() -> None:
    assert converted(mode="embedding", input_cost_per_token=2e-08).price == Price(
        input_usd_per_mtok=0.02, output_usd_per_mtok=0.0
    )
    assert converted(mode="embedding").price is None


def test_what_is_not_a_number_is_unknown() -> None:
    row = converted(**chat(input_cost_per_token="free", output_cost_per_token=True, max_input_tokens="many", source=3))
    assert row == KnownModel()
    assert converted(mode="video_generation").capabilities is None


def test_a_price_of_zero_is_unknown_since_these_rows_do_not_tell_it_from_free() -> None:
    price = converted(**chat(input_cost_per_token=0, cache_creation_input_token_cost=0.0)).price
    assert price == Price(output_usd_per_mtok=9.0)


def test_a_row_of_prices_alone_says_nothing_of_abilities() -> None:
    assert converted(**chat()).capabilities is None
    assert converted(**chat(supports_vision=False)).capabilities == ("text_generation",)
    assert converted(**chat(supports_vision=True, supports_reasoning=True)).capabilities == (
        "text_generation",
        "vision",
        "thinking",
    )


def test_four_thousand_rows_are_not_decoded_to_find_one(tmp_path: Path, warned: list[str]) -> None:
    """Broken rows beside it would raise, were they looked at."""
    rows = ",".join(f'"m{number}": [{{}}, 1e999]' for number in range(4_000))
    path = written(tmp_path, f'{{{rows}, "gpt-4o": {msgspec.json.encode(chat()).decode()}}}')
    card = Facts(path, warn=warned.append).describe(listed("openai:gpt-4o"))
    assert card.price is not None
    assert card.price.input_usd_per_mtok == 3.0
    assert warned == []

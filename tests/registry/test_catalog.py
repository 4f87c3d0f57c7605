"""Discoveries merged, and the settings' facts laid over them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mmai.registry.catalog import Found, endpoint_keys, merge, overlay, with_declared
from mmai.values.endpoint import Endpoint
from mmai.values.health import Health, HealthState, ProviderStatus, endpoint_key
from mmai.values.model import ModelCard, Price, Profile
from mmai.values.registry import Changes, Registry, Slot
from mmai.values.task import TaskType

NEAR, FAR = "http://localhost:11434", "http://box.lan:11434"
NEAR_KEY, FAR_KEY = f"ollama@{NEAR}", f"ollama@{FAR}"
BOTH = (NEAR_KEY, FAR_KEY)


def a_card(name: str = "m", *, provider: str = "ollama", **facts: Any) -> ModelCard:
    return ModelCard(provider=provider, name=name, **facts)


def a_status(endpoint: str | None = NEAR, *, provider: str = "ollama", state: HealthState = "healthy") -> ProviderStatus:
    return ProviderStatus(provider=provider, endpoint=endpoint, health=Health(state=state))


def offering(*names: str, at: str | None = NEAR, provider: str = "ollama", **facts: Any) -> Found:
    return a_status(at, provider=provider), [a_card(name, provider=provider, **facts) for name in names]


def silent(at: str = NEAR) -> Found:
    return a_status(at, state="unreachable"), None


def after(*discoveries: list[Found], configured: tuple[str, ...] = BOTH) -> Registry:
    registry = Registry()
    for now, found in enumerate(discoveries):
        registry, _ = merge(registry, found, configured=configured, now=float(now))
    return registry


def test_a_first_discovery_is_all_new() -> None:
    registry, changes = merge(Registry(), [offering("b", "a")], configured=BOTH, now=7.0)
    assert changes == Changes(new=("ollama:a", "ollama:b"))
    assert registry.discovered_at == 7.0
    assert registry.models["ollama:a"].endpoints == (NEAR,)
    assert registry.providers == {NEAR_KEY: replace(a_status(), health=Health(state="healthy", checked_at=7.0))}


def test_an_embedded_provider_has_no_endpoint() -> None:
    registry = after([offering("textrank", at=None, provider="builtin")], configured=("builtin",))
    assert registry.models["builtin:textrank"].endpoints == ()
    assert list(registry.providers) == ["builtin"]


def test_a_model_of_two_endpoints_is_one_card_that_names_both_in_the_order_of_the_settings() -> None:
    found = [offering("m", at=FAR, size_bytes=2, digest="far"), offering("m", at=NEAR, size_bytes=1)]
    card = after(found).models["ollama:m"]
    assert card.endpoints == (NEAR, FAR)
    assert (card.size_bytes, card.digest) == (1, "far")


def test_a_model_loaded_anywhere_is_loaded() -> None:
    found = [offering("m", at=NEAR, loaded=False), offering("m", at=FAR, loaded=True)]
    assert after(found).models["ollama:m"].loaded is True
    assert after(found, [offering("m", at=NEAR, loaded=False), silent(FAR)]).models["ollama:m"].loaded is False


def test_an_endpoint_that_cannot_be_asked_keeps_its_models() -> None:
    before = after([offering("a", at=NEAR), offering("b", at=FAR)])
    registry, changes = merge(before, [offering("a", at=NEAR), silent(FAR)], configured=BOTH, now=9.0)
    assert changes == Changes()
    assert list(registry.models) == ["ollama:a", "ollama:b"]
    assert registry.providers[FAR_KEY].health.state == "unreachable"


def test_an_endpoint_that_answers_without_a_model_no_longer_has_it() -> None:
    registry, changes = merge(after([offering("a", "b")]), [offering("a")], configured=BOTH, now=9.0)
    assert changes == Changes(gone=("ollama:b",))
    assert list(registry.models) == ["ollama:a"]


def test_a_model_that_one_of_two_endpoints_drops_has_changed() -> None:
    before = after([offering("m", at=NEAR), offering("m", at=FAR)])
    registry, changes = merge(before, [offering(at=NEAR)], configured=BOTH, now=9.0)
    assert changes == Changes(changed={"ollama:m": ("endpoints",)})
    assert registry.models["ollama:m"].endpoints == (FAR,)


def test_changes_name_the_fields_and_leave_out_whether_weights_are_loaded() -> None:
    before = after([offering("a", "b", digest="1", loaded=True)])
    found = [(a_status(), [a_card("a", digest="2", size_bytes=3), a_card("b", digest="1", loaded=False)])]
    assert merge(before, found, configured=BOTH, now=9.0)[1] == Changes(changed={"ollama:a": ("size_bytes", "digest")})


def test_discovering_one_provider_leaves_the_others_alone() -> None:
    keys = (NEAR_KEY, "builtin")
    before = after([offering("a"), offering("textrank", at=None, provider="builtin")], configured=keys)
    registry, changes = merge(before, [offering("b")], configured=keys, now=9.0)
    assert changes == Changes(new=("ollama:b",), gone=("ollama:a",))
    assert registry.models["builtin:textrank"] == before.models["builtin:textrank"]
    assert registry.providers["builtin"] == before.providers["builtin"]


def test_an_endpoint_that_left_the_settings_leaves_the_registry() -> None:
    before = after([offering("a", at=NEAR), offering("b", at=FAR)])
    registry, changes = merge(before, [offering("a")], configured=(NEAR_KEY,), now=9.0)
    assert changes == Changes(gone=("ollama:b",))
    assert list(registry.providers) == [NEAR_KEY]


def test_a_discovery_that_nobody_answered_is_none() -> None:
    registry = after([offering("a")], [silent()])
    assert registry.discovered_at == 0.0
    assert registry.providers[NEAR_KEY].health.checked_at == 1.0


def test_merging_leaves_profiles_slots_and_the_generation_alone() -> None:
    before = Registry(generation=4, profiles={"ollama:gone": Profile(runs=3)}, slots={"math": Slot(active="ollama:gone")})
    registry, _ = merge(before, [offering("a")], configured=BOTH, now=9.0)
    assert (registry.generation, registry.profiles, registry.slots) == (4, before.profiles, before.slots)


urls = st.sampled_from([NEAR, FAR, "http://third.lan"])
found_cards = st.builds(
    a_card,
    st.sampled_from("abc"),
    digest=st.none() | st.sampled_from("xy"),
    loaded=st.none() | st.booleans(),
    context_tokens=st.none() | st.integers(0, 3),
)
answers = st.none() | st.lists(found_cards, max_size=3, unique_by=lambda card: card.name)
discoveries = st.dictionaries(urls, answers).map(lambda by_url: [(a_status(url), cards) for url, cards in by_url.items()])
configurations = st.lists(urls, unique=True).map(lambda chosen: tuple(endpoint_key("ollama", url) for url in chosen))


@given(st.lists(discoveries, max_size=3), discoveries, configurations)
def test_merging_the_same_discovery_again_changes_nothing(
    earlier: list[list[Found]], found: list[Found], keys: tuple[str]
) -> None:
    before = after(*earlier, configured=keys)
    once, _ = merge(before, found, configured=keys, now=9.0)
    again, changes = merge(once, found, configured=keys, now=9.0)
    assert (again, changes) == (once, Changes())


@given(st.lists(discoveries, max_size=3), discoveries, configurations)
def test_every_card_is_offered_by_endpoints_that_are_known(
    earlier: list[list[Found]], found: list[Found], keys: tuple[str]
) -> None:
    registry, changes = merge(after(*earlier, configured=keys), found, configured=keys, now=9.0)
    assert all(set(endpoint_keys(card)) <= registry.providers.keys() for card in registry.models.values())
    assert set(changes.new) <= registry.models.keys()
    assert not set(changes.gone) & registry.models.keys()


def test_what_is_declared_wins_except_over_what_was_observed() -> None:
    discovered = a_card(context_tokens=4096, size_bytes=10, digest="d", price=Price(1.0, 1.0), locality="local")
    declared = a_card(
        context_tokens=8192, size_bytes=99, quantization="Q4", price=Price(2.0, 3.0), tasks=(TaskType.MATH,), locality="network"
    )
    assert overlay(discovered, declared) == replace(
        discovered, context_tokens=8192, quantization="Q4", price=Price(2.0, 3.0), tasks=(TaskType.MATH,)
    )


@given(found_cards)
def test_declaring_nothing_changes_nothing(card: ModelCard) -> None:
    assert overlay(card, a_card(card.name)) == card


def an_endpoint(url: str | None, *models: ModelCard) -> Endpoint:
    return Endpoint(provider="ollama", kind="ollama", url=url, models=models)


def test_a_declared_model_that_nobody_lists_is_there_at_each_endpoint_that_declares_it() -> None:
    declared = a_card("private", context_tokens=5)
    registry = with_declared(Registry(), [an_endpoint(NEAR, declared), an_endpoint(FAR, declared)])
    named = replace(declared, endpoints=(NEAR, FAR), source="configured", capabilities_guessed=True)
    assert registry.models == {"ollama:private": named}


def test_a_declared_model_that_is_offered_keeps_the_endpoints_it_was_found_at() -> None:
    places = [an_endpoint(NEAR), an_endpoint(FAR, a_card("m", context_tokens=5))]
    registry = with_declared(after([offering("m")]), places)
    assert registry.models["ollama:m"] == a_card("m", context_tokens=5, endpoints=(NEAR,))


def test_what_was_seen_at_an_address_says_nothing_of_the_one_that_took_its_place() -> None:
    assert with_declared(after([offering("m")]), [an_endpoint(FAR)]).models == {}
    assert with_declared(after([offering("m")]), [an_endpoint(FAR), an_endpoint(NEAR)]).models.keys() == {"ollama:m"}

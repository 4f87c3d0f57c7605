"""Which models cannot be reached, and which profile to go by."""

from mmai.registry.health import unavailable
from mmai.registry.profiles import effective
from mmai.values.health import Health, HealthState, ProviderStatus
from mmai.values.model import ModelCard, Profile
from mmai.values.registry import Registry

NEAR, FAR = "http://localhost:11434", "http://box.lan:11434"


def a_status(endpoint: str, state: HealthState, *, at: float | None = 100.0, reason: str | None = None) -> ProviderStatus:
    return ProviderStatus(provider="ollama", endpoint=endpoint, health=Health(state=state, checked_at=at, reason=reason))


def a_registry(*statuses: ProviderStatus) -> Registry:
    card = ModelCard(provider="ollama", name="m", endpoints=(NEAR, FAR))
    embedded = ModelCard(provider="builtin", name="textrank")
    return Registry(
        models={str(each.ref): each for each in (card, embedded)}, providers={status.key: status for status in statuses}
    )


def test_a_model_is_unavailable_when_none_of_its_endpoints_answers() -> None:
    registry = a_registry(a_status(NEAR, "unreachable", reason="refused"), a_status(FAR, "unauthorized"))
    assert unavailable(registry, now=101.0, ttl_s=60) == {
        "ollama:m": f"ollama at {NEAR} is unreachable (refused); ollama at {FAR} is unauthorized"
    }


def test_one_endpoint_that_may_answer_is_enough() -> None:
    for other in (a_status(FAR, "healthy"), a_status(FAR, "unknown"), a_status(FAR, "failing", at=None)):
        assert unavailable(a_registry(a_status(NEAR, "unreachable"), other), now=101.0, ttl_s=60) == {}
    assert unavailable(a_registry(a_status(NEAR, "unreachable")), now=101.0, ttl_s=60) == {}


def test_an_old_look_and_one_from_the_future_say_nothing() -> None:
    registry = a_registry(a_status(NEAR, "unreachable"), a_status(FAR, "unreachable"))
    assert list(unavailable(registry, now=160.0, ttl_s=60)) == ["ollama:m"]
    assert unavailable(registry, now=160.1, ttl_s=60) == {}
    assert unavailable(registry, now=39.0, ttl_s=60) == {}


def test_measured_figures_win_over_declared_ones_and_later_over_earlier() -> None:
    declared = Profile(ttft_ms=1.0, tokens_per_second=10.0, memory_bytes=5)
    registry = Registry(
        models={"a:b": ModelCard(provider="a", name="b", profile=declared)},
        profiles={"a:b": Profile(ttft_ms=2.0, cold_start_ms=9.0, runs=3, failures=2, updated_at=50.0)},
    )
    later = {"a:b": Profile(ttft_ms=3.0, runs=7, updated_at=60.0)}
    assert effective(registry, later)["a:b"] == Profile(
        ttft_ms=3.0, tokens_per_second=10.0, cold_start_ms=9.0, memory_bytes=5, runs=7, failures=0, updated_at=60.0
    )
    earlier = {"a:b": Profile(ttft_ms=3.0, runs=7, updated_at=40.0)}
    assert effective(registry, earlier)["a:b"] == Profile(
        ttft_ms=2.0, tokens_per_second=10.0, cold_start_ms=9.0, memory_bytes=5, runs=3, failures=2, updated_at=50.0
    )


def test_a_model_of_which_nothing_is_known_has_no_profile() -> None:
    assert effective(a_registry(), {"elsewhere:m": Profile(runs=1)}) == {}

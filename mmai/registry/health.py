"""Which models cannot be reached, as far as the latest look at their endpoints tells. Pure."""

from mmai.registry.catalog import endpoint_keys
from mmai.values.health import ProviderStatus
from mmai.values.registry import Registry


def unavailable(registry: Registry, *, now: float, ttl_s: float) -> dict[str, str]:
    """Reference to reason, for each model none of whose endpoints may answer.

    A look older than `ttl_s` says nothing any more, nor does one from the future after the wall clock was set back; such an
    endpoint, like one never looked at, is given the benefit of the doubt. `now` is in unix seconds.
    """
    down = {key: _reason(status) for key, status in registry.providers.items() if _is_down(status, now, ttl_s)}
    if not down:
        return {}
    reasons = {ref: [down.get(key) for key in endpoint_keys(card)] for ref, card in registry.models.items()}
    return {ref: "; ".join(dict.fromkeys(filter(None, each))) for ref, each in reasons.items() if all(each)}


def _is_down(status: ProviderStatus, now: float, ttl_s: float) -> bool:
    health = status.health
    looked_lately = health.checked_at is not None and abs(now - health.checked_at) <= ttl_s
    return looked_lately and health.state not in ("healthy", "unknown")


def _reason(status: ProviderStatus) -> str:
    where = f"{status.provider} at {status.endpoint}" if status.endpoint else status.provider
    return f"{where} is {status.health.state}" + (f" ({status.health.reason})" if status.health.reason else "")

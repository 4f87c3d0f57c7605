"""Ask every endpoint at once what it offers, and file the answers."""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import structs

from mmai.backends.base import Backend
from mmai.clock import Clock
from mmai.engine.session import Session
from mmai.errors import AuthError, CannotConnect, MmaiError, NoKey, StorageError, TimedOut
from mmai.registry.catalog import Found, merge
from mmai.registry.store import Store
from mmai.values.endpoint import Endpoint
from mmai.values.health import Health, HealthState, ProviderStatus, endpoint_key
from mmai.values.model import ModelCard
from mmai.values.registry import Changes, Registry

PROBE_CONNECT_S = 0.3
PROBE_S = 2.0
"""The whole of one probe. A server that lists its models any slower is reported as silent."""


async def probe(session: Session, endpoints: Sequence[Endpoint], *, clock: Clock) -> list[Found]:
    """Ask all endpoints at the same time. Never raises for one that fails: its row says why."""
    async with session.over([_impatient(endpoint) for endpoint in endpoints]) as probing:
        return list(await asyncio.gather(*(_ask(endpoint, probing, clock) for endpoint in probing.endpoints)))


async def discover(
    session: Session, store: Store, *, providers: Sequence[str] = (), clock: Clock, warn: Callable[[str], None]
) -> tuple[Registry, Changes]:
    """Probe the endpoints of `providers` (all when empty) and write what was found.

    Returns:
        The registry, and what is new, changed or gone in it. A registry that cannot be written is a warning: what was found
        can still be used.
    """
    asked = [
        endpoint
        for endpoint in session.endpoints
        if endpoint.credential == 0 and (not providers or endpoint.provider in providers)
    ]
    found = await probe(session, asked, clock=clock)
    changes = Changes()

    def file(registry: Registry) -> Registry:
        nonlocal changes
        registry, changes = merge(registry, found, configured=keys(session.endpoints), now=clock.now())
        return registry

    try:
        return store.update(file), changes
    except StorageError as error:
        warn(error.message)
        return file(store.read()), changes


def keys(endpoints: Sequence[Endpoint]) -> tuple[str, ...]:
    """What the provider rows of these endpoints are filed under, in the same order."""
    return tuple(endpoint_key(endpoint.provider, endpoint.url) for endpoint in endpoints)


def _impatient(endpoint: Endpoint) -> Endpoint:
    timeouts = structs.replace(endpoint.timeouts, connect_s=PROBE_CONNECT_S, first_token_s=PROBE_S, stall_s=PROBE_S)
    return structs.replace(endpoint, timeouts=timeouts)


async def _ask(endpoint: Endpoint, session: Session, clock: Clock) -> Found:
    started = clock.monotonic()
    models: Sequence[ModelCard] | None = None
    try:
        backend = session.backend(endpoint)
        async with asyncio.timeout(PROBE_S):
            health, models = await _health_and_models(backend)
    except TimeoutError:
        health = Health(state="unreachable", reason=f"no answer from `{endpoint.url}` within {PROBE_S:g} s")
    except MmaiError as error:
        health = Health(state=_state(error), reason=error.message)
    except Exception as error:  # an adapter from elsewhere may fail in ways of its own, and must not hide the others
        first = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        health = Health(state="failing", reason=f"its adapter failed: {type(first).__name__}: {first}")
    health = structs.replace(health, latency_ms=(clock.monotonic() - started) * 1000, checked_at=clock.now())
    status = ProviderStatus(
        provider=endpoint.provider, endpoint=endpoint.url, health=health, models=None if models is None else len(models)
    )
    return status, models


async def _health_and_models(backend: Backend) -> tuple[Health, Sequence[ModelCard] | None]:
    """Both questions at once. A failed list decides, since a server that cannot list its models is of no use."""
    async with asyncio.TaskGroup() as group:
        listing = group.create_task(_list(backend))
        checking = group.create_task(backend.health_check())
    outcome = listing.result()
    if isinstance(outcome, MmaiError):
        health = checking.result()
        return (health if health.state != "healthy" else Health(state=_state(outcome), reason=outcome.message)), None
    return checking.result(), outcome


async def _list(backend: Backend) -> Sequence[ModelCard] | MmaiError:
    try:
        return await backend.list_models()
    except MmaiError as error:
        return error


def _state(error: MmaiError) -> HealthState:
    match error:
        case NoKey():
            return "no_key"
        case AuthError():
            return "unauthorized"
        case CannotConnect() | TimedOut():
            return "unreachable"
        case _:
            return "failing"

"""What a command that talks to models works with: open endpoints, the registry, the history."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from msgspec import Struct

from mmai import keys
from mmai.cli.frame import Frame
from mmai.clock import Clock
from mmai.engine.choose import Chooser
from mmai.engine.session import Session
from mmai.registry.store import Store
from mmai.settings import endpoints
from mmai.telemetry.history import History
from mmai.values.endpoint import Endpoint, Secret
from mmai.values.model import Profile

PROFILE_WINDOW_S = 30 * 86400.0
"""How far back runs count for how a model performs."""


class World(Struct, frozen=True):
    """One command's view of the models and of what is known of them."""

    session: Session
    store: Store
    history: History
    chooser: Chooser
    clock: Clock
    profiles: Callable[[], Mapping[str, Profile]]
    """How models performed in the runs of the last 30 days."""


@asynccontextmanager
async def world(call: Frame) -> AsyncIterator[World]:
    """Open everything, lazily, and close it whatever happens."""
    clock = Clock()
    store = Store(call.paths.registry, warn=call.warn)
    history = History(call.paths.history, warn=call.warn)

    def profiles() -> Mapping[str, Profile]:
        return history.profiles(since=clock.now() - PROFILE_WINDOW_S)

    def find_key(endpoint: Endpoint) -> Secret | None:
        found = keys.find(endpoint.provider, endpoint.key_rule, path=call.paths.keys, env=call.env)
        if found is not None and found.warning:
            call.warn(found.warning)
        return None if found is None else found.secret

    try:
        async with Session(endpoints(call.settings, env=call.env), find_key=find_key) as session:
            chooser = Chooser(
                session,
                store,
                profiles=profiles,
                max_age_s=call.settings.registry.cache_ttl_s,
                recheck_s=call.settings.registry.health_check_interval_s,
                clock=clock,
                warn=call.warn,
            )
            yield World(session, store, history, chooser, clock, profiles)
    finally:
        history.close()

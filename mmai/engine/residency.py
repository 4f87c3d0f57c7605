"""Which models are in memory: what is there, what leaves so that another fits, and what is loaded before it is asked."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from mmai.backends.base import Resident
from mmai.clock import Clock
from mmai.engine.session import Route, Session
from mmai.errors import CannotConnect, MmaiError, NoEligibleModel, TimedOut
from mmai.selection.eviction import Held, Verdict, room_for
from mmai.values.endpoint import Endpoint
from mmai.values.health import Loaded, ProviderStatus, endpoint_key
from mmai.values.model import ModelCard
from mmai.values.traffic import Use

GONE_S, LOOK_S = 10.0, 0.1
"""How long memory that a server agreed to free is waited for, and how often it is looked at."""

GROWS = 1.2
"""Memory over the size of the file, where nobody saw the model loaded: its cache and buffers."""

FOREVER_YEARS = 50
"""A server that keeps a model until so far away was told to keep it for good."""

INSIDE = ("coreml", "builtin")
"""Kinds whose models live and end with mmai's own process."""


class Uses(Protocol):
    """What is remembered of models in memory. Never raises."""

    def uses(self, refs: Sequence[str], *, now: float) -> Mapping[str, Use]:
        """By reference."""

    def seen_loaded(self, sizes: Mapping[str, tuple[int | None, float | None]], *, now: float) -> None:
        """Bytes that models hold, and milliseconds that loading them took, as they were seen."""


class Residency:
    """The memory of one session's local servers, held to a budget."""

    def __init__(self, session: Session, uses: Uses, *, budget_bytes: int | None, clock: Clock) -> None:
        """Without a budget, what stays and leaves is the servers' own business."""
        self.budget_bytes = budget_bytes
        self._session = session
        self._uses = uses
        self._clock = clock

    async def make_room(self, route: Route, *, by_name: bool) -> tuple[Held, ...]:
        """Have as many models leave as it takes for this one to fit, and say which did. Nothing is asked without a budget.

        Raises:
            NoEligibleModel: it would not fit, whatever may leave; nothing was unloaded.
            CallError: a server could not be asked.
        """
        backend = self._session.backend(route.endpoint)
        if self.budget_bytes is None or route.card.locality != "local" or not isinstance(backend, Resident):
            return ()
        if route.endpoint.kind in INSIDE:
            return ()
        present = await self._present()
        ref = str(route.card.ref)
        if any(_full(key) == _full(ref) for key, _, _ in present):
            return ()
        held = self._held(present)
        need = await self._size_of(route)
        verdict = room_for(need, held, budget_bytes=self.budget_bytes, now=self._clock.now(), by_name=by_name)
        if not verdict.fits:
            raise self._too_little(ref, need, held, verdict)
        gone = []
        for one in verdict.leave:
            holders = [endpoint for key, _, endpoint in present if key == one.ref]
            if all([await self._unloaded(one, endpoint) for endpoint in holders]):
                gone.append(one)
        return tuple(gone)

    async def load(self, route: Route, *, timeout_s: float, keep_alive: float | str | None = None) -> Loaded:
        """Have a model loaded, and remember what it holds and how long that took.

        Raises:
            CallError: it could not be loaded.
        """
        backend = self._session.backend(route.endpoint)
        assert isinstance(backend, Resident), "whoever asks has looked"
        loaded = await backend.ensure_ready(route.card, timeout_s=timeout_s, keep_alive=keep_alive)
        self._uses.seen_loaded({str(route.card.ref): (loaded.size_bytes, loaded.load_ms)}, now=self._clock.now())
        return loaded

    async def unload(self, route: Route) -> bool:
        """Have a model leave, and wait until it is gone; whether it is.

        Raises:
            CallError: the server could not be asked.
        """
        backend = self._session.backend(route.endpoint)
        if not isinstance(backend, Resident):
            return False
        await backend.unload(route.card)
        return await self._gone(backend, route.card.name)

    async def _size_of(self, route: Route) -> int:
        """As it was seen in memory, else by the size of its file; of a model nobody has listed yet, its server knows that."""
        ref, file_bytes = str(route.card.ref), route.card.size_bytes
        known = self._uses.uses([ref], now=self._clock.now()).get(ref)
        if known is not None and known.size_bytes:
            return known.size_bytes
        if file_bytes is None:
            listed = await self._session.backend(route.endpoint).list_models()
            file_bytes = next((card.size_bytes for card in listed if card.ref == route.card.ref), None)
        return round((file_bytes or 0) * GROWS)

    async def _present(self) -> list[tuple[str, Loaded, Endpoint]]:
        """What all local servers hold, each with where."""
        local = [each for each in self._session.endpoints if each.locality == "local" and each.kind not in INSIDE]
        answers = await asyncio.gather(*(_told(endpoint, self._session) for endpoint in local))
        found = [(f"{end.provider}:{one.name}", one, end) for end, held in zip(local, answers, strict=True) for one in held]
        self._uses.seen_loaded({ref: (one.size_bytes, None) for ref, one, _ in found}, now=self._clock.now())
        return found

    def _held(self, present: Sequence[tuple[str, Loaded, Endpoint]]) -> list[Held]:
        now = self._clock.now()
        known = self._uses.uses([ref for ref, _, _ in present], now=now)
        return [
            Held(
                ref=ref,
                size_bytes=one.size_bytes or 0,
                used_at=use.used_at,
                loaded_at=use.loaded_at,
                load_s=None if use.load_ms is None else use.load_ms / 1000,
                busy=use.under_way > 0,
                pinned=_is_for_good(one, now),
            )
            for ref, one, _ in present
            for use in [known.get(ref) or Use()]
        ]

    async def _unloaded(self, held: Held, endpoint: Endpoint) -> bool:
        card = ModelCard(provider=endpoint.provider, name=held.ref.partition(":")[2], locality=endpoint.locality)
        return await self.unload(Route(card, endpoint))

    async def _gone(self, backend: Resident, name: str) -> bool:
        until = self._clock.monotonic() + GONE_S
        while any(_full(one.name) == _full(name) for one in await backend.loaded()):
            if self._clock.monotonic() >= until:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def _too_little(self, ref: str, need: int, held: Sequence[Held], verdict: Verdict) -> NoEligibleModel:
        staying = ", ".join(f"`{one.ref}` ({_gb(one.size_bytes)})" for one in held) or "nothing"
        return NoEligibleModel(
            f"`{ref}` needs {_gb(need)}, which does not fit into the memory budget of {_gb(self.budget_bytes or 0)}: "
            f"{_gb(verdict.short_bytes)} are lacking beside {staying}",
            hint="mmai preload --unload REF, or mmai config edit",
        )


async def in_memory(session: Session, providers: Sequence[ProviderStatus]) -> dict[str, Loaded]:
    """By reference, what the healthy ones of `providers` hold now. One that cannot say counts as holding nothing."""
    healthy = {status.key for status in providers if status.health.state == "healthy"}
    asked = [endpoint for endpoint in session.endpoints if endpoint_key(endpoint.provider, endpoint.url) in healthy]
    answers = await asyncio.gather(*(_held(endpoint, session) for endpoint in asked))
    return {f"{endpoint.provider}:{one.name}": one for endpoint, held in zip(asked, answers, strict=True) for one in held}


async def _held(endpoint: Endpoint, session: Session) -> Sequence[Loaded]:
    backend = session.backend(endpoint)
    if not isinstance(backend, Resident):
        return ()
    try:
        return await backend.loaded()
    except MmaiError:
        return ()


async def _told(endpoint: Endpoint, session: Session) -> Sequence[Loaded]:
    """The same, but that a server which is there and cannot say is an error: its memory may be full."""
    backend = session.backend(endpoint)
    if not isinstance(backend, Resident):
        return ()
    try:
        return await backend.loaded()
    except (CannotConnect, TimedOut):
        return ()


def _full(name: str) -> str:
    """Without the tag that Ollama implies: `x` and `x:latest` are one model."""
    return name.removesuffix(":latest")


def _is_for_good(loaded: Loaded, now: float) -> bool:
    """By the year the server writes: it says so of what it was told to keep with -1."""
    year = (loaded.expires_at or "")[:4]
    return year.isdecimal() and int(year) > 1970 + now / (365.25 * 86400) + FOREVER_YEARS


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"

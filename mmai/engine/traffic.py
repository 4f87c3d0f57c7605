"""Who is called next of those that could be: breakers, balance and calls under way, shared between processes."""

import math
import random
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count, groupby
from types import TracebackType
from typing import Protocol, Self

from msgspec.structs import replace

from mmai.clock import Clock
from mmai.engine import breaker
from mmai.engine.balance import Instance, pick
from mmai.engine.limits import Limits
from mmai.engine.retry import RetryBudget
from mmai.engine.session import Route
from mmai.errors import MmaiError
from mmai.values.endpoint import Endpoint
from mmai.values.health import endpoint_key
from mmai.values.traffic import FailureKind, Place, Strategy

LOOK_S = 0.1
"""How old what other processes tell may be, and how seldom they are told."""

ASK_AGAIN_S = 1.0
"""For so long it is believed that somebody else is trying a place out."""

RENEW_S = 60.0
"""After which calls that are still under way are told of once more: a clock that was set makes leases look old."""

MANY = 4096
"""Routes whose keys are remembered at a time."""


class Board(Protocol):
    """Where processes tell each other of places. Never raises."""

    def places(self, keys: Collection[str], *, now: float) -> dict[str, Place]:
        """What is known, by key."""

    def keep_places(self, changed: Collection[Place], *, now: float) -> None:
        """Keep what became of places."""

    def claim(self, key: str, *, now: float) -> bool:
        """Whether nobody else is trying the place out."""

    def lease(self, calls: Mapping[str, int], *, now: float) -> None:
        """Calls under way from here, by place."""

    def leased(self, *, now: float) -> dict[str, int]:
        """Calls under way from elsewhere, by place."""

    def turn(self, name: str) -> int | None:
        """Whose turn it is, counted over all processes."""


OVERLOADED = frozenset((FailureKind.RATE_LIMITED, FailureKind.SERVER, FailureKind.SILENT))
"""Kinds of failure that say a server has too much to do."""

SCOPES: dict[FailureKind, int] = {FailureKind.CONNECT: 0, FailureKind.AUTH: 1}
"""Which of a route's three keys a kind of failure is about: its endpoint, its credential there; or, of all others, the model."""


def keys(route: Route) -> tuple[str, str, str]:
    """Endpoint, credential at it, and model under that credential."""
    endpoint = endpoint_key(route.endpoint.provider, route.endpoint.url)
    credential = f"{endpoint}#{route.endpoint.credential}"
    return endpoint, credential, f"{credential} {route.card.name}"


class Traffic:
    """What this process knows of the places it calls. One for all its requests."""

    def __init__(
        self,
        board: Board | None,
        *,
        clock: Clock,
        strategy: Strategy = Strategy.ADAPTIVE,
        region: str | None = None,
        rng: random.Random | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Without `limits`, an endpoint is given as many calls at a time as there are."""
        self.budget = RetryBudget()
        self._board = board
        self._clock = clock
        self._strategy = strategy
        self._region = region
        self._rng = rng or random.Random()  # noqa: S311 - spreads load
        self._limits = limits
        self._limited: dict[str, Endpoint] = {}
        self._places: dict[str, Place] = {}
        self._shared: set[str] = set()
        """Keys of places that calls are spread over: others want to know of those whatever happens."""
        self._instances: dict[str, Instance] = {}
        self._keys: dict[int, tuple[Route, tuple[str, str, str]]] = {}
        """By the identity of routes, which come again and again."""
        self._troubled: set[str] = set()
        """Keys of places that a breaker has to say something of."""
        self._probing: dict[str, float] = {}
        """Keys of places that are being tried out, and until when nobody else may: whoever was to call may have left."""
        self._tried_elsewhere: dict[str, float] = {}
        """The same of what other processes try out."""
        self._closed_at: dict[str, float] = {}
        """When this process last saw a place close: answers to calls from before do not open it."""
        self._answered: set[str] = set()
        """Keys of what was changed by an answer, which says more than any failure others saw."""
        self._changed: dict[str, Place] = {}
        """What nobody else was told yet."""
        self._calls: dict[str, int] = {}
        """The same of calls under way; and of those that were told, in `_told`."""
        self._told: dict[str, int] = {}
        self._told_at = self._looked_at = self._renewed_at = -math.inf
        self._turns = count()

    def open(self, routes: Sequence[Route]) -> None:
        """Look up what is known of the routes of a request, where that was not done yet."""
        unknown = {key for route in routes for key in self._keys_of(route)} - self._places.keys()
        if not unknown:
            return
        known = self._board.places(unknown, now=self._clock.now()) if self._board else {}
        for key in unknown:
            self._put(known.get(key) or Place(key=key))

    def next(self, routes: Sequence[Route]) -> Route:
        """Whom to call: of the first model that has a place which may be called, the one the balance picks. When none may be,
        the first of all the same: the last way out is never closed.
        """
        for _, places in groupby(routes, key=lambda route: (route.card.provider, route.card.name)):
            usable = list(places)
            if self._troubled:
                usable = [route for route in usable if self._may_be_called(route)]
            while usable:
                if self._claims(picked := self._picked(usable)):
                    return picked
                usable.remove(picked)
        return routes[0]

    def closed(self, route: Route) -> tuple[str | None, float]:
        """Why a route is not called, and for how many seconds yet."""
        now = self._clock.now()
        place = max((self._places[key] for key in self._keys_of(route)), key=lambda place: place.open_until or 0.0)
        return place.reason, max(0.0, (place.open_until or now) - now)

    def opens_at(self, routes: Sequence[Route]) -> float | None:
        """Unix seconds of when the first of them may be called again; None where one may be now."""
        until = [self._closed_until(route) for route in routes]
        return None if None in until else min(moment for moment in until if moment is not None)

    def now(self) -> float:
        """Unix seconds, on the clock of the breakers."""
        return self._clock.now()

    @asynccontextmanager
    async def slot(self, route: Route) -> AsyncIterator[None]:
        """A place among the calls that the endpoint is given at a time; waits for one."""
        if self._limits is None:
            yield
            return
        credential = self._keys_of(route)[1]
        self._limited[credential] = route.endpoint
        async with self._limits.of(route.endpoint, known=self._places[credential].limit):
            yield

    def begin(self, route: Route) -> None:
        """A call goes out."""
        self._count(route, 1)
        self._tell()

    def end(
        self,
        route: Route,
        kind: FailureKind | None,
        *,
        error: MmaiError | None = None,
        ttft_ms: float | None = None,
        took_s: float = 0.0,
        wait_s: float | None = None,
    ) -> None:
        """A call is over; `kind` is None when it answered. A stream is judged at its end alone."""
        instance = self._count(route, -1)
        if self._limits:
            overloaded = kind in OVERLOADED
            self._limits.ended(route.endpoint, ttft_ms, overloaded=overloaded, took_s=took_s, now=self._clock.monotonic())
        if kind is None:
            if ttft_ms is not None:
                instance.observe(ttft_ms, self._clock.monotonic())
            for key in self._keys_of(route):
                self._succeeded(key, instance, began=self._clock.monotonic() - took_s)
        else:
            if kind in breaker.WEIGHTS:
                instance.failed(self._clock.monotonic())
            self._failed(self._keys_of(route)[SCOPES.get(kind, 2)], kind, error, took_s, wait_s)
        self._tell()

    def dropped(self, route: Route) -> None:
        """A call was given up by whoever asked: that says nothing of the place."""
        self._count(route, -1)
        self._tell()

    def is_closed(self, route: Route) -> bool:
        """Whether it is better left alone now."""
        now = self._clock.now()
        return not all(breaker.allows(self._places[key], now) for key in self._keys_of(route))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Tell what nobody was told yet, and take back what was told of calls under way."""
        self._calls = dict.fromkeys(self._told, 0)
        for key, endpoint in self._limited.items():
            if self._limits and (found := self._limits.found(endpoint)):
                self._changed[key] = replace(self._places[key], limit=found)
        self._tell(at_once=True)

    def _put(self, place: Place) -> None:
        self._places[place.key] = place
        if place.open_until is None:
            self._troubled.discard(place.key)
        else:
            self._troubled.add(place.key)

    def _keys_of(self, route: Route) -> tuple[str, str, str]:
        known = self._keys.get(id(route))
        if known is None or known[0] is not route:
            if len(self._keys) >= MANY:
                self._keys.clear()
            known = self._keys[id(route)] = (route, keys(route))
        return known[1]

    def _may_be_called(self, route: Route) -> bool:
        """No breaker is in the way, or only ones that it is time to try out."""
        if self._troubled.isdisjoint(named := self._keys_of(route)):
            return True
        now = self._clock.now()
        return all(not self._is_tried(key) and breaker.allows(self._places[key], now) for key in named)

    def _is_tried(self, key: str) -> bool:
        return self._clock.monotonic() < max(self._probing.get(key, 0.0), self._tried_elsewhere.get(key, 0.0))

    def _claims(self, route: Route) -> bool:
        """Whether this call may go out: of those that would try a place out, one alone, of all processes."""
        now, tried = self._clock.now(), [key for key in self._keys_of(route) if self._places[key].open_until is not None]
        for key in tried:
            if self._board and not self._board.claim(key, now=now):
                self._tried_elsewhere[key] = self._clock.monotonic() + ASK_AGAIN_S
                return False
        self._probing |= dict.fromkeys(tried, self._clock.monotonic() + breaker.PROBE_S)
        return True

    def _closed_until(self, route: Route) -> float | None:
        now = self._clock.now()
        if any(self._is_tried(key) for key in self._keys_of(route)):
            return now
        places = [self._places[key] for key in self._keys_of(route)]
        until = [place.open_until for place in places if place.open_until is not None and not breaker.allows(place, now)]
        return max(until, default=None)

    def _picked(self, usable: Sequence[Route]) -> Route:
        if len(usable) == 1:
            return usable[0]
        instances = [self._instance(route) for route in usable]
        if instances[0].key not in self._shared or instances[-1].key not in self._shared:
            self._shared.update(instance.key for instance in instances)
        self._look()
        index = pick(
            instances,
            strategy=self._strategy,
            now=self._clock.monotonic(),
            rng=self._rng,
            turn=lambda: self._turn(str(usable[0].card.ref)),
            region=self._region,
        )
        return usable[index]

    def _instance(self, route: Route) -> Instance:
        *_, key = self._keys_of(route)
        if key not in self._instances:
            instance = self._instances[key] = Instance(key, region=route.endpoint.region, cost=route.endpoint.cost)
            place = self._places[key]
            age_s = 0.0 if place.latency_at is None else max(0.0, self._clock.now() - place.latency_at)
            if place.latency_ms is not None:
                instance.observe(place.latency_ms, self._clock.monotonic() - age_s)
            if place.recovered_at is not None:
                instance.recovered_at = self._clock.monotonic() - max(0.0, self._clock.now() - place.recovered_at)
        return self._instances[key]

    def _count(self, route: Route, change: int) -> Instance:
        instance = self._instance(route)
        instance.in_flight += change
        if instance.key in self._shared or self._limits:  # of many calls, others want to know wherever they go
            self._calls[instance.key] = instance.in_flight
        if change < 0:
            for key in self._keys_of(route):
                if self._probing.pop(key, None) is not None:  # Telling of it lets other processes try it out.
                    self._changed[key] = self._places[key]
                    self._told_at = -math.inf
        return instance

    def _succeeded(self, key: str, instance: Instance, *, began: float) -> None:
        now, before = self._clock.now(), self._places[key]
        if not breaker.allows(before, now) and began < self._closed_at.get(key, -math.inf):
            return
        after = breaker.succeeded(before, now)
        if key == instance.key and key in self._shared:
            after = replace(after, latency_ms=instance.latency_ms, latency_at=now)
        if after.recovered_at != before.recovered_at:
            instance.recovered_at = self._clock.monotonic()
        self._put(after)
        if key in self._shared or before.failures or before.open_until is not None:
            self._changed[key] = after
            self._answered.add(key)
        if before.open_until is not None:
            self._tell(at_once=True)

    def _failed(self, key: str, kind: FailureKind, error: MmaiError | None, took_s: float, wait_s: float | None) -> None:
        before = self._places[key]
        if before.openings and self._clock.monotonic() - took_s < self._closed_at.get(key, -math.inf):
            return  # It was under way when the place closed: no try-out that was in vain.
        reason = error.message if error else kind.value
        after = breaker.failed(
            before, kind, self._clock.now(), reason=reason, took_s=took_s, wait_s=wait_s, rng=self._rng.random
        )
        if after is not before:
            self._put(after)
            self._changed[key] = after
            self._answered.discard(key)
            if opened := after.open_until != before.open_until:
                self._closed_at[key] = self._clock.monotonic()
            self._tell(at_once=opened)

    def _tell(self, *, at_once: bool = False) -> None:
        """Tell the others, now and then."""
        moment = self._clock.monotonic()
        if self._board is None or not (at_once or moment - self._told_at >= LOOK_S):
            return
        if self._changed:
            self._join()
            self._board.keep_places(self._changed.values(), now=self._clock.now())
            self._changed, self._answered = {}, set()
            self._told_at = moment
        again = moment - self._renewed_at >= RENEW_S
        if calls := {key: calls for key, calls in self._calls.items() if calls != self._told.get(key, 0) or (again and calls)}:
            self._board.lease(calls, now=self._clock.now())
            self._told |= calls
            self._told_at = moment
            self._renewed_at = moment if again else self._renewed_at

    def _join(self) -> None:
        """Take over what others told meanwhile of places where we have seen no answer ourselves."""
        unsure = self._changed.keys() - self._answered
        now = self._clock.now()
        for key, theirs in (self._board.places(unsure, now=now) if self._board and unsure else {}).items():
            place = breaker.joined(self._changed[key], theirs, now)
            self._changed[key] = place
            self._put(place)

    def _turn(self, name: str) -> int:
        shared = self._board.turn(name) if self._board else None
        return next(self._turns) if shared is None else shared

    def _look(self) -> None:
        """Learn what is under way from elsewhere."""
        moment = self._clock.monotonic()
        if self._board is None or moment - self._looked_at < LOOK_S:
            return
        self._looked_at = moment
        elsewhere = self._board.leased(now=self._clock.now())
        for instance in self._instances.values():
            instance.elsewhere = elsewhere.get(instance.key, 0)

"""How many calls each endpoint is given at a time."""

import asyncio

from mmai.values.endpoint import Endpoint

LOCAL_KINDS = frozenset(("ollama", "llamacpp", "lmstudio", "coreml", "builtin"))
"""Servers of one machine, which do one thing after another unless somebody set them up otherwise."""

LOCAL, SERVICE = 2, 8
"""Calls at a time: of a local one the second waits there, so that the server is never idle."""


class FixedSlots:
    """As many as the settings say, or the user, or what is usual for its kind."""

    def __init__(self, count: int | None) -> None:
        """`count` is for every endpoint; None leaves it to the settings and the kind."""
        self._count = count
        self._slots: dict[tuple[str, str | None, int], asyncio.Semaphore] = {}

    def of(self, endpoint: Endpoint) -> asyncio.Semaphore:
        """See `Slots.of`."""
        key = (endpoint.provider, endpoint.url, endpoint.credential)
        if key not in self._slots:
            usual = LOCAL if endpoint.kind in LOCAL_KINDS else SERVICE
            self._slots[key] = asyncio.Semaphore(self._count or endpoint.max_parallel or usual)
        return self._slots[key]

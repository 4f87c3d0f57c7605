"""Work that computes, off the event loop, and given up when nobody waits for it any more."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import TypeVar

Result = TypeVar("Result")

Stopped = Callable[[], bool]
"""Asked by the work now and then; true once it should end."""


async def in_thread(work: Callable[[Stopped], Result]) -> Result:
    """What the work gives, computed in a thread. A cancelled caller gets its cancellation only after the work has ended."""
    given_up = Event()
    running = asyncio.get_running_loop().run_in_executor(None, work, given_up.is_set)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        given_up.set()
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # looked at, so that nothing complains of it later
        raise

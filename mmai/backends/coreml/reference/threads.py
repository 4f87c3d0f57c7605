"""Work that computes, off the event loop, and given up when nobody waits for it any more; each in one thread of its own."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from threading import Event
from typing import TypeVar

from threadpoolctl import threadpool_limits

Result = TypeVar("Result")

Stopped = Callable[[], bool]
"""Asked by the work now and then; true once it should end."""


@cache
def share_no_product() -> None:
    """Have BLAS compute every product in the thread that asks for it, from now on in this process.

    Its own threads wait for each other by spinning. Where something else kept two of four cores busy, a prediction of DenseNet
    took 1,900 ms with four threads and 103 with one; on idle cores four threads save a tenth to a third.
    """
    threadpool_limits(limits=1, user_api="blas")


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

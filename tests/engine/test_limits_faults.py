"""What must not come of callers who leave the line in the middle of it, and of commands that learn from each other."""

import asyncio

import pytest

from mmai.engine.limits import Gate, Limit, Limits
from mmai.values.endpoint import Endpoint


def test_nobody_waits_behind_somebody_who_left() -> None:
    async def walk() -> bool:
        limit = Limit(most=4, first=1)
        gate, over = Gate(limit), asyncio.Event()

        async def stay() -> None:
            async with gate:
                await over.wait()

        staying, leaving = asyncio.create_task(stay()), asyncio.create_task(stay())
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
        for _ in range(8):  # It grows while the first is still under way.
            limit.ended(100.0, overloaded=False, began=0.0, now=0.0)
        assert limit.current > 1
        newcomer = asyncio.create_task(stay())
        await asyncio.sleep(0)
        got_in = limit.under_way == 2
        over.set()
        await asyncio.gather(staying, newcomer)
        return got_in

    assert asyncio.run(walk())


@pytest.mark.parametrize("capacity", [1, 2, 4, 16])
def test_commands_that_begin_where_others_ended_do_not_drive_each_other_up(capacity: int) -> None:
    endpoint, known = Endpoint(provider="ollama", kind="ollama", url="http://one"), None
    for _ in range(12):
        limit = Limits(None, most=64).of(endpoint, known=known).limit
        for _ in range(600):
            limit.under_way = limit.current
            in_line = max(0, limit.current - capacity)
            limit.ended(20.0 + 100.0 * in_line / capacity, overloaded=False, began=0.0, now=0.0)
        known = limit.current
    assert capacity <= (known or 0) <= 2 * capacity

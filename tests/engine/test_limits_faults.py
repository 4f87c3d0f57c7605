"""What must not come of callers who leave the line in the middle of it."""

import asyncio

from mmai.engine.limits import Gate, Limit


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

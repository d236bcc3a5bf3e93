"""What no notification announces, and what comes back: sweeps and restores."""

import asyncio

from sandbox import cast
from sandbox.bench.crowd import Crowd, gather_crowd, leave, live_sessions, until
from sandbox.bench.result import Result, spread
from sandbox.demo.stage import Stage
from sandbox.supervisor import Sandbox

TRIES = 5


async def measure_service_principal(sandbox: Sandbox) -> list[Result]:
    """A disabled service principal is out by the next sweep; enabled again, it has back exactly what it had."""
    stage, agent = Stage(sandbox), cast.LEDGER_AGENT
    before = await stage.access(agent)
    await stage.set_enabled(agent, enabled=False)

    async def is_gone() -> bool:
        return (await stage.access(agent)).is_gone

    async def is_back() -> bool:
        now = await stage.access(agent)
        return (now.status, now.groups) == (before.status, before.groups)

    out = await until(is_gone, within=60)
    await stage.set_enabled(agent, enabled=True)
    back = await until(is_back, within=300)
    return [
        Result("service principal disabled (no notification)", "≤ 15 s", f"{out:.1f} s", holds=out <= 15),
        Result("re-enabled in Entra → exactly what was taken is back", "≤ 3 min", f"{back:.1f} s", holds=back <= 180),
    ]


async def measure_lost_notifications(sandbox: Sandbox) -> Result:
    """A notification that Graph drops is repaired by the sweep; tried at different moments between two sweeps."""
    seconds: list[float] = []
    for number in range(TRIES):
        crowd = await gather_crowd(sandbox, 1)
        await asyncio.sleep(number * 10 / TRIES)
        await Stage(sandbox).lose_next_notification()
        await leave(sandbox, crowd, crowd.members[0])

        async def is_gone(crowd: Crowd = crowd) -> bool:
            return not await live_sessions(sandbox, crowd)

        seconds.append(await until(is_gone, within=60))
    worst = max(seconds)
    return Result(
        f"notification dropped by Graph ({TRIES})",
        "≤ 15 s",
        f"at most {worst:.1f} s",
        holds=worst <= 15,
        details=spread(seconds),
    )

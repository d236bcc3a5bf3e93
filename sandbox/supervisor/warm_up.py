"""The app's first look at everything, asked for at once instead of waited for."""

import asyncio
from collections.abc import Awaitable, Callable

from sandbox.supervisor.errors import SandboxError
from sandbox.supervisor.sandbox import Sandbox

SUBSCRIPTIONS = 2
SWEPT = ("users", "groups", "servicePrincipals", "applications")
PATIENCE_SECONDS = 30
_LOOK_AGAIN_SECONDS = 0.1
_LOOKS_THAT_PROVE_QUIET = 3


async def warm_up(sandbox: Sandbox, report: Callable[[str], None]) -> None:
    """Run the timers once; return when the app has subscribed, swept, and looked at everybody.

    Raises:
        SandboxError: Graph has not heard from the app in time.
    """
    for timer in ("watch_subscriptions", "sweep_directory", "reconcile_roster"):
        await sandbox.run_function(timer)
    if "graph" in sandbox.servers and not await _in_time(lambda: _is_connected(sandbox)):
        log = sandbox.log_file("functions")
        raise SandboxError(f"the app has not subscribed and swept within {PATIENCE_SECONDS} s: its log is {log}")
    if "broker" in sandbox.servers and not await _in_time(lambda: _is_quiet(sandbox)):
        report(f"{'functions':<10} busy     it still looks at people and agents for the first time")
        return
    report(f"{'functions':<10} watches  it has subscribed, swept, and looked at everybody once")


async def _is_connected(sandbox: Sandbox) -> bool:
    directory = (await sandbox.graph.get("/sandbox/directory")).json()
    swept = all(directory["requests"].get(f"GET /{collection}/delta") for collection in SWEPT)
    return swept and len(directory["subscriptions"]) >= SUBSCRIPTIONS


async def _is_quiet(sandbox: Sandbox) -> bool:
    """Whether the queues stay empty for a moment: what empties one may fill the next."""
    for _ in range(_LOOKS_THAT_PROVE_QUIET):
        counts = (await sandbox.graph.get(f"{sandbox.broker_control_url}/sandbox/queues")).json()
        queues = [counts["principal-changes"], counts["subscription-events"]]
        if any(queue["active"] + queue["locked"] + queue["scheduled"] for queue in queues):
            return False
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    return True


async def _in_time(condition: Callable[[], Awaitable[bool]]) -> bool:
    for _ in range(round(PATIENCE_SECONDS / _LOOK_AGAIN_SECONDS)):
        if await condition():
            return True
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    return False

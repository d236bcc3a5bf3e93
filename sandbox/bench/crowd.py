"""A crowd: people with one group and one live session each, made through the servers' own APIs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from uuid import uuid4

from sandbox.cast import Group
from sandbox.seed import create_group, create_user
from sandbox.supervisor import Sandbox
from shared.bootstrap import ROSTER_FRESH_SECONDS

PARALLEL = 16


@dataclass(frozen=True, slots=True)
class Member:
    """One of the crowd: the object id in Entra, and the subject at the gateway."""

    id: str
    subject: str


@dataclass(frozen=True, slots=True)
class Crowd:
    """The members, the Entra group they share, and the connection that it opens."""

    group_id: str
    connection: str
    members: tuple[Member, ...]


async def gather_crowd(sandbox: Sandbox, size: int) -> Crowd:
    """So many people with live sessions, whom the app has met by the time this returns."""
    tag, group_id = uuid4().hex[:6], str(uuid4())
    await create_group(sandbox.graph, Group(group_id, f"crowd-{tag}"))
    connection = f"crowd-{tag}"
    body = {"name": connection, "type": "database", "subtype": "postgres"}
    created = (await sandbox.gateway.post("/api/connections", json=body)).raise_for_status().json()
    config = {"config": [group_id]}
    (await sandbox.gateway.put(f"/api/plugins/access_control/conn/{created['id']}", json=config)).raise_for_status()
    crowd = Crowd(group_id, connection, tuple(Member(str(uuid4()), f"pairwise-{tag}-{n}") for n in range(size)))
    await in_parallel(_enter(sandbox, crowd, member, f"{member.subject}@contoso.example") for member in crowd.members)
    await settle(sandbox)
    # The app may hold a roster from before the crowd came; a reconcile on that one would not meet anybody.
    await asyncio.sleep(ROSTER_FRESH_SECONDS)
    await sandbox.run_function("reconcile_roster")
    await settle(sandbox)
    return crowd


async def in_parallel(work: Iterable[Awaitable[object]]) -> None:
    """All of it, a few at a time."""
    limit = asyncio.Semaphore(PARALLEL)

    async def limited(one: Awaitable[object]) -> None:
        async with limit:
            await one

    await asyncio.gather(*map(limited, work))


async def settle(sandbox: Sandbox) -> None:
    """Return once no message waits to be looked at, three times in a row."""

    async def is_quiet() -> bool:
        queues = (await sandbox.graph.get(f"{sandbox.broker_control_url}/sandbox/queues")).json()
        return not any(queue["active"] + queue["locked"] for name, queue in queues.items() if name != "dead-letters")

    for _ in range(3):
        await until(is_quiet, within=120)
        await asyncio.sleep(0.5)


async def until(condition: Callable[[], Awaitable[bool]], within: float, look_again: float = 0.1) -> float:
    """The seconds it took; raises `TimeoutError` when it was not so in time."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    while not await condition():
        if loop.time() - started > within:
            raise TimeoutError(f"not within {within:.0f} s")
        await asyncio.sleep(look_again)
    return loop.time() - started


async def leave(sandbox: Sandbox, crowd: Crowd, member: Member) -> None:
    """One member leaves the group."""
    answer = await sandbox.graph.delete(f"/v1.0/groups/{crowd.group_id}/members/{member.id}/$ref")
    answer.raise_for_status()


async def disable(sandbox: Sandbox, member: Member) -> None:
    """One member's account is disabled."""
    answer = await sandbox.graph.patch(f"/v1.0/users/{member.id}", json={"accountEnabled": False})
    answer.raise_for_status()


async def live_sessions(sandbox: Sandbox, crowd: Crowd) -> int:
    """How many of the crowd's sessions are really open."""
    shown = (await sandbox.gateway.get("/sandbox/streams")).raise_for_status().json()
    return sum(stream["connection"] == crowd.connection for stream in shown["streams"])


async def _enter(sandbox: Sandbox, crowd: Crowd, member: Member, email: str) -> None:
    await create_user(sandbox.graph, member.id, member.subject, email)
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{member.id}"}
    (await sandbox.graph.post(f"/v1.0/groups/{crowd.group_id}/members/$ref", json=reference)).raise_for_status()
    sign_in = {"sub": member.subject, "email": email, "groups": [crowd.group_id], "name": member.subject}
    (await sandbox.gateway.post("/sandbox/login", json=sign_in)).raise_for_status()
    stream = {"subject": member.subject, "connection": crowd.connection}
    (await sandbox.gateway.post("/sandbox/connect", json=stream)).raise_for_status()

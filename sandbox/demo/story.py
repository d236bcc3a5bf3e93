"""The story: what Entra takes away the gateway loses, and what Entra gives back it gets back."""

import asyncio
from functools import partial

from sandbox import cast
from sandbox.cast import Agent, Person
from sandbox.demo.stage import Stage
from sandbox.demo.timeline import Timeline

SECONDS_BY_NOTIFICATION = 5
SECONDS_BY_SWEEP = 15
SECONDS_TO_RESTORE = 180
SESSIONS: tuple[tuple[Person | Agent, str], ...] = (
    (cast.SYNC_AGENT, "records-api"),
    (cast.LEDGER_AGENT, "ledger-db"),
    (cast.ADA, "orders-db"),
    (cast.ADA, "payments-db"),
    (cast.GRACE, "orders-db"),
    (cast.ALAN, "payments-db"),
)


class Story:
    """One run of the story on one stage."""

    def __init__(self, stage: Stage, timeline: Timeline) -> None:
        self._stage = stage
        self._timeline = timeline

    async def tell(self) -> None:
        """Every chapter, in order; the restore is awaited while the others go on."""
        await self._open_sessions()
        await self._agent_leaves_its_group()
        restored = await self._agent_is_disabled_and_enabled()
        await self._person_is_disabled_and_deleted()
        await self._notification_is_lost()
        await self._second_path_keeps_access()
        await self._gateway_is_down()
        await restored

    async def _open_sessions(self) -> None:
        if not self._stage.has_streams:
            self._timeline.say("A real gateway: live sessions need real clients, so identities and groups are shown.")
            return
        for actor, connection in SESSIONS:
            words = f"{actor.name} holds a live session on {connection}"
            await self._timeline.holds(words, partial(self._stage.connect, actor, connection))

    async def _agent_leaves_its_group(self) -> None:
        agent, others = cast.SYNC_AGENT, (cast.LEDGER_AGENT, cast.ADA, cast.GRACE, cast.ALAN)
        before = [await self._stage.access(other) for other in others]
        self._timeline.say(f"Entra: {agent.name} leaves the group sync-agents")
        await self._stage.leave(agent, cast.SYNC_AGENTS)
        await self._timeline.until(
            f"{agent.name}: group taken{self._with('session ended')}",
            lambda: self._has_nothing(agent),
            SECONDS_BY_NOTIFICATION,
        )
        await self._refused(agent, "records-api")

        async def unchanged() -> bool:
            return [await self._stage.access(other) for other in others] == before

        await self._timeline.holds("nobody else noticed", unchanged, for_seconds=0.5)

    async def _agent_is_disabled_and_enabled(self) -> "asyncio.Task[None]":
        agent = cast.LEDGER_AGENT
        before = await self._stage.access(agent)
        self._timeline.say(f"Entra: {agent.name} is disabled; for service principals there is no notification")
        await self._stage.set_enabled(agent, enabled=False)
        await self._timeline.until(
            f"{agent.name}: taken out by the sweep", lambda: self._is_gone(agent), SECONDS_BY_SWEEP
        )
        await self._refused(agent, "ledger-db")
        self._timeline.say(f"Entra: {agent.name} is enabled again; two reads a minute apart must agree")
        await self._stage.set_enabled(agent, enabled=True)

        async def is_back() -> bool:
            now = await self._stage.access(agent)
            return (now.status, now.groups) == (before.status, before.groups)

        async def wait() -> None:
            await self._timeline.until(
                f"{agent.name}: back with exactly what it had", is_back, SECONDS_TO_RESTORE, 0.25
            )
            if self._stage.has_streams:
                words = f"{agent.name} opens a new session"
                await self._timeline.holds(words, lambda: self._stage.connect(agent, "ledger-db"))

        return asyncio.create_task(wait())

    async def _person_is_disabled_and_deleted(self) -> None:
        person = cast.ADA
        self._timeline.say(f"Entra: {person.name} is disabled")
        await self._stage.set_enabled(person, enabled=False)
        await self._timeline.until(
            f"{person.name}: inactive, no groups{self._with('both sessions ended')}",
            lambda: self._is_gone(person),
            SECONDS_BY_NOTIFICATION,
        )
        await self._refused(person, "orders-db")
        self._timeline.say(f"Entra: {person.name} is deleted")
        await self._stage.delete(person)
        await self._timeline.holds(f"{person.name} stays out", lambda: self._is_gone(person), for_seconds=1)

    async def _notification_is_lost(self) -> None:
        person = cast.ALAN
        await self._stage.lose_next_notification()
        self._timeline.say(f"Entra: {person.name} leaves on-call, and Graph loses the notification")
        await self._stage.leave(person, cast.ON_CALL)
        await self._timeline.until(
            f"{person.name}: repaired by the sweep", lambda: self._has_nothing(person), SECONDS_BY_SWEEP
        )

    async def _second_path_keeps_access(self) -> None:
        person = cast.GRACE
        before = await self._stage.access(person)
        self._timeline.say(f"Entra: {person.name} leaves platform, but is still in it through engineering")
        await self._stage.leave(person, cast.PLATFORM)

        async def unchanged() -> bool:
            return await self._stage.access(person) == before

        await self._timeline.holds(f"{person.name}: access stays", unchanged, for_seconds=4)

    async def _gateway_is_down(self) -> None:
        person = cast.GRACE
        if not self._stage.has_streams:
            self._timeline.say("A real gateway is not taken down here")
            return
        await self._stage.set_gateway_down(down=True)
        self._timeline.say(f"The gateway goes down; Entra: {person.name} leaves engineering, her last path to platform")
        await self._stage.leave(person, cast.ENGINEERING)
        await asyncio.sleep(2)
        await self._stage.set_gateway_down(down=False)
        self._timeline.say("The gateway is back")
        await self._timeline.until(
            f"{person.name}: caught up, group taken{self._with('session ended')}",
            lambda: self._has_nothing(person),
            SECONDS_BY_SWEEP,
        )

    def _with(self, words: str) -> str:
        """What can be said of sessions, where there are any."""
        return f", {words}" if self._stage.has_streams else ""

    async def _has_nothing(self, actor: Person | Agent) -> bool:
        access = await self._stage.access(actor)
        return not access.groups and not access.sessions

    async def _is_gone(self, actor: Person | Agent) -> bool:
        return (await self._stage.access(actor)).is_gone

    async def _refused(self, actor: Person | Agent, connection: str) -> None:
        if not self._stage.has_streams:
            return

        async def refused() -> bool:
            return not await self._stage.connect(actor, connection)

        await self._timeline.holds(f"{actor.name}: the next connection to {connection} is refused", refused)

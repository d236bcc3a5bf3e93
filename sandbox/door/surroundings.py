"""What stands around Entra and the gateway: the app and the queues, each with what is wrong in plain words."""

import asyncio
from dataclasses import dataclass, field

from sandbox.door.events import Json
from sandbox.door.servers import Server, UnavailableError, json_of

SUBSCRIBED_RESOURCES = ("users", "groups")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The app's state and the queues' counts; `problems` are sentences."""

    app: str = "down"
    queues: dict[str, Json] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class Watch:
    """Looks at the app's host and at the broker."""

    def __init__(self, host: Server, broker: Server) -> None:
        self._host = host
        self._broker = broker

    async def look(self) -> Surroundings:
        """How they are now."""
        app, (queues, broker_problem) = await asyncio.gather(self._app(), self._queues())
        problems = [] if app == "running" else [f"The app is {app}: nothing is revoked until it runs."]
        problems += [broker_problem] if broker_problem else []
        problems += [
            f"{name} holds {_messages(counts['active'])} that nobody could process."
            for name, counts in queues.items()
            if name == "dead-letters" and counts["active"]
        ]
        return Surroundings(app, queues, tuple(problems))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._host.close()
        await self._broker.close()

    async def _app(self) -> str:
        try:
            answer = await self._host.ask("GET", "/admin/host/status")
        except UnavailableError:
            return "down"
        status = json_of(answer)
        state = status.get("state") if isinstance(status, dict) else None
        return "running" if state == "Running" else "starting" if state == "Initialized" else "stopping"

    async def _queues(self) -> tuple[dict[str, Json], str]:
        try:
            return await self._broker.read("/sandbox/queues"), ""
        except UnavailableError:
            return {}, "The message broker does not answer: notifications wait at Graph."


def missing_subscriptions(subscriptions: list[Json]) -> list[str]:
    """A sentence for each resource whose changes Graph announces to nobody."""
    covered = {one["resource"].strip("/").lower() for one in subscriptions}
    return [
        f"Nobody is subscribed to {resource}: their changes are found by the sweep only."
        for resource in SUBSCRIBED_RESOURCES
        if resource not in covered
    ]


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"

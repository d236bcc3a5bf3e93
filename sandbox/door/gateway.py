"""The gateway stand-in: what it holds, what happened in it, and what a client or operator does from the page."""

from typing import Protocol

import httpx

from sandbox.door.entra import RestartedError
from sandbox.door.events import GatewayEvent, Json, parse_gateway_event
from sandbox.door.servers import Server, UnavailableError, json_of

COMMAND_SECONDS = 5


class Gateway(Protocol):
    """A gateway that can be watched. `is_real` ones offer no switches, and their sessions are opened elsewhere."""

    is_real: bool

    async def new_events(self) -> list[GatewayEvent]:
        """Events since the last call; raises `UnavailableError`, or `RestartedError` once after a new start."""

    async def snapshot(self) -> Json:
        """Identities, connections, streams and reviews as the stand-in's control API shows them."""

    async def switches(self) -> Json:
        """What the gateway has been told to do wrong."""

    async def set_switches(self, changes: Json) -> None:
        """Tell the gateway to do something wrong, or to stop."""

    async def open_session(self, subject: str, connection: str) -> None:
        """Open a session as somebody; raises `UnavailableError` with the gateway's reason when it is refused."""

    async def ask(self, subject: str, connection: str, script: str = "") -> str:
        """Ask for a session, or to run a script, as somebody whose client waits; a sentence if nothing has to wait."""


class StandInGateway:
    """The sandbox's own gateway, through its control API."""

    is_real = False

    def __init__(self, server: Server) -> None:
        self._server = server
        self.seen = 0

    async def new_events(self) -> list[GatewayEvent]:
        """See `Gateway.new_events`."""
        log = await self._server.read(f"/sandbox/events?after={self.seen}")
        if log["last"] < self.seen:
            self.seen = 0
            raise RestartedError("The gateway stand-in was started anew.")
        self.seen = log["last"]
        return [parse_gateway_event(row) for row in log["events"]]

    async def snapshot(self) -> Json:
        """See `Gateway.snapshot`."""
        return await self._server.read("/sandbox/snapshot")

    async def switches(self) -> Json:
        """See `Gateway.switches`."""
        return await self._server.read("/sandbox/switches")

    async def set_switches(self, changes: Json) -> None:
        """See `Gateway.set_switches`."""
        answer = await self._server.ask("PUT", "/sandbox/switches", changes)
        if answer.status_code >= 400:
            raise UnavailableError(f"The gateway refused the switch with status {answer.status_code}.")

    async def open_session(self, subject: str, connection: str) -> None:
        """See `Gateway.open_session`."""
        await self.ask(subject, connection)

    async def ask(self, subject: str, connection: str, script: str = "") -> str:
        """See `Gateway.ask`."""
        body: Json = {"subject": subject, "connection": connection, "wait": True}
        command = {"script": script, "seconds": COMMAND_SECONDS} if script else {}
        answer = await self._server.ask("POST", "/sandbox/exec" if script else "/sandbox/connect", body | command)
        if answer.status_code >= 400:
            refusal = json_of(answer)
            reason = refusal.get("refused") if isinstance(refusal, dict) else None
            raise UnavailableError(f"The gateway refused the session: {reason or answer.status_code}.")
        is_live = answer.status_code == httpx.codes.CREATED
        return f"An earlier approval still stands: the session on {connection} is open." if is_live else ""

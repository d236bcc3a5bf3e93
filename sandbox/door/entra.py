"""The directory: what it holds, what happened in it, and what an admin does to it from the page."""

import time

import httpx

from sandbox.door.events import EntraEvent, Json, parse_entra_event
from sandbox.door.servers import Server, UnavailableError, json_of

TOKEN_SECONDS = 1800
COLLECTION_OF_TYPE = {
    "user": "users",
    "agentUser": "users",
    "group": "groups",
    "servicePrincipal": "servicePrincipals",
    "agentIdentity": "servicePrincipals",
    "agentIdentityBlueprintPrincipal": "servicePrincipals",
    "application": "applications",
    "agentIdentityBlueprint": "applications",
}


class Entra:
    """The Graph stand-in: read through its control API, changed through Graph's own writes."""

    def __init__(self, graph: Server, identity: Server) -> None:
        self._graph = graph
        self._identity = identity
        self._token = ""
        self._token_until = 0.0
        self.seen = 0

    async def new_events(self) -> list[EntraEvent]:
        """Events since the last call; everything again when the stand-in was started anew."""
        log = await self._graph.read(f"/sandbox/events?after={self.seen}")
        if log["last"] < self.seen:
            self.seen = 0
            raise RestartedError("The Graph stand-in was started anew.")
        self.seen = log["last"]
        return [parse_entra_event(row) for row in log["events"]]

    async def directory(self) -> Json:
        """Everything in the directory, and the live subscriptions."""
        return await self._graph.read("/sandbox/directory")

    async def switches(self) -> Json:
        """What Graph has been told to do wrong."""
        return await self._graph.read("/sandbox/switches")

    async def set_switches(self, changes: Json) -> None:
        """Tell Graph to do something wrong, or to stop."""
        _expect(await self._graph.ask("PUT", "/sandbox/switches", changes))

    async def set_enabled(self, row: Json, *, enabled: bool) -> None:
        """Enable or disable a principal; an application has its own property for that."""
        collection = _collection(row)
        name, value = ("isDisabled", not enabled) if collection == "applications" else ("accountEnabled", enabled)
        await self._write("PATCH", f"/v1.0/{collection}/{row['id']}", {name: value})

    async def delete(self, row: Json) -> None:
        """Move an object to the recycle bin."""
        await self._write("DELETE", f"/v1.0/{_collection(row)}/{row['id']}")

    async def restore(self, row: Json) -> None:
        """Bring an object back from the recycle bin."""
        await self._write("POST", f"/v1.0/directory/deletedItems/{row['id']}/restore")

    async def add_member(self, group_id: str, member_id: str) -> None:
        """Make a principal a direct member of a group."""
        reference = {"@odata.id": f"{self._graph.base_url}/v1.0/directoryObjects/{member_id}"}
        await self._write("POST", f"/v1.0/groups/{group_id}/members/$ref", reference)

    async def remove_member(self, group_id: str, member_id: str) -> None:
        """End a direct membership."""
        await self._write("DELETE", f"/v1.0/groups/{group_id}/members/{member_id}/$ref")

    async def close(self) -> None:
        """Let go of the connections."""
        await self._graph.close()
        await self._identity.close()

    async def _write(self, method: str, path: str, body: object = None) -> None:
        if time.monotonic() > self._token_until:
            answer = _expect(await self._identity.ask("POST", "/sandbox/admin-token"))
            self._token = answer.json()["access_token"]
            self._token_until = time.monotonic() + TOKEN_SECONDS
        _expect(await self._graph.ask(method, path, body, {"Authorization": f"Bearer {self._token}"}))


class RestartedError(Exception):
    """A server has forgotten its events: everything has to be read again."""


def _collection(row: Json) -> str:
    return COLLECTION_OF_TYPE[row["@odata.type"].rpartition(".")[2]]


def _expect(answer: httpx.Response) -> httpx.Response:
    if answer.status_code < 400:
        return answer
    body = json_of(answer)
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else f"status {answer.status_code}"
    raise UnavailableError(f"Entra refused: {message}")

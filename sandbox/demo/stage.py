"""The stage: what an administrator does in Entra, and what can be seen at the gateway from outside the app."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from sandbox.cast import Agent, Group, Person
from sandbox.supervisor import Sandbox

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Access:
    """What one identity has at the gateway; `sessions` is `None` where only a real client could open any."""

    status: str
    groups: frozenset[str]
    sessions: frozenset[str] | None

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left: inactive, no groups, no live session."""
        return self.status == "inactive" and not self.groups and not self.sessions


class Stage:
    """One running sandbox, its gateway a stand-in or a real one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.has_streams = "gateway" in sandbox.servers
        self._ids: dict[str, str] = {}

    async def entra_id(self, actor: Person | Agent) -> str:
        """The object id in Entra; a real gateway's people were given ids of their own."""
        if isinstance(actor, Agent):
            return actor.id
        if actor.email not in self._ids:
            query = {"$filter": f"mail eq '{actor.email}'", "$select": "id"}
            found = (await self.sandbox.graph.get("/v1.0/users", params=query)).raise_for_status().json()
            self._ids[actor.email] = str(found["value"][0]["id"])
        return self._ids[actor.email]

    async def subject(self, actor: Person | Agent) -> str:
        """The gateway's name for the actor."""
        if isinstance(actor, Agent) or self.has_streams:
            return actor.subject
        return str((await self._gateway("GET", f"/api/users/{quote(actor.email)}"))["id"])

    async def leave(self, actor: Person | Agent, group: Group) -> None:
        """An administrator removes the actor from a group."""
        path = f"/groups/{await self._group_id(group)}/members/{await self.entra_id(actor)}/$ref"
        await self._graph("DELETE", path)

    async def set_enabled(self, actor: Person | Agent, *, enabled: bool) -> None:
        """An administrator disables or enables the account."""
        collection = "users" if isinstance(actor, Person) else "servicePrincipals"
        await self._graph("PATCH", f"/{collection}/{await self.entra_id(actor)}", {"accountEnabled": enabled})

    async def delete(self, person: Person) -> None:
        """An administrator deletes the user."""
        await self._graph("DELETE", f"/users/{await self.entra_id(person)}")

    async def lose_next_notification(self) -> None:
        """Graph drops the next change notification."""
        await self._switch(self.sandbox.graph, {"drop": 1})

    async def set_gateway_down(self, *, down: bool) -> None:
        """The stand-in gateway stops or starts answering."""
        await self._switch(self.sandbox.gateway, {"down": down})

    async def connect(self, actor: Person | Agent, connection: str) -> bool:
        """Whether the gateway lets the actor open a session now; the session stays open."""
        body = {"subject": await self.subject(actor), "connection": connection}
        answer = await self.sandbox.gateway.post("/sandbox/connect", json=body)
        return answer.status_code == httpx.codes.CREATED

    async def access(self, actor: Person | Agent) -> Access:
        """What the actor has at the gateway now."""
        subject = await self.subject(actor)
        if isinstance(actor, Person):
            row = await self._gateway("GET", f"/api/users/{quote(subject)}")
        else:
            rows = (await self.sandbox.gateway.get("/api/serviceaccounts")).raise_for_status().json() or []
            row = next(one for one in rows if one["subject"] == subject)
        return Access(row["status"], frozenset(row["groups"] or ()), await self._sessions(subject))

    async def _group_id(self, group: Group) -> str:
        """The object id of a group; one that a real gateway knows by name was given an id of its own."""
        query = {"$filter": f"displayName eq '{group.name}'", "$select": "id"}
        found = (await self.sandbox.graph.get("/v1.0/groups", params=query)).raise_for_status().json()["value"]
        return str(found[0]["id"]) if found else group.id

    async def _sessions(self, subject: str) -> frozenset[str] | None:
        if not self.has_streams:
            return None
        shown = await self._gateway("GET", f"/sandbox/streams?subject={quote(subject)}")
        return frozenset(stream["connection"] for stream in shown["streams"])

    async def _graph(self, method: str, path: str, body: Mapping[str, object] | None = None) -> None:
        (await self.sandbox.graph.request(method, f"/v1.0{path}", json=body)).raise_for_status()

    async def _gateway(self, method: str, path: str) -> Json:
        answer: Json = (await self.sandbox.gateway.request(method, path)).raise_for_status().json()
        return answer

    async def _switch(self, client: httpx.AsyncClient, values: Mapping[str, object]) -> None:
        (await client.put("/sandbox/switches", json=values)).raise_for_status()

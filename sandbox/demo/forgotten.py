"""Agents that reach more than they use, since long ago, and the people who are asked about such things in Teams."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from sandbox import cast
from sandbox.bench.crowd import settle
from sandbox.cast import Agent, Group, Person
from sandbox.seed import create_group
from sandbox.supervisor import Sandbox
from shared.bootstrap import ROSTER_FRESH_SECONDS
from shared.domain.posture.attestation import Question
from shared.domain.posture.finding import About, ObjectKind

Json = dict[str, Any]
WEEKS, WEEK, MINUTES = 26, timedelta(days=7), timedelta(minutes=20)
_PEOPLE = {
    "application": "applications/{}/owners",
    "service-principal": "servicePrincipals/{}/owners",
    "agent-identity": "servicePrincipals/{}/sponsors",
}


@dataclass(frozen=True, slots=True)
class Forgotten:
    """An agent of two groups: it works through one every week, and what the other opens it has never opened.

    Each group opens the connection of its own name.
    """

    agent: Agent
    sponsor: Person
    used: Group
    unused: Group

    @property
    def attestation_id(self) -> str:
        """What Tether calls the question about it."""
        return Question(About(ObjectKind.AGENT_IDENTITY, self.agent.id, self.agent.name), ()).attestation_id


async def forget_access(sandbox: Sandbox, names: Iterable[str], sponsor: Person) -> list[Forgotten]:
    """Agents of this sponsor, with groups from long ago; each holds a live session where it works."""
    blueprint = await sandbox.graph.get(f"/v1.0/applications/{cast.LEDGER_BLUEPRINT.id}")
    blueprint_app = str(blueprint.raise_for_status().json()["appId"])
    made = [_forgotten(name, sponsor) for name in names]
    for one in made:
        await _create_agent(sandbox.graph, one, blueprint_app)
        await _let_in(sandbox.gateway, one)
    # The directory audit is kept for some weeks only: a grant that it does not know is an older one.
    (await sandbox.graph.delete("/sandbox/audit/changes")).raise_for_status()
    return made


async def meet(sandbox: Sandbox) -> None:
    """The app has looked at everybody who is at the gateway now."""
    # A reconcile on a roster from before they came would not meet anybody.
    await asyncio.sleep(ROSTER_FRESH_SECONDS)
    await sandbox.run_function("reconcile_roster")
    await settle(sandbox)


async def bring_owners_to_teams(sandbox: Sandbox) -> int:
    """How many people own or sponsor what is planted in the generated tenant: they have the app from now on."""
    expected = (await sandbox.graph.get("/sandbox/posture/expected")).raise_for_status().json()["positives"]
    objects = {one["object_id"]: one["object_kind"] for one in expected if one["object_kind"] in _PEOPLE}
    found: dict[str, Json] = {}
    for object_id, kind in objects.items():
        answer = await sandbox.graph.get(f"/v1.0/{_PEOPLE[kind].format(object_id)}")
        rows = answer.json()["value"] if answer.status_code == httpx.codes.OK else []
        users = (row for row in rows if row["@odata.type"] == "#microsoft.graph.user")
        found |= {row["id"]: {"id": row["id"], "name": row["displayName"], "member": False} for row in users}
    (await sandbox.teams.post("/sandbox/people", json={"people": [*found.values()]})).raise_for_status()
    return len(found)


def _forgotten(name: str, sponsor: Person) -> Forgotten:
    agent = Agent(str(uuid4()), name)
    used, unused = (Group(str(uuid4()), f"{name}-{what}", (agent.id,)) for what in ("work", "archive"))
    return Forgotten(agent, sponsor, used, unused)


async def _create_agent(graph: httpx.AsyncClient, one: Forgotten, blueprint_app: str) -> None:
    body = {
        "id": one.agent.id,
        "displayName": one.agent.name,
        "agentIdentityBlueprintId": blueprint_app,
        "sponsors@odata.bind": [f"https://graph.microsoft.com/v1.0/users/{one.sponsor.id}"],
    }
    kind = "/v1.0/servicePrincipals/microsoft.graph.agentIdentity"
    (await graph.post(kind, json=body)).raise_for_status()
    for group in (one.used, one.unused):
        await create_group(graph, group)


async def _let_in(gateway: httpx.AsyncClient, one: Forgotten) -> None:
    for group in (one.used, one.unused):
        body = {"name": group.name, "type": "database", "subtype": "postgres"}
        created = (await gateway.post("/api/connections", json=body)).raise_for_status().json()
        config = {"config": [group.id]}
        (await gateway.put(f"/api/plugins/access_control/conn/{created['id']}", json=config)).raise_for_status()
    groups = [one.used.id, one.unused.id]
    account = {"subject": one.agent.id, "name": one.agent.name, "status": "active", "groups": groups}
    (await gateway.post("/api/serviceaccounts", json=account)).raise_for_status()
    past = {"sessions": [_session(one, weeks) for weeks in range(1, WEEKS)]}
    (await gateway.post("/sandbox/history", json=past)).raise_for_status()
    stream = {"subject": one.agent.id, "connection": one.used.name}
    (await gateway.post("/sandbox/connect", json=stream)).raise_for_status()


def _session(one: Forgotten, weeks: int) -> Json:
    at = datetime.now(UTC) - weeks * WEEK
    moments = {"start_date": at.isoformat(), "end_date": (at + MINUTES).isoformat()}
    return {"subject": one.agent.id, "connection": one.used.name, "verb": "exec", **moments}

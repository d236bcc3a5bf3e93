"""Fills a fresh sandbox with its cast, through the same REST calls that an administrator would make."""

from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from sandbox import cast
from sandbox.cast import Agent, Group, Person
from sandbox.tenant import TETHER_CLIENT_ID, TETHER_OBJECT_ID

Json = dict[str, Any]
HTTP_CONNECTIONS = ("records-api",)


async def seed(graph: httpx.AsyncClient, gateway: httpx.AsyncClient) -> str:
    """What the tenant holds afterwards, in one line; what exists already stays as it is."""
    await seed_directory(graph)
    await seed_gateway(gateway)
    agents = (cast.SYNC_AGENT, cast.LEDGER_AGENT, cast.REPORT_BOT)
    return (
        f"{'tenant':<10} seeded   {len(cast.PEOPLE)} people, {len(agents)} agents, {len(cast.GROUPS)} groups, "
        f"{len(cast.CONNECTIONS)} connections, {len(cast.RULES)} reviewed"
    )


async def seed_directory(graph: httpx.AsyncClient) -> None:
    """The cast in Entra, and Tether's own identity."""
    for person in cast.PEOPLE:
        await create_user(graph, person.id, person.name, person.email)
    await _create(graph, "servicePrincipals", TETHER_OBJECT_ID, displayName="tether", appId=TETHER_CLIENT_ID)
    responsible = {"owners": (cast.ADA.id,), "sponsors": (cast.ROOT.id,)}
    await create_service_principal(graph, cast.SYNC_AGENT.id, cast.SYNC_AGENT.name, **responsible)
    await create_service_principal(graph, cast.REPORT_BOT.id, cast.REPORT_BOT.name)
    await _create_agent_identity(graph, cast.LEDGER_AGENT, cast.LEDGER_BLUEPRINT, sponsor=cast.ADA)
    for group in cast.GROUPS:
        await create_group(graph, group)


async def seed_gateway(gateway: httpx.AsyncClient) -> None:
    """The cast at the gateway: people who have signed in, agents, connections, and who reaches which."""
    for person in cast.PEOPLE:
        await _invite(gateway, person)
    accounts = {row["subject"] for row in await listed(gateway, "/api/serviceaccounts")}
    for agent in (cast.SYNC_AGENT, cast.LEDGER_AGENT):
        if agent.id not in accounts:
            body = {"subject": agent.id, "name": agent.name, "status": "active", "groups": list(agent.gateway_groups)}
            (await gateway.post("/api/serviceaccounts", json=body)).raise_for_status()
    if cast.REPORT_BOT.name not in {row["name"] for row in await listed(gateway, "/api/ai-agents")}:
        body = {"name": cast.REPORT_BOT.name, "groups": list(cast.REPORT_BOT.gateway_groups)}
        (await gateway.post("/api/ai-agents", json=body)).raise_for_status()
    await _open_connections(gateway, cast.CONNECTIONS)
    await _require_approvals(gateway)


async def subscribe_webhooks(gateway: httpx.AsyncClient, url: str, secret: str) -> None:
    """The gateway announces sessions and reviews of the connections behind approvals to this URL, signed."""
    if (await gateway.get("/api/plugins/webhooks")).status_code != httpx.codes.OK:
        (await gateway.post("/api/plugins", json={"name": "webhooks", "connections": []})).raise_for_status()
    for rule in cast.RULES:
        await _write(gateway, "PUT", f"/api/plugins/webhooks/conn/{rule.connection}", {"config": []})
    answer = (await gateway.get("/api/webhooks/endpoints")).raise_for_status()
    if url not in {row["url"] for row in answer.json()["data"]}:
        await _write(
            gateway, "POST", "/api/webhooks/endpoints", {"url": url, "secret": secret, "description": "Tether"}
        )


async def create_reviewer_keys(gateway: httpx.AsyncClient, secrets: Mapping[str, str]) -> None:
    """One API key for each reviewer group, in that group alone, with the secret that the app was given for it."""
    for group, secret in secrets.items():
        body = {"name": f"teams-approvals:{group}", "groups": [group], "key": secret}
        await _write(gateway, "POST", "/sandbox/keys", body)


async def open_sessions(gateway: httpx.AsyncClient) -> dict[tuple[str, str], str]:
    """The session ids of the streams that the cast now holds, by name and connection."""
    agents = {row["name"]: str(row["id"]) for row in await listed(gateway, "/api/ai-agents")}
    wanted = (
        (cast.SYNC_AGENT.name, cast.SYNC_AGENT.subject, "records-api"),
        (cast.LEDGER_AGENT.name, cast.LEDGER_AGENT.subject, "ledger-db"),
        (cast.REPORT_BOT.name, agents[cast.REPORT_BOT.name], "records-api"),
        (cast.ADA.name, cast.ADA.subject, "orders-db"),
        (cast.ADA.name, cast.ADA.subject, "payments-db"),
        (cast.GRACE.name, cast.GRACE.subject, "orders-db"),
    )
    opened: dict[tuple[str, str], str] = {}
    for name, subject, connection in wanted:
        answer = await gateway.post("/sandbox/connect", json={"subject": subject, "connection": connection})
        opened[name, connection] = str(answer.raise_for_status().json()["session_id"])
    return opened


async def create_user(graph: httpx.AsyncClient, user_id: str, name: str, email: str) -> None:
    """Somebody in Entra whose address is also the user principal name."""
    await _create(graph, "users", user_id, displayName=name, userPrincipalName=email, mail=email)


async def create_service_principal(
    graph: httpx.AsyncClient, principal_id: str, name: str, *, owners: Iterable[str] = (), sponsors: Iterable[str] = ()
) -> None:
    """A workload's application and its service principal, with the people who answer for it."""
    if (await graph.get(f"/v1.0/servicePrincipals/{principal_id}")).status_code == httpx.codes.OK:
        return
    application = (await graph.post("/v1.0/applications", json={"displayName": name})).raise_for_status().json()
    people = {
        f"{relation}@odata.bind": _user_urls(ids) for relation, ids in (("owners", owners), ("sponsors", sponsors))
    }
    values = {"displayName": name, "appId": application["appId"], **people}
    await _create(graph, "servicePrincipals", principal_id, **values)


def _user_urls(ids: Iterable[str]) -> list[str]:
    return [f"https://graph.microsoft.com/v1.0/users/{one}" for one in ids]


async def create_group(graph: httpx.AsyncClient, group: Group) -> None:
    """A security group with these members, whoever else is in it."""
    await _create(graph, "groups", group.id, displayName=group.name, mailNickname=group.name)
    answer = await graph.get(f"/v1.0/groups/{group.id}/members", params={"$select": "id", "$top": 999})
    present = {row["id"] for row in answer.raise_for_status().json()["value"]}
    for member in (one for one in group.members if one not in present):
        reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{member}"}
        (await graph.post(f"/v1.0/groups/{group.id}/members/$ref", json=reference)).raise_for_status()


async def listed(gateway: httpx.AsyncClient, path: str) -> list[Json]:
    """The rows of an unpaginated list, which may be `null`."""
    rows: list[Json] | None = (await gateway.get(path)).raise_for_status().json()
    return rows or []


async def _create_agent_identity(graph: httpx.AsyncClient, agent: Agent, blueprint: Agent, *, sponsor: Person) -> None:
    await _create(
        graph, "applications/microsoft.graph.agentIdentityBlueprint", blueprint.id, displayName=blueprint.name
    )
    blueprint_app = (await graph.get(f"/v1.0/applications/{blueprint.id}")).raise_for_status().json()["appId"]
    kind = "servicePrincipals/microsoft.graph.agentIdentityBlueprintPrincipal"
    await _create(graph, kind, cast.object_id(0x305), displayName=blueprint.name, appId=blueprint_app)
    await _create(
        graph,
        "servicePrincipals/microsoft.graph.agentIdentity",
        agent.id,
        **{
            "displayName": agent.name,
            "agentIdentityBlueprintId": blueprint_app,
            "sponsors@odata.bind": _user_urls((sponsor.id,)),
        },
    )


async def _create(graph: httpx.AsyncClient, collection: str, identifier: str, /, **values: object) -> None:
    base = collection.partition("/")[0]
    if (await graph.get(f"/v1.0/{base}/{identifier}")).status_code == httpx.codes.OK:
        return
    answer = await graph.post(f"/v1.0/{collection}", json={"id": identifier, **values})
    answer.raise_for_status()


async def _invite(gateway: httpx.AsyncClient, person: Person) -> None:
    if (await gateway.get(f"/api/users/{person.email}")).status_code == httpx.codes.OK:
        return
    invitation = {"email": person.email, "name": person.name, "groups": list(person.gateway_groups)}
    (await gateway.post("/api/users", json=invitation)).raise_for_status()
    sign_in = {"sub": person.subject, "email": person.email, "name": person.name}
    (await gateway.post("/sandbox/login", json=sign_in)).raise_for_status()


async def _open_connections(gateway: httpx.AsyncClient, groups_by_name: Mapping[str, Iterable[str]]) -> None:
    ids = {row["name"]: row["id"] for row in await listed(gateway, "/api/connections")}
    for name in (one for one in groups_by_name if one not in ids):
        answer = await gateway.post("/api/connections", json={"name": name, **_kind_of(name)})
        ids[name] = answer.raise_for_status().json()["id"]
    if (await gateway.get("/api/plugins/access_control")).status_code == httpx.codes.OK:
        return
    rows = [{"id": ids[name], "config": list(groups)} for name, groups in groups_by_name.items()]
    (await gateway.post("/api/plugins", json={"name": "access_control", "connections": rows})).raise_for_status()


def _kind_of(connection: str) -> Json:
    if connection in HTTP_CONNECTIONS:
        return {"type": "httpproxy"}
    kind: Json = {"type": "database", "subtype": "postgres", "command": ["psql"]}
    reviewed = connection in {rule.connection for rule in cast.RULES}
    return {**kind, "force_approve_groups": [cast.BREAK_GLASS_REVIEWERS]} if reviewed else kind


async def _write(gateway: httpx.AsyncClient, method: str, path: str, body: Json) -> None:
    (await gateway.request(method, path, json=body)).raise_for_status()


async def _require_approvals(gateway: httpx.AsyncClient) -> None:
    page = (await gateway.get("/api/access-requests/rules")).raise_for_status().json()
    present = {row["name"] for row in page["data"] or []}
    for rule in (one for one in cast.RULES if one.name not in present):
        body = {
            "name": rule.name,
            "access_type": "jit_command",
            "connection_names": [rule.connection],
            "approval_required_groups": [],
            "all_groups_must_approve": rule.all_groups,
            "min_approvals": None if rule.all_groups else 1,
            "reviewers_groups": list(rule.reviewer_groups),
            "force_approval_groups": [cast.BREAK_GLASS_REVIEWERS],
            "access_max_duration": 3600,
        }
        await _write(gateway, "POST", "/api/access-requests/rules", body)

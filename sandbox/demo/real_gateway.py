"""The cast at a real gateway, before the stand-in directory mirrors it."""

import httpx

from sandbox import cast
from sandbox.seed import create_group, listed


async def invite_cast(gateway: httpx.AsyncClient) -> str:
    """Who was created there, in one line; who exists keeps what they have."""
    created = []
    known = {str(row.get("email", "")).casefold() for row in await listed(gateway, "/api/users")}
    for person in cast.PEOPLE[:3]:
        if person.email not in known:
            body = {
                "email": person.email,
                "name": person.name,
                "groups": list(person.gateway_groups),
                "status": "active",
            }
            (await gateway.post("/api/users", json=body)).raise_for_status()
            created.append(person.name)
    subjects = {row["subject"] for row in await listed(gateway, "/api/serviceaccounts")}
    for agent in (cast.SYNC_AGENT, cast.LEDGER_AGENT):
        if agent.id not in subjects:
            body = {"subject": agent.id, "name": agent.name, "groups": list(agent.gateway_groups), "status": "active"}
            (await gateway.post("/api/serviceaccounts", json=body)).raise_for_status()
            created.append(agent.name)
    return f"created at the gateway: {', '.join(created) or 'nobody, all of the cast was there'}"


async def complete_directory(graph: httpx.AsyncClient) -> None:
    """The nesting of groups, which a gateway cannot know: engineering inside platform, Grace and Ada in engineering."""
    for person in (cast.ADA, cast.GRACE):
        query = {"$filter": f"mail eq '{person.email}'", "$select": "id"}
        found = (await graph.get("/v1.0/users", params=query)).raise_for_status().json()["value"]
        await _add(graph, cast.ENGINEERING, str(found[0]["id"]))
    await _add(graph, cast.PLATFORM, cast.ENGINEERING.id)


async def _add(graph: httpx.AsyncClient, group: cast.Group, member_id: str) -> None:

    await create_group(graph, cast.Group(group.id, group.name, (member_id,)))

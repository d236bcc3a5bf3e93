"""The cast at a real gateway, before the stand-in directory mirrors it."""

from urllib.parse import quote

import httpx

from sandbox import cast
from sandbox.seed import Json, create_group, listed


async def invite_cast(gateway: httpx.AsyncClient) -> str:
    """Who is ready there, in one line: created, or opened again after an earlier demo."""
    people = {str(row.get("email", "")).casefold(): row for row in await listed(gateway, "/api/users")}
    for person in (cast.ADA, cast.GRACE, cast.ALAN):
        wanted = {"email": person.email, "name": person.name, "groups": list(person.gateway_groups), "status": "active"}
        row = people.get(person.email)
        path = "/api/users" if row is None else f"/api/users/{quote(row['id'])}"
        await _write(gateway, path, row, wanted)
    accounts = {row["subject"]: row for row in await listed(gateway, "/api/serviceaccounts")}
    for agent in (cast.SYNC_AGENT, cast.LEDGER_AGENT):
        wanted = {"subject": agent.id, "name": agent.name, "groups": list(agent.gateway_groups), "status": "active"}
        row = accounts.get(agent.id)
        path = "/api/serviceaccounts" if row is None else f"/api/serviceaccounts/{quote(agent.id)}"
        await _write(gateway, path, row, wanted)
    return "The cast is at the gateway, active and with its groups: Ada, Grace, Alan, sync-agent, ledger-agent."


async def _write(gateway: httpx.AsyncClient, path: str, row: Json | None, wanted: Json) -> None:
    method = "POST" if row is None else "PUT"
    (await gateway.request(method, path, json={**(row or {}), **wanted})).raise_for_status()


async def complete_directory(graph: httpx.AsyncClient) -> None:
    """The nesting of groups, which a gateway cannot know: engineering inside platform, Grace and Ada in engineering."""
    for person in (cast.ADA, cast.GRACE):
        query = {"$filter": f"mail eq '{person.email}'", "$select": "id"}
        found = (await graph.get("/v1.0/users", params=query)).raise_for_status().json()["value"]
        await _add(graph, cast.ENGINEERING, str(found[0]["id"]))
    await _add(graph, cast.PLATFORM, cast.ENGINEERING.id)


async def _add(graph: httpx.AsyncClient, group: cast.Group, member_id: str) -> None:
    await create_group(graph, cast.Group(group.id, group.name, (member_id,)))

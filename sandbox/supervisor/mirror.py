"""A real gateway's people and workloads in the stand-in directory, so that nothing looks deleted to Tether."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx

from sandbox.cast import Group
from sandbox.seed import create_group, create_service_principal, create_user, listed
from sandbox.supervisor.errors import SandboxError
from shared.domain.gateway import IdentityRef
from shared.domain.identity_map import GroupMapping, IdentityMap, is_object_id
from shared.errors import SettingsError
from shared.wire.identity_map import parse_identity_map

Json = dict[str, Any]
_OTHERS = ("/api/ai-agents", "/api/api-keys", "/api/machineidentities")


async def mirror_gateway(graph: httpx.AsyncClient, gateway: httpx.AsyncClient, identity_map_file: Path) -> str:
    """What was created, in one line: users by e-mail, service accounts by object id, and each group they hold.

    Raises:
        SandboxError: the gateway does not answer as an admin expects, or the identity map has a mistake.
    """
    identity_map = _identity_map(identity_map_file)
    try:
        users, accounts = await listed(gateway, "/api/users"), await listed(gateway, "/api/serviceaccounts")
        others = [row for path in _OTHERS for row in await listed(gateway, path)]
    except (httpx.HTTPError, ValueError) as error:
        advice = "check GATEWAY_BASE_URL and GATEWAY_API_KEY, which must be an admin's"
        raise SandboxError(f"the gateway's users cannot be read ({error}): {advice}") from error
    holders = [(principal_id, row) for row in _with_address(users) for principal_id in [_user_id(row["email"])]]
    for user_id, row in holders:
        await create_user(graph, user_id, row.get("name") or row["email"], row["email"])
    workloads = [(str(row["subject"]).lower(), row) for row in accounts if is_object_id(str(row["subject"]))]
    mapped = [(entra, row) for entra, refs in identity_map.agents.items() for row in _mapped_rows(refs, others)]
    for principal_id in dict.fromkeys([*(one for one, _ in workloads), *identity_map.agents]):
        names = [str(row.get("name") or principal_id) for one, row in [*workloads, *mapped] if one == principal_id]
        await create_service_principal(graph, principal_id, names[0] if names else principal_id)
    groups = entra_groups([*holders, *workloads, *mapped], identity_map.groups)
    for group in groups:
        await create_group(graph, group)
    return f"{'tenant':<10} mirrors  {len(holders)} users, {len(workloads)} service accounts, {len(groups)} groups"


def entra_groups(holders: Iterable[tuple[str, Json]], mappings: Iterable[GroupMapping]) -> list[Group]:
    """The Entra groups that stand for the gateway groups and connections somebody holds, with the holders inside."""
    members: dict[str, dict[str, None]] = {}
    mappings = tuple(mappings)
    for principal_id, row in holders:
        for name in _standing_for(row, mappings):
            members.setdefault(name, {})[principal_id] = None
    return [
        Group(name.lower() if is_object_id(name) else str(uuid5(NAMESPACE_URL, name)), name, tuple(inside))
        for name, inside in members.items()
    ]


def _standing_for(row: Json, mappings: tuple[GroupMapping, ...]) -> list[str]:
    """The object id or display name of each Entra group that stands for what a gateway identity holds."""
    found = []
    for held in row.get("groups") or []:
        named = [one.entra_group for one in mappings if held in (one.gateway_group, one.entra_group)]
        found += named or [held]
    connections = row.get("connection_names") or []
    return found + [one.entra_group for one in mappings if one.connection in connections]


def _with_address(users: list[Json]) -> list[Json]:
    """One row for each address: two gateway users with one address are one person in Entra."""
    return list({str(row["email"]).casefold(): row for row in users if "@" in (row.get("email") or "")}.values())


def _user_id(email: str) -> str:
    return str(uuid5(NAMESPACE_URL, email.casefold()))


def _mapped_rows(refs: Iterable[IdentityRef], others: list[Json]) -> list[Json]:
    wanted = {ref.key for ref in refs}
    return [row for row in others if wanted & {row.get("name"), row.get("id")}]


def _identity_map(file: Path) -> IdentityMap:
    try:
        return parse_identity_map(file.read_text(encoding="utf-8"), file.name)
    except (OSError, SettingsError) as error:
        raise SandboxError(f"{file} cannot be read: {error}") from error

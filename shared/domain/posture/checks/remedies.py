"""Remedies: the calls that take somebody out of a group or away from a connection, and what takes them back."""

from collections.abc import Iterable
from urllib.parse import quote

from shared.domain.gateway import IdentityKind, IdentityRef
from shared.domain.posture.gateway_view import Estate
from shared.domain.posture.inventory import Known
from shared.domain.posture.party import Party

READ_MEMBERS = "GroupMember.Read.All"
READ_SESSIONS = "gateway: auditor"
TAKE_OUT = (
    "DELETE /groups/{group_id}/members/{object_id}/$ref; "
    'POST /groups/{group_id}/members/$ref {"@odata.id": "https://graph.microsoft.com/v1.0/directoryObjects/{object_id}"}'
    " takes it back"
)
AT_GATEWAY = "PUT {gateway_object} at the gateway without the group or connection; the old object takes it back"
_PLACES = {
    IdentityKind.USER: "users",
    IdentityKind.SERVICE_ACCOUNT: "serviceaccounts",
    IdentityKind.AI_AGENT: "ai-agents",
    IdentityKind.API_KEY: "api-keys",
    IdentityKind.MACHINE_IDENTITY: "machineidentities",
}


def group_names(estate: Estate) -> dict[str, str]:
    """What each task group is called, by object id."""
    return {group.group_id.lower(): group.name for group in estate.groups}


def take_out(group_ids: Iterable[str]) -> str:
    """The calls that take somebody out of these groups, to be completed with the member's object id."""
    return ". ".join(TAKE_OUT.replace("{group_id}", quote(one, safe="")) for one in sorted(group_ids))


def take_away(estate: Estate, party: Party, connection: str) -> str:
    """The calls that close one connection: out of the Entra groups that open it, or else away at the gateway."""
    held = party.task_groups.value if isinstance(party.task_groups, Known) else frozenset()
    opening = {one.group_id.lower() for one in estate.groups if connection in one.connections} & held
    if opening:
        return take_out(opening)
    refs = [one.identity.ref for one in party.holders if one.identity.is_open and connection in one.reach]
    return ". ".join(AT_GATEWAY.replace("{gateway_object}", _address(ref)) for ref in refs)


def _address(ref: IdentityRef) -> str:
    return f"/api/{_PLACES[ref.kind]}/{quote(ref.key, safe='')}"

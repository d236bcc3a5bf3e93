"""Retirement: the exact calls that a person may make in Entra, in their order; Tether makes none of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from shared.domain.posture.attestation import UnusedGrant
from shared.domain.posture.checks.remedies import AT_GATEWAY
from shared.domain.posture.finding import About, ObjectKind


@dataclass(frozen=True, slots=True)
class Step:
    """One call, and what it is for."""

    purpose: str
    call: str


def retire_steps(about: About) -> tuple[Step, ...]:
    """How an identity is switched off, and deleted later; each of both can be taken back."""
    object_id = quote(about.object_id, safe="")
    if about.kind is ObjectKind.APPLICATION:
        return _switch_and_delete(f"/applications/{object_id}", "isDisabled", ("true", "false"), object_id)
    if about.kind in (ObjectKind.SERVICE_PRINCIPAL, ObjectKind.AGENT_IDENTITY):
        return _switch_and_delete(f"/servicePrincipals/{object_id}", "accountEnabled", ("false", "true"), object_id)
    if "/" in about.object_id:
        return (Step("Take its groups and connections away at the gateway", AT_GATEWAY),)
    return _switch(f"/users/{object_id}", "accountEnabled", ("false", "true"))


def lasting_steps(taken: Iterable[UnusedGrant]) -> tuple[Step, ...]:
    """How grants that were taken away at the gateway are taken away in Entra, too, each group and member once."""
    pairs = dict.fromkeys((group, grant.principal_id) for grant in taken for group in grant.entra_groups)
    # A phone cannot break the address that the second call carries, so it is said in words.
    leave = "DELETE /groups/{group_id}/members/{object_id}/$ref"
    come_back = 'POST /groups/{group_id}/members/$ref with the address of /directoryObjects/{object_id} as "@odata.id"'
    steps = (("Take it out of the group", leave), ("To take that back", come_back))
    return tuple(
        Step(purpose, call.replace("{group_id}", quote(group, safe="")).replace("{object_id}", quote(member, safe="")))
        for group, member in pairs
        for purpose, call in steps
    )


def _switch_and_delete(address: str, switch: str, off_on: tuple[str, str], object_id: str) -> tuple[Step, ...]:
    return (
        *_switch(address, switch, off_on),
        Step("After 15 quiet days, delete it", f"DELETE {address}"),
        Step("To bring it back within 30 days", f"POST /directory/deletedItems/{object_id}/restore"),
    )


def _switch(address: str, switch: str, off_on: tuple[str, str]) -> tuple[Step, ...]:
    off, on = off_on
    return (
        Step("First, switch it off", f'PATCH {address} {{"{switch}": {off}}}'),
        Step("To take that back", f'PATCH {address} {{"{switch}": {on}}}'),
    )

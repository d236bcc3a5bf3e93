"""What an admin does to the directory: each act changes it, is logged, and notifies subscribers."""

import re
from typing import Any

from sandbox.graph.directory import ObjectVersion
from sandbox.graph.errors import bad_request
from sandbox.graph.notifications import notify
from sandbox.graph.schema import Kind
from sandbox.graph.state import GraphState

_MIRRORED = ("isDisabled", "disabledByMicrosoftStatus")
_SWITCHED = {("accountEnabled", True): "enabled", ("accountEnabled", False): "disabled"} | {
    ("isDisabled", True): "disabled",
    ("isDisabled", False): "enabled",
    ("isDisabled", None): "enabled",
}


def create(state: GraphState, kind: Kind, type_name: str, values: dict[str, Any]) -> ObjectVersion:
    """Add an object."""
    made = state.directory.create(kind, type_name, values)
    _announce(state, made, "created")
    return made


def update(state: GraphState, version: ObjectVersion, changes: dict[str, Any]) -> None:
    """Set properties; an application's off switches show on its service principals too."""
    changed = state.directory.update(version, changes)
    if not changed:
        return
    _announce(state, version, _verb(changed, changes), detail=", ".join(sorted(changed)))
    mirrored = {name: changes[name] for name in _MIRRORED if name in changed}
    if version.kind is Kind.APPLICATION and mirrored:
        for principal in _service_principals_of(state, version):
            update(state, principal, mirrored)


def delete(state: GraphState, version: ObjectVersion) -> None:
    """Move an object to the recycle bin; an application takes its service principals along."""
    state.directory.soft_delete(version)
    _announce(state, version, "deleted")
    if version.kind is Kind.APPLICATION:
        for principal in _service_principals_of(state, version):
            delete(state, principal)


def restore(state: GraphState, version: ObjectVersion) -> ObjectVersion:
    """Bring an object back from the recycle bin."""
    restored = state.directory.restore(version)
    _announce(state, restored, "restored")
    return restored


def purge(state: GraphState, version: ObjectVersion) -> None:
    """Delete an object for good: the only act that notifies with change type `deleted`."""
    state.directory.purge(version)
    _announce(state, version, "permanently-deleted", change_type="deleted")


def add_member(state: GraphState, group: ObjectVersion, member: ObjectVersion) -> None:
    """Make an object a direct member of a group."""
    if state.directory.has_member(group.id, member.id):
        message = "One or more added object references already exist for the following modified properties: 'members'."
        raise bad_request(message)
    if group.id == member.id:
        raise bad_request("A group cannot be a member of itself.")
    state.directory.add_member(group.id, member.id)
    _announce_member(state, group, member, "member-added", {"id": member.id})


def remove_member(state: GraphState, group: ObjectVersion, member: ObjectVersion) -> None:
    """End a direct membership."""
    state.directory.remove_member(group.id, member.id)
    _announce_member(state, group, member, "member-removed", {"id": member.id, "@removed": "deleted"})


def _announce(
    state: GraphState, version: ObjectVersion, verb: str, *, change_type: str = "updated", detail: str | None = None
) -> None:
    is_group = version.kind is Kind.GROUP
    cause = state.events.add(
        f"{_kebab(version.kind)}-{verb}",
        principal_id=None if is_group else version.id,
        group_id=version.id if is_group else None,
        detail=detail or version.values.get("displayName"),
        objectType=version.type_name,
    )
    notify(state, version, change_type, cause=cause)


def _announce_member(
    state: GraphState, group: ObjectVersion, member: ObjectVersion, kind: str, item: dict[str, Any]
) -> None:
    cause = state.events.add(
        kind,
        principal_id=member.id,
        group_id=group.id,
        detail=f"{member.values.get('displayName')} · {group.values.get('displayName')}",
        objectType=member.type_name,
    )
    notify(state, group, "updated", cause=cause, member=item)


def _service_principals_of(state: GraphState, application: ObjectVersion) -> list[ObjectVersion]:
    app_id = application.values["appId"]
    ids = state.directory.ids_with(Kind.SERVICE_PRINCIPAL, "appId", app_id)
    return [found for found in state.present().live(Kind.SERVICE_PRINCIPAL, ids) if found.values["appId"] == app_id]


def _verb(changed: frozenset[str], changes: dict[str, Any]) -> str:
    for name in ("accountEnabled", "isDisabled"):
        if name in changed:
            return _SWITCHED.get((name, changes[name]), "updated")
    if "disabledByMicrosoftStatus" in changed:
        return "disabled-by-microsoft" if changes["disabledByMicrosoftStatus"] else "updated"
    return "updated"


def _kebab(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "-", name).lower()

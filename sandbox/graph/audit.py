"""What Graph writes down: who changed memberships and credentials, and which service principals got tokens."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.graph.directory import ObjectVersion

Json = dict[str, Any]
SECRETS_MANAGED = "Update application \N{EN DASH} Certificates and secrets management "
SECRETS_OF_PRINCIPAL = "Add service principal credentials"
_TYPES = {"user": "User", "group": "Group", "application": "Application", "servicePrincipal": "ServicePrincipal"}


@dataclass(slots=True)
class AuditBook:
    """Rows as Graph shows them; `changes` is the directory audit, `sign_ins` the log of service principals."""

    clock: Callable[[], float]
    changes: list[Json] = field(default_factory=list)
    sign_ins: list[Json] = field(default_factory=list)

    def note_member(self, actor: Json, group: ObjectVersion, member: ObjectVersion, *, removed: bool = False) -> None:
        """Somebody became a member of a group, or is none any more: one row with two targets, the member first."""
        values = {"Group.ObjectID": group.id, "Group.DisplayName": group.values.get("displayName")}
        modified = [_modified(name, None, value, removed=removed) for name, value in values.items()]
        activity = "Remove member from group" if removed else "Add member to group"
        targets = [_target(member, *modified), _target(group)]
        self._note(activity, "GroupManagement", actor, targets, "Unassign" if removed else "Assign")

    def note_credentials(self, actor: Json, of: ObjectVersion, before: list[Json], after: list[Json]) -> None:
        """An object's credentials changed; the same change is written down twice, under one correlation id."""
        is_application = of.kind.value == "application"
        described = _modified_text("KeyDescription", _described(before), _described(after))
        names = (
            (SECRETS_MANAGED, "Update application")
            if is_application
            else (SECRETS_OF_PRINCIPAL, "Update service principal")
        )
        correlation_id = str(uuid.uuid4())
        for name in names:
            self._note(name, "ApplicationManagement", actor, [_target(of, described)], "Update", correlation_id)

    def note_token(
        self, principal: ObjectVersion, resource_id: str, at: float, ip_address: str, error_code: int
    ) -> None:
        """A service principal, agent or managed identity asked for a token."""
        is_agent = principal.type_name == "agentIdentity"
        is_managed = principal.values.get("servicePrincipalType") == "ManagedIdentity"
        agent = {"agentType": "agentIdentity" if is_agent else "notAgentic", "parentAppId": None}
        self.sign_ins.append(
            {
                "id": str(uuid.uuid4()),
                "createdDateTime": _shown(at),
                "appId": principal.values.get("appId"),
                "appDisplayName": principal.values.get("displayName"),
                "servicePrincipalId": principal.id,
                "servicePrincipalName": principal.values.get("displayName"),
                "servicePrincipalCredentialKeyId": None,
                "resourceId": resource_id,
                "resourceDisplayName": None,
                "signInEventTypes": ["managedIdentity" if is_managed else "servicePrincipal"],
                "ipAddress": ip_address,
                "isInteractive": False,
                "status": {"errorCode": error_code, "failureReason": "Other.", "additionalDetails": None},
                "agent": agent,
            }
        )

    def forget(self) -> None:
        """Begin again."""
        self.changes.clear()
        self.sign_ins.clear()

    def _note(  # noqa: PLR0913, PLR0917 - the parts of a row
        self, activity: str, category: str, actor: Json, targets: list[Json], operation: str, correlation_id: str = ""
    ) -> None:
        self.changes.append(
            {
                "id": f"Directory_{uuid.uuid4()}",
                "activityDateTime": _shown(self.clock()),
                "activityDisplayName": activity,
                "additionalDetails": [],
                "category": category,
                "correlationId": correlation_id or str(uuid.uuid4()),
                "initiatedBy": actor,
                "loggedByService": "Core Directory",
                "operationType": operation,
                "result": "success",
                "resultReason": "",
                "targetResources": targets,
            }
        )


def application(object_id: str) -> Json:
    """An initiator that is an application: Graph names its service principal, and often nothing else."""
    name = {"displayName": None, "servicePrincipalName": None}
    return {"user": None, "app": {"appId": None, "servicePrincipalId": object_id, **name}}


def _target(of: ObjectVersion, *modified: Json) -> Json:
    name = of.values.get("displayName")
    principal_name = of.values.get("userPrincipalName")
    common = {"id": of.id, "displayName": name, "type": _TYPES[of.kind.value], "userPrincipalName": principal_name}
    return {**common, "groupType": None, "modifiedProperties": list(modified)}


def _modified(name: str, old: str | None, new: str | None, *, removed: bool) -> Json:
    old, new = (new, old) if removed else (old, new)
    return _modified_text(name, old, new)


def _modified_text(name: str, old: object, new: object) -> Json:
    """A value of the audit is JSON inside of JSON."""
    texts = {key: None if value is None else json.dumps(value) for key, value in (("oldValue", old), ("newValue", new))}
    return {"displayName": name, **texts}


def _described(credentials: list[Json]) -> list[str]:
    return [
        f"[KeyIdentifier={one['keyId']},KeyType={one.get('type', 'Password')},KeyUsage={one.get('usage', 'Verify')},"
        f"DisplayName={one.get('displayName') or ''}]"
        for one in credentials
    ]


def _shown(at: float) -> str:
    """Whole seconds: moments of one spelling compare as text does."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

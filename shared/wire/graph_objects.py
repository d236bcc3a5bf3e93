"""Directory objects and delta pages of Microsoft Graph v1.0, in our words."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.domain.principals import AccountState, Hint, Principal, PrincipalChange, PrincipalKind, Source
from shared.domain.sweep import DeltaPage, DirectoryChange
from shared.errors import RetryLaterError
from shared.wire.graph_notifications import member_hint

USER_FIELDS = "id,accountEnabled,displayName,mail,userPrincipalName,proxyAddresses"
TRACKED = {
    "users": USER_FIELDS,
    "groups": "id,displayName,members",
    "servicePrincipals": "id,appId,accountEnabled,displayName,isDisabled,disabledByMicrosoftStatus",
    "applications": "id,appId,isDisabled,disabledByMicrosoftStatus",
}
_KINDS = {
    "#microsoft.graph.user": PrincipalKind.USER,
    "#microsoft.graph.agentuser": PrincipalKind.USER,
    "#microsoft.graph.group": PrincipalKind.GROUP,
    "#microsoft.graph.serviceprincipal": PrincipalKind.SERVICE_PRINCIPAL,
    "#microsoft.graph.agentidentity": PrincipalKind.SERVICE_PRINCIPAL,
    "#microsoft.graph.agentidentityblueprintprincipal": PrincipalKind.SERVICE_PRINCIPAL,
    "#microsoft.graph.application": PrincipalKind.APP_REGISTRATION,
    "#microsoft.graph.agentidentityblueprint": PrincipalKind.APP_REGISTRATION,
}
_SWEPT_KINDS = {
    "users": PrincipalKind.USER,
    "groups": PrincipalKind.GROUP,
    "servicePrincipals": PrincipalKind.SERVICE_PRINCIPAL,
    "applications": PrincipalKind.APP_REGISTRATION,
}
_HINTS = {
    AccountState.DELETED: Hint.DELETED,
    AccountState.DISABLED: Hint.DISABLED,
    AccountState.ENABLED: Hint.ENABLED,
    AccountState.UNKNOWN: Hint.CHANGED,
}


class DirectoryObject(BaseModel):
    """A user, group, service principal, agent identity or application as Graph sends it."""

    model_config = ConfigDict(extra="ignore")

    id: str
    type: str = Field(default="", alias="@odata.type")
    account_enabled: bool | None = Field(default=None, alias="accountEnabled")
    is_disabled: bool | None = Field(default=None, alias="isDisabled")
    disabled_by_microsoft: str | None = Field(default=None, alias="disabledByMicrosoftStatus")
    display_name: str | None = Field(default=None, alias="displayName")
    mail: str | None = None
    user_principal_name: str | None = Field(default=None, alias="userPrincipalName")
    proxy_addresses: list[str] | None = Field(default=None, alias="proxyAddresses")
    app_id: str | None = Field(default=None, alias="appId")
    blueprint_id: str | None = Field(default=None, alias="agentIdentityBlueprintId")
    removed: Any = Field(default=None, alias="@removed")
    members: list[dict[str, Any]] | None = Field(default=None, alias="members@delta")

    @property
    def state(self) -> AccountState:
        """Shut by any of the four switches that Entra has: the account, the application, Microsoft, deletion.

        A row that mentions none of them says nothing: delta rows promise only what changed.
        """
        if self.removed is not None:
            return AccountState.DELETED
        microsoft = (self.disabled_by_microsoft or "NotDisabled") != "NotDisabled"
        if self.account_enabled is False or self.is_disabled or microsoft:
            return AccountState.DISABLED
        is_silent = self.account_enabled is None and self.is_disabled is None and self.disabled_by_microsoft is None
        return AccountState.UNKNOWN if is_silent else AccountState.ENABLED

    @property
    def kind(self) -> PrincipalKind:
        """Entra's kind, when the object says it."""
        return _KINDS.get(self.type.lower(), PrincipalKind.UNKNOWN)

    @property
    def addresses(self) -> frozenset[str]:
        """Every address by which the gateway may know a user, case-folded."""
        proxies = (a.partition(":")[2] for a in self.proxy_addresses or () if a.lower().startswith("smtp:"))
        return frozenset(a.casefold() for a in (self.mail, self.user_principal_name, *proxies) if a)

    def principal(self, kind: PrincipalKind, state: AccountState | None = None) -> Principal:
        """The principal, as of this read."""
        return Principal(
            self.id.lower(),
            kind,
            state or self.state,
            self.display_name or "",
            self.addresses if kind is PrincipalKind.USER else frozenset(),
            self.app_id,
            self.blueprint_id,
        )


def parse_object(document: Mapping[str, Any]) -> DirectoryObject:
    """One directory object; nonsense from Graph is a reason to ask again."""
    try:
        return DirectoryObject.model_validate(document)
    except ValidationError as error:
        raise RetryLaterError("graph-answered-nonsense", f"{error.error_count()} fields are wrong") from error


def parse_delta_page(document: Mapping[str, Any], resource: str, now: datetime, correlation_id: str) -> DeltaPage:
    """One page of a delta query; a page without a link, or without a list of changes, is nonsense."""
    next_link, rows = document.get("@odata.nextLink"), document.get("value", [])
    link = next_link or document.get("@odata.deltaLink")
    if not isinstance(link, str) or not isinstance(rows, list):
        raise RetryLaterError(
            "graph-answered-nonsense", f"a delta page of {resource} has no link or no list of changes"
        )
    changes = [
        DirectoryChange(
            PrincipalChange(principal_id, Source.SWEEP, now, correlation_id, kind, hint, group_id=group_id), app_id
        )
        for raw in rows
        for principal_id, kind, hint, group_id, app_id in _delta_entries(parse_object(raw), resource)
    ]
    return DeltaPage(changes, link, is_last=not next_link)


_Entry = tuple[str, PrincipalKind, Hint, str | None, str | None]


def _delta_entries(entry: DirectoryObject, resource: str) -> Iterator[_Entry]:
    if resource == "groups":
        yield from _group_entries(entry)
        return
    yield entry.id.lower(), _SWEPT_KINDS[resource], _HINTS[entry.state], None, entry.app_id


def _group_entries(entry: DirectoryObject) -> Iterator[_Entry]:
    group_id = entry.id.lower()
    if entry.removed is not None:
        yield group_id, PrincipalKind.GROUP, Hint.DELETED, None, None
    for raw in entry.members or ():
        member = parse_object(raw)
        yield member.id.lower(), member.kind, member_hint(removed=member.removed is not None), group_id, None

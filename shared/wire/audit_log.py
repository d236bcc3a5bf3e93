"""Rows of Entra's audit and sign-in logs as events; what is not understood is nonsense, and never left out quietly."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from shared.domain.posture.estate_facts import is_credential_change
from shared.domain.posture.gateway_view import AuditEvent, TokenUse
from shared.errors import RetryLaterError

_KEY_ID = re.compile(r"KeyIdentifier=([0-9a-fA-F-]{36})")
_GROUP_ID, _KEYS = "Group.ObjectID", "KeyDescription"
_FAILED = "failure"


def _without_none(value: object) -> object:
    return () if value is None else value


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class _Modified(_Part):
    display_name: str | None = None
    old_value: str | None = None
    new_value: str | None = None


class _Target(_Part):
    id: str | None = None
    type: str | None = None
    modified_properties: Annotated[tuple[_Modified, ...], BeforeValidator(_without_none)] = ()

    def change(self, name: str) -> _Modified | None:
        return next((one for one in self.modified_properties if one.display_name == name), None)


class _User(_Part):
    id: str | None = None
    user_principal_name: str | None = None


class _App(_Part):
    app_id: str | None = None
    display_name: str | None = None
    service_principal_id: str | None = None


class _Initiator(_Part):
    user: _User | None = None
    app: _App | None = None

    @property
    def name(self) -> str:
        """A person's principal name, an application's object id: whatever nobody else can choose for themselves."""
        user, app = self.user or _User(), self.app or _App()
        names = (user.user_principal_name, user.id, app.service_principal_id, app.app_id, app.display_name)
        return next((one.lower() for one in names if one), "not known")


class _AuditRow(_Part):
    activity_date_time: AwareDatetime
    activity_display_name: str
    correlation_id: str | None = None
    result: str | None = None
    initiated_by: _Initiator = _Initiator()
    target_resources: Annotated[tuple[_Target, ...], BeforeValidator(_without_none)] = ()

    def event(self, target_id: str | None, **details: str) -> AuditEvent:
        return AuditEvent(
            self.activity_date_time,
            self.activity_display_name,
            self.initiated_by.name,
            (target_id or "").lower(),
            (self.correlation_id or "").lower(),
            {name: value.lower() for name, value in details.items()},
        )


class _Status(_Part):
    error_code: int = 0


class _SignInRow(_Part):
    created_date_time: AwareDatetime
    service_principal_id: str = Field(min_length=1)
    resource_id: str
    ip_address: str | None = None
    service_principal_credential_key_id: str | None = None
    status: _Status | None = None


_Row = TypeVar("_Row", bound=BaseModel)


def parse_credential_changes(document: Any) -> Iterator[AuditEvent]:  # noqa: ANN401 - JSON from outside
    """Each credential that a row of the directory audit says was added, or what it changed without saying which.

    A change that only took credentials away is none, and neither is one that failed.
    """
    row = _parse(_AuditRow, document)
    if row.result == _FAILED or not is_credential_change(row.event(None)):
        return
    for target in row.target_resources[:1] or (_Target(),):
        keys = target.change(_KEYS)
        if keys is None:
            yield row.event(target.id)
            continue
        before, after = (_KEY_ID.findall(text or "") for text in (keys.old_value, keys.new_value))
        for key_id in dict.fromkeys(one for one in after if one not in before):
            yield row.event(target.id, key_id=key_id)


def parse_membership(document: Any) -> AuditEvent | None:  # noqa: ANN401 - JSON from outside
    """The addition that a row tells of, with `group_id` where it names the group; `None` for one that failed.

    `member_kind` is `group` where a whole group was added.
    """
    row = _parse(_AuditRow, document)
    member = next(iter(row.target_resources), None)
    if row.result == _FAILED or member is None:
        return None
    named = member.change(_GROUP_ID)
    others = (one.id for one in row.target_resources[1:] if one.type == "Group")
    group_id = _plain(named.new_value) if named is not None else next(others, None)
    details = {"group_id": group_id} if group_id else {}
    return row.event(member.id, **details, **({"member_kind": "group"} if member.type == "Group" else {}))


def parse_token(document: Any) -> TokenUse | None:  # noqa: ANN401 - JSON from outside
    """The token that a sign-in led to; `None` where it was refused."""
    row = _parse(_SignInRow, document)
    if row.status is not None and row.status.error_code != 0:
        return None
    key_id = row.service_principal_credential_key_id or ""
    principal_id, resource_id = row.service_principal_id.lower(), row.resource_id.lower()
    return TokenUse(principal_id, resource_id, row.created_date_time, key_id.lower(), row.ip_address or "")


def parse_attributes(document: Any) -> frozenset[str]:  # noqa: ANN401 - JSON from outside
    """The custom security attributes that have a value, as `Set/Attribute`; an emptied set has none."""
    sets = document.get("customSecurityAttributes") if isinstance(document, dict) else None
    if sets is not None and not isinstance(sets, dict):
        raise _nonsense("custom security attributes")
    return frozenset(
        f"{name}/{attribute}"
        for name, values in (sets or {}).items()
        if isinstance(values, dict)
        for attribute, value in values.items()
        if "@" not in attribute and value not in (None, "", [])
    )


def moment_of(document: Any, name: str) -> str:  # noqa: ANN401 - JSON from outside
    """When a row of a log is from, as Graph spells it."""
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, str):
        raise _nonsense(f"a row without {name}")
    return value


def is_older(moment: str, than: str) -> bool:
    """Whether one moment lies before another; Graph spells them with as many decimals as it likes."""
    try:
        return datetime.fromisoformat(moment) < datetime.fromisoformat(than)
    except (ValueError, TypeError) as error:
        raise _nonsense("a row of a moment that is none") from error


def filter_moment(moment: datetime) -> str:
    """A moment as Graph's filters want it."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _parse(kind: type[_Row], document: object) -> _Row:
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise _nonsense(f"{kind.__name__.strip('_')}: {error.error_count()} fields are wrong") from error


def _nonsense(what: str) -> RetryLaterError:
    return RetryLaterError("graph-answered-nonsense", what)


def _plain(text: str | None) -> str | None:
    """A value of the audit, which is JSON inside of JSON."""
    try:
        value = json.loads(text or "null")
    except ValueError:
        return text
    return value if isinstance(value, str) and value else None

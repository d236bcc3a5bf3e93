"""Groups as Microsoft Graph counts them, in our words."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.domain.posture.gateway_view import GroupFacts
from shared.errors import RetryLaterError


class _Group(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str | None = Field(default=None, alias="displayName")
    created_at: AwareDatetime | None = Field(default=None, alias="createdDateTime")


class _Rows(BaseModel):
    model_config = ConfigDict(extra="ignore")

    value: list[Any]
    count: int | None = Field(default=None, alias="@odata.count")
    next_link: str | None = Field(default=None, alias="@odata.nextLink")


def group_paths(group_id: str) -> dict[str, str]:
    """What to ask about a group. Numbers are asked for with rows: alone they are no JSON, which a batch wraps."""
    return {
        "group": f"/groups/{group_id}?$select=id,displayName,createdDateTime",
        "members": f"/groups/{group_id}/members?$select=id&$top=1&$count=true",
        "owners": f"/groups/{group_id}/owners?$select=id&$top=100",
    }


def parse_group_facts(group: object, members: object, owners: object) -> GroupFacts:
    """The facts; a list that was refused (`None`) leaves its count open, and nonsense is a reason to ask again."""
    try:
        found = _Group.model_validate(group or {})
        return GroupFacts(found.name or "", _count(members), _count(owners), found.created_at)
    except ValidationError as error:
        raise RetryLaterError("graph-answered-nonsense", f"{error.error_count()} fields are wrong") from error


def _count(document: object) -> int | None:
    if document is None:
        return None
    rows = _Rows.model_validate(document)
    return len(rows.value) if rows.count is None and rows.next_link is None else rows.count

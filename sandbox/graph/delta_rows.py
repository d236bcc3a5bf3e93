"""The rows of a delta answer: objects as they are, `members@delta`, and what was removed."""

from typing import Any

from sandbox.graph.directory import DELETED, LIVE, ObjectVersion
from sandbox.graph.odata import render
from sandbox.graph.schema import ALL_PROPERTIES, UNASKED, Kind
from sandbox.graph.view import View

MEMBERS, MEMBERS_DELTA = "members", "members@delta"


def snapshot_rows(
    view: View, kind: Kind, names: tuple[str, ...], ids: tuple[str, ...], member_limit: int
) -> list[dict[str, Any]]:
    """Every live object, groups with all their members."""
    rows: list[dict[str, Any]] = []
    for version in view.live(kind, ids or None):
        members = _all_members(view, version) if MEMBERS in names else []
        rows += _split(_object_row(version, names), members, member_limit)
    return rows


def changed_rows(  # noqa: PLR0913 - the reader's question has this many parts
    view: View,
    kind: Kind,
    names: tuple[str, ...],
    ids: tuple[str, ...],
    member_limit: int,
    *,
    since: int,
    minimal: bool,
) -> list[dict[str, Any]]:
    """Each object that a tracked change touched, once, as it is at the end; removed ones say how."""
    tracked = frozenset(names or (*UNASKED[kind], "accountEnabled"))
    touched: dict[str, _Touched] = {}
    for change in view.directory.log.between(since, view.position, kind):
        if change.touches(tracked) and (not ids or change.object_id in ids):
            touched.setdefault(change.object_id, _Touched()).note(change.properties, change.members, change.lifecycle)
    rows: list[dict[str, Any]] = []
    for object_id, what in touched.items():
        version = view.version(object_id)
        if version is None:
            continue
        if version.state != LIVE:
            rows.append({"id": object_id, "@removed": {"reason": "changed" if version.state == DELETED else "deleted"}})
            continue
        members = what.member_items(view, version) if MEMBERS in names else []
        shown = tuple(name for name in names or ALL_PROPERTIES[version.type_name] if name in what.properties)
        row = _object_row(version, shown or ("id",)) if minimal and not what.whole else _object_row(version, names)
        rows += _split(row, members, member_limit)
    return rows


class _Touched:
    def __init__(self) -> None:
        self.properties: set[str] = set()
        self.members: dict[str, None] = {}
        self.whole = False

    def note(self, properties: frozenset[str], members: tuple[str, ...], lifecycle: bool) -> None:  # noqa: FBT001 - as logged
        self.properties |= properties
        self.members |= dict.fromkeys(members)
        self.whole = self.whole or lifecycle

    def member_items(self, view: View, group: ObjectVersion) -> list[dict[str, Any]]:
        items = [_member_item(view, group.id, member_id) for member_id in self.members]
        if self.whole:
            items += [one for one in _all_members(view, group) if one["id"] not in self.members]
        return items


def _object_row(version: ObjectVersion, names: tuple[str, ...]) -> dict[str, Any]:
    shown = tuple(name for name in names if name != MEMBERS)
    row = render(version, shown or ("id",) if names else ())
    return row if "id" in row else row | {"id": version.id}


def _all_members(view: View, group: ObjectVersion) -> list[dict[str, Any]]:
    return [_member_item(view, group.id, member.id) for member in view.members(group.id)]


def _member_item(view: View, group_id: str, member_id: str) -> dict[str, Any]:
    version = view.version(member_id)
    item: dict[str, Any] = {"@odata.type": f"#microsoft.graph.{version.kind if version else 'user'}", "id": member_id}
    return item if view.is_member(group_id, member_id) else item | {"@removed": {"reason": "deleted"}}


def _split(row: dict[str, Any], members: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    if not members:
        return [row]
    return [row | {MEMBERS_DELTA: members[start : start + limit]} for start in range(0, len(members), limit)]

"""Task groups: those that open nothing, those that are empty or nobody's, and those that open more than was said."""

from collections.abc import Iterator

from shared.domain.posture.check import Case, Check, unknown
from shared.domain.posture.checks.remedies import READ_MEMBERS, READ_SESSIONS
from shared.domain.posture.checks.saying import day, fails, listed
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity
from shared.domain.posture.gateway_view import Estate, TaskGroup
from shared.domain.posture.inventory import Unknown

DELETE_GROUP = (
    "DELETE /groups/{object_id}; POST /directory/deletedItems/{object_id}/restore within 30 days. "
    "Note its members first"
)


def _groups(estate: Estate) -> list[TaskGroup]:
    return sorted(estate.groups, key=lambda one: one.group_id.lower())


def _about(group: TaskGroup, connection: str = "") -> About:
    return About(ObjectKind.GROUP, group.group_id.lower(), group.name, connection)


def _opens_nothing(case: Case[Estate]) -> Iterator[Finding]:
    for group in _groups(case.subject):
        is_new = group.created_at is not None and case.days_since(group.created_at) <= case.limits.being_built
        if not group.connections and not is_new:
            facts = [("created", day(group.created_at))]
            facts += [("the map says", listed(group.promised))] if group.promised else []
            yield fails("G5", _about(group), Severity.LOW, "It opens no connection at the gateway.", *facts)
    for connection in sorted(case.subject.connections_without_group):
        about = About(ObjectKind.CONNECTION, connection, connection)
        says = "No group opens it: nobody can be let in or shut out by Entra."
        fix = "PUT /api/plugins/access_control at the gateway with a group for it, or delete the connection"
        yield fails("G5", about, Severity.LOW, says, fix=fix)


def _empty_or_nobodys(case: Case[Estate]) -> Iterator[Finding]:
    for group in _groups(case.subject):
        counts = (("members", group.member_count), ("owners", group.owner_count))
        none = [label for label, count in counts if count == 0]
        if none:
            says = f"It has no {' and no '.join(none)}."
            facts = [(label, str(count) if count is not None else "not known") for label, count in counts]
            fix = "" if "members" in none else "POST /groups/{object_id}/owners/$ref with somebody who answers for it"
            yield fails("G6", _about(group), Severity.LOW, says, *facts, fix=fix)
        elif None in (group.member_count, group.owner_count):
            yield unknown("G6", _about(group), Unknown("members-not-counted"))


def _wider_than_promised(case: Case[Estate]) -> Iterator[Finding]:
    for group in _groups(case.subject):
        if not group.promised:
            continue
        for connection in sorted(group.connections - group.promised):
            severity = Severity.CRITICAL if connection in case.subject.sensitive else Severity.HIGH
            facts = [("the map says", listed(group.promised)), ("opens besides", connection)]
            facts += [("meant for", group.scope)] if group.scope else []
            says = "It opens more than the identity map says."
            yield fails("G14", _about(group, connection), severity, says, *facts)


CHECKS: tuple[Check[Estate], ...] = (
    Check(
        "G5",
        "Group without connection, or connection without group",
        Severity.LOW,
        "A group is named or mapped as a task group and opens nothing, or no group opens a connection.",
        "The identity map; the gateway's access control and attributes",
        f"{READ_MEMBERS}, {READ_SESSIONS}",
        "What is being built: young groups are left out",
        DELETE_GROUP,
        _opens_nothing,
        ("being_built",),
    ),
    Check(
        "G6",
        "Group without members or owner",
        Severity.LOW,
        "A task group has nobody in it, or nobody who answers for it.",
        "GET /groups/{object_id}/members/$count, /owners/$count with ConsistencyLevel: eventual",
        READ_MEMBERS,
        "None",
        DELETE_GROUP,
        _empty_or_nobodys,
    ),
    Check(
        "G14",
        "Opens more than the identity map says",
        Severity.CRITICAL,
        "At the gateway a group opens connections that the map does not name for it; critical where one is sensitive.",
        "The identity map; GET /api/plugins/access_control, /api/attributes at the gateway",
        READ_SESSIONS,
        "A group for which the map names no connection was promised nothing, and cannot be wider",
        "PUT /api/plugins/access_control at the gateway without the group for this connection; the old body takes it "
        "back. Or correct the identity map",
        _wider_than_promised,
        baselines=("OWASP NHI5",),
    ),
)

"""Gateway: doors still open to whom Entra shut out, doors opened without an approval, and ways round them."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from shared.domain.posture.check import Case, Check, unknown
from shared.domain.posture.checks import access, agents, task_groups
from shared.domain.posture.checks.remedies import (
    AT_GATEWAY,
    READ_MEMBERS,
    READ_SESSIONS,
    TAKE_OUT,
    group_names,
    take_out,
)
from shared.domain.posture.checks.saying import READ_AUDIT_LOG, day, fails, listed
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity
from shared.domain.posture.gateway_view import AuditEvent, Estate, TokenUse, membership
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.party import Party, parties
from shared.domain.posture.sessions import Timeline
from shared.domain.principals import AccountState

ADDED = "add member to group"
GATEWAY = About(ObjectKind.TENANT, "gateway", "Gateway")


def _shut_out(case: Case[Estate]) -> Iterator[Finding]:
    for party in parties(case.subject):
        if party.principal is None:
            continue
        held, state = party.task_groups, party.principal.state
        is_member = isinstance(held, Known) and bool(held.value)
        if not state.is_shut:
            if state is AccountState.UNKNOWN and (party.is_open or is_member or isinstance(held, Unknown)):
                yield unknown("G7", party.about, Unknown("state-not-read"))
        elif party.is_open or is_member:
            yield _still_there(case, party, held)
        elif isinstance(held, Unknown):
            yield unknown("G7", party.about, held)


def _still_there(case: Case[Estate], party: Party, held: Known[frozenset[str]] | Unknown) -> Finding:
    names, open_ones = group_names(case.subject), [one.identity for one in party.holders if one.identity.is_open]
    of_groups = (
        "not known" if isinstance(held, Unknown) else listed(names.get(one, one) for one in held.value) or "none"
    )
    facts = (
        ("state", party.principal.state if party.principal is not None else ""),
        ("open at the gateway", listed(str(one.ref) for one in open_ones) or "no"),
        ("task groups", of_groups),
    )
    fixes = [take_out(held.value)] if isinstance(held, Known) and held.value else []
    fixes += ["Tether closes it at the gateway with its next look"] if open_ones else []
    says = "Entra shut it out, and it still has its place at the gateway."
    return fails("G7", party.about, Severity.HIGH, says, *facts, fix=". ".join(fixes))


def _unapproved(case: Case[Estate]) -> Iterator[Finding]:
    estate, names = case.subject, group_names(case.subject)
    if isinstance(estate.audits, Unknown):
        yield unknown("G8", GATEWAY, estate.audits)
        return
    newest: dict[tuple[str, str], AuditEvent] = {}
    unnamed = False
    for event in sorted(estate.audits.value, key=lambda one: (one.at, one.correlation_id, one.actor)):
        group_id, member = event.details.get("group_id", "").lower(), event.target_id.lower()
        expected = {event.correlation_id, membership(group_id, member)} & estate.expected_changes
        if _is_addition(event) and not expected and event.actor not in estate.trusted_actors:
            unnamed = unnamed or not group_id
            newest |= {(group_id, member): event} if group_id in names else {}
    if unnamed:
        yield unknown("G8", GATEWAY, Unknown("group-not-named"))
    for (group_id, member), event in sorted(newest.items()):
        about = About(ObjectKind.GROUP, group_id, names[group_id], member)
        facts = (("member", member), ("by", event.actor), ("on", day(event.at)))
        says = "Somebody was added without an approval that Tether knows of."
        yield fails("G8", about, Severity.CRITICAL, says, *facts)


def _is_addition(event: AuditEvent) -> bool:
    return " ".join(event.activity.split()).casefold() == ADDED


def _bypassed(case: Case[Estate]) -> Iterator[Finding]:
    estate, tokens = case.subject, case.subject.tokens
    if isinstance(tokens, Unknown):
        yield unknown("G11", GATEWAY, tokens)
        return
    doors = {resource.lower(): connection for resource, connection in estate.protected.items()}
    probes = {one.lower() for one in estate.probes}
    asked: dict[tuple[str, str], list[TokenUse]] = {}
    for token in tokens.value:
        connection, principal_id = doors.get(token.resource_id.lower()), token.principal_id.lower()
        if connection is not None and principal_id not in probes:
            asked.setdefault((principal_id, connection), []).append(token)
    known = {party.about.object_id: party for party in parties(estate)}
    for (principal_id, connection), some in sorted(asked.items(), key=lambda one: one[0]):
        party = known.get(principal_id)
        uses = party.uses if party is not None else Known(())
        stranger = About(ObjectKind.SERVICE_PRINCIPAL, principal_id, principal_id, connection)
        about = access.about_access(party, connection) if party is not None else stranger
        if isinstance(uses, Unknown):
            yield unknown("G11", about, uses)
        else:
            live = party.live(connection) if party is not None else ()
            sessions = Timeline.of((one for one in uses.value if one.connection == connection), live)
            yield from _without_session(case, about, sessions, some)


def _without_session(
    case: Case[Estate], about: About, sessions: Timeline, tokens: Sequence[TokenUse]
) -> Iterator[Finding]:
    window, since = timedelta(minutes=case.limits.bypass_minutes), case.subject.sessions_since
    # A session may still be opened for the newest tokens.
    alone = [one for one in tokens if one.at <= case.at - window and not sessions.touches(one.at, window)]
    if since is None:
        if alone:
            yield unknown("G11", about, access.NO_LOG)
        return
    bypasses = sorted((one for one in alone if one.at - window >= since), key=lambda one: (one.at, one.source))
    if bypasses:
        last = bypasses[-1]
        facts = (("tokens", str(len(bypasses))), ("last", last.at.isoformat(timespec="seconds")), ("from", last.source))
        says = "It got a token for what the gateway protects, and opened no session."
        yield fails("G11", about, Severity.CRITICAL, says, *facts)
    elif alone:
        yield unknown("G11", about, access.YOUNG_LOG)


CHECKS: tuple[Check[Estate], ...] = (
    *agents.CHECKS,
    *access.CHECKS,
    *task_groups.CHECKS,
    Check(
        "G7",
        "Shut out by Entra, and still at the gateway",
        Severity.HIGH,
        "A principal is disabled or deleted, and is in a task group or open at the gateway.",
        "accountEnabled, isDisabled, disabledByMicrosoftStatus; the task groups; the gateway's identities",
        f"Application.Read.All, User.Read.All, {READ_MEMBERS}, {READ_SESSIONS}",
        "None: a membership that stays gives everything back with the account",
        f"{TAKE_OUT}; {AT_GATEWAY}",
        _shut_out,
        baselines=("OWASP NHI1", "ZTA 61014"),
    ),
    Check(
        "G8",
        "Added to a task group without an approval",
        Severity.CRITICAL,
        "The directory audit shows a membership that no approval led to.",
        "GET /auditLogs/directoryAudits?$filter=activityDisplayName eq 'Add member to group'",
        READ_AUDIT_LOG,
        "Imports at the beginning: expect their correlation ids, or trust their actor. Two rows are one addition",
        "DELETE /groups/{object_id}/members/{key_id}/$ref; treat it as an incident. "
        'POST /groups/{object_id}/members/$ref {"@odata.id": "https://graph.microsoft.com/v1.0/directoryObjects/'
        '{key_id}"} takes it back',
        _unapproved,
        baselines=("MITRE T1098.003",),
    ),
    Check(
        "G11",
        "Went round the gateway",
        Severity.CRITICAL,
        "A token for a protected resource, and no session of its connection within ten minutes or live at the time.",
        "GET /beta/auditLogs/signIns, resourceId, also of managed identities; the gateway's session log",
        f"{READ_AUDIT_LOG}, {READ_SESSIONS}",
        "Health probes, where the operator names them; tokens older than the log, and those of the last minutes",
        "Let a Conditional Access policy admit it from the gateway's addresses only: "
        "POST /identity/conditionalAccess/policies in report-only mode first; DELETE of the same policy takes it back",
        _bypassed,
        ("bypass_minutes",),
    ),
)

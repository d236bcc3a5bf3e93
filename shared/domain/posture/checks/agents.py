"""Agents: in more task groups than one, shared among workloads, made outside Agent ID, mixed with people, untagged."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import timedelta

from shared.domain.posture.check import Case, Check, unknown
from shared.domain.posture.checks.remedies import READ_MEMBERS, READ_SESSIONS, TAKE_OUT, group_names, take_out
from shared.domain.posture.checks.saying import day, fails, listed
from shared.domain.posture.finding import Finding, Severity
from shared.domain.posture.gateway_view import Estate, Overlap, TokenUse, Use
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.party import Party, parties
from shared.domain.posture.sessions import overlapping
from shared.domain.principals import PrincipalKind

READ_ATTRIBUTES = "CustomSecAttributeAssignment.Read.All, and the role Attribute Assignment Reader"


def _two_task_groups(case: Case[Estate]) -> Iterator[Finding]:
    estate, names = case.subject, group_names(case.subject)
    for party in parties(estate):
        held = party.task_groups
        if not party.is_machine or party.principal is None:
            continue
        if isinstance(held, Unknown):
            yield unknown("G1", party.about, held)
        elif len(held.value) > 1:
            overlaps = _overlaps(party, held.value, estate)
            if any(case.at < one.until for one in overlaps):
                continue
            ended = max((one.until for one in overlaps), default=None)
            facts = [("groups", listed(f"{names.get(one, '')} ({one})".lstrip() for one in held.value))]
            facts += [("approved until", day(ended))] if ended is not None else []
            says = "It is in more than one task group, and holds what was meant to be apart."
            yield fails("G1", party.about, Severity.HIGH, says, *facts, fix=take_out(held.value))


def _overlaps(party: Party, held: frozenset[str], estate: Estate) -> list[Overlap]:
    """Approvals for all of these groups at once, also those that have ended."""
    return [
        one
        for one in estate.overlaps
        if one.principal_id.lower() == party.about.object_id and held <= {group.lower() for group in one.group_ids}
    ]


def _shared(case: Case[Estate]) -> Iterator[Finding]:
    tokens = _tokens_by_principal(case.subject)
    for party in parties(case.subject):
        if not party.is_machine:
            continue
        if isinstance(party.uses, Unknown):
            yield unknown("G2", party.about, party.uses)
            continue
        recent = [one for one in party.uses.value if _days_quiet(case, one) <= case.limits.shared_identity]
        mine = tokens.get(party.about.object_id, []) if isinstance(tokens, dict) else []
        named = [(_workload(case, one, mine), one) for one in recent]
        pair = overlapping([one for one in named if one[0]], case.at)
        if pair is not None:
            yield _shared_by(party, *pair)
        # Sessions of unknown origin might be anybody's: each counts as a workload of its own.
        elif overlapping([(name or f"? {index}", one) for index, (name, one) in enumerate(named)], case.at):
            missing = tokens if isinstance(tokens, Unknown) else Unknown("session-source-not-recorded")
            yield unknown("G2", party.about, missing)


def _days_quiet(case: Case[Estate], use: Use) -> int:
    return case.days_since(use.ended_at or case.at)


def _shared_by(party: Party, first: tuple[str, Use], second: tuple[str, Use]) -> Finding:
    facts = [
        (label, f"{name}: {use.connection} at {use.opened_at.isoformat(timespec='seconds')}")
        for label, (name, use) in (("one", first), ("another", second))
    ]
    says = "Different workloads used it at the same time."
    return fails("G2", party.about, Severity.HIGH, says, ("workloads", listed((first[0], second[0]))), *facts)


def _tokens_by_principal(estate: Estate) -> dict[str, list[TokenUse]] | Unknown:
    if isinstance(estate.tokens, Unknown):
        return estate.tokens
    found: dict[str, list[TokenUse]] = {}
    for token in sorted(estate.tokens.value, key=lambda one: (one.at, one.source)):
        if token.source:
            found.setdefault(token.principal_id.lower(), []).append(token)
    return found


def _workload(case: Case[Estate], use: Use, tokens: list[TokenUse]) -> str:
    """Where it came from: as the gateway recorded, or else as Entra did for the token just before it."""
    source = use.source
    if not source:
        window = timedelta(minutes=case.limits.bypass_minutes)
        first = bisect_left(tokens, use.opened_at - window, key=lambda one: one.at)
        last = bisect_right(tokens, use.opened_at, key=lambda one: one.at)
        source = tokens[last - 1].source if last > first else ""
    return case.subject.workloads.get(source, source)


def _outside_agent_id(case: Case[Estate]) -> Iterator[Finding]:
    for party in parties(case.subject):
        one, held = party.principal, party.task_groups
        if one is None or one.kind is not PrincipalKind.SERVICE_PRINCIPAL or one.blueprint_id:
            continue
        if isinstance(held, Unknown):
            yield unknown("G9", party.about, held)
        elif held.value:
            says = "It works like an agent, and is an ordinary service principal without blueprint and sponsor."
            yield fails("G9", party.about, Severity.LOW, says, ("task groups", str(len(held.value))))


def _people_and_agents(case: Case[Estate]) -> Iterator[Finding]:
    everybody, names = parties(case.subject), group_names(case.subject)
    of_agents = {
        group_id
        for party in everybody
        if party.is_machine and isinstance(party.task_groups, Known)
        for group_id in party.task_groups.value
    }
    blind = next(
        (one.task_groups for one in everybody if one.is_machine and isinstance(one.task_groups, Unknown)), None
    )
    for party in everybody:
        if _is_break_glass(party, case.subject):
            continue
        if party.is_machine:
            yield from _by_hand(case, party)
        elif isinstance(party.task_groups, Unknown):
            yield unknown("G10", party.about, party.task_groups)
        elif shared := party.task_groups.value & of_agents:
            says = "A person is in a group that agents work with."
            facts = ("groups", listed(names.get(one, one) for one in shared))
            yield fails("G10", party.about, Severity.HIGH, says, facts, fix=take_out(shared))
        elif party.task_groups.value and blind is not None:
            yield unknown("G10", party.about, blind)


def _by_hand(case: Case[Estate], party: Party) -> Iterator[Finding]:
    if isinstance(party.uses, Unknown):
        yield unknown("G10", party.about, party.uses)
        return
    by_hand = [one for one in party.uses.value if one.interactive and _days_quiet(case, one) <= case.limits.stale]
    if by_hand:
        says = "A person worked under the identity of a machine."
        facts = (("sessions", str(len(by_hand))), ("last", day(by_hand[0].opened_at)))
        where = ("connections", listed(one.connection for one in by_hand))
        yield fails("G10", party.about, Severity.HIGH, says, *facts, where, fix="Give the person a grant of their own.")


def _is_break_glass(party: Party, estate: Estate) -> bool:
    """Whether it must always get in, by object id or, for people, by address."""
    emails = party.principal.emails if party.principal is not None else frozenset()
    named = {one.lower() for one in estate.break_glass}
    return party.about.object_id in named or not named.isdisjoint(emails)


def _untagged(case: Case[Estate]) -> Iterator[Finding]:
    attributes = case.subject.attributes
    known = attributes.value if isinstance(attributes, Known) else {}
    tags = {one.lower(): values for one, values in known.items()}
    for party in parties(case.subject):
        if party.principal is None or not party.principal.blueprint_id:
            continue
        if isinstance(attributes, Unknown):
            yield unknown("G13", party.about, attributes)
        elif not tags.get(party.about.object_id) and not tags.get(party.principal.blueprint_id.lower()):
            says = "Neither the agent nor its blueprint says what it is for."
            yield fails("G13", party.about, Severity.LOW, says, ("blueprint", party.principal.blueprint_id))


CHECKS: tuple[Check[Estate], ...] = (
    Check(
        "G1",
        "Agent in more than one task group",
        Severity.HIGH,
        "An agent or service principal is, by any path, in two groups that stand for something at the gateway.",
        "POST /servicePrincipals/{object_id}/checkMemberGroups with the task groups",
        READ_MEMBERS,
        "An overlap that was approved counts until its end. Membership through a nested group counts",
        TAKE_OUT,
        _two_task_groups,
        baselines=("OWASP NHI8", "OWASP NHI9"),
    ),
    Check(
        "G2",
        "One identity for several workloads",
        Severity.HIGH,
        "Sessions of one identity from two workloads were live at the same time.",
        "The gateway's session log; GET /beta/auditLogs/signIns, ipAddress",
        f"{READ_SESSIONS}, AuditLog.Read.All",
        "Scale-out and address pools are one workload where the operator says so; behind one translated address two "
        "workloads look like one. Sessions of unknown origin are unknown",
        "Create an agent identity for each workload, then take the shared one out of its task groups",
        _shared,
        ("shared_identity", "bypass_minutes"),
        ("OWASP NHI9",),
    ),
    Check(
        "G9",
        "Agent outside Agent ID",
        Severity.LOW,
        "A member of a task group is an ordinary service principal, without blueprint and sponsor.",
        "GET /servicePrincipals, agentIdentityBlueprintId; the task groups",
        f"Application.Read.All, {READ_MEMBERS}",
        "What is a pipeline and no agent: accept it",
        'POST /servicePrincipals/microsoft.graph.agentIdentity {"agentIdentityBlueprintId": "…", '
        '"sponsors@odata.bind": ["…"]}, add it to the task group, then take {object_id} out',
        _outside_agent_id,
    ),
    Check(
        "G10",
        "Person among agents, or at a machine's identity",
        Severity.HIGH,
        "A user is in a task group that agents are in, or an interactive client used a machine's identity.",
        "The task groups; the gateway's session log",
        f"{READ_MEMBERS}, {READ_SESSIONS}",
        "Identities for emergencies may be in any group",
        TAKE_OUT,
        _people_and_agents,
        ("stale",),
        ("OWASP NHI10",),
    ),
    Check(
        "G13",
        "Nobody wrote down what the agent is for",
        Severity.LOW,
        "customSecurityAttributes are empty on the agent and on its blueprint.",
        "GET /servicePrincipals?$select=id,customSecurityAttributes",
        READ_ATTRIBUTES,
        "An empty set is what stays after a removal: it is no tag",
        'PATCH /servicePrincipals/{object_id} {"customSecurityAttributes": {…}}; null for each takes it back',
        _untagged,
        baselines=("ZTA 61008",),
    ),
)

"""Questions: which identities somebody has to speak for, who that is, and which of their grants nobody uses."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.approval import Person
from shared.domain.gateway import IdentityKind
from shared.domain.posture.attestation import Attestation, Question, UnusedGrant
from shared.domain.posture.check import about_app
from shared.domain.posture.checks.traits import is_agent, is_blueprint, is_managed_identity, owner_count
from shared.domain.posture.exceptions import Exemption, Tier, by_finding, is_tier_0
from shared.domain.posture.finding import About, Finding, Severity, Verdict
from shared.domain.posture.gateway_view import Estate, Holder
from shared.domain.posture.inventory import App, Known, Owner, OwnerKind, Unknown
from shared.domain.posture.party import Party, parties
from shared.domain.posture.report import Report, Standing
from shared.domain.posture.rules import PostureRules
from shared.domain.principals import PrincipalKind
from shared.domain.reach import AccessPolicy

ASKED_ABOUT = frozenset({"A1", "A2", "A3", "A4", "A7", "G3", "G4", "G12"})
"""What says that nobody uses it, or that it woke up: only its people know why. Other findings have one answer, which
is to put them right, and no wish to keep the identity replaces that."""

MOST_EVIDENCE, MOST_GRANTS, MOST_CONNECTIONS = 40, 20, 40
_POLICY = AccessPolicy(enforced=True)


@dataclass(frozen=True, slots=True)
class Asking:
    """What questions depend on besides findings. What is excepted is not asked about.

    `everywhere` are the gateway groups that open everything, because they administer or audit: never called unused.
    """

    at: datetime
    rules: PostureRules
    exemptions: Sequence[Exemption] = ()
    everywhere: frozenset[str] = frozenset({_POLICY.admin_group, _POLICY.auditor_group})


def questions(
    findings: Iterable[Finding], apps: Iterable[App], estate: Estate | None, under: Asking
) -> tuple[Question, ...]:
    """Whom to ask about what, the worst first: one question for each identity.

    Applications are read once, and only those that something is asked about are kept; `estate` is `None` when it was
    not read.
    """
    failed = [one for one in findings if one.verdict is Verdict.FAIL]
    wanted = {_key(one.about) for one in failed if one.check_id in ASKED_ABOUT}
    subjects = _subjects(wanted, apps, estate, under)
    found: dict[_Subject, list[Finding]] = {}
    for finding in failed:
        subject = subjects.get(_key(finding.about))
        if subject is not None:
            found.setdefault(subject, []).append(finding)
    asked = (_question(subject, some, under) for subject, some in found.items())
    return tuple(sorted((one for one in asked if one is not None), key=_worst_first))


def outlived(open_ones: Iterable[Attestation], report: Report) -> tuple[Attestation, ...]:
    """Those whose findings are all gone, as far as somebody looked: nobody has to answer them any more."""
    unconfirmed = report.standing(Standing.UNCONFIRMED)
    failing = {entry.finding.finding_id for entry in (*report.entries, *unconfirmed)}
    return tuple(one for one in open_ones if failing.isdisjoint(each.finding_id for each in one.question.evidence))


@dataclass(frozen=True, slots=True)
class _Subject:
    """One identity under all its object ids."""

    about: About
    people: tuple[Person, ...] = ()
    owners: frozenset[str] | None = None
    owner_groups: frozenset[str] = frozenset()
    unused: tuple[UnusedGrant, ...] = ()


def _subjects(
    wanted: Collection[str], apps: Iterable[App], estate: Estate | None, under: Asking
) -> Mapping[str, _Subject]:
    """By object id: an application and its principal are one subject, and so is what that holds at the gateway."""
    present = {_key(one.about): one for one in parties(estate)} if estate is not None else {}
    found: dict[str, _Subject] = {}
    for app in apps:
        ids = {one.object_id.lower() for one in (app.application, app.principal) if one is not None}
        if ids.isdisjoint(wanted):
            continue
        unused = (grant for one in sorted(ids & present.keys()) for grant in _unused(present[one], estate, under))
        subject = _Subject(about_app(app), _asked(app), *owners_of(app), tuple(unused)[:MOST_GRANTS])
        found |= dict.fromkeys(ids, subject)
    for key, party in present.items():
        if key in wanted and key not in found:
            people, owners = _behind(party, estate)
            grants = tuple(_unused(party, estate, under))
            found[key] = _Subject(party.about, people, owners, unused=grants[:MOST_GRANTS])
    return found


def _question(subject: _Subject, findings: Sequence[Finding], under: Asking) -> Question | None:
    tier = Tier.TIER_0 if any(map(is_tier_0, findings)) else Tier.OTHER
    exemptions = by_finding(under.exemptions)
    evidence = sorted(
        (one for one in findings if one.check_id in ASKED_ABOUT and not _is_exempt(one, exemptions, under.at, tier)),
        key=lambda one: (-one.severity, one.check_id, one.about.key_id),
    )
    if not evidence or evidence[0].severity < Severity.MEDIUM:
        return None
    return Question(
        subject.about,
        tuple(evidence[:MOST_EVIDENCE]),
        subject.people,
        tier is Tier.TIER_0,
        subject.unused,
        subject.owners,
        subject.owner_groups,
        max(0, len(evidence) - MOST_EVIDENCE),
        under.at,
    )


def _is_exempt(finding: Finding, exemptions: Mapping[str, Exemption], at: datetime, tier: Tier) -> bool:
    exemption = exemptions.get(finding.finding_id)
    return exemption is not None and exemption.covers(finding, at, tier)


def _worst_first(question: Question) -> tuple[int, bool, int, str]:
    worst = question.evidence[0].severity
    return -worst, not question.is_tier_0, -len(question.evidence), question.about.object_id


def _asked(app: App) -> tuple[Person, ...]:
    """The people of this tenant who own or sponsor it and can still sign in; a group of them cannot be asked."""
    behind = _answering(app)
    if isinstance(behind, Unknown):
        return ()
    able = [one for one in behind.value if one.kind is OwnerKind.USER and one.enabled is not False and not one.is_guest]
    people = {one.object_id.lower(): one.name or one.object_id for one in able}
    return tuple(Person(each, people[each]) for each in sorted(people))


def owners_of(app: App) -> tuple[frozenset[str] | None, frozenset[str]]:
    """Everybody who answers for it by object id, and the groups among them; `None` while Entra did not say.

    Of an agent these are its sponsors, and its owners, who are not asked about it but decide over it all the same.
    """
    behind = [_answering(app), app.owners] if is_agent(app) or is_blueprint(app) else [_answering(app)]
    owners: set[str] = set()
    groups: set[str] = set()
    for some in behind:
        if isinstance(some, Unknown):
            return None, frozenset()
        owners |= {one.object_id.lower() for one in some.value}
        groups |= {one.object_id.lower() for one in some.value if one.kind is OwnerKind.GROUP}
    return frozenset(owners), frozenset(groups)


def _answering(app: App) -> Known[tuple[Owner, ...]] | Unknown:
    if is_agent(app) or is_blueprint(app):
        return app.sponsors
    return Known(()) if is_managed_identity(app) or owner_count(app) == Known(0) else app.owners


def _behind(party: Party, estate: Estate | None) -> tuple[tuple[Person, ...], frozenset[str] | None]:
    """Who answers for what no application stands for: a person for themselves, its maker for a key of nobody's."""
    principal = party.principal
    if principal is None:
        makers = _makers(party, estate)
        return makers, frozenset(one.principal_id for one in makers)
    if principal.kind is not PrincipalKind.USER:
        return (), None
    person = Person(principal.principal_id, principal.display_name or party.about.name)
    return (() if principal.state.is_shut else (person,)), frozenset({principal.principal_id})


def _makers(party: Party, estate: Estate | None) -> tuple[Person, ...]:
    addresses = {one.identity.created_by.casefold() for one in party.holders if one.identity.created_by}
    holders = estate.holders if estate is not None else ()
    makers = {
        one.principal.principal_id: Person(one.principal.principal_id, one.principal.display_name or one.identity.name)
        for one in holders
        if one.principal is not None and one.principal.emails & addresses and not one.principal.state.is_shut
    }
    return tuple(makers[each] for each in sorted(makers))


def _unused(party: Party, estate: Estate | None, under: Asking) -> Iterator[UnusedGrant]:
    """Grants that open something, and nothing that anybody has opened within the limit; none if nobody can tell."""
    limit = timedelta(days=under.rules.limits.access_unused)
    since = estate.sessions_since if estate is not None else None
    if estate is None or isinstance(party.uses, Unknown) or since is None or under.at - since < limit:
        return
    opened: dict[str, datetime] = {}
    for use in party.uses.value:
        opened[use.connection] = max(opened.get(use.connection, use.opened_at), use.ended_at or under.at)
    for holder in party.holders:
        if not holder.identity.is_open:
            continue
        for name, connections in sorted(_grants(holder, under.everywhere).items()):
            last = max((opened[one] for one in connections if one in opened), default=None)
            is_rest = connections <= estate.standby
            if not is_rest and (last is None or under.at - last > limit) and not _is_new(holder, connections, under):
                yield _grant(party, holder, name, connections, last)


def _grant(party: Party, holder: Holder, name: str, connections: frozenset[str], last: datetime | None) -> UnusedGrant:
    shown = tuple(sorted(connections))
    principal_id = party.principal.principal_id if party.principal is not None else ""
    return UnusedGrant(
        str(holder.identity.ref),
        name,
        shown[:MOST_CONNECTIONS],
        last,
        principal_id,
        left_out=max(0, len(shown) - MOST_CONNECTIONS),
    )


def _grants(holder: Holder, everywhere: frozenset[str]) -> Mapping[str, frozenset[str]]:
    """What each grant opens: groups, and of a machine identity its connections."""
    if holder.identity.ref.kind is IdentityKind.MACHINE_IDENTITY:
        return {name: frozenset({name}) for name in holder.identity.connections}
    found: dict[str, set[str]] = {}
    for connection, groups in holder.reach.items():
        for group in groups - everywhere:
            found.setdefault(group, set()).add(connection)
    return {group: frozenset(connections) for group, connections in found.items()}


def _is_new(holder: Holder, connections: frozenset[str], under: Asking) -> bool:
    """Whether any of it was granted too lately to have been opened."""
    granted = (holder.granted_at[one] for one in connections if one in holder.granted_at)
    return any(under.at - at <= timedelta(days=under.rules.limits.access_never_used) for at in granted)


def _key(about: About) -> str:
    return about.object_id.lower()

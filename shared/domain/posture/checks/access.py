"""Access: granted and never opened, not opened for long, opened again after a long rest."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.posture.check import Case, Check, unknown
from shared.domain.posture.checks.remedies import (
    AT_GATEWAY,
    READ_MEMBERS,
    READ_SESSIONS,
    TAKE_OUT,
    take_away,
)
from shared.domain.posture.checks.saying import day, fails, listed
from shared.domain.posture.finding import About, Finding, Severity
from shared.domain.posture.gateway_view import Estate, Use
from shared.domain.posture.inventory import Unknown
from shared.domain.posture.party import Party, parties
from shared.domain.posture.sessions import is_season, last_end, silences

NO_LOG, YOUNG_LOG = Unknown("no-session-log"), Unknown("session-log-too-young")
LOG = "The gateway's session log, without rows that only issue credentials"
TAKE_AWAY = f"{TAKE_OUT}; or {AT_GATEWAY}. Where the group opens more than this, make a narrower one first"


def about_access(party: Party, connection: str) -> About:
    """What a finding about one connection of one identity is about."""
    return replace(party.about, key_id=connection)


def _judged(case: Case[Estate], check_id: str) -> Iterator[Finding | tuple[Party, Sequence[Use]]]:
    """Everybody with a reach, and what they used; whom Entra has shut out is the matter of G7."""
    for party in parties(case.subject):
        if (party.principal is not None and party.principal.state.is_shut) or not party.reach:
            continue
        yield (
            unknown(check_id, party.about, party.uses) if isinstance(party.uses, Unknown) else (party, party.uses.value)
        )


def _since_grant(party: Party, connection: str, uses: Sequence[Use]) -> list[Use]:
    granted_at = party.granted_at(connection)
    of_connection = (one for one in uses if one.connection == connection)
    return [one for one in of_connection if granted_at is None or one.ended_at is None or one.ended_at >= granted_at]


def _never_used(case: Case[Estate]) -> Iterator[Finding]:
    for each in _judged(case, "G3"):
        if isinstance(each, Finding):
            yield each
            continue
        party, uses = each
        for connection in party.reach:
            if connection not in case.subject.standby and not _since_grant(party, connection, uses):
                yield from _never_opened(case, party, connection)


def _never_opened(case: Case[Estate], party: Party, connection: str) -> Iterator[Finding]:
    estate, about, granted_at = case.subject, about_access(party, connection), party.granted_at(connection)
    since, limit = estate.sessions_since, case.limits.access_never_used
    if granted_at is not None and case.days_since(granted_at) <= limit:
        return
    if granted_at is None and isinstance(estate.audits, Unknown):
        yield unknown("G3", about, estate.audits)
    elif since is None:
        yield unknown("G3", about, NO_LOG)
    elif case.days_since(since) <= limit:
        young = unknown("G3", about, YOUNG_LOG)
        yield replace(young, facts=(*young.facts, ("not seen since", day(since))))
    else:
        severity = Severity.HIGH if connection in estate.sensitive else Severity.MEDIUM
        is_never = granted_at is not None and since <= granted_at
        says = "It was never opened since it was granted." if is_never else "It was not seen open since the log begins."
        seen = () if is_never else (("not seen since", day(since)),)
        facts = (_grant(granted_at), ("opened by", listed(party.reach[connection])), *seen)
        yield fails("G3", about, severity, says, *facts, fix=take_away(estate, party, connection))


def _grant(granted_at: datetime | None) -> tuple[str, str]:
    return "granted", day(granted_at) if granted_at is not None else "before the audit begins"


def _unused(case: Case[Estate]) -> Iterator[Finding]:
    working = _with_tokens(case)
    for each in _judged(case, "G4"):
        if isinstance(each, Finding):
            yield each
            continue
        party, uses = each
        for connection in party.reach:
            opened = _since_grant(party, connection, uses)
            last = last_end(opened, case.at)
            if last is None or connection in case.subject.standby or _is_expected(case, opened, last):
                continue
            awake = _is_awake(case, party, working)
            if isinstance(awake, Unknown):
                yield unknown("G4", about_access(party, connection), awake)
            elif awake:
                yield _not_opened_lately(case, party, connection, last)


def _is_expected(case: Case[Estate], opened: Sequence[Use], last: datetime) -> bool:
    """Whether the silence is short, or as long as one before."""
    if case.days_since(last) <= case.limits.access_unused:
        return True
    return is_season(case.at - last, silences(opened, case.at), case.limits.season_slack)


def _not_opened_lately(case: Case[Estate], party: Party, connection: str, last: datetime) -> Finding:
    since = case.subject.sessions_since
    facts = (
        ("last opened", day(last)),
        ("days", str(case.days_since(last))),
        ("compared with sessions since", day(since) if since is not None else "not known"),
    )
    says, fix = "It works, and has not opened this for a long time.", take_away(case.subject, party, connection)
    return fails("G4", about_access(party, connection), Severity.MEDIUM, says, *facts, fix=fix)


def _with_tokens(case: Case[Estate]) -> frozenset[str] | Unknown:
    """The principals that got a token lately."""
    tokens, limit = case.subject.tokens, case.limits.access_unused
    if isinstance(tokens, Unknown):
        return tokens
    return frozenset(one.principal_id.lower() for one in tokens.value if case.days_since(one.at) <= limit)


def _is_awake(case: Case[Estate], party: Party, working: frozenset[str] | Unknown) -> bool | Unknown:
    """Whether it works at all: a machine that has gone silent as a whole is A1's or A7's. People need no tokens."""
    if not party.is_machine or party.principal is None:
        return True
    last = last_end(party.uses.value, case.at) if not isinstance(party.uses, Unknown) else None
    if last is not None and case.days_since(last) <= case.limits.access_unused:
        return True
    return working if isinstance(working, Unknown) else party.about.object_id in working


def _woken(case: Case[Estate]) -> Iterator[Finding]:
    for party in parties(case.subject):
        if isinstance(party.uses, Unknown):
            yield unknown("G12", party.about, party.uses)
        elif party.uses.value:
            yield from _woke_up(case, party, party.uses.value)


def _woke_up(case: Case[Estate], party: Party, uses: Sequence[Use]) -> Iterator[Finding]:
    rests = list(silences(uses, case.at))
    dormant = timedelta(days=case.limits.dormant)
    for place, rest in enumerate(rests):
        is_news = case.days_since(rest.woken_by.opened_at) <= case.limits.wake_up
        if is_news and rest.length >= dormant and not is_season(rest.length, rests[:place], case.limits.season_slack):
            yield _wake_up(party, rest.woken_by, rest.length)
            return
    first = uses[-1]
    if case.days_since(first.opened_at) <= case.limits.wake_up:
        yield from _first_use(case, party, first)


def _first_use(case: Case[Estate], party: Party, first: Use) -> Iterator[Finding]:
    """What never opened anything, and begins after having been able to for long."""
    estate, granted_at = case.subject, party.granted_at(first.connection)
    if granted_at is None and isinstance(estate.audits, Unknown):
        yield unknown("G12", party.about, estate.audits)
    elif estate.sessions_since is None:
        yield unknown("G12", party.about, NO_LOG)
    else:
        since = estate.sessions_since if granted_at is None else max(granted_at, estate.sessions_since)
        if first.opened_at - since >= timedelta(days=case.limits.dormant):
            yield _wake_up(party, first, first.opened_at - since)


def _wake_up(party: Party, use: Use, length: timedelta) -> Finding:
    facts = (("opened", use.connection), ("on", day(use.opened_at)), ("days silent", str(length.days)))
    fix = (
        "Ask the sponsor whether this was expected; if not, end its sessions at the gateway: POST /api/sessions/…/kill"
    )
    return fails("G12", party.about, Severity.HIGH, "It woke up after a long silence.", *facts, fix=fix)


CHECKS: tuple[Check[Estate], ...] = (
    Check(
        "G3",
        "Access that nobody ever used",
        Severity.HIGH,
        "A connection within reach, granted before the limit, without a session since; high where it is sensitive.",
        f"The task groups and the gateway's access control; {LOG}",
        f"{READ_MEMBERS}, {READ_SESSIONS}",
        "New grants; connections that rest by design, such as those for disasters. A log that begins after the grant "
        "says not seen since, never never; one younger than the limit says nothing",
        TAKE_AWAY,
        _never_used,
        ("access_never_used",),
        ("OWASP NHI5",),
    ),
    Check(
        "G4",
        "Access that nobody uses any more",
        Severity.MEDIUM,
        "The last session of a connection is older than the limit, though the identity works.",
        f"{LOG}; GET /beta/auditLogs/signIns",
        f"{READ_SESSIONS}, AuditLog.Read.All",
        "Ends of quarters: a silence no longer than one in thirteen months of history is left out. Yearly jobs cannot "
        "be told apart: accept them. What has gone silent as a whole has A1 or A7",
        TAKE_AWAY,
        _unused,
        ("access_unused", "season_slack"),
        ("OWASP NHI5",),
    ),
    Check(
        "G12",
        "Woke up after a long silence",
        Severity.HIGH,
        "The first session after a silence of at least the limit, within the last days.",
        LOG,
        READ_SESSIONS,
        "Seasons: a silence no longer than one before is left out. What was granted lately begins for the first time",
        "POST /api/sessions/…/kill at the gateway for what the sponsor did not expect",
        _woken,
        ("dormant", "wake_up", "season_slack"),
        ("MITRE T1078.004",),
    ),
)

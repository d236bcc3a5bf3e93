"""Usage: what nobody uses any more, and what nobody ever used."""

from collections.abc import Iterator
from datetime import datetime

from shared.domain.posture.check import Case, Check, about_app, unknown
from shared.domain.posture.checks.saying import READ_APPLICATIONS, READ_AUDIT_LOG, READ_ROLES, day, fails, listed
from shared.domain.posture.checks.traits import (
    is_agent,
    is_blueprint,
    is_managed_identity,
    is_microsofts,
    is_older,
    is_switched_off,
    needs_no_tokens,
    opens_doors,
    privileges,
)
from shared.domain.posture.finding import Finding, Severity
from shared.domain.posture.inventory import App, Known, Unknown, once

SIGN_INS = "GET /beta/reports/servicePrincipalSignInActivities, the newest of its activities"
SWITCH_OFF = (
    'PATCH /applications/{object_id} {"isDisabled": true}; the same call with false takes it back. '
    "After 15 quiet days DELETE /applications/{object_id}, which can be restored for 30 days"
)
QUIET_BY_NATURE = (
    "SAML, password and linked sign-on, application proxy, cloud sync, P2P Server and Office add-ins without a "
    "credential need no tokens; objects younger than the limit; Microsoft's own and managed identities; agents have "
    "A7, and blueprints work through them; what is switched off has A5. Yearly jobs and what waits for a disaster "
    "cannot be told apart: accept the finding until a date"
)


@once
def is_known_by_use(app: App) -> bool:
    """Whether a lack of tokens would say anything about it."""
    if is_microsofts(app) or is_managed_identity(app) or is_agent(app) or is_blueprint(app):
        return False
    if app.principal is not None and app.principal.is_blueprint:
        return False
    return not (is_switched_off(app) or needs_no_tokens(app))


def stale_days(case: Case[App]) -> int | Unknown | None:
    """Days without a token when they are too many; `None` if they are not, or say nothing."""
    used = case.subject.last_used_at
    if not is_known_by_use(case.subject) or not is_older(case, case.limits.stale):
        return None
    if isinstance(used, Unknown):
        return used
    if used.value is None or case.days_since(used.value) <= case.limits.stale:
        return None
    return case.days_since(used.value)


def _stale(case: Case[App]) -> Iterator[Finding]:
    days, about = stale_days(case), about_app(case.subject)
    if isinstance(days, Unknown):
        yield unknown("A1", about, days)
    elif days is not None:
        severity = Severity.HIGH if days > case.limits.stale_high else Severity.MEDIUM
        yield fails("A1", about, severity, "Nobody has used it for a long time.", ("days unused", str(days)))


def _never_used(case: Case[App]) -> Iterator[Finding]:
    app, used = case.subject, case.subject.last_used_at
    if not is_known_by_use(app) or _only_serves(app) or not is_older(case, case.limits.never_used):
        return
    if isinstance(used, Unknown):
        yield unknown("A2", about_app(app), used)
    elif used.value is None:
        says = "No sign-in was ever reported for it."
        yield fails("A2", about_app(app), Severity.MEDIUM, says, ("created", day(app.created_at)))


def _only_serves(app: App) -> bool:
    """Whether its use is not reported here: an API that never asks for tokens, or a product used by others."""
    one = app.application
    if one is None:
        return False
    if app.principal is None:
        return one.audience != "AzureADMyOrg"
    asks = app.credentials or one.web_redirects or one.spa_redirects or one.public_client or one.federated_count
    return one.exposes_api and not asks


def _stale_with_credential(case: Case[App]) -> Iterator[Finding]:
    days, about = stale_days(case), about_app(case.subject)
    if days is None or not opens_doors(case.subject, case.at):
        return
    if isinstance(days, Unknown):
        yield unknown("A3", about, days)
    else:
        says = "Nobody uses it, and its credentials still open the door."
        yield fails("A3", about, Severity.HIGH, says, ("days unused", str(days)))


def _stale_and_privileged(case: Case[App]) -> Iterator[Finding]:
    days, about = stale_days(case), about_app(case.subject)
    if days is None or (power := privileges(case.subject)) == Known(()):
        return
    if isinstance(days, Unknown):
        yield unknown("A4", about, days)
    elif isinstance(power, Unknown):
        yield unknown("A4", about, power)
    else:
        says = "Nobody uses it, and it could take over the tenant."
        facts = (("days unused", str(days)), ("holds", listed(power.value)))
        yield fails("A4", about, Severity.CRITICAL, says, *facts)


def _switched_off(case: Case[App]) -> Iterator[Finding]:
    app, used, about = case.subject, case.subject.last_used_at, about_app(case.subject)
    if is_microsofts(app) or not is_switched_off(app):
        return
    if any(one is not None and one.disabled_by_microsoft for one in (app.application, app.principal)):
        says = "Microsoft switched it off for a violation of its terms."
        yield fails("A5", about, Severity.LOW, says, fix="Do not delete it: ask Microsoft support why.")
    elif isinstance(used, Unknown):
        if is_older(case, case.limits.switched_off):
            yield unknown("A5", about, used)
    elif _is_quiet(case, used.value or app.created_at):
        says = "It was switched off and forgotten."
        yield fails("A5", about, Severity.LOW, says, ("last used", day(used.value)))


def _is_quiet(case: Case[App], since: datetime | None) -> bool:
    return since is None or case.days_since(since) > case.limits.switched_off


def _usage_unknown(case: Case[App]) -> Iterator[Finding]:
    used = case.subject.last_used_at
    judged = is_known_by_use(case.subject) or is_agent(case.subject)
    if judged and isinstance(used, Unknown):
        yield unknown("A6", about_app(case.subject), used)


def _stale_agent(case: Case[App]) -> Iterator[Finding]:
    app, limit = case.subject, case.limits.agent_stale
    if not is_agent(app) or is_microsofts(app) or is_switched_off(app) or not is_older(case, limit):
        return
    # Microsoft does not say whether its report of activities knows agents: the log of sign-ins counts as much.
    sources = (app.agent_worked_at, app.last_used_at)
    last = max((one.value for one in sources if isinstance(one, Known) and one.value is not None), default=None)
    if last is not None and case.days_since(last) <= limit:
        return
    missing = next((one for one in sources if isinstance(one, Unknown)), None)
    if missing is not None:
        yield unknown("A7", about_app(app), missing)
    else:
        says = "The agent has not worked for a long time."
        yield fails("A7", about_app(app), Severity.MEDIUM, says, ("last used", day(last)))


CHECKS: tuple[Check[App], ...] = (
    Check(
        "A1",
        "Nobody has used it for a long time",
        Severity.HIGH,
        "No token as client or resource for longer than the limit; high beyond the second limit.",
        SIGN_INS,
        READ_AUDIT_LOG,
        QUIET_BY_NATURE,
        SWITCH_OFF,
        _stale,
        ("stale", "stale_high"),
        ("OWASP NHI1",),
    ),
    Check(
        "A2",
        "Nobody ever used it",
        Severity.MEDIUM,
        "No sign-in activity at all, and older than the limit.",
        f"{SIGN_INS}; createdDateTime",
        f"{READ_APPLICATIONS}, {READ_AUDIT_LOG}",
        f"{QUIET_BY_NATURE}. The report began late: no row is not never; an API that only serves and a product without "
        "a principal here have none; no creation date means old",
        SWITCH_OFF,
        _never_used,
        ("never_used",),
        ("OWASP NHI1",),
    ),
    Check(
        "A3",
        "Nobody uses it, and its credentials still work",
        Severity.HIGH,
        "A1, with at least one credential that has not expired.",
        f"{SIGN_INS}; passwordCredentials, keyCredentials of both objects",
        f"{READ_APPLICATIONS}, {READ_AUDIT_LOG}",
        QUIET_BY_NATURE,
        'POST /applications/{object_id}/removePassword {"keyId": "…"} for each secret, removeKey for each certificate',
        _stale_with_credential,
        ("stale",),
        ("OWASP NHI1",),
    ),
    Check(
        "A4",
        "Nobody uses it, and it could take over the tenant",
        Severity.CRITICAL,
        "A1, with a tier-0 application permission or a directory role.",
        f"{SIGN_INS}; appRoleAssignedTo; roleManagement/directory/roleAssignments",
        f"{READ_APPLICATIONS}, {READ_AUDIT_LOG}, {READ_ROLES}",
        f"{QUIET_BY_NATURE}. Break-glass automation rests by design",
        "DELETE /servicePrincipals/{principal_id}/appRoleAssignments/{assignment} for each tier-0 role first; "
        "POST /servicePrincipals/{principal_id}/appRoleAssignments gives it back",
        _stale_and_privileged,
        ("stale",),
        ("OWASP NHI1", "OWASP NHI5"),
    ),
    Check(
        "A5",
        "Switched off and forgotten",
        Severity.LOW,
        "accountEnabled false, isDisabled true or disabledByMicrosoftStatus set, and quiet for longer than the limit.",
        f"accountEnabled, isDisabled, disabledByMicrosoftStatus; {SIGN_INS}",
        f"{READ_APPLICATIONS}, {READ_AUDIT_LOG}",
        "It may be under investigation: recent use keeps it. What Microsoft switched off must not be deleted",
        "DELETE /applications/{object_id}; POST /directory/deletedItems/{object_id}/restore within 30 days",
        _switched_off,
        ("switched_off",),
        ("OWASP NHI1",),
    ),
    Check(
        "A6",
        "Whether it is used is not known",
        Severity.INFO,
        "The sign-in report was not read: no licence, no permission, or a cloud without it. A1 to A4 cannot pass.",
        SIGN_INS,
        READ_AUDIT_LOG,
        "None.",
        "Read the reason in the coverage of the scan; the report needs Entra ID P1",
        _usage_unknown,
    ),
    Check(
        "A7",
        "The agent has not worked for a long time",
        Severity.MEDIUM,
        "An agent identity without a sign-in for longer than the limit, in the log or in the report of activities.",
        f"GET /beta/auditLogs/signIns?$filter=agent/agentType eq 'AgentIdentity'; {SIGN_INS}",
        READ_AUDIT_LOG,
        "Agents that wait for rare events: the sponsor decides. New agents and disabled ones are left out",
        'PATCH /servicePrincipals/{object_id} {"accountEnabled": false}; the same call with true takes it back',
        _stale_agent,
        ("agent_stale",),
        ("OWASP NHI1",),
    ),
)

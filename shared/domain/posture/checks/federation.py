"""Federation: credentials without a secret, and how much of the world they let in."""

from collections.abc import Iterator

from shared.domain.posture.check import Case, Check, about_app, unknown
from shared.domain.posture.checks.saying import READ_APPLICATIONS, fails
from shared.domain.posture.checks.subjects import Clause, clauses, is_mutable, is_wild_source
from shared.domain.posture.checks.traits import federated, privileges
from shared.domain.posture.finding import Finding, Severity
from shared.domain.posture.inventory import App, FederatedCredential, Known, Unknown

SUBJECTS = "GET /beta/applications/{object_id}/federatedIdentityCredentials"
NARROW = (
    "PATCH /beta/applications/{object_id}/federatedIdentityCredentials/{key_id} with a subject of one repository and "
    "branch or environment; the old subject in the same call takes it back"
)
REPLACE = (
    "POST /applications/{object_id}/federatedIdentityCredentials with the immutable subject, prove a token exchange, "
    "then DELETE /applications/{object_id}/federatedIdentityCredentials/{key_id}"
)
_NOT_UNDERSTOOD = Unknown("expression-not-understood")


def _broad(case: Case[App]) -> Iterator[Finding]:
    trusts = federated(case.subject)
    if isinstance(trusts, Unknown):
        yield unknown("D1", about_app(case.subject), trusts)
        return
    for one in trusts.value:
        about, said = about_app(case.subject, one.name), clauses(one)
        if not said:
            yield unknown("D1", about, _NOT_UNDERSTOOD)
        elif any(clause.claim == "sub" and is_wild_source(clause) for clause in said):
            yield fails("D1", about, Severity.HIGH, "It trusts more than one repository.", *_facts(one))
        elif any(clause.is_wild for clause in said) and not _pins_workflow(said):
            yield fails("D1", about, Severity.MEDIUM, "It trusts more than one branch or event.", *_facts(one))


def _pins_workflow(said: tuple[Clause, ...]) -> bool:
    return any(clause.claim == "job_workflow_ref" and not clause.is_wild for clause in said)


def _facts(one: FederatedCredential) -> tuple[tuple[str, str], ...]:
    return ("issuer", one.issuer), ("trusts", one.expression or one.subject)


def _mutable(case: Case[App]) -> Iterator[Finding]:
    trusts, power = federated(case.subject), privileges(case.subject)
    if isinstance(trusts, Unknown):
        yield unknown("D2", about_app(case.subject), trusts)
        return
    severity = Severity.HIGH if isinstance(power, Known) and power.value else Severity.MEDIUM
    for one in trusts.value:
        about, said = about_app(case.subject, one.name), clauses(one)
        if not said:
            yield unknown("D2", about, _NOT_UNDERSTOOD)
        elif any(is_mutable(one, clause) for clause in said):
            says = "It trusts a name, which somebody else can take when it is given up."
            yield fails("D2", about, severity, says, *_facts(one))


def _any_event(case: Case[App]) -> Iterator[Finding]:
    trusts = federated(case.subject)
    if isinstance(trusts, Unknown):
        yield unknown("D4", about_app(case.subject), trusts)
        return
    for one in trusts.value:
        about, said = about_app(case.subject, one.name), clauses(one)
        if not said:
            yield unknown("D4", about, _NOT_UNDERSTOOD)
        elif any(_lets_strangers_in(clause) for clause in said):
            says = "Whoever opens a pull request, or names an environment, gets in."
            yield fails("D4", about, Severity.HIGH, says, *_facts(one))


def _lets_strangers_in(clause: Clause) -> bool:
    if clause.claim != "sub":
        return False
    return clause.value.endswith(":pull_request") or (clause.is_wild and clause.value.endswith(":environment:*"))


def _near_limit(case: Case[App]) -> Iterator[Finding]:
    app, trusts = case.subject, federated(case.subject)
    count = app.application.federated_count if app.application is not None else 0
    if isinstance(trusts, Known):
        count = max(count or 0, len(trusts.value))
    if count is None:
        yield unknown("D5", about_app(app), Unknown("not-counted"))
    elif count >= case.limits.federated_limit:
        says = "It has nearly as many federated credentials as Entra allows."
        yield fails("D5", about_app(app), Severity.LOW, says, ("federated credentials", f"{count} of 20"))


CHECKS: tuple[Check[App], ...] = (
    Check(
        "D1",
        "Trusts more than one repository or branch",
        Severity.HIGH,
        "A wildcard covers repositories, or every ref and event of one; medium when it covers branches and no workflow "
        "is pinned by job_workflow_ref.",
        SUBJECTS + ", claimsMatchingExpression",
        READ_APPLICATIONS,
        "Many branches may be meant: pin the workflow. In a plain subject a star is a letter and matches nothing",
        NARROW,
        _broad,
        baselines=("OWASP NHI6",),
    ),
    Check(
        "D2",
        "Trusts a name that can change hands",
        Severity.MEDIUM,
        "A GitHub subject without ids, or a GitLab project path; high when the application is tier-0.",
        SUBJECTS + ", subject",
        READ_APPLICATIONS,
        "GitHub Enterprise Server has no immutable form. Repositories made before 2026-07-15 keep names until asked",
        REPLACE,
        _mutable,
        baselines=("OWASP NHI6",),
    ),
    Check(
        "D4",
        "Lets in whoever opens a pull request",
        Severity.HIGH,
        "The subject is a pull request, or any environment.",
        SUBJECTS + ", subject, claimsMatchingExpression",
        READ_APPLICATIONS,
        "None known",
        NARROW,
        _any_event,
        baselines=("OWASP NHI6",),
    ),
    Check(
        "D5",
        "Nearly as many federated credentials as Entra allows",
        Severity.LOW,
        "As many as the limit, of 20.",
        SUBJECTS + "; $filter=federatedIdentityCredentials/$count",
        READ_APPLICATIONS,
        "None known",
        "DELETE /applications/{object_id}/federatedIdentityCredentials/{name} for those that nobody uses",
        _near_limit,
        ("federated_limit",),
    ),
)

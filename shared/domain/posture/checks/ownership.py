"""Ownership: who answers for it, and who could abuse it."""

from collections.abc import Iterator

from shared.domain.posture.check import Case, Check, about_app, unknown
from shared.domain.posture.checks.saying import (
    READ_APPLICATIONS,
    READ_AUDIT_LOG,
    READ_ROLES,
    READ_SPONSORS,
    fails,
    listed,
)
from shared.domain.posture.checks.traits import (
    is_agent,
    is_blueprint,
    is_microsofts,
    is_owned,
    opens_doors,
    owner_count,
    privileges,
)
from shared.domain.posture.finding import Finding, Severity
from shared.domain.posture.inventory import App, Known, Owner, OwnerKind, Unknown, once

OWNERS = "GET /applications?$filter=owners/$count eq 0&$count=true, and the same on /servicePrincipals"
ADD_OWNER = (
    'POST /applications/{object_id}/owners/$ref {"@odata.id": "https://graph.microsoft.com/v1.0/users/{user}"}; '
    "DELETE /applications/{object_id}/owners/{user}/$ref takes it back"
)
REMOVE_OWNER = (
    "DELETE /applications/{object_id}/owners/{owner}/$ref; POST /applications/{object_id}/owners/$ref gives it back"
)


def _too_few_owners(case: Case[App], check_id: str, wrong: int) -> Iterator[Finding]:
    app, count = case.subject, owner_count(case.subject)
    if not is_owned(app) or (isinstance(count, Known) and count.value != wrong):
        return
    power = privileges(app)
    if isinstance(power, Known) and power.value:
        return
    if isinstance(count, Unknown):
        yield unknown(check_id, about_app(app), count)
    elif isinstance(power, Unknown):
        yield unknown(check_id, about_app(app), power)
    elif wrong:
        yield fails(check_id, about_app(app), Severity.LOW, "Only one person owns it.")
    else:
        severity = Severity.HIGH if opens_doors(app, case.at) else Severity.MEDIUM
        yield fails(check_id, about_app(app), severity, "Nobody owns it.")


def _ownerless(case: Case[App]) -> Iterator[Finding]:
    yield from _too_few_owners(case, "B1", 0)


def _single_owner(case: Case[App]) -> Iterator[Finding]:
    yield from _too_few_owners(case, "B2", 1)


@once
def _owners(app: App) -> Known[tuple[Owner, ...]] | Unknown:
    """The owners, by id; none when there is nothing to own or the count says so."""
    count = owner_count(app)
    if not is_owned(app) or count == Known(0):
        return Known(())
    if isinstance(app.owners, Unknown):
        return app.owners
    return Known(tuple(sorted(app.owners.value, key=lambda owner: (owner.object_id, owner.kind))))


def _dead_owners(case: Case[App]) -> Iterator[Finding]:
    owners, about = _owners(case.subject), about_app(case.subject)
    if isinstance(owners, Unknown):
        yield unknown("B3", about, owners)
        return
    alive = [one for one in owners.value if one.enabled is not False and not one.is_guest]
    if any(one.enabled or one.kind is not OwnerKind.USER for one in alive) or not owners.value:
        return
    if alive:
        yield unknown("B3", about, Unknown("owner-state-not-read"))
    else:
        says = "Every owner is disabled or a guest."
        yield fails("B3", about, Severity.HIGH, says, ("owners", listed(one.name for one in owners.value)))


def _owners_without_mfa(case: Case[App]) -> Iterator[Finding]:
    owners, about = _owners(case.subject), about_app(case.subject)
    if isinstance(owners, Unknown):
        yield unknown("B4", about, owners)
        return
    people = [one for one in owners.value if one.kind is OwnerKind.USER and one.enabled is not False]
    members = [one for one in people if not one.is_guest]
    bare = [one.name for one in members if one.has_mfa is False]
    if bare:
        says = "An owner signs in without a second factor, and could add a credential."
        yield fails("B4", about, Severity.HIGH, says, ("without a second factor", listed(bare)))
    elif any(one.has_mfa is None for one in members):
        yield unknown("B4", about, Unknown("registration-not-read"))


def _privileged_with_owners(case: Case[App]) -> Iterator[Finding]:
    app, count, power = case.subject, owner_count(case.subject), privileges(case.subject)
    if not is_owned(app) or power == Known(()) or count == Known(0):
        return
    if isinstance(power, Unknown):
        yield unknown("B5", about_app(app), power)
    elif isinstance(count, Unknown):
        yield unknown("B5", about_app(app), count)
    else:
        says = "Whoever owns it can take over the tenant: an owner can add a credential."
        facts = (("holds", listed(power.value)), ("owners", str(count.value)))
        yield fails("B5", about_app(app), Severity.CRITICAL, says, *facts)


def _agent_without_sponsor(case: Case[App]) -> Iterator[Finding]:
    app, about = case.subject, about_app(case.subject)
    if is_microsofts(app) or not (is_agent(app) or is_blueprint(app)):
        return
    if isinstance(app.sponsors, Unknown):
        yield unknown("B6", about, app.sponsors)
        return
    answering = [one for one in app.sponsors.value if one.enabled is not False and one.members != 0]
    if not answering:
        yield fails("B6", about, Severity.HIGH, "No person answers for the agent.")
    elif all(one.kind is OwnerKind.GROUP and one.members is None for one in answering):
        yield unknown("B6", about, Unknown("sponsor-members-not-read"))


def _owned_by_application(case: Case[App]) -> Iterator[Finding]:
    app, about, power = case.subject, about_app(case.subject), privileges(case.subject)
    owners = _owners(app)
    if isinstance(owners, Unknown):
        yield unknown("B7", about, owners)
        return
    machines = [one for one in owners.value if one.kind is OwnerKind.SERVICE_PRINCIPAL]
    foreign = [one for one in machines if one.home_tenant and one.home_tenant != _home(app)]
    if foreign and not _home(app):
        yield unknown("B7", about, Unknown("own-tenant-not-known"))
    elif foreign:
        says = "An application of another tenant owns it, and could add a credential."
        yield fails("B7", about, Severity.HIGH, says, ("owners", listed(one.name for one in foreign)))
    elif machines and isinstance(power, Unknown):
        yield unknown("B7", about, power)
    elif machines and power != Known(()):
        says = "An application with less power owns one that could take over the tenant."
        yield fails("B7", about, Severity.HIGH, says, ("owners", listed(one.name for one in machines)))


def _home(app: App) -> str:
    """This tenant's id, as the principal of a registration of this tenant says it."""
    return app.principal.owner_tenant if app.application is not None and app.principal is not None else ""


CHECKS: tuple[Check[App], ...] = (
    Check(
        "B1",
        "Nobody owns it",
        Severity.MEDIUM,
        "Neither the registration nor the principal has an owner; high when a credential is live.",
        OWNERS,
        READ_APPLICATIONS,
        "Owners of the registration and of the principal differ: one is enough. Tier-0 applications should have none "
        "(B5). Microsoft's, managed identities and agents have no owners of ours",
        ADD_OWNER,
        _ownerless,
        baselines=("OWASP NHI1",),
    ),
    Check(
        "B2",
        "Only one person owns it",
        Severity.LOW,
        "Exactly one owner.",
        OWNERS.replace("eq 0", "eq 1"),
        READ_APPLICATIONS,
        "As B1; a small team may have nobody else: accept it",
        ADD_OWNER,
        _single_owner,
    ),
    Check(
        "B3",
        "Every owner is gone",
        Severity.HIGH,
        "All owners are disabled, deleted or guests.",
        "GET /applications/{object_id}/owners with accountEnabled, userType",
        f"{READ_APPLICATIONS}, User.Read.All",
        "Service accounts and applications that own it are alive; an owner whose state nobody said is not dead",
        ADD_OWNER,
        _dead_owners,
        baselines=("OWASP NHI1",),
    ),
    Check(
        "B4",
        "An owner has no second factor",
        Severity.HIGH,
        "An enabled member who owns it has registered no second factor.",
        "GET /reports/authenticationMethods/userRegistrationDetails, isMfaCapable or isMfaRegistered",
        READ_AUDIT_LOG,
        "Passkeys and certificates count as a factor; guests register at home; disabled owners cannot sign in",
        "Ask the owner to register a method; until then " + REMOVE_OWNER,
        _owners_without_mfa,
    ),
    Check(
        "B5",
        "Whoever owns it can take over the tenant",
        Severity.CRITICAL,
        "A tier-0 permission or directory role, and at least one owner.",
        f"{OWNERS}; appRoleAssignedTo; roleManagement/directory/roleAssignments",
        f"{READ_APPLICATIONS}, {READ_ROLES}",
        "Only tier-0: others need owners. Write who answers for it in serviceManagementReference instead",
        REMOVE_OWNER,
        _privileged_with_owners,
    ),
    Check(
        "B6",
        "No person answers for the agent",
        Severity.HIGH,
        "An agent identity or a blueprint without a sponsor, or whose sponsors are disabled or groups without members.",
        "GET /servicePrincipals/{object_id}/sponsors",
        READ_SPONSORS,
        "The principal of a blueprint has no sponsors of its own",
        'POST /servicePrincipals/{object_id}/sponsors/$ref {"@odata.id": '
        '"https://graph.microsoft.com/v1.0/users/{user}"}; DELETE …/sponsors/{user}/$ref takes it back',
        _agent_without_sponsor,
        baselines=("OWASP NHI1",),
    ),
    Check(
        "B7",
        "Another application owns it",
        Severity.HIGH,
        "An owner is a service principal of another tenant, or of this one where the owned application is tier-0.",
        "GET /applications/{object_id}/owners, @odata.type and appOwnerOrganizationId",
        READ_APPLICATIONS,
        "A deployment pipeline of this tenant may own what it deployed, unless that is tier-0",
        REMOVE_OWNER,
        _owned_by_application,
    ),
)

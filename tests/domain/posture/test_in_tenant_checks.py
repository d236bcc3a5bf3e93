from dataclasses import replace
from datetime import datetime

import pytest

from shared.domain.posture.catalogue import judge_tenant
from shared.domain.posture.estate_facts import OwnPolicy, Policy, Tenant, credential_changes
from shared.domain.posture.gateway_view import AuditEvent
from shared.domain.posture.inventory import App, Application, Known, ServicePrincipal, Unknown
from shared.domain.posture.limits import Limits
from tests.domain.posture.apps import (
    AT,
    HOME,
    NOT_READ,
    OBJECT,
    PRINCIPAL,
    TAKE_OVER,
    TENANT,
    Changed,
    Fields,
    Roles,
    agent,
    ago,
    app,
    certificate,
    findings,
    foreign,
    holding,
    managed_identity,
    microsofts,
    said,
    said_of_tenant,
    secret,
)

SHARED = replace(TENANT, shared_thumbprints=Known({"cert-1": ("app-1", "app-2", "app-3"), "alone": ("app-1",)}))
UPDATED = "Update application \N{EN DASH} Certificates and secrets management "
ADDED = "Add service principal credentials"


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (certificate(), ["high"]),
        (certificate("alone"), []),
        (certificate("unlisted"), []),
        (certificate(thumbprint=""), []),
        (certificate(ends=-1), []),
        (secret("cert-1", thumbprint="cert-1"), []),
    ],
)
def test_certificate_of_several_applications_is_shared_and_a_secrets_description_is_not(
    credential: object, expected: list[str]
) -> None:
    assert said(app({"credentials": (credential,)}), "C15", tenant=SHARED) == expected


def test_shared_certificate_names_the_others() -> None:
    (finding,) = findings(holding(certificate()), "C15", tenant=SHARED)

    assert finding.facts == (("shared with", "app-2, app-3"),)


def test_certificates_of_others_that_were_not_read_are_unknown() -> None:
    tenant = replace(TENANT, shared_thumbprints=NOT_READ)

    assert said(holding(certificate()), "C15", tenant=tenant) == ["unknown"]
    assert said(holding(secret()), "C15", tenant=tenant) == []


def event(target: str = OBJECT, activity: str = UPDATED, key: str = "", **more: Changed) -> AuditEvent:
    row: Fields = {"at": ago(3), "actor": "mallory@contoso.example", "correlation_id": "c-1"}
    return AuditEvent(target_id=target, activity=activity, details={"key_id": key} if key else {}, **(row | more))


def audited(*events: AuditEvent, **more: Changed) -> Tenant:
    return replace(TENANT, credential_changes=credential_changes(Known(events)), **more)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [(Known(()), ["high"]), (Known((TAKE_OVER,)), ["critical"]), (NOT_READ, ["high"])],
)
def test_credential_that_no_rotation_expected_is_an_incident(roles: Roles, expected: list[str]) -> None:
    assert said(app(app_roles=roles), "C16", tenant=audited(event())) == expected


@pytest.mark.parametrize(
    "guilty",
    [
        event(PRINCIPAL, ADDED),
        event(actor="deploy-pipeline"),
        event(actor=""),
        event(activity="Update application - Certificates and secrets management"),
        event(activity="update application \N{EM DASH} certificates  and secrets management"),
        event(correlation_id=""),
    ],
)
def test_first_credentials_and_applications_as_actors_count(guilty: AuditEvent) -> None:
    assert said(app(), "C16", tenant=audited(guilty)) == ["high"]


@pytest.mark.parametrize(
    "innocent",
    [
        audited(event("somebody-else")),
        audited(event(activity="Update application")),
        audited(event(), expected_changes=frozenset({"c-1"})),
        audited(event(key="k-1"), expected_changes=frozenset({"k-1"})),
        audited(event(actor="rotator"), rotation_actors=frozenset({"rotator"})),
        audited(),
    ],
)
def test_planned_rotations_and_other_changes_are_none(innocent: Tenant) -> None:
    assert said(app(), "C16", tenant=innocent) == []


def test_two_rows_of_one_change_are_one_finding_in_any_order() -> None:
    rows = (event(key="k-1"), event(key="k-1", at=ago(2.9)), event(PRINCIPAL, ADDED, key="k-1"), event(key="k-2"))

    there, back = (
        [finding.about.key_id for finding in findings(app(), "C16", tenant=audited(*each))]
        for each in (rows, rows[::-1])
    )

    assert there == back == ["k-1", "k-2"]


def test_audit_that_was_not_read_is_unknown() -> None:
    tenant = replace(TENANT, credential_changes=credential_changes(NOT_READ))

    assert said(app(), "C16", tenant=tenant) == ["unknown"]


@pytest.mark.parametrize(
    ("changed", "lost", "zones", "expected"),
    [
        ({"web_redirects": ("https://gone.azurewebsites.net/x",)}, {"gone.azurewebsites.net"}, set(), ["high"]),
        ({"spa_redirects": ("https://GONE.azurewebsites.net.",)}, {"gone.azurewebsites.net"}, set(), ["high"]),
        ({}, {"gone.azurewebsites.net"}, set(), []),
        ({"web_redirects": ("https://wiki.corp/x",)}, {"wiki.corp"}, set(), ["unknown"]),
        ({"web_redirects": ("https://intranet/x",)}, {"intranet"}, set(), ["unknown"]),
        ({"web_redirects": ("https://a.in.contoso.com",)}, {"a.in.contoso.com"}, {"in.contoso.com"}, ["unknown"]),
        ({"web_redirects": ("https://a.in.contoso.com",)}, {"a.in.contoso.com"}, {"n.contoso.com"}, ["high"]),
        ({"web_redirects": ("https://a.corp", "https://gone.example")}, {"a.corp", "gone.example"}, set(), ["high"]),
        ({"web_redirects": ("http://localhost",)}, {"localhost"}, set(), []),
        ({"web_redirects": ("https://10.0.0.1",)}, {"10.0.0.1"}, set(), []),
        ({"web_redirects": ("https://*.gone.example",)}, {"*.gone.example"}, set(), []),
        ({"web_redirects": ("contoso://gone.example",)}, {"gone.example"}, set(), []),
    ],
)
def test_host_that_nobody_answers_for_is_dangling_unless_it_is_private(
    changed: Fields, lost: set[str], zones: set[str], expected: list[str]
) -> None:
    tenant = replace(TENANT, unresolved_hosts=Known(frozenset(lost)), private_zones=frozenset(zones))

    assert said(app(changed), "F7", tenant=tenant) == expected


@pytest.mark.parametrize(
    ("uris", "expected"),
    [
        (("https://mute.example",), ["unknown"]),
        (("https://mute.example", "https://gone.example"), ["high"]),
        (("https://wiki.corp", "https://portal.example"), ["unknown"]),
        (("https://portal.example",), []),
    ],
)
def test_host_that_nobody_spoke_about_is_unknown_and_one_that_is_gone_dangles_all_the_same(
    uris: tuple[str, ...], expected: list[str]
) -> None:
    lost, mute = Known(frozenset({"gone.example"})), frozenset({"mute.example"})
    tenant = replace(TENANT, unresolved_hosts=lost, unanswered_hosts=mute)

    assert said(app({"web_redirects": uris}), "F7", tenant=tenant) == expected


def test_hosts_that_were_not_resolved_are_unknown_where_there_are_any() -> None:
    tenant = replace(TENANT, unresolved_hosts=NOT_READ)

    assert said(app(), "F7", tenant=tenant) == ["unknown"]
    assert said(app({"web_redirects": ("http://localhost",)}), "F7", tenant=tenant) == []
    assert said(foreign(), "F7", tenant=tenant) == []


UNVERIFIED = {"verified_publisher": ""}
MAIL: Roles = Known((TAKE_OVER,))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (foreign(of_principal=UNVERIFIED, app_roles=MAIL), ["medium"]),
        (foreign(of_principal=UNVERIFIED, delegated_scopes=Known(frozenset({"openid"}))), ["medium"]),
        (foreign(of_principal=UNVERIFIED, app_roles=NOT_READ, delegated_scopes=Known(frozenset({"x"}))), ["medium"]),
        (foreign(of_principal=UNVERIFIED, app_roles=NOT_READ), ["unknown"]),
        (foreign(of_principal=UNVERIFIED), []),
        (foreign(app_roles=MAIL), []),
        (foreign(of_principal=UNVERIFIED | {"owner_tenant": HOME}, app_roles=MAIL), []),
        (foreign(of_principal=UNVERIFIED | {"owner_tenant": ""}, app_roles=MAIL), []),
        (microsofts(of_principal=UNVERIFIED, app_roles=MAIL), []),
        (managed_identity(app_roles=MAIL), []),
        (app(of_principal=UNVERIFIED, app_roles=MAIL), []),
        (app(principal=None), []),
    ],
)
def test_unverified_foreign_application_with_permissions_is_found(one: App, expected: list[str]) -> None:
    assert said(one, "F9") == expected


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (foreign(of_principal={"owner_tenant": HOME}), ["medium"]),
        (foreign(of_principal={"owner_tenant": HOME, "kind": "Legacy"}), []),
        (foreign(of_principal={"owner_tenant": HOME, "kind": "ManagedIdentity"}), []),
        (foreign(of_principal={"owner_tenant": ""}), []),
        (agent(), []),
        (agent(of_principal={"kind": "Application"}), []),
        (foreign(), []),
        (microsofts(), []),
        (app(), []),
    ],
)
def test_principal_whose_registration_is_gone_is_orphaned(one: App, expected: list[str]) -> None:
    assert said(one, "F11") == expected


def test_orphans_cannot_be_told_from_a_partial_read() -> None:
    orphan = foreign(of_principal={"owner_tenant": HOME})

    assert said(orphan, "F11", tenant=replace(TENANT, applications=NOT_READ)) == ["unknown"]
    assert said(orphan, "F11", tenant=replace(TENANT, tenant_id="")) == ["unknown"]
    assert said(replace(orphan, unread_half=NOT_READ), "F11") == ["unknown"]


def test_foreign_cannot_be_told_without_knowing_home() -> None:
    one = foreign(of_principal=UNVERIFIED, app_roles=MAIL)

    assert said(one, "F9", tenant=replace(TENANT, tenant_id="")) == ["unknown"]


GOOD = Policy(True, 181, 366, blocks_custom_secrets=True)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (GOOD, []),
        (replace(GOOD, max_secret_days=180), []),
        (replace(GOOD, max_secret_days=182), ["medium"]),
        (replace(GOOD, max_secret_days=None), ["medium"]),
        (replace(GOOD, max_secret_days=None, blocks_secrets=True), []),
        (replace(GOOD, max_certificate_days=366), []),
        (replace(GOOD, max_certificate_days=367), ["medium"]),
        (replace(GOOD, max_certificate_days=None), ["medium"]),
        (replace(GOOD, blocks_custom_secrets=False), ["medium"]),
        (replace(GOOD, enabled=False), ["medium"]),
    ],
)
def test_policy_leaves_no_gap_and_entra_wants_less_than_its_number(policy: Policy, expected: list[str]) -> None:
    assert said_of_tenant(replace(TENANT, policy=Known(policy))) == expected


def test_tenant_lowers_the_limits_only_where_its_policy_is_known() -> None:
    strict = replace(TENANT, policy=Known(replace(GOOD, max_secret_days=31)))

    assert strict.lower(Limits()).max_secret_days == 30
    assert replace(TENANT, policy=NOT_READ).lower(Limits()) == Limits()


def own(names: str, policy: Policy, *applies_to: str) -> OwnPolicy:
    return OwnPolicy(policy, frozenset(names.split()), frozenset(applies_to))


@pytest.mark.parametrize(
    ("one", "secrets", "certificates"),
    [
        (own("max_secret_days", Policy(True, 31), "object"), 30, 100),
        (own("max_secret_days", Policy(True), "object"), 180, 100),
        (own("max_secret_days max_certificate_days", Policy(True, 91, 21), "object"), 90, 20),
        (own("", Policy(True, 31), "object"), 60, 100),
        (own("max_secret_days", Policy(False, 31), "object"), 60, 100),
        (own("max_secret_days", Policy(True, 31), "principal"), 30, 100),
        (own("max_secret_days", Policy(True, 31), "somebody else's"), 60, 100),
    ],
)
def test_own_policy_of_an_application_holds_where_it_speaks_and_the_default_elsewhere(
    one: OwnPolicy, secrets: int, certificates: int
) -> None:
    tenant = replace(TENANT, policy=Known(Policy(True, 61, 101)), own_policies=Known((one,)))
    application = Application("object", "app", "app")

    found = tenant.limits_of(Limits())(App("app", application, ServicePrincipal("principal", "app", "app")))

    assert (found.max_secret_days, found.max_certificate_days) == (secrets, certificates)


def test_policy_of_the_registration_counts_before_that_of_the_principal() -> None:
    both = (own("max_secret_days", Policy(True, 31), "principal"), own("max_secret_days", Policy(True, 41), "object"))
    tenant = replace(TENANT, own_policies=Known(both))
    app = App("app", Application("object", "app", "app"), ServicePrincipal("principal", "app", "app"))

    assert tenant.limits_of(Limits())(app).max_secret_days == 40


@pytest.mark.parametrize("default", [Known(Policy(False, 10, 10)), Unknown("graph-403")])
def test_own_policy_over_a_default_that_is_off_or_not_known_restricts_what_it_names(
    default: Known[Policy] | Unknown,
) -> None:
    one = own("max_secret_days", Policy(True, 31), "object")
    tenant = replace(TENANT, policy=default, own_policies=Known((one,)))

    found = tenant.limits_of(Limits())(App("app", Application("object", "app", "app")))

    assert (found.max_secret_days, found.max_certificate_days) == (30, 365)


def test_default_counts_for_everybody_where_the_policies_of_applications_were_not_read() -> None:
    tenant = replace(TENANT, policy=Known(Policy(True, 61)), own_policies=Unknown("graph-500"))

    assert tenant.limits_of(Limits())(App("app")).max_secret_days == 60


def test_policy_that_was_not_read_is_unknown() -> None:
    assert said_of_tenant(replace(TENANT, policy=NOT_READ)) == ["unknown"]


@pytest.mark.parametrize(("binds_after", "said_so"), [(None, "of any age"), (AT, "from 2026-09-01")])
def test_policy_finding_says_what_is_bound(binds_after: datetime | None, said_so: str) -> None:
    policy = replace(GOOD, enabled=False, binds_after=binds_after)

    (finding,) = judge_tenant(replace(TENANT, policy=Known(policy)), AT, Limits())

    assert finding.facts == (("gaps", "the policy is off"), ("binds applications", said_so))


@pytest.mark.parametrize(
    ("policy", "secrets", "certificates"),
    [
        (GOOD, 180, 365),
        (replace(GOOD, max_secret_days=91, max_certificate_days=181), 90, 180),
        (replace(GOOD, max_secret_days=731, max_certificate_days=None), 180, 365),
        (replace(GOOD, enabled=False, max_secret_days=10), 180, 365),
    ],
)
def test_stricter_policy_lowers_the_limits(policy: Policy, secrets: int, certificates: int) -> None:
    limits = policy.lower(Limits())

    assert (limits.max_secret_days, limits.max_certificate_days) == (secrets, certificates)

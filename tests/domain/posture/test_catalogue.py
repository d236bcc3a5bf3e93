from dataclasses import fields, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.posture.catalogue import (
    ALL_APP_CHECKS,
    IN_TENANT_CHECKS,
    TENANT_CHECKS,
    check_order,
    judge_app,
    judge_tenant,
)
from shared.domain.posture.check import Check
from shared.domain.posture.estate_facts import AppInTenant, Tenant, credential_changes
from shared.domain.posture.finding import ObjectKind, Verdict
from shared.domain.posture.gateway_view import AuditEvent
from shared.domain.posture.inventory import (
    App,
    Application,
    AppRole,
    Credential,
    FederatedCredential,
    Known,
    Owner,
    ServicePrincipal,
    Unknown,
)
from shared.domain.posture.limits import Limits
from tests.domain.posture.apps import (
    AT,
    HOME,
    MICROSOFT,
    OBJECT,
    ORDINARY,
    PARTNER,
    PRINCIPAL,
    TAKE_OVER,
    TENANT,
    app,
    findings,
    holding,
    secret,
    trust,
)

HOSTILE = [
    "<script>alert(1)</script>",
    '=HYPERLINK("https://evil.example")',
    "@everyone [click](https://evil.example)",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "a\nb\r\nc\0",
    "{object_id} {key_id} %s {0}",
    "\\1 \\g<object_id>",
    "",
]
EVERY_CHECK: list[Check[App] | Check[AppInTenant] | Check[Tenant]] = [
    *ALL_APP_CHECKS.values(),
    *IN_TENANT_CHECKS.values(),
    *TENANT_CHECKS.values(),
]
PROMISED = {
    *(f"A{number}" for number in range(1, 8)),
    *(f"B{number}" for number in range(1, 8)),
    *(f"C{number}" for number in (*range(1, 17), 18)),
    *(f"D{number}" for number in range(1, 6)),
    *(f"E{number}" for number in range(1, 5)),
    *(f"F{number}" for number in range(1, 12)),
}


def test_catalogue_has_every_promised_check_once_in_order() -> None:
    ids = [one.check_id for one in EVERY_CHECK]

    assert sorted(ids) == sorted(PROMISED)
    assert list(ALL_APP_CHECKS) == sorted(ALL_APP_CHECKS, key=check_order)


@pytest.mark.parametrize("check", EVERY_CHECK, ids=lambda one: one.check_id)
def test_check_tells_its_page_everything(check: Check[App]) -> None:
    known = {field.name for field in fields(Limits)}

    assert all((check.title, check.detects, check.source, check.permission, check.traps, check.fix))
    assert set(check.thresholds) <= known
    assert not check.title.endswith(".")


def test_ordinary_application_has_no_finding_at_all() -> None:
    assert findings(ORDINARY) == ()


def test_what_nobody_read_is_unknown_and_never_a_pass() -> None:
    blank = App("app-1", replace(_application(), federated_count=None), _principal())

    found = judge_app(blank, AT, Limits())

    unknown = {one.check_id for one in found if one.verdict is Verdict.UNKNOWN}
    assert unknown == {
        *("A1", "A2", "A4", "A6", "B1", "B2", "B3", "B4", "B5", "B7"),
        *("C16", "D1", "D2", "D3", "D4", "D5", "E1", "E2", "E3", "E4"),
    }
    assert all(one.facts and not one.fix for one in found)


def _application() -> Application:
    return Application(OBJECT, "app-1", "payroll")


def _principal() -> ServicePrincipal:
    return ServicePrincipal(PRINCIPAL, "app-1", "payroll", owner_tenant=HOME)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_is_kept_as_it_is_and_stays_out_of_the_fix(name: str) -> None:
    one = app({"name": name, "credentials": (secret("k", 900, 900),)}, app_roles=Known((TAKE_OVER,)))

    found = findings(one)

    assert {finding.about.name for finding in found} == {name}
    assert not any(name and name in finding.fix for finding in found)


def test_findings_come_by_check_and_key_with_ids_of_their_own() -> None:
    one = holding(secret("b", 900, -30), secret("a", 900, -30), secret("c", 900, 900))

    found = findings(one)

    places = [(check_order(finding.check_id), finding.about.key_id) for finding in found]
    assert places == sorted(places)
    assert len({finding.finding_id for finding in found}) == len(found)


def test_same_key_listed_twice_is_one_finding_and_the_worst() -> None:
    twice = (
        trust("repo:a/*:ref:refs/heads/main", expression="claims['sub'] matches 'repo:a/*:x'"),
        trust("repo:a/b:x"),
    )

    found = findings(app({"federated_count": 2}, federated=Known(twice)), "D1", "D2")

    assert [(finding.check_id, finding.severity.word) for finding in found] == [("D1", "high"), ("D2", "medium")]


def test_every_failure_shows_a_call_without_blanks_for_its_ids() -> None:
    one = holding(secret("k", 900, 900), last_used_at=Known(None), app_roles=Known((TAKE_OVER,)))

    found = findings(one)

    assert found
    assert all(finding.fix for finding in found)
    assert not any(blank in finding.fix for finding in found for blank in ("{object_id}", "{key_id}", "{principal_id}"))


def test_tenant_is_what_its_finding_is_about() -> None:
    (finding,) = judge_tenant(Tenant(HOME, "Contoso"), AT, Limits())

    assert (finding.about.kind, finding.about.object_id, finding.about.name) == (ObjectKind.TENANT, HOME, "Contoso")


moments = st.none() | st.integers(-1000, 1000).map(lambda days: AT + timedelta(days=days))
unread = st.sampled_from([Unknown("graph-403"), Unknown("not-read")])
texts = st.sampled_from(HOSTILE) | st.text(max_size=8)
key_ids = st.sampled_from(["k1", "k2", "k3"])
tenants = st.sampled_from([HOME, PARTNER, MICROSOFT, ""])
flags = st.booleans()
uris = texts | st.sampled_from(
    ["http://localhost", "https://a.example/*", "http://[::", "http://b.corp", "contoso://x"]
)
expressions = texts | st.sampled_from(["claims['sub'] matches 'repo:a/*'", "claims['sub'] eq 'repo:a/b:pull_request'"])
credentials = st.builds(
    Credential,
    key_id=key_ids,
    name=st.sampled_from(["CWAP_AuthSecret", "by hand"]),
    starts_at=moments,
    ends_at=moments,
    thumbprint=st.sampled_from(["", "t1", "t2"]),
    usages=st.frozensets(st.sampled_from(["Sign", "Verify"])),
    key_bits=st.none() | st.sampled_from([256, 1024, 4096]),
    signature_algorithm=st.sampled_from(["", "sha1", "sha256"]),
).flatmap(lambda one: st.sampled_from(["secret", "certificate"]).map(lambda kind: _of_kind(one, kind)))
listed = st.lists(credentials, max_size=4).map(tuple)
owners = st.builds(
    Owner,
    object_id=texts,
    name=texts,
    enabled=st.none() | flags,
    is_guest=flags,
    has_mfa=st.none() | flags,
    home_tenant=tenants,
    members=st.none() | st.integers(0, 2),
)


def _of_kind(one: Credential, kind: str) -> Credential:
    return replace(one, kind=type(one.kind)(kind))


applications = st.builds(
    Application,
    object_id=st.just(OBJECT),
    app_id=st.just("app-1"),
    name=texts,
    created_at=moments,
    audience=st.sampled_from(["AzureADMyOrg", "AzureADMultipleOrgs"]),
    disabled=flags,
    disabled_by_microsoft=flags,
    is_blueprint=flags,
    implicit_grant=flags,
    public_client=flags,
    locked=st.none() | flags,
    exposes_api=flags,
    credentials=listed,
    web_redirects=st.lists(uris, max_size=3).map(tuple),
    spa_redirects=st.lists(uris, max_size=3).map(tuple),
    owner_count=st.none() | st.integers(0, 3),
    federated_count=st.none() | st.integers(0, 20),
)
principals = st.builds(
    ServicePrincipal,
    object_id=st.just(PRINCIPAL),
    app_id=st.just("app-1"),
    name=texts,
    kind=st.sampled_from(["Application", "ManagedIdentity", "Legacy", "ServiceIdentity"]),
    created_at=moments,
    owner_tenant=tenants,
    credentials=listed,
    enabled=flags,
    blueprint_id=st.sampled_from(["", "app-9"]),
    single_sign_on=st.sampled_from(["", "saml"]),
    owner_count=st.none() | st.integers(0, 3),
)
roles = st.builds(AppRole, st.just(TAKE_OVER.resource_app_id), st.sampled_from([TAKE_OVER.role_id, "other"]))
trusts = st.builds(FederatedCredential, texts, uris, texts, expressions)
apps = st.builds(
    App,
    app_id=st.just("app-1"),
    application=st.none() | applications,
    principal=st.none() | principals,
    last_used_at=unread | moments.map(Known),
    credential_uses=unread | st.dictionaries(key_ids, moments.filter(bool)).map(Known),
    owners=unread | st.lists(owners, max_size=3).map(tuple).map(Known),
    sponsors=unread | st.lists(owners, max_size=3).map(tuple).map(Known),
    federated=unread | st.lists(trusts, max_size=3).map(tuple).map(Known),
    app_roles=unread | st.lists(roles, max_size=2).map(tuple).map(Known),
    directory_roles=unread | st.lists(texts, max_size=2).map(tuple).map(Known),
    delegated_scopes=unread | st.frozensets(st.sampled_from(["Mail.Read", "openid"])).map(Known),
)
events = st.builds(
    AuditEvent,
    at=moments.filter(bool),
    activity=st.just("Add service principal credentials"),
    actor=texts,
    target_id=st.sampled_from([OBJECT, PRINCIPAL]),
    correlation_id=st.sampled_from(["", "c-1"]),
    details=st.just({}),
)
tenant_facts = st.builds(
    Tenant,
    tenant_id=tenants,
    applications=unread | st.just(Known(1)),
    shared_thumbprints=unread | st.just(Known({"t1": ("app-1", "app-2")})),
    live_principals=unread | st.just(Known(frozenset({PRINCIPAL}))),
    unresolved_hosts=unread | st.just(Known(frozenset({"a.example", "b.corp"}))),
    credential_changes=unread | st.lists(events, max_size=3).map(tuple).map(Known).map(credential_changes),
)


@settings(max_examples=300)
@given(apps, tenant_facts)
def test_any_application_is_judged_and_every_id_is_its_own(one: App, tenant: Tenant) -> None:
    found = judge_app(one, AT, Limits(), tenant)

    assert len({finding.finding_id for finding in found}) == len(found)
    assert all(finding.check_id in PROMISED for finding in found)
    assert all(finding.fix for finding in found if finding.verdict is Verdict.FAIL)


@settings(max_examples=200)
@given(apps, tenant_facts, st.randoms(use_true_random=False))
def test_order_in_which_things_were_read_changes_nothing(one: App, tenant: Tenant, random: Random) -> None:
    assert judge_app(_shuffled(one, random), AT, Limits(), tenant) == judge_app(one, AT, Limits(), tenant)


def _shuffled(one: App, random: Random) -> App:
    def mixed(values: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(random.sample(values, len(values)))

    changed: dict[str, Any] = {}
    for name in ("owners", "sponsors", "federated", "app_roles", "directory_roles"):
        source = getattr(one, name)
        if isinstance(source, Known):
            changed[name] = Known(mixed(source.value))
    for name in ("application", "principal"):
        part = getattr(one, name)
        if part is not None:
            changed[name] = replace(part, credentials=mixed(part.credentials))
    return replace(one, **changed)


def test_same_facts_at_the_same_moment_say_the_same() -> None:
    assert judge_app(ORDINARY, AT, Limits(), TENANT) == judge_app(ORDINARY, AT, Limits(), TENANT)

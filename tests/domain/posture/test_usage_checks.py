from dataclasses import replace

import pytest

from shared.domain.posture.inventory import App, AppRole, Known, Purpose
from tests.domain.posture.apps import (
    GLOBAL_ADMINISTRATOR,
    NOT_READ,
    OBJECT,
    PRINCIPAL,
    TAKE_OVER,
    Fields,
    Names,
    Roles,
    Used,
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
    secret,
)

STALE = Known(ago(100))
NEVER: Known[None] = Known(None)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(89, []), (90, []), (91, ["medium"]), (179, ["medium"]), (180, ["medium"]), (181, ["high"])],
)
def test_unused_beyond_the_limit_is_stale_and_worse_beyond_the_second(days: int, expected: list[str]) -> None:
    assert said(app(last_used_at=Known(ago(days))), "A1") == expected


QUIET: list[tuple[str, App]] = [
    ("saml", app(of_principal={"single_sign_on": "saml"}, last_used_at=STALE)),
    ("password sign-on", app(of_principal={"single_sign_on": "password"}, last_used_at=STALE)),
    ("linked sign-on", app(of_principal={"single_sign_on": "linked"}, last_used_at=STALE)),
    (
        "app proxy",
        app(of_principal={"tags": frozenset({"WindowsAzureActiveDirectoryOnPremApp"})}, last_used_at=STALE),
    ),
    ("microsoft", microsofts(last_used_at=STALE)),
    ("managed identity", managed_identity(last_used_at=STALE)),
    ("agent", agent(last_used_at=STALE)),
    ("blueprint", app({"is_blueprint": True}, last_used_at=STALE)),
    ("foreign blueprint", foreign(of_principal={"is_blueprint": True}, last_used_at=STALE)),
    ("trust between devices", app({"purpose": Purpose.DEVICE_TRUST}, last_used_at=STALE)),
    ("cloud sync", app({"purpose": Purpose.CLOUD_SYNC, "credentials": (secret(),)}, last_used_at=STALE)),
    ("add-in", app({"purpose": Purpose.OFFICE_ADD_IN}, last_used_at=STALE)),
    ("switched off", app({"disabled": True}, last_used_at=STALE)),
    ("switched off here", app(of_principal={"enabled": False}, last_used_at=STALE)),
    ("young", app({"created_at": ago(90)}, {"created_at": ago(90)}, last_used_at=STALE)),
]


@pytest.mark.parametrize(("why", "innocent"), QUIET, ids=[why for why, _ in QUIET])
def test_what_needs_no_tokens_is_not_stale_and_not_unknown_either(why: str, innocent: App) -> None:
    unread = _unread(innocent)

    assert said(innocent, "A1") == []
    assert said(unread, "A1") == []


def _unread(one: App) -> App:
    return replace(one, last_used_at=NOT_READ)


@pytest.mark.parametrize("where", [{"credentials": (secret(),)}, {"credentials": (certificate(ends=-1),)}])
def test_add_in_that_holds_a_credential_asks_for_tokens_itself(where: Fields) -> None:
    add_in = {"purpose": Purpose.OFFICE_ADD_IN}

    assert said(app(add_in | where, last_used_at=STALE), "A1") != []
    assert said(app(add_in, where, last_used_at=STALE), "A1") != []


@pytest.mark.parametrize("mode", ["", "oidc", "notSupported"])
def test_sign_on_by_tokens_is_stale_without_them(mode: str) -> None:
    assert said(app(of_principal={"single_sign_on": mode}, last_used_at=STALE), "A1") == ["medium"]


def test_foreign_application_is_stale_and_switched_off_at_its_principal() -> None:
    (finding,) = findings(foreign(last_used_at=STALE), "A1")

    assert finding.about.object_id == PRINCIPAL
    assert finding.fix.startswith(f'PATCH /servicePrincipals/{PRINCIPAL} {{"accountEnabled": false}}')


def test_own_application_is_switched_off_at_its_registration_by_a_call_that_can_be_taken_back() -> None:
    (finding,) = findings(app(last_used_at=STALE), "A1")

    assert finding.fix.startswith(f'PATCH /applications/{OBJECT} {{"isDisabled": true}}')
    assert finding.facts == (("days unused", "100"),)


@pytest.mark.parametrize("check_id", ["A1", "A2", "A6"])
def test_usage_that_was_not_read_is_unknown(check_id: str) -> None:
    (finding,) = findings(app(last_used_at=NOT_READ), check_id)

    assert finding.verdict == "unknown"
    assert finding.facts == (("missing", "graph-403"),)


@pytest.mark.parametrize("one", [microsofts(last_used_at=NOT_READ), managed_identity(last_used_at=NOT_READ)])
def test_usage_of_what_is_not_judged_by_it_is_not_missed(one: App) -> None:
    assert said(one, "A6") == []


def test_usage_of_an_agent_that_was_not_read_is_unknown() -> None:
    one = agent(last_used_at=NOT_READ)

    assert (said(one, "A6"), said(one, "A7")) == (["unknown"], ["unknown"])


@pytest.mark.parametrize(("days", "expected"), [(29, []), (30, []), (31, ["medium"]), (None, ["medium"])])
def test_no_sign_in_ever_is_a_finding_once_it_is_old_enough(days: int | None, expected: list[str]) -> None:
    created = {"created_at": None if days is None else ago(days)}

    assert said(app(created, created, last_used_at=NEVER), "A2") == expected


def test_used_application_was_not_never_used() -> None:
    assert said(app(last_used_at=STALE), "A2") == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"exposes_api": True, "web_redirects": ()}, []),
        ({"exposes_api": True, "web_redirects": (), "credentials": (secret(),)}, ["medium"]),
        ({"exposes_api": True, "web_redirects": (), "spa_redirects": ("https://a.example",)}, ["medium"]),
        ({"exposes_api": True, "web_redirects": (), "public_client": True}, ["medium"]),
        ({"exposes_api": True, "web_redirects": (), "federated_count": 1}, ["medium"]),
        ({"exposes_api": False, "web_redirects": ()}, ["medium"]),
    ],
)
def test_api_that_only_serves_has_no_sign_ins_of_its_own(changed: Fields, expected: list[str]) -> None:
    assert said(app(changed, last_used_at=NEVER), "A2") == expected


@pytest.mark.parametrize(("audience", "expected"), [("AzureADMultipleOrgs", []), ("AzureADMyOrg", ["medium"])])
def test_product_without_a_principal_here_is_used_elsewhere(audience: str, expected: list[str]) -> None:
    one = app({"audience": audience}, principal=None, last_used_at=NEVER)

    assert said(one, "A2") == expected


def test_foreign_application_that_was_never_used_is_found() -> None:
    assert said(foreign(last_used_at=NEVER), "A2") == ["medium"]


@pytest.mark.parametrize(
    ("ends", "used", "expected"),
    [(100, STALE, ["high"]), (-1, STALE, []), (100, Known(ago(1)), []), (100, NOT_READ, ["unknown"])],
)
def test_stale_with_a_live_credential_is_high(ends: int, used: Used, expected: list[str]) -> None:
    assert said(holding(secret(ends=ends), last_used_at=used), "A3") == expected


@pytest.mark.parametrize(
    ("roles", "directory", "used", "expected"),
    [
        (Known((TAKE_OVER,)), Known(()), STALE, ["critical"]),
        (Known(()), Known((GLOBAL_ADMINISTRATOR,)), STALE, ["critical"]),
        (Known(()), Known(()), STALE, []),
        (Known((TAKE_OVER,)), Known(()), Known(ago(1)), []),
        (Known((TAKE_OVER,)), Known(()), NOT_READ, ["unknown"]),
        (NOT_READ, Known(()), STALE, ["unknown"]),
        (Known(()), NOT_READ, STALE, ["unknown"]),
        (Known(()), Known(()), NOT_READ, []),
        (Known((AppRole("evil-resource", TAKE_OVER.role_id),)), Known(()), STALE, []),
    ],
)
def test_stale_and_privileged_is_critical(roles: Roles, directory: Names, used: Used, expected: list[str]) -> None:
    one = app(app_roles=roles, directory_roles=directory, last_used_at=used)

    assert said(one, "A4") == expected


@pytest.mark.parametrize(
    ("used", "created", "expected"),
    [
        (Known(ago(29)), 900, []),
        (Known(ago(30)), 900, []),
        (Known(ago(31)), 900, ["low"]),
        (NEVER, 900, ["low"]),
        (NEVER, 20, []),
        (NEVER, None, ["low"]),
        (NOT_READ, 900, ["unknown"]),
        (NOT_READ, 20, []),
    ],
)
def test_switched_off_and_quiet_is_forgotten(used: Used, created: int | None, expected: list[str]) -> None:
    made = {"created_at": None if created is None else ago(created)}

    assert said(app(made | {"disabled": True}, made, last_used_at=used), "A5") == expected


@pytest.mark.parametrize(
    "one",
    [
        app({"disabled_by_microsoft": True}),
        app(of_principal={"disabled_by_microsoft": True}, last_used_at=NOT_READ),
        foreign(of_principal={"disabled_by_microsoft": True}),
    ],
)
def test_what_microsoft_switched_off_is_kept(one: App) -> None:
    (finding,) = findings(one, "A5")

    assert (finding.severity.word, "DELETE" in finding.fix) == ("low", False)


@pytest.mark.parametrize("one", [app(last_used_at=STALE), microsofts(of_principal={"enabled": False})])
def test_what_is_on_or_microsofts_is_not_forgotten(one: App) -> None:
    assert said(one, "A5") == []


@pytest.mark.parametrize(
    ("used", "expected"),
    [(Known(ago(29)), []), (Known(ago(30)), []), (Known(ago(31)), ["medium"]), (NEVER, ["medium"])],
)
def test_agent_that_rests_too_long_is_found(used: Used, expected: list[str]) -> None:
    assert said(agent(last_used_at=used), "A7") == expected


@pytest.mark.parametrize(
    ("reported", "logged", "expected"),
    [
        (NEVER, Known(ago(30)), []),
        (Known(ago(200)), Known(ago(3)), []),
        (Known(ago(3)), Known(ago(200)), []),
        (NEVER, NEVER, ["medium"]),
        (NEVER, Known(ago(31)), ["medium"]),
        (NEVER, NOT_READ, ["unknown"]),
        (Known(ago(200)), NOT_READ, ["unknown"]),
        (NOT_READ, NEVER, ["unknown"]),
        (NOT_READ, Known(ago(200)), ["unknown"]),
        (NOT_READ, NOT_READ, ["unknown"]),
        (NOT_READ, Known(ago(3)), []),
        (Known(ago(3)), NOT_READ, []),
    ],
)
def test_agent_rests_only_when_neither_the_report_nor_the_log_has_seen_it(
    reported: Used, logged: Used, expected: list[str]
) -> None:
    assert said(agent(last_used_at=reported, agent_worked_at=logged), "A7") == expected


def test_agent_that_rests_was_last_used_when_either_saw_it_last() -> None:
    (finding,) = findings(agent(last_used_at=Known(ago(50)), agent_worked_at=Known(ago(40))), "A7")

    assert finding.facts == (("last used", f"{ago(40):%Y-%m-%d}"),)


@pytest.mark.parametrize(
    "innocent",
    [
        agent(of_principal={"created_at": ago(30)}, last_used_at=NEVER),
        agent(of_principal={"enabled": False}, last_used_at=STALE),
        agent(of_principal={"owner_tenant": "72f988bf-86f1-41af-91ab-2d7cd011db47"}, last_used_at=STALE),
        app(last_used_at=STALE),
    ],
)
def test_new_disabled_and_foreign_agents_may_rest(innocent: App) -> None:
    assert said(innocent, "A7") == []

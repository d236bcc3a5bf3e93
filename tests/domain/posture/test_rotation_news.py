from dataclasses import replace

import pytest

from shared.domain.approval import Person
from shared.domain.posture.check import Case
from shared.domain.posture.checks.traits import APP_PROXY_TAG
from shared.domain.posture.inventory import App, CredentialKind, Known
from shared.domain.posture.limits import Limits
from shared.domain.posture.pairs import Retired
from shared.domain.posture.rotation import Rotation, rotation
from shared.domain.posture.rotation_ledger import NotedApp, NotedCredential
from shared.domain.posture.rotation_news import AppNews, completed_unseen, owner_of, untold, words_of
from shared.domain.posture.rotation_steps import federation_step, steps_of
from tests.domain.posture.apps import (
    AT,
    NOT_READ,
    OBJECT,
    PRINCIPAL,
    agent,
    ago,
    ahead,
    app,
    certificate,
    foreign,
    group,
    holding,
    machine,
    person,
    secret,
    signing,
    used,
)

LIMITS = Limits()
OLD, NEW = secret("old", 100, 60), secret("new", 50, 90)
PROXY_SECRET = replace(secret("k", 400, 3), name="CWAP_AuthSecret")
GONE = Retired("old", CredentialKind.SECRET, ago(150), ago(5))


def rotated(one: App, *retired: Retired) -> Rotation:
    found = rotation(Case(one, AT, LIMITS), retired)
    assert found is not None
    return found


def words(one: App, *retired: Retired) -> list[str]:
    return list(words_of(rotated(one, *retired), LIMITS.expiring))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (holding(secret("k", 20, 31)), []),
        (holding(secret("k", 20, 30)), ["k ends-30"]),
        (holding(secret("k", 20, 0.5)), ["k ends-1"]),
        (holding(secret("k", 170, 300)), ["k ends-14"]),
        (holding(secret("k", 200, 300)), ["k overdue"]),
        (holding(secret("k", 200, 6)), ["k overdue", "k ends-7"]),
        (holding(secret("k", None, 6)), ["k ends-7"]),
        (holding(secret("k", None, None)), []),
        (holding(signing("s")), []),
        (holding(OLD, NEW, credential_uses=used({"new": 1, "old": 40})), ["old superseded-but-live"]),
        (holding(replace(OLD, ends_at=ahead(5)), NEW, credential_uses=used({"new": 1})), ["old superseded-but-live"]),
        (holding(OLD, NEW, credential_uses=used({"new": 1, "old": 2})), ["old still-used-after-rotation"]),
        (
            holding(replace(OLD, ends_at=ahead(5)), NEW, credential_uses=used({"new": 1, "old": 2})),
            ["old still-used-after-rotation", "old ends-7"],
        ),
        (holding(replace(OLD, ends_at=ahead(5)), secret("new", 5, 90)), ["old ends-7"]),
        (holding(replace(OLD, ends_at=ahead(5)), NEW, credential_uses=used(None)), ["old ends-7"]),
        (holding(PROXY_SECRET, of_principal={"tags": frozenset({APP_PROXY_TAG})}), []),
        (holding(PROXY_SECRET), ["k overdue", "k ends-7"]),
    ],
)
def test_credential_is_told_of_by_its_state_and_by_how_near_its_end_is(one: App, expected: list[str]) -> None:
    assert words(one) == expected


def test_rotation_is_told_and_known_to_be_old_if_neither_was_noted() -> None:
    one = rotated(holding(NEW, credential_uses=used({"new": 1})), GONE)
    seen = [NotedApp(OBJECT, (NotedCredential(key, CredentialKind.SECRET, None, None, AT),)) for key in ("new", "old")]

    assert words_of(one, LIMITS.expiring) == ("new rotated",)
    assert completed_unseen(one, NotedApp(OBJECT)) == ("new rotated",)
    assert [completed_unseen(one, each) for each in seen] == [(), ()]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((), ("k ends-7", "k overdue")),
        (("k ends-14", "other ends-1", "other overdue"), ("k ends-7", "k overdue")),
        (("k ends-7",), ("k overdue",)),
        (("k ends-1", "k overdue"), ()),
    ],
)
def test_only_what_nobody_has_heard_is_told(told: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert untold(("k ends-7", "k overdue"), told) == expected


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (app(owners=Known((person("grace"), person("ada")))), "ada"),
        (app(owners=Known((person("ada", enabled=False), person("grace")))), "grace"),
        (app(owners=Known((person("ada", enabled=None),))), None),
        (app(owners=Known((person("ada", is_guest=True), machine(), group()))), None),
        (app(owners=NOT_READ), None),
        (agent(sponsors=Known((person("sponsor"),))), "sponsor"),
        (agent(sponsors=NOT_READ), None),
    ],
)
def test_first_owner_or_sponsor_who_can_sign_in_hears_of_it(one: App, expected: str | None) -> None:
    assert owner_of(one) == (Person(expected, expected) if expected else None)


def test_what_stops_working_within_a_week_comes_first_and_what_is_done_last() -> None:
    apps = {
        "done": holding(NEW, credential_uses=used({"new": 1})),
        "week": holding(secret("k", 20, 5)),
        "today": holding(secret("k", 20, 0.5)),
        "used": holding(OLD, NEW, credential_uses=used({"new": 1, "old": 2})),
        "overdue": holding(secret("k", 300, 300)),
        "month": holding(secret("k", 20, 29)),
    }
    news = [
        AppNews(name, name, words_of(found, LIMITS.expiring), found)
        for name, found in ((name, rotated(one, *([GONE] if name == "done" else []))) for name, one in apps.items())
    ]

    ranked = [one.object_id for one in sorted(news, key=lambda one: one.urgency)]

    assert ranked == ["today", "week", "used", "overdue", "month", "done"]


def calls(one: App, key_id: str) -> list[str]:
    """What is called, without its body."""
    (row,) = (each for each in rotated(one).credentials if each.about.key_id == key_id)
    return [step.call.partition(' {"')[0].partition(" with")[0] for step in steps_of(row, AT)]


REPORT = "GET /beta/reports/appCredentialSignInActivities?$filter=keyId eq '{}'"


@pytest.mark.parametrize(
    ("one", "key_id", "expected"),
    [
        (
            holding(secret("k", 170, 300)),
            "k",
            [
                f"POST /applications/{OBJECT}/addPassword",
                "",
                REPORT.format("{new key id}"),
                f"POST /applications/{OBJECT}/removePassword",
            ],
        ),
        (
            holding(certificate("k", 170, 300)),
            "k",
            [
                f"POST /applications/{OBJECT}/addKey",
                "",
                REPORT.format("{new key id}"),
                f"POST /applications/{OBJECT}/removeKey",
            ],
        ),
        (
            holding(OLD, NEW, credential_uses=used({"new": 1})),
            "old",
            [REPORT.format("new"), f"POST /applications/{OBJECT}/removePassword"],
        ),
        (
            holding(OLD, NEW, credential_uses=used({"new": 1, "old": 2})),
            "old",
            [
                "GET /beta/auditLogs/signIns?$filter=servicePrincipalCredentialKeyId eq 'old'",
                REPORT.format("new"),
                f"POST /applications/{OBJECT}/removePassword",
            ],
        ),
        (holding(secret("k", 20, 90)), "k", []),
    ],
)
def test_old_one_is_removed_after_the_new_one_is_proven(one: App, key_id: str, expected: list[str]) -> None:
    assert calls(one, key_id) == expected


def test_new_one_gets_an_end_within_the_limits() -> None:
    found = rotation(Case(holding(secret("k", 170, 300)), AT, replace(LIMITS, max_secret_days=89)))
    assert found is not None

    add = steps_of(found.credentials[0], AT)[0]

    assert add.call.endswith('"endDateTime": "2026-11-29T00:00:00Z"}}')


def test_credential_of_a_principal_is_changed_there_and_never_federated() -> None:
    one = foreign(of_principal={"credentials": (secret("k", 200, 300),), "tags": frozenset({"hostedonazure"})})

    found = rotated(one)

    assert calls(one, "k")[0] == f"POST /servicePrincipals/{PRINCIPAL}/addPassword"
    assert federation_step(found.credentials[0], found.federation) is None


def test_federation_is_offered_where_the_host_allows_it() -> None:
    hosted = holding(secret("k", 200, 300), principal=replace(app().principal, tags=frozenset({"hostedonazure"})))  # type: ignore[type-var]
    plain = rotated(holding(secret("k", 200, 300)))

    step = federation_step(rotated(hosted).credentials[0], rotated(hosted).federation)

    assert step is not None
    assert step.call.startswith(f"POST /applications/{OBJECT}/federatedIdentityCredentials")
    assert federation_step(plain.credentials[0], plain.federation) is None

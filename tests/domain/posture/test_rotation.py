from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.posture.check import Case
from shared.domain.posture.estate_facts import Policy
from shared.domain.posture.inventory import App, Credential, CredentialKind, Known, Purpose, Unknown
from shared.domain.posture.limits import Limits
from shared.domain.posture.pairs import Retired
from shared.domain.posture.rotation import CredentialRotation, Host, LastUse, Rotation, rotation
from tests.domain.posture.apps import (
    AT,
    ENTRA,
    NOT_READ,
    OBJECT,
    Days,
    Fields,
    Uses,
    agent,
    ago,
    ahead,
    app,
    certificate,
    findings,
    foreign,
    holding,
    microsofts,
    secret,
    signing,
    trust,
    trusting,
    used,
)

OLD, NEW = secret("old", 100, 60), secret("new", 50, 90)
CWAP = replace(secret("cwap", 400, 300), name="CWAP_AuthSecret")
PROXY = frozenset({"WindowsAzureActiveDirectoryOnPremApp"})
GONE = Retired("old", CredentialKind.SECRET, ago(150), ago(5))
LIMITS = Limits()


def rotated(one: App, *retired: Retired, limits: Limits = LIMITS) -> Rotation:
    found = rotation(Case(one, AT, limits), retired)
    assert found is not None
    return found


def states(one: App, *retired: Retired) -> dict[str, str]:
    return {row.about.key_id: row.state.value for row in rotated(one, *retired).credentials}


def row(one: App, key_id: str, *retired: Retired, limits: Limits = LIMITS) -> CredentialRotation:
    (found,) = (each for each in rotated(one, *retired, limits=limits).credentials if each.about.key_id == key_id)
    return found


@pytest.mark.parametrize(
    ("starts", "ends", "expected", "left", "stage"),
    [
        (20, 31, "current", 31, None),
        (20, 30, "due", 30, 30),
        (20, 15, "due", 15, 30),
        (20, 14, "due", 14, 14),
        (20, 7, "due", 7, 7),
        (20, 1, "due", 1, 1),
        (20, 0.5, "due", 1, 1),
        (149, None, "current", 31, None),
        (150, None, "due", 30, 30),
        (180, None, "due", 0, 1),
        (181, None, "overdue", -1, 1),
        (181, 300, "overdue", -1, 1),
        (None, 30, "due", 30, 30),
        (None, 31, "unknown", 31, None),
        (None, None, "unknown", None, None),
    ],
)
def test_credential_is_due_at_its_end_or_its_greatest_age(
    starts: Days, ends: Days, expected: str, left: int | None, stage: int | None
) -> None:
    found = row(holding(secret(starts=starts, ends=ends)), "secret-1")

    assert (found.state.value, found.days_left, found.stage) == (expected, left, stage)


@pytest.mark.parametrize(
    ("policy", "starts", "expected"),
    [
        (Policy(True, 91), 90, "due"),
        (Policy(True, 91), 91, "overdue"),
        (Policy(False, 91), 91, "current"),
        (Policy(True, 721), 149, "current"),
        (Policy(True, None, 91), 91, "current"),
    ],
)
def test_policy_of_the_tenant_binds_where_it_is_stricter(policy: Policy, starts: int, expected: str) -> None:
    found = row(holding(secret(starts=starts, ends=300)), "secret-1", limits=policy.lower(LIMITS))

    assert found.state.value == expected


def test_certificate_has_a_greatest_age_of_its_own() -> None:
    limits = Policy(True, 31, 101).lower(LIMITS)

    assert row(holding(certificate(starts=100, ends=300)), "cert-1", limits=limits).days_left == 0


def test_no_reminders_make_nothing_due_before_it_is_overdue() -> None:
    limits = replace(LIMITS, expiring=())

    assert row(holding(secret(starts=20, ends=5)), "secret-1", limits=limits).state.value == "current"


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ({}, {"old": "rotating", "new": "rotating"}),
        ({"old": 1}, {"old": "rotating", "new": "rotating"}),
        ({"new": 1}, {"old": "superseded-but-live", "new": "rotating"}),
        ({"new": 1, "old": 40}, {"old": "superseded-but-live", "new": "rotating"}),
        ({"new": 1, "old": 2}, {"old": "still-used-after-rotation", "new": "rotating"}),
        (None, {"old": "unknown", "new": "rotating"}),
    ],
)
def test_pair_is_told_by_which_of_both_is_used(uses: Uses, expected: dict[str, str]) -> None:
    assert states(holding(OLD, NEW, credential_uses=used(uses))) == expected


@pytest.mark.parametrize(("apart", "expected"), [(14, "current"), (15, "rotating")])
def test_credentials_issued_together_are_siblings(apart: int, expected: str) -> None:
    one = holding(secret("old", 10 + apart, 90), secret("new", 10, 90), credential_uses=used({"new": 1}))

    assert set(states(one).values()) == {expected}


@pytest.mark.parametrize(("since", "expected"), [(14, "rotating"), (15, "superseded-but-live")])
def test_consumers_have_an_overlap_to_change(since: int, expected: str) -> None:
    one = holding(OLD, secret("new", since, 90), credential_uses=used({"new": 1}))

    assert states(one)["old"] == expected


def test_secret_is_not_superseded_by_a_certificate() -> None:
    one = holding(OLD, certificate("new", 50, 90), credential_uses=used({"new": 1}))

    assert set(states(one).values()) == {"current"}


@pytest.mark.parametrize(
    ("retired", "uses", "expected"),
    [
        ((GONE,), {"new": 1}, "rotated"),
        ((GONE,), {}, "rotating"),
        ((GONE,), None, "unknown"),
        ((), {"new": 1}, "current"),
        ((replace(GONE, kind=CredentialKind.CERTIFICATE),), {"new": 1}, "current"),
        ((replace(GONE, starts_at=ago(40)),), {"new": 1}, "current"),
        ((replace(GONE, starts_at=None),), {"new": 1}, "current"),
    ],
)
def test_rotated_needs_the_new_one_used_and_the_old_one_gone(
    retired: tuple[Retired, ...], uses: Uses, expected: str
) -> None:
    assert states(holding(NEW, credential_uses=used(uses)), *retired) == {"new": expected}


def test_superseded_one_that_still_works_is_not_rotated() -> None:
    one = holding(OLD, NEW, credential_uses=used({"new": 1}))

    assert "rotated" not in states(one, GONE, replace(GONE, key_id="older")).values()


def test_expired_one_is_as_good_as_gone() -> None:
    one = holding(secret("old", 150, -20), NEW, credential_uses=used({"new": 1}))

    assert states(one) == {"new": "rotated"}
    assert (row(one, "new").predecessor, row(one, "new").superseded_days) == ("old", 30)


def test_one_that_was_taken_before_its_successor_came_overlapped_no_day() -> None:
    found = row(holding(NEW), "new", replace(GONE, gone_at=ago(60)))

    assert found.superseded_days == 0


def test_rotated_says_how_long_the_old_one_stayed_valid() -> None:
    found = row(holding(NEW, credential_uses=used({"new": 1})), "new", GONE)

    assert (found.predecessor, found.superseded_days) == ("old", 45)


def test_three_numbers_and_the_pair_are_told() -> None:
    one = holding(OLD, NEW, secret("newest", 5, 175), credential_uses=used({"new": 1, "old": 40}))

    old, new, newest = row(one, "old"), row(one, "new"), row(one, "newest")

    assert (old.age_days, old.lifetime_days, old.superseded_days) == (100, 160, 50)
    assert (old.successor, old.predecessor, old.last_used) == ("newest", "", ago(40))
    assert (new.successor, new.predecessor, new.superseded_days) == ("newest", "old", 5)
    assert (newest.successor, newest.predecessor, newest.superseded_days) == ("", "new", None)


def test_dates_that_nobody_wrote_are_no_numbers() -> None:
    found = row(holding(secret(starts=None, ends=50), credential_uses=NOT_READ), "secret-1", GONE)

    assert (found.age_days, found.lifetime_days, found.superseded_days, found.last_used) == (None, None, None, None)


SYNC = replace(certificate("sync", 400, 300), name="CN=Entra Connect Sync Provisioning")
OF_SYNC: Fields = {"name": "ConnectSyncProvisioning_server01_a1", "credentials": (SYNC,), "web_redirects": ()}
P2P = replace(SYNC, name="CN=MS-Organization-P2P-Access [2026]")
OF_DEVICES: Fields = {"purpose": Purpose.DEVICE_TRUST, "credentials": (P2P,)}


@pytest.mark.parametrize(
    "one",
    [
        holding(CWAP, of_principal={"tags": PROXY}),
        app(OF_SYNC),
        app({**OF_SYNC, "credentials": (replace(SYNC, name="ConnectSyncProvisioning_server01"),)}),
        app(OF_DEVICES),
    ],
)
def test_what_microsoft_renews_is_recognised(one: App) -> None:
    assert set(states(one).values()) == {"renewed-by-microsoft"}


@pytest.mark.parametrize(
    "one",
    [
        holding(CWAP),
        holding(CWAP, of_principal={"tags": frozenset({"HideApp"})}),
        holding(CWAP, principal=None),
        holding(replace(CWAP, name="CWAP"), of_principal={"tags": PROXY}),
        holding(replace(SYNC, name="CWAP_AuthSecret"), of_principal={"tags": PROXY}),
        holding(SYNC),
        holding(replace(CWAP, name="ConnectSyncProvisioning_server01")),
        app({**OF_SYNC, "credentials": (replace(SYNC, name="by hand"),)}),
        app({**OF_SYNC, "credentials": (SYNC, CWAP)}),
        app({**OF_SYNC, "audience": "AzureADMultipleOrgs"}),
        app({**OF_SYNC, "web_redirects": ("https://x.example",)}),
        app({**OF_SYNC, "public_client": True}),
        holding(P2P),
        app({**OF_DEVICES, "credentials": (replace(P2P, name="CN=by hand"),)}),
    ],
)
def test_name_of_a_credential_alone_makes_nothing_microsofts(one: App) -> None:
    assert "renewed-by-microsoft" not in states(one).values()


def test_credential_of_a_managed_identity_is_renewed_by_microsoft() -> None:
    one = foreign(of_principal={"kind": "ManagedIdentity", "credentials": (certificate(starts=400, ends=5),)})

    assert states(one) == {"cert-1": "renewed-by-microsoft"}


@pytest.mark.parametrize(("ends", "expected"), [(31, "current"), (30, "due"), (None, "unknown")])
def test_signing_certificate_is_judged_by_its_end_alone(ends: Days, expected: str) -> None:
    one = replace(signing(), ends_at=ahead(ends) if ends is not None else None)

    assert states(holding(one, replace(signing("older"), thumbprint="x", starts_at=ago(900))))["sign-1"] == expected


@pytest.mark.parametrize(
    "one", [app(), agent(), holding(secret(ends=-1)), microsofts(of_principal={"credentials": (secret(),)})]
)
def test_application_without_a_live_credential_has_no_rotation(one: App) -> None:
    assert rotation(Case(one, AT, LIMITS)) is None


def test_most_urgent_credential_stands_first_and_for_the_application() -> None:
    keys = (OLD, NEW, certificate("c", 300, 300), CWAP)
    one = holding(*keys, credential_uses=used({"new": 1}), of_principal={"tags": PROXY})

    found = rotated(one)

    assert [each.about.key_id for each in found.credentials] == ["old", "c", "new", "cwap"]
    assert (found.state.value, found.about.object_id) == ("superseded-but-live", OBJECT)


def test_states_agree_with_the_findings() -> None:
    one = holding(OLD, NEW, secret("x", 70, 60), credential_uses=used({"new": 1, "x": 1}))

    found = {finding.about.key_id: finding.check_id for finding in findings(one, "C9", "C10")}

    assert found == {"old": "C9", "x": "C10"}
    assert (states(one)["old"], states(one)["x"]) == ("superseded-but-live", "still-used-after-rotation")


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        (used({"old": 3, "new": 1}), Known(LastUse("new", ago(1), is_listed=True))),
        (used({"gone": 1, "new": 2}), Known(LastUse("gone", ago(1), is_listed=False))),
        (used({}), Known(None)),
        (NOT_READ, NOT_READ),
    ],
)
def test_credential_used_last_is_named(
    uses: Known[dict[str, datetime]] | Unknown, expected: Known[LastUse | None] | Unknown
) -> None:
    assert rotated(holding(OLD, NEW, credential_uses=uses)).last_use == expected


KEPT: Fields = {"credentials": (secret(),), "federated_count": 1}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (holding(secret()), ()),
        (app(KEPT, federated=Known((trust("s"),))), (Host.ISSUER_KNOWN,)),
        (app(KEPT, federated=Known((trust("s", ENTRA),))), (Host.ISSUER_KNOWN,)),
        (app(KEPT, federated=Known((trust("s", "https://evil.example"),))), ()),
        (app(KEPT, federated=NOT_READ), ()),
        (holding(secret(), of_principal={"tags": frozenset({"HostedOnAzure"})}), (Host.ON_AZURE,)),
        (app({"credentials": (secret(),), "web_redirects": ("https://x.AzureWebsites.net/cb",)}), (Host.ON_AZURE,)),
        (app({"credentials": (secret(),), "spa_redirects": ("https://x.azurewebsites.net.evil.example",)}), ()),
        (holding(CWAP, of_principal={"tags": PROXY | {"azure-hosted"}}), ()),
        (holding(secret(), principal=None), ()),
        (app(application=None, of_principal={"credentials": (secret(),)}), ()),
    ],
)
def test_federation_is_recommended_where_the_host_allows_it(one: App, expected: tuple[Host, ...]) -> None:
    assert rotated(one).federation == expected


def test_application_that_holds_no_credential_needs_no_recommendation() -> None:
    assert rotation(Case(trusting(trust("s")), AT, LIMITS)) is None


def sso(key: str, starts: Days, ends: Days) -> Credential:
    return replace(secret(key, starts, ends), kind=CredentialKind.CERTIFICATE, usages=frozenset({"Sign", "Verify"}))


dates = st.none() | st.floats(-50, 900)
some_credentials = st.lists(
    st.builds(
        lambda made, key, starts, ends, name: replace(made(key, starts, ends), name=name),
        st.sampled_from([secret, certificate, sso]),
        st.sampled_from("abcde"),
        dates,
        dates,
        st.sampled_from(["", "CWAP_AuthSecret"]),
    ),
    max_size=5,
    unique_by=lambda one: one.key_id,
)
some_uses = st.none() | st.dictionaries(st.sampled_from("abcdef"), st.floats(-1, 500), max_size=5)


@given(some_credentials, some_uses, st.sets(st.sampled_from("abcf")))
def test_order_of_reading_changes_nothing_and_rotated_is_always_proven(
    credentials: list[Credential], uses: Uses, gone: set[str]
) -> None:
    retired = tuple(replace(GONE, key_id=key) for key in sorted(gone))
    one = holding(*credentials, credential_uses=used(uses))
    other = holding(*credentials[::-1], credential_uses=used(uses))

    found = rotation(Case(one, AT, LIMITS), retired)

    assert found == rotation(Case(other, AT, LIMITS), retired[::-1])
    for each in found.credentials if found is not None else ():
        if each.state.value == "rotated":
            assert uses is not None
            assert each.about.key_id in uses
            assert each.predecessor
            assert not each.successor


@pytest.mark.parametrize(("since", "expected"), [(14, "rotating"), (15, "overdue")])
def test_old_credential_is_overdue_again_where_nobody_takes_the_new_one_into_use(since: float, expected: str) -> None:
    one = holding(secret("old", 200, 60), secret("new", since, 90), credential_uses=used({"old": 1}))

    assert states(one)["old"] == expected

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.posture.checks.traits import APP_PROXY_TAG
from shared.domain.posture.inventory import App, Credential
from shared.domain.posture.limits import Limits
from tests.domain.posture.apps import (
    AT,
    NOT_READ,
    OBJECT,
    PRINCIPAL,
    Days,
    Fields,
    Uses,
    ago,
    ahead,
    app,
    certificate,
    findings,
    foreign,
    holding,
    keys,
    microsofts,
    said,
    secret,
    signing,
    used,
)

CWAP = Credential("cwap", secret().kind, "CWAP_AuthSecret", ago(400), ago(30))
CONNECT_SYNC = Credential("sync", certificate().kind, "ConnectSyncProvisioning_1", ago(400), ahead(5))
PROXIED = holding(CWAP, credential_uses=used(), of_principal={"tags": frozenset({APP_PROXY_TAG})})
OF_SYNC: Fields = {"name": "ConnectSyncProvisioning_1", "credentials": (CONNECT_SYNC,), "web_redirects": ()}
SYNCHRONISED = app(OF_SYNC, credential_uses=used())
ALL_OF_CREDENTIALS = [f"C{number}" for number in range(1, 16)]


@pytest.mark.parametrize(("ends", "expected"), [(-6, []), (-7, []), (-8, ["low"]), (1, []), (None, [])])
def test_expired_beyond_the_grace_is_still_listed(ends: Days, expected: list[str]) -> None:
    assert said(holding(secret(ends=ends)), "C1") == expected


@pytest.mark.parametrize("check_id", ["C1", "C2", "C3", "C5", "C6", "C7", "C8"])
@pytest.mark.parametrize("renewed", [PROXIED, SYNCHRONISED])
def test_what_microsoft_renews_is_nobodys_work(check_id: str, renewed: App) -> None:
    assert said(renewed, check_id) == []


@pytest.mark.parametrize(
    ("called_so", "expected"),
    [
        (replace(CWAP, ends_at=ago(30)), ["C1"]),
        (replace(CWAP, ends_at=ahead(5)), ["C2", "C3", "C5", "C7", "C8"]),
        (CONNECT_SYNC, ["C2", "C4", "C5", "C8"]),
    ],
)
def test_what_is_only_called_as_microsofts_is_judged_as_any_other(called_so: Credential, expected: list[str]) -> None:
    found = findings(holding(called_so, credential_uses=used()), *(f"C{number}" for number in range(1, 9)))

    assert [one.check_id for one in found] == expected


@pytest.mark.parametrize(
    ("days_left", "uses", "expected"),
    [
        (31, {"secret-1": 1}, []),
        (30, {"secret-1": 1}, ["medium"]),
        (29, {"secret-1": 1}, ["medium"]),
        (8, {"secret-1": 1}, ["medium"]),
        (7, {"secret-1": 1}, ["high"]),
        (6, {"secret-1": 1}, ["high"]),
        (0.5, {"secret-1": 1}, ["high"]),
        (0, {"secret-1": 1}, []),
        (5, {"secret-1": 30}, ["high"]),
        (5, {"secret-1": 31}, ["info"]),
        (5, {}, ["info"]),
        (5, None, ["medium"]),
    ],
)
def test_expiry_is_as_urgent_as_it_is_near_and_in_use(days_left: float, uses: Uses, expected: list[str]) -> None:
    assert said(holding(secret(starts=200, ends=days_left), credential_uses=used(uses)), "C2") == expected


@pytest.mark.parametrize(("starts", "expected"), [(30, ["medium"]), (31, ["info"]), (None, ["info"])])
def test_no_use_of_a_young_credential_says_nothing(starts: Days, expected: list[str]) -> None:
    assert said(holding(secret(starts=starts, ends=5), credential_uses=used()), "C2") == expected


@pytest.mark.parametrize(("days_left", "stage"), [(30, "30"), (14, "14"), (8, "14"), (7, "7"), (1, "1")])
def test_expiry_says_which_stage_it_reached(days_left: int, stage: str) -> None:
    (finding,) = findings(holding(secret(ends=days_left)), "C2")

    assert ("stage", stage) in finding.facts


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (secret("new", 1, 180), "medium"),
        (secret("new", 1, None), "medium"),
        (secret("new", 1, 4), "high"),
        (secret("new", 400, -1), "high"),
        (certificate("new", 1, 180), "high"),
    ],
)
def test_successor_that_lives_on_makes_expiry_a_step_less_severe(other: Credential, expected: str) -> None:
    one = holding(secret(starts=200, ends=5), other, credential_uses=used({"secret-1": 1}))

    severities = {finding.about.key_id: finding.severity.word for finding in findings(one, "C2")}

    assert severities["secret-1"] == expected


def test_signing_certificate_that_expires_breaks_sign_in_however_unused() -> None:
    one = foreign(of_principal={"credentials": (signing(ends_at=ahead(5)),)}, credential_uses=used())

    assert said(one, "C2") == ["medium"]


def test_no_stage_at_all_says_nothing_of_expiry() -> None:
    assert said(holding(secret(ends=1)), "C2", limits=Limits(expiring=())) == []


@pytest.mark.parametrize(
    ("issued_for", "expected"),
    [
        (179, []),
        (180, []),
        (181, ["medium"]),
        (364, ["medium"]),
        (365, ["high"]),
        (729, ["high"]),
        (730, ["critical"]),
        (731, ["critical"]),
    ],
)
def test_issued_lifetime_of_a_secret_counts_and_not_what_is_left(issued_for: int, expected: list[str]) -> None:
    assert said(holding(secret(starts=issued_for - 40, ends=40)), "C3") == expected


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        (1, None, ["critical"]),
        (None, None, ["critical"]),
        (None, 100, ["unknown"]),
        (None, 200, ["medium"]),
        (900, -1, []),
    ],
)
def test_secret_without_dates_is_judged_by_what_is_known(starts: Days, ends: Days, expected: list[str]) -> None:
    assert said(holding(secret(starts=starts, ends=ends)), "C3") == expected


def test_tenants_own_policy_makes_the_limit_stricter() -> None:
    assert said(holding(secret(starts=50, ends=50)), "C3", limits=Limits(max_secret_days=90)) == ["medium"]


@pytest.mark.parametrize(("issued_for", "expected"), [(364, []), (365, []), (366, ["medium"])])
def test_issued_lifetime_of_a_certificate_counts(issued_for: int, expected: list[str]) -> None:
    assert said(holding(certificate(starts=issued_for - 40, ends=40)), "C4") == expected


@pytest.mark.parametrize(
    ("starts", "ends", "expected"), [(None, 100, ["unknown"]), (None, 400, ["medium"]), (1, None, ["medium"])]
)
def test_certificate_without_dates_is_judged_by_what_is_known(starts: Days, ends: Days, expected: list[str]) -> None:
    assert said(holding(certificate(starts=starts, ends=ends)), "C4") == expected


@pytest.mark.parametrize(("issued_for", "baselines"), [(300, "SCuBA MS.AAD.5.7, not CIS 5.1.5.6"), (400, "none")])
def test_long_lived_certificate_says_which_baseline_it_passes(issued_for: int, baselines: str) -> None:
    limits = Limits(max_certificate_days=180)

    (finding,) = findings(holding(certificate(starts=issued_for - 40, ends=40)), "C4", limits=limits)

    assert finding.facts[-1] == ("baselines passed", baselines)


def test_certificate_listed_for_several_usages_counts_once() -> None:
    twins = (
        certificate("a", 300, 300, thumbprint="same", usages=frozenset({"Verify"})),
        certificate("b", 300, 300, thumbprint="same", usages=frozenset({"Encrypt"})),
    )

    assert keys(holding(*twins), "C4") == ["a"]
    assert keys(holding(*reversed(twins)), "C4") == ["a"]


def test_certificates_without_a_thumbprint_are_told_apart_by_their_key() -> None:
    pair = (certificate("a", 300, 300, thumbprint=""), certificate("b", 300, 300, thumbprint=""))

    assert keys(holding(*pair), "C4") == ["a", "b"]


SAML = [
    (signing(),),
    (signing(usages=("Sign",)), signing("sign-2", usages=("Verify",))),
    (signing(), secret("sign-1", 700, 395)),
    (signing(), secret("guard", 700, 395, thumbprint="saml")),
]


@pytest.mark.parametrize("check_id", [one for one in ALL_OF_CREDENTIALS if one not in ("C1", "C2", "C14")])
@pytest.mark.parametrize("credentials", SAML)
def test_signing_certificate_and_the_password_that_guards_it_open_no_door(
    check_id: str, credentials: tuple[Credential, ...]
) -> None:
    here = {"credentials": credentials, "single_sign_on": "saml"}

    assert said(app(of_principal=here, credential_uses=used()), check_id) == []


@pytest.mark.parametrize(("starts", "expected"), [(179, []), (180, []), (181, ["medium"]), (None, ["unknown"])])
def test_credential_in_place_for_too_long_was_not_rotated(starts: Days, expected: list[str]) -> None:
    assert said(holding(secret(starts=starts)), "C5") == expected
    assert said(holding(certificate(starts=starts)), "C5") == expected


@pytest.mark.parametrize("check_id", ["C3", "C5", "C8"])
def test_expired_credential_is_only_expired(check_id: str) -> None:
    assert said(holding(secret(starts=900, ends=-30), credential_uses=used()), check_id) == []


@pytest.mark.parametrize("check_id", ALL_OF_CREDENTIALS)
def test_credentials_of_managed_identities_are_azures(check_id: str) -> None:
    here = {"kind": "ManagedIdentity", "owner_tenant": "", "credentials": (certificate(starts=900, ends=900),)}

    assert said(foreign(of_principal=here, credential_uses=used()), check_id) == []


def two(first: float, second: float, third: float | None = None) -> tuple[Credential, ...]:
    """Secrets that were issued so many days ago."""
    ages = {"a": first, "b": second} | ({"c": third} if third is not None else {})
    return tuple(secret(key, age) for key, age in ages.items())


@pytest.mark.parametrize(
    ("credentials", "uses", "expected"),
    [
        (two(100, 13), {"a": 1}, []),
        (two(100, 14), {"a": 1}, []),
        (two(100, 15), {"a": 1}, ["medium"]),
        (two(100, 15), {"a": 1, "b": 1}, []),
        (two(100, 15), None, ["unknown"]),
        (two(100, 100, 1), {"a": 1}, ["medium"]),
        (two(100, 100, 1), {"a": 1, "b": 1, "c": 1}, []),
        (two(100, 100, 1), None, ["unknown"]),
        ((secret("a", 100),), {}, []),
        ((secret("a", None), secret("b", None)), {}, []),
        ((secret("a", 100), certificate("b", 100)), {}, []),
    ],
)
def test_more_secrets_than_a_rotation_needs_are_too_many(
    credentials: tuple[Credential, ...], uses: Uses, expected: list[str]
) -> None:
    assert said(holding(*credentials, credential_uses=used(uses)), "C6") == expected


@pytest.mark.parametrize(
    ("starts", "uses", "expected"),
    [
        (400, {"secret-1": 29}, []),
        (400, {"secret-1": 30}, []),
        (400, {"secret-1": 31}, ["low"]),
        (400, {"secret-1": 90}, ["low"]),
        (400, {"secret-1": 91}, ["high"]),
        (30, {}, []),
        (31, {}, ["low"]),
        (91, {}, ["high"]),
        (None, {}, ["high"]),
        (400, None, ["unknown"]),
        (30, None, []),
    ],
)
def test_credential_that_nobody_signs_in_with_is_unused(starts: Days, uses: Uses, expected: list[str]) -> None:
    assert said(holding(secret(starts=starts), credential_uses=used(uses)), "C8") == expected


@pytest.mark.parametrize(
    ("credentials", "uses", "live", "still_used"),
    [
        (two(200, 15), {"b": 1}, ["a"], []),
        (two(200, 14), {"b": 1}, [], []),
        (two(200, 13), {"b": 1}, [], []),
        (two(200, 60), {"a": 1, "b": 1}, [], ["a"]),
        (two(200, 60), {"a": 46, "b": 1}, ["a"], []),
        (two(200, 60), {"a": 40, "b": 1}, ["a"], []),
        (two(200, 60), {"a": 1}, [], []),
        (two(200, 60), {}, [], []),
        (two(200, 190), {"a": 1, "b": 1}, [], []),
        (two(200, 186), {"a": 1, "b": 1}, [], []),
        (two(200, 185), {"a": 1, "b": 1}, [], ["a"]),
        ((secret("a", 200, -1), secret("b", 60)), {"b": 1}, [], []),
        ((secret("a", 200), certificate("b", 60)), {"b": 1}, [], []),
        ((secret("a", None), secret("b", 60)), {"b": 1}, [], []),
        (two(300, 200, 60), {"c": 1}, ["a", "b"], []),
        (two(300, 200, 60), {"b": 1}, [], []),
    ],
)
def test_superseded_credential_still_works_or_is_still_used(
    credentials: tuple[Credential, ...], uses: Uses, live: list[str], still_used: list[str]
) -> None:
    one = holding(*credentials, credential_uses=used(uses))

    assert (keys(one, "C9"), keys(one, "C10")) == (live, still_used)


@pytest.mark.parametrize("check_id", ["C9", "C10"])
def test_rotation_cannot_be_judged_without_uses(check_id: str) -> None:
    assert said(holding(*two(200, 60), credential_uses=NOT_READ), check_id) == ["unknown"]
    assert said(holding(*two(200, 10), credential_uses=NOT_READ), check_id) == []


def test_removal_names_the_object_that_holds_the_key() -> None:
    one = app(
        {"credentials": (secret("mine", ends=-30),)},
        {"credentials": (secret("hidden", ends=-30), certificate("hidden-cert", ends=-30))},
    )

    fixes = {finding.about.key_id: finding.fix for finding in findings(one, "C1")}

    assert fixes["mine"] == f'POST /applications/{OBJECT}/removePassword {{"keyId": "mine"}}'
    assert fixes["hidden"] == f'POST /servicePrincipals/{PRINCIPAL}/removePassword {{"keyId": "hidden"}}'
    assert fixes["hidden-cert"].startswith(f'POST /servicePrincipals/{PRINCIPAL}/removeKey {{"keyId": "hidden-cert"')


@pytest.mark.parametrize(("seconds", "expected"), [(0, []), (1, ["info"])])
def test_credential_lives_until_the_second_of_its_end(seconds: int, expected: list[str]) -> None:
    one = Credential("edge", secret().kind, "", ago(100), AT + timedelta(seconds=seconds))

    assert said(holding(one, credential_uses=used()), "C2") == expected


def test_microsofts_own_credentials_are_only_judged_for_being_there() -> None:
    one: App = microsofts(of_principal={"credentials": (secret(starts=900, ends=900),)}, credential_uses=used())

    assert {finding.check_id for finding in findings(one)} == {"C12"}

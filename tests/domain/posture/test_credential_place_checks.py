from dataclasses import replace

import pytest

from shared.domain.posture.inventory import Credential, Known, Purpose
from tests.domain.posture.apps import (
    GLOBAL_ADMINISTRATOR,
    NOT_READ,
    PRINCIPAL,
    TAKE_OVER,
    Days,
    Fields,
    Names,
    Roles,
    app,
    certificate,
    findings,
    foreign,
    holding,
    managed_identity,
    microsofts,
    said,
    secret,
    signing,
)


@pytest.mark.parametrize(
    ("roles", "directory", "expected"),
    [
        (Known(()), Known(()), ["low"]),
        (Known((TAKE_OVER,)), Known(()), ["critical"]),
        (Known(()), Known((GLOBAL_ADMINISTRATOR,)), ["critical"]),
        (NOT_READ, Known(()), ["low"]),
    ],
)
def test_secret_is_the_worse_way_and_critical_for_tier_zero(
    roles: Roles, directory: Names, expected: list[str]
) -> None:
    assert said(holding(secret(), app_roles=roles, directory_roles=directory), "C7") == expected


def test_privilege_that_was_not_read_is_said_so() -> None:
    (finding,) = findings(holding(secret(), app_roles=NOT_READ), "C7")

    assert ("holds", "not known") in finding.facts


@pytest.mark.parametrize("credential", [certificate(), secret(ends=-1)])
def test_certificates_and_expired_secrets_are_no_secrets(credential: Credential) -> None:
    assert said(holding(credential), "C7") == []


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (secret(), ["high"]),
        (certificate(), ["high"]),
        (secret(ends=None), ["high"]),
        (secret(ends=-1), []),
        (signing(), []),
    ],
)
def test_credential_of_the_principal_is_hidden(credential: Credential, expected: list[str]) -> None:
    assert said(app(of_principal={"credentials": (credential,)}), "C11") == expected
    assert said(foreign(of_principal={"credentials": (credential,)}), "C11") == expected


@pytest.mark.parametrize(("credential", "expected"), [(secret(), ["high"]), (certificate(), [])])
def test_saml_application_keeps_certificates_but_no_secret(credential: Credential, expected: list[str]) -> None:
    here: Fields = {"credentials": (credential,), "single_sign_on": "saml"}

    assert said(app(of_principal=here), "C11") == expected


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (replace(certificate(), name="CN=MS-Organization-P2P-Access [2026]"), []),
        (replace(secret(), name="CN=MS-Organization-P2P-Access [2026]"), ["high"]),
        (certificate(), ["high"]),
    ],
)
def test_trust_between_devices_keeps_its_own_certificates_and_nobody_elses(
    credential: Credential, expected: list[str]
) -> None:
    here: Fields = {"credentials": (credential,)}

    assert said(app({"purpose": Purpose.DEVICE_TRUST}, here), "C11") == expected
    assert said(app({"purpose": Purpose.CLOUD_SYNC}, here), "C11") == ["high"]


def test_credential_of_the_registration_is_not_hidden() -> None:
    assert said(holding(secret()), "C11") == []


def test_hidden_credential_is_removed_where_it_hangs() -> None:
    (finding,) = findings(app(of_principal={"credentials": (secret(),)}), "C11")

    assert (finding.about.object_id, finding.about.key_id) == (PRINCIPAL, "secret-1")
    assert finding.fix == f'POST /servicePrincipals/{PRINCIPAL}/removePassword {{"keyId": "secret-1"}}'


@pytest.mark.parametrize(("ends", "expected"), [(100, ["critical"]), (None, ["critical"]), (-1, ["high"])])
def test_credential_on_a_microsoft_application_is_an_incident(ends: Days, expected: list[str]) -> None:
    assert said(microsofts(of_principal={"credentials": (secret(ends=ends),)}), "C12") == expected


@pytest.mark.parametrize("name", ["Microsoft Graph", "Office 365 Exchange Online"])
def test_microsoft_in_the_name_only_is_not_microsofts(name: str) -> None:
    one = foreign(of_principal={"name": name, "credentials": (secret(),)})

    assert (said(one, "C12"), said(one, "C11")) == ([], ["high"])


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        ((secret(starts=100), certificate(starts=15)), ["low"]),
        ((secret(starts=100), certificate(starts=14)), []),
        ((secret(starts=13), certificate(starts=100)), []),
        ((secret("old", 100), secret("new", 1), certificate(starts=100)), ["low"]),
        ((secret(starts=None), certificate(starts=1)), ["low"]),
        ((secret(starts=100),), []),
        ((certificate(starts=100),), []),
        ((secret(starts=100), signing()), []),
        ((secret(starts=100, ends=-1), certificate(starts=100)), []),
        ((), []),
    ],
)
def test_secret_beside_a_certificate_is_an_unfinished_migration(
    credentials: tuple[Credential, ...], expected: list[str]
) -> None:
    assert said(holding(*credentials), "C13") == expected


@pytest.mark.parametrize(
    ("bits", "algorithm", "expected"),
    [
        (2048, "sha256WithRSAEncryption", []),
        (2047, "sha256WithRSAEncryption", ["medium"]),
        (1024, "sha256WithRSAEncryption", ["medium"]),
        (4096, "sha1WithRSAEncryption", ["medium"]),
        (4096, "SHA-1", ["medium"]),
        (4096, "md5WithRSAEncryption", ["medium"]),
        (256, "ecdsa-with-SHA256", []),
        (384, "ecdsa-with-SHA384", []),
        (256, "ecdsa-with-SHA1", ["medium"]),
        (None, "", ["unknown"]),
        (1024, "", ["medium"]),
        (2048, "", ["unknown"]),
        (None, "sha1WithRSAEncryption", ["medium"]),
        (None, "sha256WithRSAEncryption", ["unknown"]),
    ],
)
def test_weak_certificate_is_found_and_an_unread_one_is_unknown(
    bits: int | None, algorithm: str, expected: list[str]
) -> None:
    one = holding(certificate(key_bits=bits, signature_algorithm=algorithm))

    assert said(one, "C14") == expected


@pytest.mark.parametrize("credential", [secret(), certificate(ends=-1, key_bits=1024)])
def test_secrets_and_expired_certificates_are_not_weak(credential: Credential) -> None:
    assert said(holding(credential), "C14") == []


def test_weak_certificate_of_a_managed_identity_is_azures() -> None:
    assert said(managed_identity(), "C11") == []

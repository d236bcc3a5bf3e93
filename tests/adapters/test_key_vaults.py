"""Key Vaults through Microsoft's client library, held against a stand-in that speaks TLS and challenges."""

import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from aiohttp import connector

from sandbox.supervisor.certificates import Certificates, issue_certificates
from sandbox.tenant import HOST
from sandbox.vault.state import Version
from shared.adapters.key_vaults import KeyVaults
from shared.domain.posture.vault import VaultVersion
from shared.errors import RejectedError, RetryLaterError
from tests.sandbox.host_process import free_port
from tests.sandbox.login_under_test import ManagedIdentity
from tests.sandbox.vault_under_test import Vault, running_vault

KEY, APP = "4c2ae5a0-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000001"
END = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
OURS = {"keyId": KEY, "appObjectId": APP}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    issued = issue_certificates(tmp_path_factory.mktemp("vault"), os.environ)
    context = connector._SSL_CONTEXT_VERIFIED  # what SSL_CERT_FILE does for a process that starts with it
    assert isinstance(context, ssl.SSLContext)
    context.load_verify_locations(issued.authorities)
    return issued


@pytest.fixture
def vault(certificates: Certificates) -> Iterator[Vault]:
    with running_vault(certificates) as running:
        yield running


async def read(vault: Vault, identity: ManagedIdentity | None = None) -> tuple[VaultVersion, ...]:
    return await KeyVaults(identity or ManagedIdentity()).versions(vault.url)


async def test_every_version_is_read_with_its_tags_and_dates(vault: Vault) -> None:
    vault.state.put("payroll", Version("1", enabled=False, expires=int(END.timestamp()), tags=OURS))
    vault.state.put("payroll", Version("2", expires=int(END.timestamp()), tags=OURS))
    vault.state.put("database", Version("1"))

    assert await read(vault) == (
        VaultVersion(vault.url, "database", "1"),
        VaultVersion(vault.url, "payroll", "1", KEY, enabled=False, expires_at=END, app_tag=APP),
        VaultVersion(vault.url, "payroll", "2", KEY, enabled=True, expires_at=END, app_tag=APP),
    )


@pytest.mark.parametrize(
    "tags", [{"CredentialId": KEY, "appId": APP}, {"KEYID": KEY, "APPOBJECTID": APP}, {**OURS, "CredentialId": "other"}]
)
async def test_tags_of_the_samples_are_known_in_any_case_and_ours_go_first(vault: Vault, tags: dict[str, str]) -> None:
    vault.state.put("payroll", Version("1", tags=tags))

    (found,) = await read(vault)

    assert (found.key_id, found.app_tag) == (KEY, APP)


async def test_no_value_is_ever_asked_for(vault: Vault) -> None:
    for number in range(3):
        vault.state.rotate(f"secret-{number}", KEY, APP)

    await read(vault)

    assert vault.state.requests["values"] == 0
    assert vault.state.requests["secrets"] == sum(vault.state.requests.values())


async def test_long_lists_are_read_page_by_page(vault: Vault) -> None:
    vault.state.page_size = 2
    for number in range(5):
        for version in range(3):
            vault.state.put(f"secret-{number}", Version(str(version)))

    found = await read(vault)

    assert [(one.secret, one.version) for one in found] == [(f"secret-{a}", str(b)) for a in range(5) for b in range(3)]


async def test_empty_vault_has_no_versions(vault: Vault) -> None:
    assert await read(vault) == ()


async def test_reader_without_the_role_is_refused_for_good(vault: Vault) -> None:
    vault.state.readers.clear()

    with pytest.raises(RejectedError, match="vault-403"):
        await read(vault)


async def test_vault_that_is_busy_for_a_moment_is_asked_again(vault: Vault) -> None:
    vault.state.put("payroll", Version("1"))
    vault.state.failures = [503]

    assert len(await read(vault)) == 1


async def test_token_is_never_sent_where_a_challenge_from_elsewhere_wants_it(vault: Vault) -> None:
    vault.state.wrong_resource = "https://evil.example"
    identity = ManagedIdentity()

    with pytest.raises(RetryLaterError, match="vault-unreachable"):
        await read(vault, identity)

    assert vault.state.requests["secrets"] == 1


async def test_identity_without_a_token_is_a_reason_to_try_later(vault: Vault) -> None:
    with pytest.raises(RetryLaterError, match="vault-unreachable"):
        await read(vault, ManagedIdentity(gone=True))


async def test_managed_identity_stays_open(vault: Vault) -> None:
    identity = ManagedIdentity()

    await read(vault, identity)

    assert identity.is_open


@pytest.mark.parametrize("url", [f"https://{HOST}:{{port}}", f"http://{HOST}:{{port}}", "nonsense", ""])
async def test_vault_that_is_not_there_is_a_reason_and_no_bug(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.adapters.key_vaults.RETRIES", 0)

    with pytest.raises(RetryLaterError, match="vault-unreachable"):
        await KeyVaults(ManagedIdentity()).versions(url.format(port=free_port()))

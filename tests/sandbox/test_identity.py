"""The identity server speaks App Service's protocol well enough for Microsoft's own credential."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from azure.identity.aio import ManagedIdentityCredential

from infra.permissions import read_permissions
from sandbox.tenant import GRAPH_AUDIENCE, TETHER_CLIENT_ID, TETHER_OBJECT_ID
from sandbox.tokens import read_token

ROOT = Path(__file__).parents[2]
HEADER = "only-the-app-knows"
ASK = {"resource": GRAPH_AUDIENCE, "api-version": "2019-08-01"}


def start_identity_server() -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.identity", "--port", "0", "--header", HEADER],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on 127.0.0.1:"), line
    return process, f"http://{line.split()[-1]}"


@pytest.fixture(scope="module")
def identity_url() -> Iterator[str]:
    process, url = start_identity_server()
    yield url
    process.terminate()
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()


async def test_managed_identity_credential_gets_a_token_with_tethers_read_roles(
    identity_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{identity_url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", HEADER)

    async with ManagedIdentityCredential() as credential:
        token = await credential.get_token(f"{GRAPH_AUDIENCE}/.default")

    claims = read_token(token.token, audience=GRAPH_AUDIENCE)
    assert claims["oid"] == TETHER_OBJECT_ID
    assert claims["exp"] == token.expires_on
    assert claims["roles"] == [permission.name for permission in read_permissions().permissions]


async def test_user_assigned_identity_is_found_by_its_client_id(
    identity_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{identity_url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", HEADER)

    async with ManagedIdentityCredential(client_id=TETHER_CLIENT_ID) as credential:
        token = await credential.get_token("https://storage.azure.com/.default")

    assert read_token(token.token, audience="https://storage.azure.com")["roles"] == []


def test_answer_has_the_fields_app_service_documents(identity_url: str) -> None:
    answer = httpx.get(f"{identity_url}/msi/token", params=ASK, headers={"X-IDENTITY-HEADER": HEADER}).json()

    assert set(answer) == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert answer["resource"] == GRAPH_AUDIENCE
    assert answer["token_type"] == "Bearer"
    assert answer["expires_on"].isdigit()


@pytest.mark.parametrize(
    ("headers", "changed", "status"),
    [
        ({}, {}, 401),
        ({"X-IDENTITY-HEADER": "guessed"}, {}, 401),
        ({"X-IDENTITY-HEADER": HEADER}, {"api-version": "2017-09-01"}, 400),
        ({"X-IDENTITY-HEADER": HEADER}, {"resource": ""}, 400),
        ({"X-IDENTITY-HEADER": HEADER}, {"client_id": "somebody-else"}, 400),
    ],
    ids=["no header", "wrong header", "old version", "no resource", "unknown identity"],
)
def test_token_is_refused_when_the_request_is_not_the_apps_own(
    identity_url: str, headers: dict[str, str], changed: dict[str, str], status: int
) -> None:
    answer = httpx.get(f"{identity_url}/msi/token", params=ASK | changed, headers=headers)

    assert answer.status_code == status
    assert "access_token" not in answer.json()


def test_directory_admin_gets_the_write_role_that_tether_never_has(identity_url: str) -> None:
    answer = httpx.post(f"{identity_url}/sandbox/admin-token").json()

    assert read_token(answer["access_token"], audience=GRAPH_AUDIENCE)["roles"] == ["Directory.ReadWrite.All"]


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_identity_server_exits_with_zero_when_terminated() -> None:
    process, _ = start_identity_server()

    process.send_signal(signal.SIGTERM)

    assert process.wait(10) == 0
    assert process.stdout is not None
    process.stdout.close()

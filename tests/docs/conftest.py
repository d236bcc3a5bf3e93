"""Deployment, followed once for every test: the stand-ins it needs, and what came of it."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from infra.permissions import read_permissions
from sandbox.graph.access import WRITE_ROLE
from sandbox.graph.testing import bearer
from shared.domain.evidence import START, EvidenceEntry, append
from tests.docs.deploy_page import SHELL
from tests.docs.following import Followed, environment_of, follow
from tests.docs.page import ROOT
from tests.docs.pretend import IDENTITY
from tests.sandbox.gateway_under_test import LEGACY_KEY, start, stop

SIGNED_IN = bearer(WRITE_ROLE, object_id="somebody")


@pytest.fixture(scope="session")
def entra() -> Iterator[str]:
    command = [sys.executable, "-m", "sandbox.graph", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    declared = read_permissions()
    roles = [
        {"id": one.role_id, "value": one.name, "allowedMemberTypes": ["Application"]} for one in declared.permissions
    ]
    with httpx.Client(base_url=url, headers=SIGNED_IN, timeout=20) as client:
        for body in (
            {"appId": declared.resource, "displayName": "Microsoft Graph", "appRoles": roles},
            {"id": IDENTITY["principalId"], "appId": IDENTITY["clientId"], "displayName": "tether-identity"},
        ):
            client.post("/v1.0/servicePrincipals", json=body).raise_for_status()
    yield url
    process.terminate()
    assert process.wait(10) == 0
    process.stdout.close()


@pytest.fixture(scope="session")
def door() -> Iterator[str]:
    process, url = start("--api-key", LEGACY_KEY, "--admin-group", "gateway-admins")
    httpx.put(f"{url}/sandbox/switches", json={"license": "enterprise"}, timeout=20).raise_for_status()
    yield url
    assert stop(process) == 0


@pytest.fixture(scope="session")
def followed(entra: str, door: str, tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """The page, followed once, with everything optional."""
    happened = EvidenceEntry(datetime(2026, 1, 1, tzinfo=UTC), "revoked", IDENTITY["principalId"], "a-correlation", {})
    environment = environment_of(
        PRETEND_GRAPH=entra,
        PRETEND_GATEWAY=door,
        PRETEND_BEARER=SIGNED_IN["Authorization"],
        PRETEND_EVIDENCE=append(START, [happened])[1].decode(),
    )
    typed = f"hpk_a-key-for-tether-alone\n{LEGACY_KEY}\n"
    return follow(SHELL, tmp_path_factory.mktemp("deployment"), typed, environment)

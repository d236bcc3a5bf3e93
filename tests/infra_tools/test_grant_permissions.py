"""Granting permissions: nothing by default, once when asked, and what is too much is named."""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.grant_permissions import main
from infra.permissions import Permission, read_permissions
from sandbox.graph.access import WRITE_ROLE
from sandbox.graph.testing import bearer

ROOT = Path(__file__).parents[2]
TETHER = "7e7e0000-0000-4000-8000-0000000000aa"
DECLARED = read_permissions()
MAIL_READ = "810c84a8-4a9e-49e6-bf7d-12d183f40d01"


class Entra:
    """The stand-in, as somebody who may consent sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.resource_id = ""

    def client(self, _: argparse.Namespace | None = None, roles: Sequence[str] = (WRITE_ROLE,)) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=bearer(*roles, object_id="somebody"), timeout=20)

    def run(self, *arguments: str) -> int:
        return main(["--principal", TETHER, *arguments], self.client)

    def held(self) -> set[str]:
        with self.client() as client:
            rows = client.get(f"/v1.0/servicePrincipals/{TETHER}/appRoleAssignments").raise_for_status().json()["value"]
        return {row["appRoleId"] for row in rows}

    def start_over(self, **renamed: str) -> None:
        roles = {one.role_id: one.name for one in DECLARED.permissions} | {MAIL_READ: "Mail.Read"} | renamed
        app_roles = [{"id": id_, "value": name, "allowedMemberTypes": ["Application"]} for id_, name in roles.items()]
        graph = {"appId": DECLARED.resource, "displayName": "Microsoft Graph", "appRoles": app_roles}
        with self.client() as client:
            client.post("/sandbox/reset").raise_for_status()
            self.resource_id = self._made(client, graph)
            self._made(client, {"id": TETHER, "appId": TETHER[:-2] + "ab", "displayName": "tether"})

    def give(self, role_id: str) -> None:
        body = {"principalId": TETHER, "resourceId": self.resource_id, "appRoleId": role_id}
        with self.client() as client:
            client.post(f"/v1.0/servicePrincipals/{TETHER}/appRoleAssignments", json=body).raise_for_status()

    @staticmethod
    def _made(client: httpx.Client, body: dict[str, Any]) -> str:
        return str(client.post("/v1.0/servicePrincipals", json=body).raise_for_status().json()["id"])


@pytest.fixture(scope="module")
def server() -> Iterator[Entra]:
    command = [sys.executable, "-m", "sandbox.graph", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield Entra(process.stdout.readline().split()[-1])
    process.terminate()
    assert process.wait(10) == 0
    process.stdout.close()


@pytest.fixture
def entra(server: Entra) -> Entra:
    server.start_over()
    return server


def test_nothing_is_granted_unless_asked(entra: Entra, capsys: pytest.CaptureFixture[str]) -> None:
    code = entra.run()

    said = capsys.readouterr().out
    assert (code, entra.held()) == (0, set())
    assert [name.name for name in DECLARED.permissions if f"missing {name.name}" not in said] == []
    assert "Add --apply" in said


def test_everything_is_granted_once_however_often_it_is_asked(entra: Entra, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [entra.run("--apply"), entra.run("--apply"), entra.run("--check")]

    assert codes == [0, 0, 0]
    assert entra.held() == {one.role_id for one in DECLARED.permissions}
    assert capsys.readouterr().out.count("granted ") == len(DECLARED.permissions)


def test_only_what_a_capability_needs_is_granted_where_it_is_named(entra: Entra) -> None:
    chosen = ("--capability", "revocation", "--capability", "subscriptions")

    assert entra.run("--apply", *chosen) == 0

    wanted = {"Application.Read.All", "Directory.Read.All", "User.Read.All", "Group.Read.All"}
    assert entra.held() == {one.role_id for one in DECLARED.permissions if one.name in wanted}
    assert entra.run("--check", *chosen) == 0


@pytest.mark.parametrize("lacking", DECLARED.permissions, ids=lambda one: one.name)
def test_check_fails_when_one_permission_is_missing(entra: Entra, lacking: Permission) -> None:
    for one in DECLARED.permissions:
        if one is not lacking:
            entra.give(one.role_id)

    assert entra.run("--check") == 1


def test_permission_too_many_fails_the_check_and_is_named_with_its_removal(
    entra: Entra, capsys: pytest.CaptureFixture[str]
) -> None:
    entra.run("--apply")
    entra.give(MAIL_READ)

    code = entra.run("--check")

    said = capsys.readouterr().out
    assert code == 1
    assert "SURPLUS Mail.Read" in said
    assert f"az rest --method delete --url https://graph.microsoft.com/v1.0/servicePrincipals/{TETHER}/" in said
    assert MAIL_READ in entra.held()


def test_id_that_means_something_else_in_this_cloud_is_never_granted(
    entra: Entra, capsys: pytest.CaptureFixture[str]
) -> None:
    entra.start_over(**{DECLARED.permissions[0].role_id: "Application.ReadWrite.All"})

    code = entra.run("--apply")

    assert (code, entra.held()) == (2, set())
    assert "is Application.ReadWrite.All and not" in capsys.readouterr().err


def test_somebody_who_may_not_consent_is_told_which_role_they_need(
    entra: Entra, capsys: pytest.CaptureFixture[str]
) -> None:
    def reader(_: argparse.Namespace) -> httpx.Client:
        return entra.client(roles=[one.name for one in DECLARED.permissions])

    code = main(["--principal", TETHER, "--apply"], reader)

    assert code == 2
    assert "Privileged Role Administrator" in capsys.readouterr().err


def test_identity_that_does_not_exist_is_told_apart_from_its_client_id(
    entra: Entra, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--principal", TETHER[:-2] + "ff"], entra.client)

    assert code == 2
    assert "not its client id" in capsys.readouterr().err


def test_graph_that_cannot_be_reached_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--principal", TETHER], lambda _: httpx.Client(base_url="http://127.0.0.1:9"))

    assert code == 2
    assert "cannot be reached at http://127.0.0.1:9" in capsys.readouterr().err


def test_help_teaches_the_whole_way() -> None:
    command = [sys.executable, "-m", "infra.grant_permissions", "--help"]

    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert all(line in said for line in ("az login", "--apply", "--check", "principalId"))

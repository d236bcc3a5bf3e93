"""The guide to deployment, followed from top to bottom in one shell: what it leaves behind is what has to be there."""

import json
import re
import zipfile
from pathlib import Path

import httpx
import yaml

from infra.permissions import read_permissions
from tests.docs.conftest import SIGNED_IN
from tests.docs.deploy_page import PAGE, SHELL, method, parameters, routes, values, variables
from tests.docs.following import Followed, environment_of, follow
from tests.docs.page import ROOT, Block
from tests.docs.pretend import HOST_NAME, IDENTITY, LOGIN, READERS
from tests.docs.programs import options_of
from tests.infra.infrastructure import current
from tests.sandbox.gateway_under_test import LEGACY_KEY

# What is said to azd in later sections, and to the other way as more parameters.
LATER = {"KEYS_ARE_ROTATING", "CLIENT_STATE_GENERATION", "PRIVATE_NETWORKING"}


def test_every_block_of_the_page_works_when_it_is_pasted_after_the_one_before(followed: Followed) -> None:
    assert followed.code == 0, followed.complaints[-3000:]
    assert [call for call in followed.calls if call.wrong] == []
    assert "command not found" not in followed.complaints


def test_program_that_is_not_known_here_fails(tmp_path: Path) -> None:
    assert follow([Block("sh", "terraform apply\n", 1)], tmp_path, "", environment_of()).code == 127


def test_every_secret_that_the_infrastructure_refers_to_is_put_into_the_vault(followed: Followed) -> None:
    referred = set(re.findall(r"\$\{secret\}([a-z-]+)\)", current().texts["modules/app-settings.bicep"]))
    keys = {name.lower().replace("_", "-") for name in values()["REVIEWER_KEY_SETTINGS"].split(",")}

    assert set(followed.vault) == referred | keys
    assert all(f"| `{name}`" in PAGE or f", `{name}`" in PAGE for name in referred | keys)


def test_secrets_are_there_before_the_code_except_those_of_a_rotation(followed: Followed) -> None:
    deployed = min(followed.at("azd", "deploy"), followed.at("az", "functionapp", "deployment"))

    kept = {call.words[0] for call in followed.calls[:deployed] if call.program == "vault"}

    assert kept == {name for name in followed.vault if "-previous-" not in name}


def test_secrets_are_as_strong_as_the_app_demands(followed: Followed) -> None:
    made = {name: value for name, value in followed.vault.items() if name.startswith(("client-state", "card-token"))}

    assert len(made) == 4
    assert [name for name, value in made.items() if not re.fullmatch(r"[0-9a-f]{64}", value)] == []


def test_keys_before_are_kept_while_the_new_ones_come_into_use(followed: Followed) -> None:
    for name in ("client-state", "card-token"):
        assert followed.vault[f"{name}-previous-key"] not in ("", followed.vault[f"{name}-key"])


def test_every_parameter_is_one_of_the_infrastructure(followed: Followed) -> None:
    given = {
        parameter.partition("=")[0]
        for words in followed.of("az", "deployment", "group", "create")
        for parameter in options_of(words)["--parameters"]
    }

    assert {"gatewayBaseUrl", "secretsOfficerId"} <= given <= parameters()


def test_both_ways_to_provision_say_the_same(followed: Followed) -> None:
    named = variables()
    with_azd = {words[2]: words[3] for words in followed.of("azd", "env", "set")}

    without = dict(one.split("=", 1) for one in options_of(followed.of("az", "deployment")[0])["--parameters"])

    assert set(with_azd) <= set(named.values()) | {"AZURE_RESOURCE_GROUP"}
    told = {named[name]: value for name, value in without.items() if name != "secretsOfficerId"}
    assert told == {name: with_azd[name] for name in told}
    assert set(with_azd) - set(told) <= {"AZURE_RESOURCE_GROUP", *LATER}


def test_identity_holds_every_graph_permission_and_nothing_else(followed: Followed, entra: str) -> None:
    with httpx.Client(base_url=entra, headers=SIGNED_IN, timeout=20) as client:
        rows = client.get(f"/v1.0/servicePrincipals/{IDENTITY['principalId']}/appRoleAssignments").json()["value"]

    assert {row["appRoleId"] for row in rows} == {one.role_id for one in read_permissions().permissions}
    assert [words[-1] for words in followed.of("python", "-m", "infra.grant_permissions")][1:] == ["--apply", "--check"]


def test_gateway_knows_the_identity_its_keys_and_the_webhook(followed: Followed, door: str) -> None:
    def shown(path: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = httpx.get(
            f"{door}/api{path}", headers={"Api-Key": LEGACY_KEY}, timeout=20
        ).json()
        return found

    accounts, keys = shown("/serviceaccounts"), shown("/api-keys")

    assert IDENTITY["principalId"] in [row["subject"] for row in accounts]
    assert [row["groups"] for row in keys] == [[values()["REVIEWER_GROUP"]]]
    assert f"https://{HOST_NAME}/api/gateway/events" in str(shown("/webhooks/endpoints"))


def test_readers_sign_in_at_the_app_and_the_identity_vouches_for_it(followed: Followed) -> None:
    (update,) = followed.of("az", "ad", "app", "update")
    (trust,) = followed.of("az", "ad", "app", "federated-credential")

    credential = json.loads(options_of(trust)["--parameters"][0])

    assert options_of(update)["--web-redirect-uris"] == [f"https://{HOST_NAME}/.auth/login/aad/callback"]
    assert options_of(update)["--id"] == options_of(trust)["--id"] == [READERS]
    assert credential == {
        "name": "tether",
        "issuer": f"{LOGIN}/{values()['TENANT_ID']}/v2.0",
        "subject": IDENTITY["principalId"],
        "audiences": ["api://AzureADTokenExchange"],
    }


def test_package_without_azd_is_the_one_that_azd_builds(followed: Followed) -> None:
    hooks = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))["services"]["tether"]["hooks"]
    built = [line for line in hooks["prepackage"]["posix"]["run"].splitlines() if line.startswith("python3.13 ")]
    shown = [line for block in SHELL for line in block.text.splitlines()]

    with zipfile.ZipFile(followed.folder / "tether.zip") as package:
        names = set(package.namelist())

    assert [line for line in built if line not in shown] == []
    checkout = followed.folder
    own = {
        path.relative_to(checkout).as_posix()
        for one in ("functions", "shared")
        for path in (checkout / one).rglob("*.py")
    }
    assert own <= names
    assert {"function_app.py", "host.json", "requirements.txt", "identity-map.yaml", "approval-routes.yaml"} <= names
    assert any(re.fullmatch(r"__pycache__/function_app\.cpython-\d+\.pyc", name) for name in names)
    assert any(re.fullmatch(r"shared/__pycache__/errors\.cpython-\d+\.pyc", name) for name in names)


def test_teams_package_is_for_the_identity(followed: Followed) -> None:
    with zipfile.ZipFile(followed.folder / "tether-teams.zip") as package:
        manifest = json.loads(package.read("manifest.json"))

    assert manifest["bots"][0]["botId"] == IDENTITY["clientId"]
    assert manifest["validDomains"] == [HOST_NAME]


def test_addresses_that_are_called_are_the_apps(followed: Followed) -> None:
    called = {(method(words), words[-1].removeprefix(f"https://{HOST_NAME}")) for words in followed.of("curl")}

    assert called == {("GET", "/api/health"), ("POST", "/api/reports")}
    assert called <= set(routes())


def test_evidence_that_was_downloaded_is_verified(followed: Followed) -> None:
    assert "1 chains, 1 entries, 0 anchors, 0 faults" in followed.said

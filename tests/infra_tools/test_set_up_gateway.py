"""Setting up the gateway: shown first, done once, and no secret on the screen unless it was asked for."""

import base64
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.key_vault import SUFFIXES, KeyVault
from infra.set_up_gateway import main
from infra.stopped import StoppedError
from sandbox.tenant import GATEWAY_CLIENT_ID
from sandbox.tokens import issue_token
from shared.domain.clouds import CloudName
from tests.sandbox.gateway_under_test import LEGACY_KEY, start, stop

ROOT = Path(__file__).parents[2]
ROUTES = ROOT / "sandbox" / "approval-routes.yaml"
PRINCIPAL = "7e7e0000-0000-4000-8000-00000000beef"
WEBHOOK = "https://tether.example/api/gateway/events"
SECURITY = "7e7e0000-0000-4000-8000-000000000108"
GROUPS = {
    "gateway-key-dba": "dba-approvers",
    "gateway-key-security": SECURITY,
    "gateway-key-break-glass": "break-glass",
}


@dataclass
class Vault:
    """A vault in memory, which may refuse."""

    kept: dict[str, str] = field(default_factory=dict)
    refuses: str = ""

    def check(self, name: str) -> None:  # noqa: ARG002 - as every keeper has it
        if self.refuses == "check":
            raise StoppedError("the vault is closed")

    def keep(self, name: str, value: str) -> None:
        if self.refuses == "keep":
            raise StoppedError("the vault is full")
        self.kept[name] = value


class Stage:
    """The stand-in, and the program run against it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.vault = Vault()

    def run(self, *arguments: str, routes: Path | None = ROUTES) -> int:
        asked = ["--gateway", self.url, "--principal", PRINCIPAL, *arguments]
        if routes:
            asked += ["--routes", str(routes), "--break-glass-group", "break-glass"]
        return main(asked, lambda _name, _cloud: self.vault)

    def to_vault(self, *arguments: str) -> int:
        return self.run("--key-vault", "tether", "--webhook", WEBHOOK, *arguments)

    def get(self, path: str, headers: dict[str, str] | None = None) -> Any:  # noqa: ANN401 - whatever JSON is there
        answer = httpx.get(f"{self.url}/api{path}", headers=headers or {"Api-Key": LEGACY_KEY}, timeout=20)
        return answer.raise_for_status().json()

    def control(self, method: str, path: str, body: object = None) -> None:
        httpx.request(method, f"{self.url}/sandbox{path}", json=body, timeout=20).raise_for_status()

    def keys(self) -> dict[str, list[str]]:
        return {row["name"]: row["groups"] for row in self.get("/api-keys") or [] if row["status"] == "active"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    process, url = start("--api-key", LEGACY_KEY, "--admin-group", "gateway-admins")
    yield url
    assert stop(process) == 0


@pytest.fixture
def stage(server: str, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setenv("GATEWAY_ADMIN_KEY", LEGACY_KEY)
    found = Stage(server)
    found.control("POST", "/reset")
    found.control("PUT", "/switches", {"license": "enterprise"})
    return found


def test_nothing_is_changed_unless_asked(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    before = (stage.get("/serviceaccounts"), stage.keys())

    code = stage.to_vault()

    assert (code, stage.get("/serviceaccounts"), stage.keys(), stage.vault.kept) == (0, *before, {})
    assert "Nothing was changed; 6 steps are open" in capsys.readouterr().out


def test_managed_identity_signs_in_as_an_admin_of_whatever_name(stage: Stage) -> None:
    assert stage.to_vault("--apply") == 0

    token = issue_token(audience=GATEWAY_CLIENT_ID, object_id=PRINCIPAL)
    (account,) = [row for row in stage.get("/serviceaccounts") if row["subject"] == PRINCIPAL]
    assert (account["status"], account["groups"]) == ("active", ["gateway-admins"])
    assert isinstance(stage.get("/api-keys", {"Authorization": f"Bearer {token}"}), list)


def test_each_reviewer_group_gets_a_key_of_its_own_under_the_name_that_the_app_reads(stage: Stage) -> None:
    assert stage.to_vault("--apply") == 0

    assert stage.keys() == {f"teams-approvals:{group}": [group] for group in GROUPS.values()}
    assert set(stage.vault.kept) == {*GROUPS, "gateway-webhook-secrets"}
    for name, group in GROUPS.items():
        own = stage.get("/userinfo", {"Authorization": f"Bearer {stage.vault.kept[name]}"})
        assert own["groups"] == [group]


def test_webhook_is_signed_with_the_secret_that_was_kept(stage: Stage) -> None:
    assert stage.to_vault("--apply") == 0

    (endpoint,) = stage.get("/webhooks/endpoints")["data"]
    kind, _, secret = stage.vault.kept["gateway-webhook-secrets"].partition("_")
    assert endpoint["url"] == WEBHOOK
    assert endpoint["filterTypes"] == ["session.open", "session.close", "microsoftteams.review.create"]
    assert (kind, len(base64.b64decode(secret))) == ("whsec", 32)


def test_second_run_changes_nothing_and_makes_no_second_secret(stage: Stage) -> None:
    stage.to_vault("--apply")
    before, secrets = (stage.get("/serviceaccounts"), stage.keys()), dict(stage.vault.kept)

    code = stage.to_vault("--apply")

    assert code == 0
    assert (stage.get("/serviceaccounts"), stage.keys()) == before
    assert stage.vault.kept == secrets
    assert len(stage.get("/webhooks/endpoints")["data"]) == 1


def test_no_secret_is_printed_where_a_vault_keeps_it(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.to_vault("--apply")

    said = "".join(capsys.readouterr())
    assert "hpk_" not in said
    assert "whsec_" not in said
    assert LEGACY_KEY not in said


def test_secrets_are_printed_only_where_that_is_asked(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.run("--show-keys", "--apply") == 0

    said = capsys.readouterr().out
    assert [name for name in GROUPS if f"{name}: hpk_" not in said] == []


def test_key_is_not_made_where_nobody_said_where_it_goes(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.run("--apply") == 2

    assert stage.keys() == {}
    assert "--key-vault YOUR-VAULT, or --show-keys" in capsys.readouterr().err


def test_key_is_not_made_when_the_vault_would_not_take_it(stage: Stage) -> None:
    stage.vault.refuses = "check"

    assert (stage.to_vault("--apply"), stage.keys()) == (2, {})


def test_key_that_could_not_be_kept_is_revoked(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.vault.refuses = "keep"

    code = stage.to_vault("--apply")

    assert (code, stage.keys()) == (2, {})
    assert "run this again with the next --generation" in capsys.readouterr().err


def test_next_generation_stands_beside_the_one_before(stage: Stage) -> None:
    stage.to_vault("--apply")
    first = dict(stage.vault.kept)

    assert stage.to_vault("--apply", "--generation", "2") == 0

    assert len(stage.keys()) == 2 * len(GROUPS)
    assert not [name for name in GROUPS if stage.vault.kept[name] == first[name]]


def test_key_in_two_groups_stops_everything(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    body = {"name": "teams-approvals:dba-approvers", "groups": ["dba-approvers", "other"]}
    httpx.post(f"{stage.url}/api/api-keys", json=body, headers={"Api-Key": LEGACY_KEY}).raise_for_status()

    assert stage.to_vault("--apply") == 2

    assert "has to hold exactly ['dba-approvers']" in capsys.readouterr().err


def test_service_account_keeps_its_other_groups_and_becomes_active_again(stage: Stage) -> None:
    body = {"subject": PRINCIPAL, "name": "ours", "status": "inactive", "groups": ["readers"]}
    httpx.post(f"{stage.url}/api/serviceaccounts", json=body, headers={"Api-Key": LEGACY_KEY}).raise_for_status()

    assert stage.to_vault("--apply") == 0

    (account,) = [row for row in stage.get("/serviceaccounts") if row["subject"] == PRINCIPAL]
    assert (account["name"], account["status"]) == ("ours", "active")
    assert sorted(account["groups"]) == ["gateway-admins", "readers"]


def test_without_an_enterprise_licence_tether_polls_and_no_webhook_is_made(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.control("PUT", "/switches", {"license": "oss"})

    code = stage.to_vault("--apply")

    assert code == 0
    assert "webhook: none, because the gateway's licence is oss" in capsys.readouterr().out
    assert "webhooks" not in [plugin["name"] for plugin in stage.get("/plugins")]
    assert "gateway-webhook-secrets" not in stage.vault.kept


@pytest.mark.parametrize(
    ("key", "said"), [("", "set GATEWAY_ADMIN_KEY"), ("hpk_unknown", "the gateway does not know it")]
)
def test_missing_or_wrong_admin_key_says_what_to_do(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], key: str, said: str
) -> None:
    monkeypatch.setenv("GATEWAY_ADMIN_KEY", key)

    assert stage.to_vault() == 2

    assert said in capsys.readouterr().err


def test_mistake_in_the_routes_is_named_before_anything_is_done(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "approval-routes.yaml"
    wrong.write_text("routes: []\n", encoding="utf-8")

    assert stage.run("--apply", "--show-keys", routes=wrong) == 2

    assert PRINCIPAL not in [row["subject"] for row in stage.get("/serviceaccounts") or []]
    assert "approval-routes.yaml" in capsys.readouterr().err


def test_vault_is_asked_first_and_told_once() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}?{request.url.query.decode()}")
        return httpx.Response(404 if request.method == "GET" else 200, json={})

    vault = KeyVault(httpx.Client(base_url="https://tether.example", transport=httpx.MockTransport(answer)))
    vault.check("gateway-key-dba")
    vault.keep("gateway-key-dba", "hpk_x")

    path = "/secrets/gateway-key-dba?api-version=7.4"
    assert asked == [f"GET {path}", f"PUT {path}"]


def test_vault_that_refuses_names_the_role() -> None:
    client = httpx.Client(
        base_url="https://tether.example", transport=httpx.MockTransport(lambda _: httpx.Response(403))
    )

    with pytest.raises(StoppedError, match="Key Vault Secrets Officer"):
        KeyVault(client).check("gateway-key-dba")


def test_every_cloud_has_its_vaults() -> None:
    assert set(SUFFIXES) == set(CloudName)


def test_help_teaches_the_whole_way() -> None:
    command = [sys.executable, "-m", "infra.set_up_gateway", "--help"]

    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert all(word in said for word in ("GATEWAY_ADMIN_KEY", "--apply", "--key-vault", "Enterprise", "--generation"))

"""The sandbox starts with one command, and leaves no process behind however it ends."""

import os
import signal
import socket
from pathlib import Path

import httpx
import psutil
import pytest

from sandbox import cast
from sandbox.seed import open_sessions, seed
from sandbox.supervisor import Sandbox, SandboxError, running_sandbox
from sandbox.supervisor.approvals import REVIEWER_KEYS
from sandbox.supervisor.certificates import issue_certificates
from sandbox.supervisor.ports import default_ports, free_ports
from sandbox.supervisor.prerequisites import find_node
from sandbox.supervisor.servers import SERVERS
from sandbox.supervisor.settings import app_settings, fitting_environment, replaced_servers
from sandbox.tenant import BOT_APP_ID, TENANT_ID, TETHER_CLIENT_ID
from shared.domain.posture.rules import PostureRules
from shared.wire.posture_rules import parse_posture_rules
from tests.sandbox.supervised import supervisor

WITHOUT_APP = ("functions", "door", "broker", "blob", "table", "identity", "login", "vault", "teams")


async def test_sandbox_is_ready_when_the_app_has_subscribed_and_looked_at_everybody(sandbox: Sandbox) -> None:
    directory = (await sandbox.graph.get("/sandbox/directory")).json()
    health = (await sandbox.functions.get("/api/health")).json()
    queues = (await sandbox.graph.get(f"{sandbox.broker_control_url}/sandbox/queues")).json()

    assert sorted(one["resource"].strip("/") for one in directory["subscriptions"]) == ["groups", "users"]
    assert health["healthy"] is True
    assert queues["principal-changes"]["active"] == 0
    assert psutil.Process(sandbox.app_pid).is_running()


async def test_app_takes_nothing_from_a_cast_that_is_in_order(sandbox: Sandbox) -> None:
    events = (await sandbox.gateway.get("/sandbox/events")).json()["events"]

    people = {person.subject for person in cast.PEOPLE}
    about_people = [event["kind"] for event in events if event["subject"] in people]
    assert "user-updated" not in about_people
    assert {event["kind"] for event in events}.isdisjoint({"service-account-updated", "key-revoked"})


async def test_everybody_of_the_cast_reaches_what_the_groups_promise(sandbox: Sandbox) -> None:
    opened = await open_sessions(sandbox.gateway)
    refused = await sandbox.gateway.post(
        "/sandbox/connect", json={"subject": cast.SYNC_AGENT.subject, "connection": "ledger-db"}
    )
    for session_id in opened.values():
        await sandbox.gateway.post("/sandbox/disconnect", json={"session_id": session_id})

    assert len(opened) == 6
    assert {name for name, _ in opened} == {"sync-agent", "ledger-agent", "report-bot", "Ada Byron", "Grace Hopper"}
    assert refused.status_code == 403


async def test_gateway_knows_one_key_for_each_reviewer_group_and_where_to_call_the_app(sandbox: Sandbox) -> None:
    keys = (await sandbox.gateway.get("/api/api-keys")).json()
    endpoints = (await sandbox.gateway.get("/api/webhooks/endpoints")).json()["data"]

    groups = {key["name"]: key["groups"] for key in keys if key["name"].startswith("teams-approvals:")}
    assert groups == {f"teams-approvals:{group}": [group] for group in REVIEWER_KEYS.values()}
    assert [one["url"] for one in endpoints] == [f"{sandbox.url('functions')}/api/gateway/events"]


async def test_only_those_who_sign_in_trust_the_sandboxs_own_certificates(sandbox: Sandbox) -> None:
    answer = await sandbox.login.get(f"/{TENANT_ID}/v2.0/.well-known/openid-configuration")

    assert answer.json()["issuer"] == f"{sandbox.settings['AZURE_AUTHORITY_HOST']}/{TENANT_ID}/v2.0"
    assert psutil.Process(sandbox.app_pid).environ()["SSL_CERT_FILE"] == str(sandbox.certificates.authorities)
    gateways = psutil.Process(sandbox.pid("gateway")).environ().get("SSL_CERT_FILE")
    assert gateways == os.environ.get("SSL_CERT_FILE")
    async with httpx.AsyncClient(trust_env=False) as stranger:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.get(sandbox.url("login"))


async def test_vault_is_where_the_posture_rules_name_it(sandbox: Sandbox) -> None:
    rules = rules_of(sandbox)

    answer = await sandbox.vault.get("/secrets", params={"api-version": "7.4"})

    assert rules.vaults == (sandbox.url("vault"),)
    assert answer.status_code == 401
    assert TENANT_ID in answer.headers["WWW-Authenticate"]


async def test_rules_of_a_sandbox_without_a_vault_name_none() -> None:
    async with running_sandbox(without=WITHOUT_APP) as small:
        rules = rules_of(small)

    assert rules.vaults == ()
    assert rules.channel


async def test_seed_changes_nothing_when_it_runs_again(sandbox: Sandbox) -> None:
    before = [(await one.get("/sandbox/events")).json()["last"] for one in (sandbox.graph, sandbox.gateway)]

    await seed(sandbox.graph, sandbox.gateway)

    assert [(await one.get("/sandbox/events")).json()["last"] for one in (sandbox.graph, sandbox.gateway)] == before


async def test_function_that_does_not_exist_cannot_be_run(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="404 when asked to run nothing_of_this_name"):
        await sandbox.run_function("nothing_of_this_name")


async def test_one_server_can_be_killed_and_started_again_on_its_port() -> None:
    async with running_sandbox(without=WITHOUT_APP) as small:
        url = small.url("gateway")
        await small.kill("gateway")
        with pytest.raises(httpx.ConnectError):
            await small.gateway.get("/api/healthz")
        with pytest.raises(SandboxError, match="gateway is not running"):
            small.pid("gateway")

        await small.start("gateway")

        assert small.url("gateway") == url
        assert (await small.gateway.get("/api/healthz")).status_code == 200


async def test_server_that_dies_by_itself_is_reported_and_one_that_is_stopped_is_not() -> None:
    async with running_sandbox(without=WITHOUT_APP) as small:
        await small.stop("graph")
        psutil.Process(small.pid("gateway")).kill()

        death = await small.first_death()

    assert str(death).startswith("gateway ended with exit code -9; its last lines in ")


async def test_no_process_and_no_log_is_left_after_the_block() -> None:
    async with running_sandbox(without=WITHOUT_APP) as small:
        children = [psutil.Process(small.pid(server)) for server in small.servers]
        logs = small.logs

    assert small.servers == ("graph", "gateway")
    assert not any(child.is_running() for child in children)
    assert not logs.exists()


async def test_unknown_server_cannot_be_left_out() -> None:
    with pytest.raises(SandboxError, match="there is no grapf: the servers are blob, table"):
        async with running_sandbox(without=("grapf",)):
            pass


async def test_real_gateway_replaces_the_stand_in_and_loses_nothing() -> None:
    key = "org|an-admin-key-of-a-real-gateway"
    async with running_sandbox(without=WITHOUT_APP, environment={"GATEWAY_API_KEY": key}) as real:
        real_gateway = {"GATEWAY_BASE_URL": real.url("gateway"), "GATEWAY_API_KEY": key}
        before = (await real.gateway.get("/sandbox/events")).json()["last"]

        async with running_sandbox(without=("door",), environment=real_gateway) as sandbox:
            directory = (await sandbox.graph.get("/sandbox/directory")).json()
            health = (await sandbox.functions.get("/api/health")).json()

        written = (await real.gateway.get("/sandbox/events", params={"after": before})).json()["events"]
    groups = {group["displayName"]: group["members"] for group in directory["groups"]}
    mails = {user["mail"]: user["id"] for user in directory["users"]}
    assert "gateway" not in sandbox.servers
    assert sandbox.url("gateway") == real_gateway["GATEWAY_BASE_URL"]
    assert health["healthy"] is True
    assert written == []
    assert {cast.ADA.email, cast.ALAN.email} < set(mails)
    assert {cast.SYNC_AGENT.id, cast.LEDGER_AGENT.id, cast.REPORT_BOT.id} < {
        principal["id"] for principal in directory["servicePrincipals"]
    }
    assert groups["on-call"] == [mails[cast.ADA.email], mails[cast.ALAN.email]]
    assert groups["report-agents"] == [cast.REPORT_BOT.id]
    assert groups[cast.LEDGER_AGENTS_ID] == [cast.LEDGER_AGENT.id]


async def test_gateway_that_refuses_the_key_is_named_with_the_settings_to_check(tmp_path: Path) -> None:
    async with running_sandbox(without=WITHOUT_APP) as real:
        wrong = {"GATEWAY_BASE_URL": real.url("gateway"), "GATEWAY_API_KEY": "org|somebody-elses"}
        wrong["SANDBOX_LOGS"] = str(tmp_path)

        with pytest.raises(SandboxError, match="check GATEWAY_BASE_URL and GATEWAY_API_KEY"):
            async with running_sandbox(without=WITHOUT_APP, environment=wrong):
                pass


@pytest.mark.parametrize(
    ("given", "left_out"),
    [
        ({}, set()),
        ({"GATEWAY_BASE_URL": ""}, set()),
        ({"GATEWAY_BASE_URL": "https://gateway.example"}, {"gateway"}),
        ({"GRAPH_BASE_URL": "https://graph.microsoft.com"}, {"graph", "identity", "login", "vault", "teams"}),
        ({"ServiceBus": "Endpoint=sb://x.servicebus.windows.net;…"}, {"broker"}),
        ({"ServiceBus__fullyQualifiedNamespace": "x.servicebus.windows.net"}, {"broker"}),
        ({"AzureWebJobsStorage": "DefaultEndpointsProtocol=https;…"}, {"blob", "table"}),
    ],
)
def test_stand_in_is_left_out_when_its_real_thing_is_given(given: dict[str, str], left_out: set[str]) -> None:
    assert replaced_servers(given) == left_out


def test_given_setting_wins_over_the_sandboxs_own() -> None:
    settings = app_settings({"RESTORE_AFTER_SECONDS": "90", "TENANT_ID": "mine", "HOME": "elsewhere"}, free_ports())

    assert (settings["RESTORE_AFTER_SECONDS"], settings["TENANT_ID"]) == ("90", "mine")
    assert "HOME" not in settings


def test_key_of_a_reviewer_group_is_the_apps_whatever_its_name() -> None:
    settings = app_settings({"GATEWAY_KEY_LEDGER": "hpk_mine", "GATEWAY_KEY_DBA": "hpk_other"}, free_ports())

    assert (settings["GATEWAY_KEY_LEDGER"], settings["GATEWAY_KEY_DBA"]) == ("hpk_mine", "hpk_other")
    assert settings["GATEWAY_KEY_SECURITY"].startswith("hpk_")


def test_approvals_are_not_invented_for_a_real_gateway() -> None:
    settings = app_settings({"GATEWAY_BASE_URL": "https://gateway.example"}, free_ports())

    assert not {name for name in settings if name.startswith(("GATEWAY_KEY_", "GATEWAY_WEBHOOK_", "APPROVAL_"))}
    assert settings["BOT_APP_ID"] == BOT_APP_ID


def test_certificates_keep_the_authorities_of_the_machine_and_the_key_private(tmp_path: Path) -> None:
    known = tmp_path / "known.pem"
    known.write_text("an authority of the company\n")

    issued = issue_certificates(tmp_path, {"SSL_CERT_FILE": str(known)})

    assert issued.authorities.read_text().startswith("an authority of the company\n")
    assert issued.authorities.read_text().count("BEGIN CERTIFICATE") == 1
    assert issued.key.stat().st_mode & 0o077 == 0


def test_somebodys_own_azure_sign_in_stays_out_of_a_sandbox_with_a_stand_in_identity() -> None:
    environment = {"AZURE_CLIENT_ID": "mine", "AZURE_CLIENT_SECRET": "mine", "PATH": "/bin"}

    fitting = fitting_environment(environment)

    assert fitting == {"PATH": "/bin"}
    assert app_settings(fitting, free_ports())["AZURE_CLIENT_ID"] == TETHER_CLIENT_ID
    assert "AZURE_CLIENT_SECRET" in fitting_environment(environment | {"GRAPH_BASE_URL": "https://graph.microsoft.com"})


def test_stand_in_gateway_beside_a_real_graph_gets_a_key_instead_of_tokens_it_cannot_check() -> None:
    settings = app_settings({"GRAPH_BASE_URL": "https://graph.microsoft.com"}, free_ports())

    assert settings["GATEWAY_API_KEY"].startswith("sandbox|")
    assert "GATEWAY_CLIENT_ID" not in settings


@pytest.mark.parametrize("asked", ["http", "0", "65536", "-1"])
def test_port_that_is_none_is_refused_with_its_variable(asked: str) -> None:
    with pytest.raises(SandboxError, match=r"SANDBOX_GRAPH_PORT=.* is not a port"):
        default_ports({"SANDBOX_GRAPH_PORT": asked})


def test_missing_node_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(SandboxError, match=r"Node.js 18 or newer is needed"):
        find_node()


def test_old_node_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\nprintf '16 /opt/node'\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(SandboxError, match="`node` is version 16"):
        find_node()


def test_port_in_use_is_named_with_its_variable_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with supervisor(tmp_path, SANDBOX_GATEWAY_PORT=str(port)) as running:
            code = running.ends()

    assert code == 1
    assert f"port {port} (gateway) is in use" in running.output
    assert "SANDBOX_GATEWAY_PORT=<port>" in running.output
    assert "ready" not in running.output


def test_stop_by_signal_is_a_success_and_leaves_no_process(tmp_path: Path) -> None:
    with supervisor(tmp_path) as running:
        assert running.says("Tether is running.")

        code = running.ends(signal.SIGINT)

        assert code == 0
        assert running.count() >= len(SERVERS) - 1
        assert running.left_behind() == []


def test_stop_while_servers_still_start_leaves_no_process(tmp_path: Path) -> None:
    with supervisor(tmp_path) as running:
        assert running.says("identity   ready")

        code = running.ends(signal.SIGTERM)

        assert code == 0
        assert "Tether is running." not in running.output
        assert running.left_behind() == []


def test_killed_supervisor_leaves_no_process(tmp_path: Path) -> None:
    with supervisor(tmp_path) as running:
        assert running.says("tenant     seeded")

        running.ends(signal.SIGKILL)

        assert running.left_behind() == []


def test_app_that_cannot_start_stops_everything_and_says_why(tmp_path: Path) -> None:
    with supervisor(tmp_path, CLIENT_STATE_KEY="short") as running:
        code = running.ends()

        assert code == 1
        assert "functions ended with exit code 1" in running.output
        assert "CLIENT_STATE_KEY" in running.output
        assert running.left_behind() == []


def test_server_that_dies_stops_everything_with_its_last_lines(tmp_path: Path) -> None:
    with supervisor(tmp_path) as running:
        assert running.says("Tether is running.")
        running.child("sandbox.identity").kill()

        code = running.ends()

        assert code == 1
        assert "identity ended with exit code -9; its last lines in" in running.output
        assert running.left_behind() == []


def rules_of(sandbox: Sandbox) -> PostureRules:
    """How the app of this sandbox judges."""
    return parse_posture_rules(Path(sandbox.settings["POSTURE_RULES_FILE"]).read_text(), "posture.yaml")

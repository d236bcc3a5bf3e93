"""The app's entry point: what it loads, and what stops it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "TENANT_ID": "aaaaaaaa-0000-4000-8000-000000000001",
    "NOTIFICATION_URL": "https://tether.example/api/graph/notifications",
    "CLIENT_STATE_KEY": "a made-up key for tests, 32 bytes",
    "GATEWAY_BASE_URL": "https://gateway.example",
    "GATEWAY_CLIENT_ID": "eeeeeeee-0000-4000-8000-0000000000cc",
    "AzureWebJobsStorage__blobServiceUri": "https://tether.blob.core.windows.net",
    "AzureWebJobsStorage__tableServiceUri": "https://tether.table.core.windows.net",
    "ServiceBus__fullyQualifiedNamespace": "tether.servicebus.windows.net",
}
# Loaded with the first message or report: Azure waits for the import of an app that it starts.
LATE = {
    *("msgraph", "msgraph_core", "kiota_http", "jinja2", "sqlite3", "dns"),
    *("azure.identity", "azure.keyvault", "azure.storage", "opentelemetry.sdk"),
}
IMPORT = """
import json, sys, time
import function_app
names = [function.get_function_name() for function in function_app.app.get_functions()]
print(json.dumps({"cpu": time.process_time(), "modules": sorted(sys.modules), "functions": sorted(names)}))
"""


@pytest.fixture
def identity_map(tmp_path: Path) -> Path:
    path = tmp_path / "identity-map.yaml"
    path.write_text("identity-map: []\n", encoding="utf-8")
    return path


def start(identity_map: Path, **changes: str) -> "subprocess.CompletedProcess[str]":
    """The app's import in a process of its own, under these settings and no others."""
    environment = {"PATH": os.environ["PATH"], "IDENTITY_MAP_FILE": str(identity_map)} | SETTINGS | changes
    command = [sys.executable, "-c", IMPORT]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_app_is_loaded_without_what_only_reports_need(identity_map: Path) -> None:
    started = start(identity_map)

    loaded = json.loads(started.stdout)
    print(f"import of function_app: {loaded['cpu'] * 1000:.0f} CPU ms")  # noqa: T201 - for whoever measures
    assert LATE.isdisjoint(loaded["modules"])


def test_every_function_is_registered(identity_map: Path) -> None:
    started = start(identity_map)

    assert json.loads(started.stdout)["functions"] == [
        "anchor_evidence",
        "ask_for_rotation",
        "ask_for_weekly_report",
        "make_report_now",
        "poll_reviews",
        "process_card_updates",
        "process_posture_jobs",
        "process_principal_changes",
        "process_review_events",
        "process_subscription_events",
        "process_verifications",
        "receive_gateway_events",
        "receive_graph_notifications",
        "receive_teams_activity",
        "reconcile_roster",
        "release_hold",
        "remind_owners",
        "renew_subscriptions",
        "show_health",
        "show_newest_report",
        "show_reach",
        "show_report_file",
        "sweep_directory",
        "watch_subscriptions",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"CLIENT_STATE_KEY": ""}, "CLIENT_STATE_KEY: Field required; set it"),
        ({"IDENTITY_MAP_FILE": "nowhere.yaml"}, "IDENTITY_MAP_FILE: nowhere.yaml cannot be read; create it"),
    ],
)
def test_app_stops_with_the_setting_and_the_fix(identity_map: Path, changes: dict[str, str], said: str) -> None:
    started = start(identity_map, **changes)

    assert started.returncode != 0
    assert said in started.stderr


def test_app_stops_with_file_and_line_of_a_wrong_identity_map(identity_map: Path) -> None:
    identity_map.write_text("identity-map:\n  - connection: pg\n", encoding="utf-8")

    started = start(identity_map)

    assert started.returncode != 0
    assert "identity-map.yaml, line 2: " in started.stderr

"""The house stands as its plan says: settings, queues and files agree with each other."""

import json
import re
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from functions import work
from shared.settings import Settings, read_settings
from shared.wire.identity_map import parse_identity_map

ROOT = Path(__file__).parents[1]
HOSTS_OWN = {"FUNCTIONS_WORKER_RUNTIME", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"}


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / "local.settings.example.json").read_text())
    return content


def test_example_shows_every_setting_and_no_other(example: dict[str, Any]) -> None:
    read = {str(field.alias) for field in Settings.model_fields.values()}

    assert set(example["Values"]) == read | HOSTS_OWN


def test_example_says_in_one_line_what_each_setting_means(example: dict[str, Any]) -> None:
    assert list(example["Meanings"]) == list(example["Values"])
    assert all(meaning.endswith(".") and "\n" not in meaning for meaning in example["Meanings"].values())


def test_example_with_a_key_of_ones_own_is_accepted_and_shows_the_defaults(example: dict[str, Any]) -> None:
    settings = read_settings(example["Values"] | {"CLIENT_STATE_KEY": "x" * 32, "CARD_TOKEN_KEY": "y" * 32})

    changed = {name for name, field in Settings.model_fields.items() if getattr(settings, name) != field.default}
    assert changed == {
        "tenant_id",
        "notification_url",
        "client_state_key",
        "gateway_base_url",
        "gateway_client_id",
        "storage_blob_uri",
        "storage_table_uri",
        "service_bus_namespace",
        "approval_routes_file",
        "bot_app_id",
        "card_token_key",
        "gateway_web_url",
        "report_readers_group",
    }


def test_every_queue_that_wakes_the_app_exists_in_the_sandbox() -> None:
    app = func.FunctionApp()
    app.register_functions(work.blueprint)

    bindings = [binding.get_dict_repr() for each in app.get_functions() for binding in each.get_bindings()]

    wake = {binding["queueName"] for binding in bindings if binding["type"] == "serviceBusTrigger"}
    queues = json.loads((ROOT / "sandbox" / "queues.json").read_text())["queues"]
    assert wake == {queue["name"] for queue in queues} - {"dead-letters"}
    assert {queue.get("forwardDeadLetteredMessagesTo") for queue in queues if queue["name"] in wake} == {"dead-letters"}


def test_identity_map_of_the_sandbox_is_sound() -> None:
    file = ROOT / "sandbox" / "identity-map.yaml"

    identity_map = parse_identity_map(file.read_text(), file.name)

    assert identity_map.groups
    assert identity_map.agents
    assert identity_map.break_glass


@pytest.mark.parametrize(
    "name",
    [
        "function_app.py",
        "host.json",
        "requirements.txt",
        "requirements-dev.txt",
        "local.settings.example.json",
        "pyproject.toml",
        "Makefile",
        ".funcignore",
        ".ci/run",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
    ],
)
def test_house_has_the_file(name: str) -> None:
    assert (ROOT / name).is_file()


@pytest.mark.parametrize("folder", ["sandbox", "tests", "docs", "infra", "tools", ".ci"])
def test_package_for_azure_leaves_out(folder: str) -> None:
    assert f"/{folder}/" in (ROOT / ".funcignore").read_text().splitlines()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_with_hashes_and_name_no_index(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()

    pins = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert pins
    assert all(re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+ ", line) for line in pins)
    assert not [line for line in lines if "://" in line]


def test_sandbox_listens_on_loopback_only() -> None:
    sources = [path for kind in ("py", "mjs") for path in (ROOT / "sandbox").glob(f"*/*.{kind}")]

    everywhere = re.compile(r"0\.0\.0\.0|['\"]::['\"]")
    assert sources
    assert [path.name for path in sources if everywhere.search(path.read_text())] == []

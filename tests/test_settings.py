"""Settings: what is accepted, and how what is not is named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.plan import Escalation
from shared.errors import SettingsError
from shared.settings import Settings, read_settings

SOUND = {
    "TENANT_ID": "AAAAAAAA-0000-4000-8000-000000000001",
    "NOTIFICATION_URL": "https://tether.example/api/graph/notifications/",
    "CLIENT_STATE_KEY": "a made-up key for tests, 32 bytes",
    "GATEWAY_BASE_URL": "https://gateway.example",
    "GATEWAY_CLIENT_ID": "eeeeeeee-0000-4000-8000-0000000000cc",
    "AzureWebJobsStorage__blobServiceUri": "https://tether.blob.core.windows.net",
    "AzureWebJobsStorage__tableServiceUri": "https://tether.table.core.windows.net",
    "ServiceBus__fullyQualifiedNamespace": "tether.servicebus.windows.net",
}
NAMES = sorted(field.alias or name for name, field in Settings.model_fields.items())


def complaint(**changes: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings(SOUND | changes)

    return caught.value.detail


def test_sound_settings_are_read_with_safe_defaults() -> None:
    found = read_settings(SOUND | {"UNRELATED": "x"})

    assert found.tenant_id == SOUND["TENANT_ID"].lower()
    assert found.notification_url == "https://tether.example/api/graph/notifications"
    assert found.escalation is Escalation.DEACTIVATE
    assert (found.restore_after_seconds, found.replication_horizon_seconds) == (60, 900)
    assert (found.sweep_limit_percent, found.sweep_limit_minimum) == (20, 5)


def test_surrounding_blanks_are_no_part_of_a_setting() -> None:
    found = read_settings({name: f" {value}\n" for name, value in SOUND.items()})

    assert found == read_settings(SOUND)


@pytest.mark.parametrize("name", ["TENANT_ID", "NOTIFICATION_URL", "CLIENT_STATE_KEY", "GATEWAY_BASE_URL"])
@pytest.mark.parametrize("value", ["", "  "])
def test_missing_setting_is_named(name: str, value: str) -> None:
    assert complaint(**{name: value}) == f"{name}: Field required; set it"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"CLIENT_STATE_KEY": "x" * 31}, "CLIENT_STATE_KEY: .*; use at least 32 random characters"),
        ({"CLIENT_STATE_PREVIOUS_KEY": "short"}, "CLIENT_STATE_PREVIOUS_KEY: .*; use at least 32 random characters"),
        ({"TENANT_ID": "contoso.example"}, "TENANT_ID: .*; write a GUID such as"),
        ({"AZURE_CLIENT_ID": "me"}, "AZURE_CLIENT_ID: .*; write a GUID such as"),
        ({"GATEWAY_BASE_URL": "http://gateway.example"}, "GATEWAY_BASE_URL: use https://"),
        ({"NOTIFICATION_URL": "http://127.0.0.1.example/"}, "NOTIFICATION_URL: use https://"),
        ({"GRAPH_BASE_URL": "ftp://127.0.0.1"}, "GRAPH_BASE_URL: use https://"),
        ({"GRAPH_BASE_URL": "graph.microsoft.com"}, "GRAPH_BASE_URL: use https://"),
        ({"GATEWAY_BASE_URL": "https://"}, "GATEWAY_BASE_URL: name a host"),
        ({"NOTIFICATION_URL": "https://tether.example/api?code=1"}, "NOTIFICATION_URL: .*without a query"),
        ({"GATEWAY_BASE_URL": "https://me:secret@gateway.example"}, "GATEWAY_BASE_URL: .*without a user"),
        ({"ON_UNENFORCEABLE_REMOVAL": "push"}, "ON_UNENFORCEABLE_REMOVAL: .*'deactivate' or 'alert'"),
        ({"RESTORE_AFTER_SECONDS": "59"}, "RESTORE_AFTER_SECONDS: .*greater than or equal to 60"),
        ({"REPLICATION_HORIZON_SECONDS": "soon"}, "REPLICATION_HORIZON_SECONDS: .*valid number"),
        ({"SWEEP_LIMIT_PERCENT": "101"}, "SWEEP_LIMIT_PERCENT: .*less than or equal to 100"),
        ({"TOKEN_LIFETIME_SECONDS": "0"}, "TOKEN_LIFETIME_SECONDS: .*greater than or equal to 600"),
        ({"CLIENT_STATE_GENERATION": "0"}, "CLIENT_STATE_GENERATION: .*greater than or equal to 1"),
        ({"GATEWAY_TIMEOUT_SECONDS": "nan"}, "GATEWAY_TIMEOUT_SECONDS: "),
        ({"RESTORE_AFTER_SECONDS": "inf"}, "RESTORE_AFTER_SECONDS: "),
        ({"REPLICATION_HORIZON_SECONDS": "nan"}, "REPLICATION_HORIZON_SECONDS: "),
        ({"GATEWAY_CLIENT_ID": ""}, "set GATEWAY_CLIENT_ID .* or GATEWAY_API_KEY"),
        ({"GATEWAY_CLIENT_ID": "", "GATEWAY_API_KEY": "weak"}, "GATEWAY_API_KEY: "),
        ({"AzureWebJobsStorage__tableServiceUri": ""}, "set AzureWebJobsStorage__blobServiceUri and "),
        ({"ServiceBus__fullyQualifiedNamespace": ""}, "set ServiceBus__fullyQualifiedNamespace .* or ServiceBus"),
    ],
)
def test_weak_or_wrong_setting_is_named_with_its_fix(changes: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_settings(SOUND | changes)


def test_every_wrong_setting_is_named_at_once() -> None:
    said = complaint(TENANT_ID="x", CLIENT_STATE_KEY="y", SWEEP_LIMIT_PERCENT="z")

    assert [sentence.split(":")[0] for sentence in said.split("; ") if ":" in sentence] == [
        "TENANT_ID",
        "CLIENT_STATE_KEY",
        "SWEEP_LIMIT_PERCENT",
    ]


@pytest.mark.parametrize("host", ["127.0.0.1:7072", "localhost:7072", "[::1]:7072"])
def test_plain_http_is_accepted_for_loopback(host: str) -> None:
    assert read_settings(SOUND | {"GRAPH_BASE_URL": f"http://{host}/"}).graph_base_url == f"http://{host}"


@pytest.mark.parametrize(
    "changes",
    [
        {"GATEWAY_CLIENT_ID": "", "GATEWAY_API_KEY": "hpk_a-made-up-key-of-an-admin"},
        {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "AzureWebJobsStorage__blobServiceUri": ""},
        {"ServiceBus": "Endpoint=sb://localhost;", "ServiceBus__fullyQualifiedNamespace": ""},
    ],
)
def test_credential_is_accepted_in_place_of_a_managed_identity(changes: dict[str, str]) -> None:
    assert read_settings(SOUND | changes)


@given(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 2**64).map(lambda n: f"secret{n}"), min_size=1))
@settings(deadline=None)
def test_no_value_is_ever_repeated_in_a_complaint(wrong: dict[str, str]) -> None:
    try:
        read_settings(SOUND | wrong)
    except SettingsError as error:
        said = str(error)
        assert not [value for value in wrong.values() if value in said]

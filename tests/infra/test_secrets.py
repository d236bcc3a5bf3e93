"""Secrets in Azure: what a Key Vault reference is worth that nobody could follow."""

import pytest

from shared.errors import SettingsError
from shared.settings import read_settings

SOUND = {
    "TENANT_ID": "aaaaaaaa-0000-4000-8000-000000000001",
    "NOTIFICATION_URL": "https://tether.example/api/graph/notifications",
    "CLIENT_STATE_KEY": "a made-up key for tests, 32 bytes",
    "GATEWAY_BASE_URL": "https://gateway.example",
    "GATEWAY_CLIENT_ID": "eeeeeeee-0000-4000-8000-0000000000cc",
    "AzureWebJobsStorage__blobServiceUri": "https://tether.blob.core.windows.net",
    "AzureWebJobsStorage__tableServiceUri": "https://tether.table.core.windows.net",
    "ServiceBus__fullyQualifiedNamespace": "tether.servicebus.windows.net",
}


@pytest.mark.parametrize("name", ["CLIENT_STATE_KEY", "CLIENT_STATE_PREVIOUS_KEY", "CARD_TOKEN_KEY", "GATEWAY_KEY_DBA"])
def test_reference_that_azure_could_not_follow_is_no_key_and_stops_the_app(name: str) -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://tether.vault.azure.net/secrets/client-state-key)"

    with pytest.raises(SettingsError) as stopped:
        read_settings(SOUND | {name: reference})

    assert stopped.value.detail.startswith(f"{name}: its Key Vault reference cannot be read; put the secret into")
    assert "tether.vault" not in str(stopped.value)


def test_settings_without_references_are_read() -> None:
    settings = read_settings(SOUND)

    assert settings.client_state_previous_key is None

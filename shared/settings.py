"""Settings: read once; a missing, weak or wrong one stops the app and says what to do."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from shared.domain.clouds import CLOUDS, WORLDWIDE, Cloud, CloudName
from shared.domain.plan import Escalation
from shared.errors import SettingsError
from shared.wire.server_addresses import parse_server_addresses

Guid = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
Key = Annotated[str, StringConstraints(min_length=32)]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FIXES = {
    "missing": "set it",
    "string_too_short": "use at least 32 random characters, for example from `openssl rand -hex 32`",
    "string_pattern_mismatch": "write a GUID such as 7e7e0000-0000-4000-8000-000000000001",
}


class Settings(BaseModel):
    """Every setting Tether reads; the aliases are the names of the app settings."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True, allow_inf_nan=False)

    tenant_id: Guid = Field(alias="TENANT_ID")
    notification_url: str = Field(alias="NOTIFICATION_URL")
    client_state_key: Key = Field(alias="CLIENT_STATE_KEY")
    client_state_previous_key: Key | None = Field(default=None, alias="CLIENT_STATE_PREVIOUS_KEY")
    client_state_generation: int = Field(default=1, ge=1, alias="CLIENT_STATE_GENERATION")

    cloud_name: CloudName = Field(default=CloudName.WORLDWIDE, alias="AZURE_CLOUD")
    graph_base_url: str = Field(default=WORLDWIDE.graph_url, alias="GRAPH_BASE_URL")
    managed_identity_client_id: Guid | None = Field(default=None, alias="AZURE_CLIENT_ID")

    gateway_base_url: str = Field(alias="GATEWAY_BASE_URL")
    gateway_client_id: Guid | None = Field(default=None, alias="GATEWAY_CLIENT_ID")
    gateway_api_key: str | None = Field(default=None, min_length=16, alias="GATEWAY_API_KEY")
    gateway_timeout_seconds: float = Field(default=30.0, ge=1, le=60, alias="GATEWAY_TIMEOUT_SECONDS")

    storage_connection_string: str | None = Field(default=None, alias="AzureWebJobsStorage")
    storage_blob_uri: str | None = Field(default=None, alias="AzureWebJobsStorage__blobServiceUri")
    storage_table_uri: str | None = Field(default=None, alias="AzureWebJobsStorage__tableServiceUri")
    service_bus_connection_string: str | None = Field(default=None, alias="ServiceBus")
    service_bus_namespace: str | None = Field(default=None, alias="ServiceBus__fullyQualifiedNamespace")

    approval_routes_file: str | None = Field(default=None, alias="APPROVAL_ROUTES_FILE")
    bot_app_id: Guid | None = Field(default=None, alias="BOT_APP_ID")
    bot_openid_metadata_url: str = Field(default=WORLDWIDE.bot_openid_metadata_url, alias="BOT_OPENID_METADATA_URL")
    teams_service_url: str = Field(default=str(WORLDWIDE.teams_service_url), alias="TEAMS_SERVICE_URL")
    card_token_key: Key | None = Field(default=None, alias="CARD_TOKEN_KEY")
    card_token_previous_key: Key | None = Field(default=None, alias="CARD_TOKEN_PREVIOUS_KEY")
    gateway_webhook_secrets: str = Field(default="", alias="GATEWAY_WEBHOOK_SECRETS")
    gateway_web_url: str | None = Field(default=None, alias="GATEWAY_WEB_URL")
    teams_on_behalf_of: bool = Field(default=False, alias="TEAMS_ON_BEHALF_OF")
    authority_host: str = Field(default=WORLDWIDE.authority_url, alias="AZURE_AUTHORITY_HOST")

    name_servers: str = Field(default="", alias="NAME_SERVERS")
    application_insights: str | None = Field(default=None, alias="APPLICATIONINSIGHTS_CONNECTION_STRING")
    report_readers_group: Guid | None = Field(default=None, alias="REPORT_READERS_GROUP")
    posture_rules_file: str | None = Field(default=None, alias="POSTURE_RULES_FILE")

    identity_map_file: str = Field(default="identity-map.yaml", alias="IDENTITY_MAP_FILE")
    escalation: Escalation = Field(default=Escalation.DEACTIVATE, alias="ON_UNENFORCEABLE_REMOVAL")
    restore_after_seconds: float = Field(default=60.0, ge=60, alias="RESTORE_AFTER_SECONDS")
    replication_horizon_seconds: float = Field(default=900.0, ge=60, alias="REPLICATION_HORIZON_SECONDS")
    token_lifetime_seconds: float = Field(default=5400.0, ge=600, alias="TOKEN_LIFETIME_SECONDS")
    sweep_limit_percent: int = Field(default=20, ge=1, le=100, alias="SWEEP_LIMIT_PERCENT")
    sweep_limit_minimum: int = Field(default=5, ge=0, alias="SWEEP_LIMIT_MINIMUM")

    @model_validator(mode="before")
    @classmethod
    def _takes_the_addresses_of_its_cloud(cls, given: Any) -> Any:  # noqa: ANN401 - whatever pydantic was given
        """An address that is given wins over the cloud's; a cloud that nobody knows is named by its own field."""
        if not isinstance(given, dict) or given.get("AZURE_CLOUD", "").strip() not in set(CloudName):
            return given
        cloud = CLOUDS[CloudName(given["AZURE_CLOUD"].strip())]
        addresses = {
            "GRAPH_BASE_URL": cloud.graph_url,
            "AZURE_AUTHORITY_HOST": cloud.authority_url,
            "BOT_OPENID_METADATA_URL": cloud.bot_openid_metadata_url,
        }
        if cloud.teams_service_url is not None:
            addresses["TEAMS_SERVICE_URL"] = cloud.teams_service_url
        elif "APPROVAL_ROUTES_FILE" in given and "TEAMS_SERVICE_URL" not in given:
            raise ValueError(
                "set TEAMS_SERVICE_URL to the serviceUrl of a message to your bot: this cloud publishes none"
            )
        return addresses | given

    @field_validator(
        "graph_base_url",
        "gateway_base_url",
        "notification_url",
        "bot_openid_metadata_url",
        "teams_service_url",
        "gateway_web_url",
        "authority_host",
    )
    @classmethod
    def _is_secure(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError("use https:// (http:// is accepted for loopback addresses only)")
        if not parts.hostname:
            raise ValueError("name a host")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("write the address alone, without a user, without a query and without a fragment")
        return value.rstrip("/")

    @field_validator("name_servers")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        parse_server_addresses(value)
        return value

    @model_validator(mode="after")
    def _can_connect(self) -> "Settings":
        if not self.gateway_api_key and not self.gateway_client_id:
            raise ValueError("set GATEWAY_CLIENT_ID (managed identity, preferred) or GATEWAY_API_KEY")
        if not self.storage_connection_string and not (self.storage_blob_uri and self.storage_table_uri):
            raise ValueError(
                "set AzureWebJobsStorage__blobServiceUri and AzureWebJobsStorage__tableServiceUri (managed identity), "
                "or AzureWebJobsStorage (connection string)"
            )
        if not self.service_bus_connection_string and not self.service_bus_namespace:
            raise ValueError("set ServiceBus__fullyQualifiedNamespace (managed identity) or ServiceBus")
        elsewhere = {cloud.service_bus_suffix for cloud in CLOUDS.values()} - {self.cloud.service_bus_suffix}
        if (self.service_bus_namespace or "").lower().rstrip(".").endswith(tuple(f".{name}" for name in elsewhere)):
            raise ValueError(f"ServiceBus__fullyQualifiedNamespace is in another cloud than {self.cloud_name}")
        return self

    @model_validator(mode="after")
    def _can_ask(self) -> "Settings":
        if self.approval_routes_file is None:
            return self
        if self.bot_app_id is None or self.card_token_key is None:
            raise ValueError("APPROVAL_ROUTES_FILE is set, so set BOT_APP_ID and CARD_TOKEN_KEY, too")
        if self.teams_on_behalf_of and self.gateway_client_id is None:
            raise ValueError("TEAMS_ON_BEHALF_OF needs GATEWAY_CLIENT_ID: approvers sign in to that application")
        return self

    @property
    def cloud(self) -> Cloud:
        """The cloud whose tokens are asked for and accepted."""
        return CLOUDS[self.cloud_name]

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets under which the gateway may sign; none refuses every webhook."""
        return tuple(filter(None, (one.strip() for one in self.gateway_webhook_secrets.split(","))))


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings of this process; an empty variable counts as not set.

    Raises:
        SettingsError: naming each wrong setting and its fix, and never its value.
    """
    # Where Azure cannot read a secret it hands on the reference: a text for everybody to read is no key.
    unread = sorted(name for name, value in environment.items() if value.strip().startswith("@Microsoft.KeyVault("))
    if unread:
        fix = "put the secret into the vault, let the app's identity read it, and restart the app"
        raise SettingsError("; ".join(f"{name}: its Key Vault reference cannot be read; {fix}" for name in unread))
    try:
        return Settings.model_validate({name: value for name, value in environment.items() if value.strip()})
    except ValidationError as error:
        sentences = [
            f"{'.'.join(map(str, problem['loc'])) or 'settings'}: {problem['msg'].removeprefix('Value error, ')}"
            + (f"; {_FIXES[problem['type']]}" if problem["type"] in _FIXES else "")
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise SettingsError("; ".join(sentences)) from None

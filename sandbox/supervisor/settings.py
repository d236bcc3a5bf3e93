"""The app's settings in the sandbox: those given, and for the rest those that lead to the stand-ins."""

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path

from sandbox import cast
from sandbox.supervisor.approvals import REVIEWER_KEYS
from sandbox.supervisor.ports import Ports
from sandbox.supervisor.servers import scheme
from sandbox.tenant import BOT_APP_ID, GATEWAY_CLIENT_ID, HOST, TENANT_ID, TETHER_CLIENT_ID
from shared.settings import Settings

IDENTITY_MAP = Path(__file__).parents[1] / "identity-map.yaml"
APPROVAL_ROUTES = Path(__file__).parents[1] / "approval-routes.yaml"
POSTURE_RULES = Path(__file__).parents[1] / "posture.yaml"
REVIEWER_KEY_PREFIX = "GATEWAY_KEY_"
_PREFIXES = (REVIEWER_KEY_PREFIX, "AzureWebJobs.")
# Azurite's account and key are the same on every machine; they open nothing else.
_ACCOUNT = "devstoreaccount1"
_ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_STORAGE = ("AzureWebJobsStorage", "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__tableServiceUri")
REPLACED_BY = {
    "graph": ("GRAPH_BASE_URL",),
    "gateway": ("GATEWAY_BASE_URL",),
    "broker": ("ServiceBus", "ServiceBus__fullyQualifiedNamespace"),
    "blob": _STORAGE,
    "table": _STORAGE,
    # The real Graph refuses the tokens of a stand-in, so its identity has to be real as well.
    "identity": ("IDENTITY_ENDPOINT", "GRAPH_BASE_URL"),
    # The stand-in bot is known to the stand-in sign-in alone, which knows the stand-in identity alone.
    "login": ("IDENTITY_ENDPOINT", "GRAPH_BASE_URL"),
    "vault": ("IDENTITY_ENDPOINT", "GRAPH_BASE_URL"),
    "teams": ("IDENTITY_ENDPOINT", "GRAPH_BASE_URL"),
}


def replaced_servers(given: Mapping[str, str]) -> frozenset[str]:
    """The stand-ins that are not needed, because a setting names the real thing."""
    return frozenset(server for server, names in REPLACED_BY.items() if any(given.get(name) for name in names))


def fitting_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without empty variables, and without somebody's own Azure sign-in next to a stand-in identity."""
    given = {name: value for name, value in environment.items() if value.strip()}
    if "identity" in replaced_servers(given):
        return given
    return {name: value for name, value in given.items() if not name.startswith("AZURE_")}


def app_settings(given: Mapping[str, str], ports: Ports) -> dict[str, str]:
    """Every setting of the app: what is given wins."""
    replaced = replaced_servers(given)
    settings = {
        "TENANT_ID": TENANT_ID,
        "NOTIFICATION_URL": f"{_url(ports, 'functions')}/api/graph/notifications",
        "CLIENT_STATE_KEY": secrets.token_hex(32),
        "IDENTITY_MAP_FILE": str(IDENTITY_MAP),
        "POSTURE_RULES_FILE": str(POSTURE_RULES),
        "SANDBOX_FUNCTION_KEY": secrets.token_urlsafe(24),
    }
    for server, leading_there in _leading_to_stand_ins(ports).items():
        if server not in replaced:
            settings |= leading_there
    if not given.get("GATEWAY_API_KEY"):
        settings |= _gateway_credential(replaced)
    names = {str(field.alias) for field in Settings.model_fields.values()} | settings.keys()
    return settings | {name: value for name, value in given.items() if name in names or name.startswith(_PREFIXES)}


def _leading_to_stand_ins(ports: Ports) -> dict[str, dict[str, str]]:
    key_name = "SharedAccessKeyName=sandbox;SharedAccessKey=sandbox"
    bus = f"Endpoint=sb://{HOST}:{ports['broker']};{key_name};UseDevelopmentEmulator=true"
    account = f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_ACCOUNT_KEY}"
    blob, table = f"{_url(ports, 'blob')}/{_ACCOUNT}", f"{_url(ports, 'table')}/{_ACCOUNT}"
    return {
        "graph": {
            "GRAPH_BASE_URL": _url(ports, "graph"),
            "NAME_SERVERS": f"{HOST}:{ports['graph']}",
            "REPORT_READERS_GROUP": cast.SECURITY_APPROVERS_ID,
        },
        "gateway": {"GATEWAY_BASE_URL": _url(ports, "gateway")} | _approvals_at_the_gateway(ports),
        "broker": {"ServiceBus": bus},
        "blob": {"AzureWebJobsStorage": f"{account};BlobEndpoint={blob};TableEndpoint={table}"},
        "identity": {
            "IDENTITY_ENDPOINT": f"{_url(ports, 'identity')}/msi/token",
            "IDENTITY_HEADER": secrets.token_hex(16),
            "AZURE_CLIENT_ID": TETHER_CLIENT_ID,
        },
        "login": {"AZURE_AUTHORITY_HOST": _url(ports, "login")},
        "teams": {
            "BOT_APP_ID": BOT_APP_ID,
            "BOT_OPENID_METADATA_URL": f"{_url(ports, 'teams')}/v1/.well-known/openidconfiguration",
            "TEAMS_SERVICE_URL": f"{_url(ports, 'teams')}/teams/",
            "TEAMS_ON_BEHALF_OF": "false",
            "CARD_TOKEN_KEY": secrets.token_hex(32),
        },
    }


def _approvals_at_the_gateway(ports: Ports) -> dict[str, str]:
    """What only the stand-in gateway can be told; a real one's keys, webhook secret and routes have to be given."""
    routes = {"APPROVAL_ROUTES_FILE": str(APPROVAL_ROUTES)} if APPROVAL_ROUTES.exists() else {}
    keys = {name: f"hpk_{secrets.token_urlsafe(32)}" for name in REVIEWER_KEYS}
    webhook_secret = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    return routes | keys | {"GATEWAY_WEBHOOK_SECRETS": webhook_secret, "GATEWAY_WEB_URL": _url(ports, "gateway")}


def _gateway_credential(replaced: frozenset[str]) -> dict[str, str]:
    """A managed identity, except where only the stand-in gateway remains and could not check its tokens."""
    if "identity" in replaced and "gateway" not in replaced:
        return {"GATEWAY_API_KEY": f"sandbox|{secrets.token_hex(16)}"}
    return {"GATEWAY_CLIENT_ID": GATEWAY_CLIENT_ID}


def _url(ports: Ports, server: str) -> str:
    return f"{scheme(server)}://{HOST}:{ports[server]}"

"""The sandbox's fixed names: its tenant, Tether's own identity there, and each server's loopback port."""

import os

TENANT_ID = "7e7e0000-0000-4000-8000-000000000001"
TETHER_OBJECT_ID = "7e7e0000-0000-4000-8000-0000000000aa"
TETHER_CLIENT_ID = "7e7e0000-0000-4000-8000-0000000000ab"
BOT_APP_ID = "7e7e0000-0000-4000-8000-0000000000b0"
GATEWAY_CLIENT_ID = "7e7e0000-0000-4000-8000-0000000000cc"
GRAPH_AUDIENCE = "https://graph.microsoft.com"
HOST = "127.0.0.1"

DEFAULT_PORTS = {
    "door": 7070,
    "functions": 7071,
    "graph": 7072,
    "gateway": 7073,
    "identity": 7074,
    "broker": 7075,
    "blob": 7076,
    "table": 7077,
    "teams": 7078,
    "login": 7079,
    "vault": 7080,
}


def port(server: str) -> int:
    """The loopback port of one sandbox server, from `SANDBOX_<SERVER>_PORT` or the default."""
    return int(os.environ.get(f"SANDBOX_{server.upper()}_PORT", DEFAULT_PORTS[server]))


def url(server: str) -> str:
    """The base URL of one sandbox server, without a trailing slash."""
    return f"http://{HOST}:{port(server)}"

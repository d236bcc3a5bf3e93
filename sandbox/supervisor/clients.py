"""HTTP clients that may do everything in the sandbox: as Entra's admin, as the gateway's, and with the function key."""

import ssl
from collections.abc import Callable, Generator, Mapping

import httpx

from sandbox.gateway.state import LOCAL_ADMIN
from sandbox.graph.access import WRITE_ROLE
from sandbox.identity.server import ADMIN_OBJECT_ID
from sandbox.login.grants import BOT_FRAMEWORK, BOT_OBJECT_ID
from sandbox.tenant import GATEWAY_CLIENT_ID, GRAPH_AUDIENCE
from sandbox.tokens import issue_token

TIMEOUT_SECONDS = 60


class _Headers(httpx.Auth):
    """Headers made anew for every request, so that no token expires in a long run."""

    def __init__(self, headers: Callable[[], Mapping[str, str]]) -> None:
        self._headers = headers

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers.update(self._headers())
        yield request


def graph_admin_headers() -> dict[str, str]:
    """The header of somebody who may change the stand-in directory."""
    token = issue_token(audience=GRAPH_AUDIENCE, object_id=ADMIN_OBJECT_ID, roles=(WRITE_ROLE,))
    return {"Authorization": f"Bearer {token}"}


def gateway_admin_headers(api_key: str = "") -> dict[str, str]:
    """The header of a gateway admin: of the API key when there is one, else of the stand-in's first user."""
    if api_key.startswith("hpk_"):
        return {"Authorization": f"Bearer {api_key}"}
    if api_key:
        return {"Api-Key": api_key}
    return {"Authorization": f"Bearer {issue_token(audience=GATEWAY_CLIENT_ID, object_id=LOCAL_ADMIN)}"}


def bot_headers() -> dict[str, str]:
    """The header of the bot, to whom Teams shows what it has posted."""
    return {"Authorization": f"Bearer {issue_token(audience=BOT_FRAMEWORK, object_id=BOT_OBJECT_ID)}"}


def client(
    base_url: str, headers: Callable[[], Mapping[str, str]] = dict, trust: ssl.SSLContext | None = None
) -> httpx.AsyncClient:
    """A client for one server; paths are relative to its base URL."""
    return httpx.AsyncClient(
        base_url=base_url, auth=_Headers(headers), trust_env=False, timeout=TIMEOUT_SECONDS, verify=trust or True
    )

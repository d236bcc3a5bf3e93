"""The sign-in server run as its own process, and the few sentences tests say to it."""

import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
from aiohttp import connector
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from sandbox.supervisor.certificates import Certificates, issue_certificates
from sandbox.tenant import BOT_APP_ID, GATEWAY_CLIENT_ID, TENANT_ID, TETHER_OBJECT_ID
from sandbox.tokens import issue_token, read_token

ROOT = Path(__file__).parents[2]
TOKEN_EXCHANGE = "api://AzureADTokenExchange"
Json = dict[str, Any]


def assertion(object_id: str = TETHER_OBJECT_ID, audience: str = TOKEN_EXCHANGE) -> str:
    """What the managed identity vouches with."""
    return issue_token(audience=audience, object_id=object_id)


def bot_form(**changed: str | None) -> dict[str, str]:
    """A request of the bot for its own token; `None` leaves a field out."""
    form = {
        "grant_type": "client_credentials",
        "client_id": BOT_APP_ID,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(),
        "scope": "https://api.botframework.com/.default",
    }
    return {name: value for name, value in (form | changed).items() if value is not None}


def person_form(user_token: str, **changed: str | None) -> dict[str, str]:
    """A request of the bot for somebody's token."""
    asked: dict[str, str | None] = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "requested_token_use": "on_behalf_of",
        "assertion": user_token,
        "scope": f"{GATEWAY_CLIENT_ID}/.default",
    }
    return bot_form(**asked | changed)


class ManagedIdentity:
    """Tether's managed identity, which vouches as this object id, or cannot."""

    def __init__(self, object_id: str = TETHER_OBJECT_ID, *, gone: bool = False) -> None:
        self.object_id = object_id
        self.gone = gone
        self.is_open = True

    async def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        if self.gone:
            raise ClientAuthenticationError("no managed identity endpoint")
        token = issue_token(audience=scopes[0].removesuffix("/.default"), object_id=self.object_id)
        return AccessToken(token, read_token(token)["exp"])

    async def close(self) -> None:
        self.is_open = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_details: object) -> None:
        await self.close()


@dataclass
class Login:
    """Requests to one sign-in server."""

    client: httpx.AsyncClient
    process: subprocess.Popen[str]
    url: str
    certificates: Certificates

    async def token(self, form: dict[str, str], tenant: str = TENANT_ID) -> httpx.Response:
        return await self.client.post(f"/{tenant}/oauth2/v2.0/token", data=form)

    async def sso_token(self, object_id: str, **overrides: object) -> str:
        answer = await self.client.post("/sandbox/sso-token", json={"object_id": object_id, "overrides": overrides})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    async def switched(self, **switches: object) -> None:
        answer = await self.client.put("/sandbox/switches", json=switches)
        assert answer.status_code == 200, answer.text

    async def asked(self, name: str) -> int:
        return int((await self.client.get("/sandbox/counters")).json().get(name, 0))


@asynccontextmanager
async def running_login(folder: Path) -> AsyncIterator[Login]:
    """A sign-in server for as long as the block lasts."""
    certificates = issue_certificates(folder, os.environ)
    files = ("--certificate", str(certificates.certificate), "--key", str(certificates.key))
    command = [sys.executable, "-m", "sandbox.login", "--port", "0", *files]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:"), line
        url = f"https://{line.split()[-1]}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=certificates.context()) as client:
            yield Login(client, process, url, certificates)
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def trust(login: Login) -> None:
    """What SSL_CERT_FILE does for a process that starts with it."""
    context = connector._SSL_CONTEXT_VERIFIED
    assert isinstance(context, ssl.SSLContext)
    context.load_verify_locations(login.certificates.authorities)

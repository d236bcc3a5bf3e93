"""The servers behind the door, each asked over HTTP; what one cannot answer becomes a sentence for the page."""

import os
from urllib.parse import urlsplit

import httpx

from sandbox.door.events import Json
from sandbox.tenant import HOST, port, url

TIMEOUT_SECONDS = 3.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class UnavailableError(Exception):
    """A server did not do what was asked; the text is for the page."""


class Server:
    """One server by the name it has on the page."""

    def __init__(self, name: str, base_url: str) -> None:
        self.name = name
        self.base_url = base_url.rstrip("/")
        local = urlsplit(self.base_url).hostname in _LOOPBACK
        self._client = httpx.AsyncClient(base_url=self.base_url, timeout=TIMEOUT_SECONDS, trust_env=not local)

    async def ask(
        self, method: str, path: str, json: object = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """The answer, whatever its status; raises `UnavailableError` when there is none."""
        try:
            return await self._client.request(method, path, json=json, headers=headers)
        except httpx.TransportError as error:
            raise UnavailableError(f"{self.name} does not answer at {self.base_url}.") from error

    async def read(self, path: str) -> Json:
        """The JSON object at a path; raises `UnavailableError` for anything else."""
        answer = await self.ask("GET", path)
        body = json_of(answer)
        if answer.status_code >= 400 or not isinstance(body, dict):
            raise UnavailableError(f"{self.name} answered {answer.status_code} to GET {path}.")
        return body

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


def json_of(answer: httpx.Response) -> object:
    """The JSON of an answer, or None where there is none."""
    if "json" not in answer.headers.get("content-type", ""):
        return None
    try:
        parsed: object = answer.json()
    except ValueError:
        return None
    return parsed


def graph_url() -> str:
    """Where Graph is: the real one or the stand-in."""
    return os.environ.get("GRAPH_BASE_URL") or url("graph")


def gateway_url() -> str:
    """Where the gateway is: a real one or the stand-in."""
    return os.environ.get("GATEWAY_BASE_URL") or url("gateway")


def broker_control_url() -> str:
    """Where the broker tells how many messages it holds."""
    return f"http://{HOST}:{port('broker') + 1000}"

"""Connections: HTTP clients and credentials, as every adapter gets them."""

from collections.abc import Awaitable, Callable, Mapping

import httpx
from azure.core.credentials_async import AsyncTokenCredential

from shared.adapters.tokens import api_key, bearer
from shared.settings import Settings


def http(base_url: str, timeout: float) -> httpx.AsyncClient:
    """A client on aiohttp's connection pool: httpx's own polls every idle connection on every request.

    That pool repeats a GET, PUT or DELETE once when a connection that was kept turns out to be gone.
    """
    from httpx_aiohttp import AiohttpTransport  # noqa: PLC0415 - with the first message instead of with the app

    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=httpx.Timeout(timeout, connect=5.0),
        transport=AiohttpTransport(limits=limits),
        trust_env=False,
    )


def http_once(base_url: str, timeout: float) -> httpx.AsyncClient:
    """A client that never repeats a request by itself: an approval that arrives twice would extend the grant."""
    return httpx.AsyncClient(base_url=base_url, timeout=httpx.Timeout(timeout, connect=5.0), trust_env=False)


def gateway_headers(settings: Settings, credential: AsyncTokenCredential) -> Callable[[], Awaitable[Mapping[str, str]]]:
    """How Tether itself signs in to the gateway: with its managed identity, or with a key."""
    if settings.gateway_api_key:
        return api_key(settings.gateway_api_key)
    return bearer(credential, f"{settings.gateway_client_id}/.default")

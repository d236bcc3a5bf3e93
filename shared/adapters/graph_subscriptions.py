"""Subscriptions through msgraph-sdk, which is loaded on the first call only: it is large, and nobody waits for it."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from azure.core.credentials_async import AsyncTokenCredential

from shared.domain.clouds import WORLDWIDE
from shared.domain.subscriptions import Subscription
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError

if TYPE_CHECKING:
    from msgraph.generated.models.subscription import Subscription as GraphSubscription
    from msgraph.graph_service_client import GraphServiceClient

# Creating waits for two handshakes of up to ten seconds each.
TIMEOUT_SECONDS = 30.0


class GraphSubscriptions:
    """Our registrations for change notifications."""

    def __init__(self, credential: AsyncTokenCredential, base_url: str, scope: str = WORLDWIDE.graph_scope) -> None:
        self._credential = credential
        self._base_url = base_url
        self._scope = scope
        self._client: GraphServiceClient | None = None

    async def list_all(self) -> Sequence[Subscription]:
        """See `Subscriptions.list_all`."""
        found: list[Subscription] = []
        builder = self._graph().subscriptions
        with _graph_errors():
            page = await builder.get()
            while page is not None:
                found += [_domain(item) for item in page.value or []]
                page = await builder.with_url(page.odata_next_link).get() if page.odata_next_link else None
        return found

    async def create(self, wanted: Subscription) -> Subscription:
        """See `Subscriptions.create`."""
        from msgraph.generated.models.subscription import Subscription as GraphSubscription  # noqa: PLC0415

        body = GraphSubscription(
            change_type=",".join(sorted(wanted.change_types, reverse=True)),
            resource=f"/{wanted.resource}",
            notification_url=wanted.notification_url,
            lifecycle_notification_url=wanted.lifecycle_url,
            expiration_date_time=wanted.expires_at,
            client_state=wanted.client_state,
        )
        with _graph_errors():
            created = await self._graph().subscriptions.post(body)
        if created is None:
            raise RetryLaterError("graph-answered-nonsense", "no subscription came back")
        return _domain(created)

    async def renew(self, subscription_id: str, expires_at: datetime) -> None:
        """See `Subscriptions.renew`."""
        from msgraph.generated.models.subscription import Subscription as GraphSubscription  # noqa: PLC0415

        body = GraphSubscription(expiration_date_time=expires_at)
        with _graph_errors():
            await self._graph().subscriptions.by_subscription_id(subscription_id).patch(body)

    async def delete(self, subscription_id: str) -> None:
        """See `Subscriptions.delete`."""
        try:
            with _graph_errors():
                await self._graph().subscriptions.by_subscription_id(subscription_id).delete()
        except RejectedError:
            return

    def _graph(self) -> "GraphServiceClient":
        if self._client is None:
            self._client = _build_client(self._credential, self._base_url, self._scope)
            gc.freeze()
        return self._client


def _build_client(credential: AsyncTokenCredential, base_url: str, scope: str) -> "GraphServiceClient":
    from kiota_authentication_azure.azure_identity_authentication_provider import (  # noqa: PLC0415
        AzureIdentityAuthenticationProvider,
    )
    from msgraph.graph_request_adapter import GraphRequestAdapter  # noqa: PLC0415
    from msgraph.graph_service_client import GraphServiceClient  # noqa: PLC0415
    from msgraph_core import GraphClientFactory  # noqa: PLC0415

    host = urlsplit(base_url).hostname or ""
    provider = AzureIdentityAuthenticationProvider(credential, scopes=[scope], allowed_hosts=[host])
    client = GraphClientFactory.create_with_default_middleware(client=httpx.AsyncClient(timeout=TIMEOUT_SECONDS))
    adapter = GraphRequestAdapter(provider, client)
    adapter.base_url = f"{base_url}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


@contextmanager
def _graph_errors() -> Iterator[None]:
    """The SDK's exceptions in our words."""
    from kiota_abstractions.api_error import APIError  # noqa: PLC0415

    try:
        yield
    except APIError as error:
        status = error.response_status_code
        if status == 409:
            raise AlreadyDecidedError("subscription-exists") from error
        if status == 404:
            raise RejectedError("subscription-lost", "Graph does not know this subscription") from error
        raise RetryLaterError(f"graph-{status}", "check the permissions of Tether's identity") from error
    except httpx.HTTPError as error:
        raise RetryLaterError("graph-unreachable", type(error).__name__) from error


def _domain(item: "GraphSubscription") -> Subscription:
    return Subscription(
        resource=(item.resource or "").strip("/").lower(),
        notification_url=item.notification_url or "",
        lifecycle_url=item.lifecycle_notification_url,
        expires_at=item.expiration_date_time or datetime.min.replace(tzinfo=UTC),
        change_types=frozenset(filter(None, (item.change_type or "").split(","))),
        subscription_id=item.id or "",
    )

"""Approvals: the adapters and rules that asking people in Teams needs, where it is set up."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from azure.core.credentials_async import AsyncTokenCredential

from shared.adapters.json_api import JsonApi
from shared.adapters.tokens import api_key, bearer, bearer_token, bot_credential
from shared.bootstrap.connections import gateway_headers, http, http_once
from shared.domain.activities import Bot
from shared.domain.card_token import CardTokenKeys
from shared.domain.routes import ApprovalRoutes
from shared.errors import SettingsError
from shared.ports import ApprovalPorts, ApprovalRules, Clock, SignIn
from shared.settings import Settings
from shared.wire.approval_routes import parse_approval_routes
from shared.wire.gateway_events import check_secret

if TYPE_CHECKING:
    from shared.adapters.azure_storage import AzureStorage
    from shared.adapters.bot_tokens import BotTokens
    from shared.adapters.hoop_reviews import HoopReviews

TEAMS_TIMEOUT = 10.0
KEYS_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Asking:
    """What the triggers of approvals need: who may come in, and the rules."""

    door: "BotTokens"
    rules: ApprovalRules
    webhook_secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What is open already and may be shared."""

    credential: AsyncTokenCredential
    gateway: httpx.AsyncClient
    storage: "AzureStorage"
    clock: Clock


def read_routes(settings: Settings, environment: Mapping[str, str]) -> ApprovalRoutes | None:
    """The operator's routes, `None` where there are none.

    Raises:
        SettingsError: the file, a reviewer key or a webhook secret is missing, weak or wrong.
    """
    if settings.approval_routes_file is None:
        return None
    path = Path(settings.approval_routes_file)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"APPROVAL_ROUTES_FILE: {path} cannot be read; create it, or correct the path") from error
    routes = parse_approval_routes(text, path.name)
    _check_keys(routes, settings, environment)
    for secret in settings.webhook_secrets:
        check_secret(secret)
    return routes


async def open_approvals(
    settings: Settings, environment: Mapping[str, str], near: Neighbours, stack: AsyncExitStack
) -> tuple[ApprovalPorts, Asking] | None:
    """The ports and the rules; `None` where approvals are not set up."""
    routes = read_routes(settings, environment)
    if routes is None or settings.bot_app_id is None or settings.card_token_key is None:
        return None
    # Loaded with the first message instead of with the app: Azure waits for the import of an app that it starts.
    from shared.adapters.bot_tokens import BotTokens  # noqa: PLC0415
    from shared.adapters.signing_keys import SigningKeys  # noqa: PLC0415
    from shared.adapters.table_approvals import TableApprovals, TableCardCopies, TableConversations  # noqa: PLC0415
    from shared.adapters.teams_connector import TeamsConnector  # noqa: PLC0415

    hosts = frozenset((*settings.cloud.teams_hosts, urlsplit(settings.teams_service_url).hostname or ""))
    bot = Bot(settings.bot_app_id, settings.tenant_id, hosts)
    keys_client = await stack.enter_async_context(http("", KEYS_TIMEOUT))
    teams_client = await stack.enter_async_context(http("", TEAMS_TIMEOUT))
    speaker = await stack.enter_async_context(
        bot_credential(
            near.credential,
            tenant_id=settings.tenant_id,
            bot_app_id=settings.bot_app_id,
            managed_identity_client_id=settings.managed_identity_client_id,
            authority=settings.authority_host,
            federation_scope=settings.cloud.federation_scope,
        )
    )
    voting = await stack.enter_async_context(http_once(settings.gateway_base_url, settings.gateway_timeout_seconds))
    approvals = near.storage.tables.get_table_client("approvals")
    ports = ApprovalPorts(
        reviews=_reviews(settings, routes, environment, near, voting),
        approvals=TableApprovals(approvals),
        copies=TableCardCopies(approvals),
        conversations=TableConversations(near.storage.tables.get_table_client("conversations")),
        teams=TeamsConnector(teams_client, bearer(speaker, settings.cloud.bot_scope), bot),
        sign_in=_sign_in(settings, near, keys_client),
    )
    bot_keys = SigningKeys(keys_client, settings.bot_openid_metadata_url, near.clock)
    door = BotTokens(bot_keys, bot, near.clock, (settings.cloud.bot_issuer,))
    return ports, Asking(door, _rules(settings, routes), settings.webhook_secrets)


def _rules(settings: Settings, routes: ApprovalRoutes) -> ApprovalRules:
    keys = (settings.card_token_key, settings.card_token_previous_key)
    return ApprovalRules(
        routes=routes,
        tokens=CardTokenKeys(settings.tenant_id, tuple(key.encode() for key in keys if key)),
        service_url=settings.teams_service_url,
        review_url=f"{settings.gateway_web_url}/sessions/{{session_id}}" if settings.gateway_web_url else None,
        sign_in_resource=f"api://botid-{settings.bot_app_id}",
    )


def _reviews(
    settings: Settings,
    routes: ApprovalRoutes,
    environment: Mapping[str, str],
    near: Neighbours,
    voting: httpx.AsyncClient,
) -> "HoopReviews":
    from shared.adapters.hoop_reviews import HoopReviews  # noqa: PLC0415

    def voter(setting: str) -> JsonApi:
        return JsonApi("gateway", voting, api_key(environment[setting].strip()))

    forcing = routes.break_glass.key_setting if routes.break_glass is not None else None
    return HoopReviews(
        JsonApi("gateway", near.gateway, gateway_headers(settings, near.credential)),
        {route.reviewer_group: voter(route.key_setting) for route in routes.routes if route.key_setting},
        voter(forcing) if forcing else None,
        lambda token: JsonApi("gateway", voting, bearer_token(token)),
    )


def _sign_in(settings: Settings, near: Neighbours, client: httpx.AsyncClient) -> SignIn | None:
    if not settings.teams_on_behalf_of or settings.bot_app_id is None or settings.gateway_client_id is None:
        return None
    from shared.adapters.on_behalf_of import OnBehalfOf  # noqa: PLC0415
    from shared.adapters.signing_keys import SigningKeys  # noqa: PLC0415
    from shared.wire.sign_in import EntraApp  # noqa: PLC0415

    bot = EntraApp(settings.tenant_id, settings.bot_app_id, settings.authority_host)
    keys = SigningKeys(client, bot.metadata_url, near.clock)
    vouching = settings.cloud.federation_scope
    return OnBehalfOf(keys, near.credential, bot, settings.gateway_client_id, vouching)


def _check_keys(routes: ApprovalRoutes, settings: Settings, environment: Mapping[str, str]) -> None:
    """Every reviewer key is there, is of the kind that can vote, and is nobody else's."""
    owner: dict[str, str] = {settings.gateway_api_key: "GATEWAY_API_KEY"} if settings.gateway_api_key else {}
    for name in sorted(routes.key_settings):
        value = environment.get(name, "").strip()
        if not value.startswith("hpk_"):
            raise SettingsError(f"{name}: set it to the gateway API key (hpk_…) of exactly this reviewer group")
        if value in owner:
            raise SettingsError(f"{name} holds the same key as {owner[value]}: make a key for each reviewer group")
        owner[value] = name

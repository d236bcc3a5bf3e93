"""What the stand-in gateway has to know so that approvals work: one key per reviewer group, and where to call."""

from collections.abc import Mapping

import httpx

from sandbox import cast
from sandbox.seed import create_reviewer_keys, subscribe_webhooks

REVIEWER_KEYS = {
    "GATEWAY_KEY_DBA": cast.DBA_REVIEWERS,
    "GATEWAY_KEY_SECURITY": cast.SECURITY_REVIEWERS,
    "GATEWAY_KEY_BREAK_GLASS": cast.BREAK_GLASS_REVIEWERS,
}


async def open_approvals(gateway: httpx.AsyncClient, settings: Mapping[str, str], app_url: str | None) -> str:
    """What was set up, in one line; the webhook is left out when there is no app to call."""
    await create_reviewer_keys(gateway, {group: settings[name] for name, group in REVIEWER_KEYS.items()})
    if app_url:
        secret = settings["GATEWAY_WEBHOOK_SECRETS"].split(",")[0].strip()
        await subscribe_webhooks(gateway, f"{app_url}/api/gateway/events", secret)
    called = "calls the app" if app_url else "calls nobody"
    return f"{'approvals':<10} open     {len(REVIEWER_KEYS)} keys of one reviewer group each; the gateway {called}"

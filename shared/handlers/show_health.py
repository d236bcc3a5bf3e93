"""Show health: each neighbour's answer, in one place for people and probes."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from shared.domain.client_state import RESOURCES
from shared.errors import RetryLaterError
from shared.handlers.keep_subscriptions import SubscriptionPlan
from shared.ports import Ports


async def show_health(wanted: SubscriptionPlan, ports: Ports) -> dict[str, Any]:
    """`healthy`, and per part `ok` or the reason why not; holds and reviews that wait are told, and are not a fault."""
    gateway, subscriptions, holds, reviews = await asyncio.gather(
        _check(ports.gateway.roster()),
        _check(_subscriptions(wanted, ports)),
        _check(ports.holds.list_ids()),
        _check(_open_reviews(ports)),
    )
    parts = {
        "gateway": gateway if isinstance(gateway, str) else "ok",
        "subscriptions": subscriptions if isinstance(subscriptions, str) else "ok",
        "storage": holds if isinstance(holds, str) else "ok",
    }
    if reviews is not None:
        parts["approvals"] = reviews if isinstance(reviews, str) else "ok"
    waiting = [] if isinstance(holds, str) else list(holds)
    shown = {"healthy": all(part == "ok" for part in parts.values()), "parts": parts, "holds": waiting}
    return shown | ({"open_reviews": reviews} if isinstance(reviews, int) else {})


async def _open_reviews(ports: Ports) -> int | None:
    """How many reviews wait for an answer, once the gateway has shown its own; `None` without approvals."""
    if ports.approval is None:
        return None
    pending, known = await asyncio.gather(ports.approval.reviews.pending(), ports.approval.approvals.open_ones())
    return max(len(pending), len(known))


async def _subscriptions(wanted: SubscriptionPlan, ports: Ports) -> object:
    now = ports.clock.now()
    existing = await ports.subscriptions.list_all()
    missing = [
        resource
        for resource in RESOURCES
        if not any(one.serves(wanted.wanted(resource, now)) and one.expires_at > now for one in existing)
    ]
    if missing:
        raise RetryLaterError("subscription-missing", ", ".join(missing))
    return existing


async def _check(read: Awaitable[Any]) -> Any:  # noqa: ANN401 - whatever the read gives
    try:
        return await read
    except RetryLaterError as error:
        return str(error)

"""Keep the subscriptions: create, adopt, renew and watch them, because Graph never says that one was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.client_state import RESOURCES, ClientStateKeys
from shared.domain.subscriptions import LIFETIME, DirectoryEvent, DirectoryEventKind, Subscription
from shared.errors import AlreadyDecidedError, RejectedError
from shared.ports import Ports

RENEW_BELOW = LIFETIME - timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SubscriptionPlan:
    """What we want registered: where Graph sends, and what proves that it was Graph."""

    keys: ClientStateKeys
    generation: int
    notification_url: str

    def wanted(self, resource: str, expires_at: datetime) -> Subscription:
        """The subscription for one resource. Its URL carries the key's fingerprint: a new key means a new one."""
        url = f"{self.notification_url}?v={self.keys.fingerprint(self.generation)}"
        client_state = self.keys.issue(resource, self.generation)
        return Subscription(resource, url, url, expires_at, client_state=client_state)


async def watch_subscriptions(wanted: SubscriptionPlan, ports: Ports) -> Sequence[str]:
    """The resources whose subscription had to be made anew; each such gap has everybody looked at."""
    existing = await ports.subscriptions.list_all()
    made = [resource for resource in RESOURCES if await _ensure(wanted, resource, existing, ports)]
    if made:
        because = f"subscription made anew: {', '.join(made)}"
        missed = DirectoryEvent(DirectoryEventKind.MISSED, "", because, ports.clock.new_id())
        await ports.queue.send_directory_events([missed])
        ports.alerts.raise_alert("subscription-made-anew", resources=made)
    return made


async def renew_subscriptions(wanted: SubscriptionPlan, ports: Ports) -> int:
    """The number of our subscriptions that were renewed, which also refreshes Graph's token for their delivery."""
    expires_at = ports.clock.now() + LIFETIME
    renewed = 0
    for existing in await ports.subscriptions.list_all():
        if existing.resource in RESOURCES and existing.serves(wanted.wanted(existing.resource, expires_at)):
            await ports.subscriptions.renew(existing.subscription_id, expires_at)
            renewed += 1
    return renewed


async def reauthorize_subscription(subscription_id: str, ports: Ports) -> None:
    """The subscription is renewed, which answers Graph's challenge; one that is lost is found by the next watch."""
    try:
        await ports.subscriptions.renew(subscription_id, ports.clock.now() + LIFETIME)
    except RejectedError as error:
        ports.alerts.raise_alert(error.reason, subscription_id=subscription_id)


async def _ensure(plan: SubscriptionPlan, resource: str, existing: Sequence[Subscription], ports: Ports) -> bool:
    """Whether the subscription had to be created. One that serves is adopted; one that does not is replaced."""
    now = ports.clock.now()
    wanted = plan.wanted(resource, now + LIFETIME)
    rivals = [one for one in existing if one.resource == resource and one.change_types == wanted.change_types]
    ours = [one for one in rivals if one.serves(wanted) and one.expires_at > now]
    if ours:
        if ours[0].expires_at < now + RENEW_BELOW:
            await ports.subscriptions.renew(ours[0].subscription_id, wanted.expires_at)
        return False
    for rival in rivals:
        await ports.subscriptions.delete(rival.subscription_id)
    try:
        await ports.subscriptions.create(wanted)
    except AlreadyDecidedError:
        # Somebody created it between our list and our request: the next watch adopts or replaces it.
        return False
    return True

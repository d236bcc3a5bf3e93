"""Process what concerns the directory as a whole: challenges, lost subscriptions, and changes that may be missed."""

from shared.domain.subscriptions import DirectoryEvent, DirectoryEventKind
from shared.handlers.keep_subscriptions import SubscriptionPlan, reauthorize_subscription, watch_subscriptions
from shared.handlers.reconcile_roster import reconcile_roster
from shared.ports import Ports, Rules


async def process_directory_event(event: DirectoryEvent, wanted: SubscriptionPlan, ports: Ports, rules: Rules) -> None:
    """The subscription is alive again, or everybody at the gateway has been compared with Entra."""
    if event.kind is DirectoryEventKind.REAUTHORIZE:
        await reauthorize_subscription(event.subscription_id, ports)
        return
    if event.kind is DirectoryEventKind.REMOVED:
        await watch_subscriptions(wanted, ports)
    await reconcile_roster(ports, rules)

"""Card click: one click on a card, with everything that is needed to answer it, and what it teaches about the card."""

from dataclasses import dataclass

from shared.domain.activities import Activity, CardAction
from shared.domain.card_copy import CardCopy, CardUpdate
from shared.errors import AlreadyDecidedError, RetryLaterError
from shared.handlers.review_turn import needed
from shared.ports import ApprovalRules, Ports

REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Click:
    """One click, and everything that is needed to answer it."""

    activity: Activity
    action: CardAction
    correlation_id: str
    ports: Ports
    asking: ApprovalRules

    @property
    def person_id(self) -> str:
        """The object id of whoever clicked."""
        return self.activity.person.object_id or ""

    @property
    def is_refresh(self) -> bool:
        """Whether nobody answered anything: the card asks what it should show."""
        return self.action.verb == REFRESH or self.action.automatic


async def learn_from(click: Click, copy: CardCopy) -> None:
    """A post whose answer was lost is known once somebody looks at it; not knowing it yet stops nobody."""
    seen = copy.seen(click.activity.conversation_id, click.activity.reply_to or "")
    if seen == copy:
        return
    update = CardUpdate(copy.review_id, copy.spec, click.ports.clock.now(), click.correlation_id)
    try:
        await needed(click.ports).copies.save(seen)
        await click.ports.queue.send_card_updates([update])
    except (AlreadyDecidedError, RetryLaterError):
        return

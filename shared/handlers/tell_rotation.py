"""Tell of rotation: a card for each owner, and one list for the security channel, each put in the outbox once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from shared.domain.card_copy import Audience, CardUpdate, CopySpec, Face, Place, PlaceKind
from shared.domain.posture.rotation_news import AppNews, RotationNews
from shared.ports import Clock, Notices, Queue
from shared.wire.cards.activities import activity
from shared.wire.cards.rotation import owner_card, owner_headline, security_card, security_headline

_NAMESPACE = UUID("0f6f3f0e-6b1f-4b56-8a0c-4a52d3f4c2b9")


@dataclass(frozen=True, slots=True)
class Outbox:
    """Where cards wait for Teams. `scan_id` correlates them; `since` is the version of the ledger they follow."""

    notices: Notices
    queue: Queue
    clock: Clock
    scan_id: str
    since: str


async def tell_owners(told: Sequence[AppNews], news: RotationNews, outbox: Outbox) -> tuple[str, ...]:
    """The notice ids of the owners' cards. The same news is the same notice, whenever it is told again."""
    notice_ids = []
    for one in told:
        if one.owner is None:
            continue
        place = Place(PlaceKind.PERSON, one.owner.principal_id)
        notice_id = _notice_id("owner", place.id, one.object_id, *one.words)
        await _show(notice_id, activity(owner_card(one, news), owner_headline(one)), place, outbox)
        notice_ids.append(notice_id)
    return tuple(notice_ids)


async def tell_security(news: RotationNews, channel: str, outbox: Outbox) -> str:
    """The notice id of the list. It is another one when the news are others, or have been told since."""
    words = (f"{one.object_id} {word}" for one in news.apps for word in one.words)
    numbers = (f"{kind}={count}" for kind, count in sorted(news.events.items()))
    notice_id = _notice_id("security", channel, outbox.since, *words, *numbers, *news.troubles)
    face = activity(security_card(news), security_headline(news))
    await _show(notice_id, face, Place(PlaceKind.CHANNEL, channel), outbox)
    return notice_id


async def _show(notice_id: str, face: Face, place: Place, outbox: Outbox) -> None:
    await outbox.notices.put(notice_id, face)
    spec = CopySpec(Audience.NOTICE, place)
    await outbox.queue.send_card_updates([CardUpdate(notice_id, spec, outbox.clock.now(), outbox.scan_id)])


def _notice_id(*parts: str) -> str:
    return str(uuid5(_NAMESPACE, "|".join(_plain(parts))))


def _plain(parts: Iterable[str]) -> Iterable[str]:
    return (part.encode("utf-8", "replace").decode() for part in parts)

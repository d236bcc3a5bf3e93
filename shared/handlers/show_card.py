"""Show a card: one copy says in Teams what it should say now, and is there once.

A post has no key by which Teams could recognise its repetition. So a copy is marked before it is posted; a post without
an answer stays in doubt until somebody is seen looking at it, or until enough time has passed to post it again.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from shared.domain.card_copy import (
    Audience,
    CardCopy,
    CardUpdate,
    Conversation,
    CopySpec,
    CopyState,
    Face,
    Place,
    PlaceKind,
    Posted,
)
from shared.domain.card_token import thread_of
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError, UnknownOutcomeError
from shared.handlers.ask_security_instead import ask_security_instead
from shared.handlers.card_subject import CardSubject, is_late, read_subject, seen_of
from shared.handlers.faces import face_of
from shared.handlers.review_turn import needed
from shared.ports import ApprovalRules, Ports

ROUNDS = 5
MOST_POSTS = 4
ANY_PLACE = "*"


async def show_card(update: CardUpdate, ports: Ports, asking: ApprovalRules) -> None:
    """Teams shows the copy as what is behind it is now, also when that changed meanwhile.

    Raises:
        AlreadyDecidedError: there is nothing to show, or another worker shows it.
        RetryLaterError: Teams does not take it now, or nobody knows whether it did.
        RejectedError: Teams will never take it.
    """
    in_doubt = False
    for _ in range(ROUNDS):
        subject = await read_subject(update, ports)
        if subject is None:
            raise AlreadyDecidedError("unknown-review")
        shown = await _show(subject, update, ports, asking, in_doubt=in_doubt)
        in_doubt = in_doubt or not shown
        now = await read_subject(update, ports)
        if shown and (now is None or seen_of(now) == seen_of(subject)):
            return
    raise RetryLaterError("card-contended", "what it shows changed faster than the card")


async def _show(
    subject: CardSubject, update: CardUpdate, ports: Ports, asking: ApprovalRules, *, in_doubt: bool
) -> bool:
    """Whether the copy has been brought to this state; a lost race says no, and is run again.

    In doubt it is updated whatever its row says: the loser of a race cannot know whose face came to Teams last.
    """
    outside = needed(ports)
    copy = await outside.copies.read(update.review_id, update.spec)
    if copy.state is CopyState.LOST or (copy.state is not CopyState.POSTED and is_late(subject, copy.spec, asking)):
        return True
    if copy.state is not CopyState.POSTED:
        await _post(subject, copy, update, ports, asking)
        return True
    face = face_of(subject, copy.spec, copy.conversation_id, asking)
    if copy.shown == face.digest and not in_doubt:
        return True
    try:
        await _update(copy, face, ports)
        await outside.copies.save(replace(copy, shown=face.digest))
    except AlreadyDecidedError:
        return False
    except RejectedError as error:
        await _lose(copy, update, error, ports, asking)
    else:
        took = (ports.clock.now() - update.received_at).total_seconds()
        ports.alerts.measure("change-to-card", took, audience=copy.spec.audience)
    return True


async def _post(subject: CardSubject, copy: CardCopy, update: CardUpdate, ports: Ports, asking: ApprovalRules) -> None:
    _check_doubt(copy, ports, asking)
    outside = needed(ports)
    try:
        conversation = await _conversation(copy, ports, asking)
    except RejectedError as error:
        await _lose(copy, update, error, ports, asking)
        return
    face = face_of(subject, copy.spec, conversation.conversation_id, asking)
    marked = replace(copy, posting_since=ports.clock.now(), posts=copy.posts + 1, service_url=conversation.service_url)
    copy = await outside.copies.save(replace(marked, state=CopyState.POSTING))
    try:
        posted = await _send(copy, conversation, face, ports)
    except UnknownOutcomeError:
        raise
    except RetryLaterError:
        await outside.copies.save(replace(copy, state=CopyState.WANTED, posts=copy.posts - 1))
        raise
    except RejectedError as error:
        await _start_over(copy, update, error, ports, asking)
        return
    await _settle(copy, posted, face, ports)
    took = (ports.clock.now() - update.received_at).total_seconds()
    ports.alerts.measure("change-to-card", took, audience=copy.spec.audience)


def _check_doubt(copy: CardCopy, ports: Ports, asking: ApprovalRules) -> None:
    if copy.state is not CopyState.POSTING or copy.posting_since is None:
        return
    waited = ports.clock.now() - copy.posting_since
    left = timedelta(seconds=asking.ambiguous_seconds) - waited
    if left > timedelta():
        raise RetryLaterError("post-in-doubt", copy.copy_id, retry_after=left.total_seconds())
    if copy.posts >= MOST_POSTS:
        ports.alerts.raise_alert("card-in-doubt", review_id=copy.review_id, posts=copy.posts)
        raise RejectedError("card-in-doubt", "Teams never said whether the card arrived")


async def _settle(copy: CardCopy, posted: Posted, face: Face, ports: Ports) -> None:
    """The copy is known by its activity; somebody may have clicked on it faster than Teams answered us."""
    known = replace(
        copy,
        state=CopyState.POSTED,
        conversation_id=posted.conversation_id,
        activity_id=posted.activity_id,
        shown=face.digest,
    )
    try:
        await needed(ports).copies.save(known)
    except AlreadyDecidedError:
        now = await needed(ports).copies.read(copy.review_id, copy.spec)
        await needed(ports).copies.save(now.seen(posted.conversation_id, posted.activity_id))


async def _send(copy: CardCopy, conversation: Conversation, face: Face, ports: Ports) -> Posted:
    teams = needed(ports).teams
    if copy.spec.audience is not Audience.REMINDER and copy.spec.place.kind is PlaceKind.CHANNEL:
        return await teams.start_thread(conversation, face)
    return await teams.post(conversation, face)


async def _update(copy: CardCopy, face: Face, ports: Ports) -> None:
    teams = needed(ports).teams
    await teams.update(Posted(copy.conversation_id, copy.activity_id), copy.service_url, face)
    for stray in copy.strays:
        # In a channel it is in a thread of its own; one that somebody has deleted since is not missed.
        with suppress(RejectedError):
            await teams.update(Posted(thread_of(copy.conversation_id), stray), copy.service_url, face)


async def _conversation(copy: CardCopy, ports: Ports, asking: ApprovalRules) -> Conversation:
    """Where the copy goes: learnt from Teams, or made; a channel is its own conversation."""
    place, outside = copy.spec.place, needed(ports)
    if copy.spec.audience is Audience.REMINDER:
        return await _thread(copy, ports)
    known = await outside.conversations.read(place.id)
    if known is not None:
        return known
    tenant = await outside.conversations.read(ANY_PLACE)
    service_url = tenant.service_url if tenant is not None else asking.service_url
    if place.kind is PlaceKind.CHANNEL:
        return Conversation(place.id, service_url)
    made = await outside.teams.open_chat(place.id, service_url)
    await outside.conversations.save(place.id, made)
    return made


async def _thread(copy: CardCopy, ports: Ports) -> Conversation:
    """The thread of the card that a reminder is about."""
    base = await needed(ports).copies.read(copy.review_id, CopySpec(Audience.APPROVERS, copy.spec.place))
    if base.state is CopyState.LOST:
        raise AlreadyDecidedError("card-lost")
    if base.state is not CopyState.POSTED:
        raise RetryLaterError("no-thread", "the card that this reminds of is not there yet", retry_after=5.0)
    return Conversation(base.conversation_id, base.service_url)


async def _start_over(
    copy: CardCopy, update: CardUpdate, error: RejectedError, ports: Ports, asking: ApprovalRules
) -> None:
    """A dead chat is made anew once; what cannot be reached at all is lost."""
    if error.reason == "conversation-gone" and copy.spec.place.kind is PlaceKind.PERSON and copy.posts == 1:
        await needed(ports).conversations.forget(copy.spec.place.id)
        await needed(ports).copies.save(replace(copy, state=CopyState.WANTED))
        raise RetryLaterError("conversation-gone", "the chat is made anew") from error
    await _lose(copy, update, error, ports, asking)


async def _lose(copy: CardCopy, update: CardUpdate, error: RejectedError, ports: Ports, asking: ApprovalRules) -> None:
    """Somebody hears that a card cannot be shown; who cannot be asked is replaced by the security team."""
    spec, rescue = copy.spec, Place(PlaceKind.CHANNEL, asking.routes.security_channel)
    if spec.audience is Audience.APPROVERS and spec.place.kind is PlaceKind.CHANNEL and spec.place != rescue:
        elsewhere = replace(update, spec=CopySpec(Audience.APPROVERS, rescue), attempt=0)
        await ports.queue.send_card_updates([elsewhere])
    if spec.audience is Audience.OWNER:
        await ask_security_instead(copy, update, ports, asking)
    await needed(ports).copies.save(replace(copy, state=CopyState.LOST))
    ports.alerts.raise_alert(
        "card-undeliverable",
        review_id=copy.review_id,
        place=spec.place.id,
        audience=spec.audience,
        because=error.reason,
    )

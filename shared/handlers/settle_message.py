"""Settle a message: done, later, or put aside with its reason. Redelivery is normal; backoff is ours."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, Self, TypeVar

from shared.domain.backoff import next_wait
from shared.domain.card_copy import CardUpdate
from shared.domain.evidence import START, EvidenceEntry
from shared.domain.posture.jobs import PostureJob
from shared.domain.principals import PrincipalChange
from shared.domain.reviews import POLL, ReviewEvent
from shared.domain.subscriptions import DirectoryEvent
from shared.errors import AlreadyDecidedError, ClaimedElsewhereError, RejectedError, RetryLaterError
from shared.ports import Ports
from shared.wire.messages import (
    encode_change,
    parse_card_update,
    parse_change,
    parse_event,
    parse_posture_job,
    parse_review_event,
)

# As many as it takes to believe that a review has vanished, and one more.
POLLED_ATTEMPTS = 4


async def settle_change(
    body: bytes, queue: str, look: Callable[[PrincipalChange], Awaitable[None]], ports: Ports
) -> None:
    """The look is done, a copy of it is scheduled, or it is among the dead letters: the message may be completed."""
    try:
        change = parse_change(body)
    except RejectedError as error:
        await _put_aside(body, queue, error, ports)
        return
    try:
        await look(change)
    except AlreadyDecidedError:
        return
    except ClaimedElsewhereError as error:
        await ports.queue.send([change], ports.clock.now() + timedelta(seconds=error.retry_after))
    except RetryLaterError as error:
        await _retry(change, queue, error, ports)
    except RejectedError as error:
        await _give_up(change, queue, error, ports)


async def settle_event(
    body: bytes, queue: str, process: Callable[[DirectoryEvent], Awaitable[None]], ports: Ports
) -> None:
    """The same for directory events."""
    await _settle(body, queue, _Kind(parse_event, process, ports.queue.send_directory_events), ports)


async def settle_review_event(
    body: bytes, queue: str, process: Callable[[ReviewEvent], Awaitable[None]], ports: Ports
) -> None:
    """The same for looks at reviews. What the poll will ask for again does not pile up meanwhile."""
    kind = _Kind(parse_review_event, process, ports.queue.send_review_events, _comes_again)
    await _settle(body, queue, kind, ports)


async def settle_card_update(
    body: bytes, queue: str, process: Callable[[CardUpdate], Awaitable[None]], ports: Ports
) -> None:
    """The same for cards."""
    await _settle(body, queue, _Kind(parse_card_update, process, ports.queue.send_card_updates), ports)


async def settle_posture_job(
    body: bytes, queue: str, process: Callable[[PostureJob], Awaitable[None]], ports: Ports
) -> None:
    """The same for posture jobs."""
    await _settle(body, queue, _Kind(parse_posture_job, process, ports.queue.send_posture_jobs), ports)


class _Message(Protocol):
    @property
    def attempt(self) -> int: ...

    def retried(self) -> Self: ...


_M = TypeVar("_M", bound=_Message)


@dataclass(frozen=True, slots=True)
class _Kind(Generic[_M]):
    """A kind of message: how it is read, what is done about it, and how a copy is sent."""

    parse: Callable[[bytes], _M]
    process: Callable[[_M], Awaitable[None]]
    send: Callable[[list[_M], datetime], Awaitable[None]]
    comes_again: Callable[[_M], bool] = lambda _: False


def _comes_again(event: ReviewEvent) -> bool:
    return event.source == POLL and event.attempt >= POLLED_ATTEMPTS


async def _settle(body: bytes, queue: str, kind: _Kind[_M], ports: Ports) -> None:
    try:
        message = kind.parse(body)
    except RejectedError as error:
        await _put_aside(body, queue, error, ports)
        return
    try:
        await kind.process(message)
    except AlreadyDecidedError:
        return
    except ClaimedElsewhereError as error:
        await kind.send([message], ports.clock.now() + timedelta(seconds=error.retry_after))
    except RetryLaterError as error:
        wait = next_wait(message.attempt, error, ports.clock.jitter())
        if kind.comes_again(message):
            ports.alerts.raise_alert("look-left-to-the-poll", because=error.reason)
        elif wait is None:
            await _put_aside(body, queue, error, ports)
        else:
            await kind.send([message.retried()], ports.clock.now() + timedelta(seconds=wait))
    except RejectedError as error:
        await _put_aside(body, queue, error, ports)


async def _retry(change: PrincipalChange, queue: str, error: RetryLaterError, ports: Ports) -> None:
    wait = next_wait(change.attempt, error, ports.clock.jitter())
    if wait is None:
        await _give_up(change, queue, error, ports)
        return
    await ports.queue.send([change.retried()], ports.clock.now() + timedelta(seconds=wait))
    if change.attempt == 0 and change.hint.takes_away:
        await _note(change, "delayed", error, ports)


async def _give_up(change: PrincipalChange, queue: str, error: RetryLaterError | RejectedError, ports: Ports) -> None:
    await _put_aside(encode_change(change), queue, error, ports)
    await _note(change, "dead-lettered", error, ports)


async def _put_aside(body: bytes, queue: str, error: RetryLaterError | RejectedError, ports: Ports) -> None:
    await ports.queue.dead_letter(body, queue, error.reason, error.detail)
    ports.alerts.raise_alert("dead-lettered", because=error.reason, queue=queue)


async def _note(change: PrincipalChange, what: str, error: RetryLaterError | RejectedError, ports: Ports) -> None:
    """Evidence without a claim: the append position keeps the chain whole. What cannot be noted is not lost by that."""
    entry = EvidenceEntry(
        ports.clock.now(),
        what,
        change.principal_id,
        change.correlation_id,
        {"reason": error.reason, "hint": change.hint, "source": change.source, "attempts": change.attempt + 1},
    )
    try:
        await ports.evidence.append(change.principal_id, START, [entry])
    except (RetryLaterError, AlreadyDecidedError):
        ports.alerts.raise_alert("evidence-not-written", principal_id=change.principal_id, entry=what)

"""The queues, on Azure Service Bus. One link per queue; concurrent sends share the next transfer."""

import asyncio
import uuid
from collections.abc import Iterable
from datetime import datetime

from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusSender
from azure.servicebus.exceptions import ServiceBusError

from shared.domain.card_copy import CardUpdate
from shared.domain.posture.jobs import PostureJob
from shared.domain.principals import PrincipalChange
from shared.domain.reviews import ReviewEvent
from shared.domain.subscriptions import DirectoryEvent
from shared.errors import RetryLaterError
from shared.wire.messages import (
    encode_card_update,
    encode_change,
    encode_event,
    encode_posture_job,
    encode_review_event,
)

PRINCIPAL_CHANGES = "principal-changes"
VERIFICATIONS = "verifications"
SUBSCRIPTION_EVENTS = "subscription-events"
REVIEW_EVENTS = "review-events"
CARD_UPDATES = "card-updates"
POSTURE_JOBS = "posture-jobs"
DEAD_LETTERS = "dead-letters"
AWAITED = (PRINCIPAL_CHANGES, VERIFICATIONS, REVIEW_EVENTS, CARD_UPDATES)
SEND_TIMEOUT = 5.0
# The client does not count the envelope of a full batch, and the broker refuses what is larger than 256 KiB.
BATCH_BYTES = 200 * 1024


class SharedSender:
    """Sends to one queue. While one transfer is under way, what others hand in is collected for the next one."""

    def __init__(self, sender: ServiceBusSender) -> None:
        self._sender = sender
        self._waiting: list[tuple[list[ServiceBusMessage], asyncio.Future[None]]] = []
        self._transfer: asyncio.Task[None] | None = None

    async def send(self, messages: list[ServiceBusMessage]) -> None:
        """Return once the broker has accepted the messages.

        Raises:
            RetryLaterError: `queue-unreachable`; some of the messages may have been accepted all the same.
        """
        accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((messages, accepted))
        if self._transfer is None or self._transfer.done():
            self._transfer = asyncio.create_task(self._transfer_all())
        try:
            await asyncio.wait_for(accepted, SEND_TIMEOUT)
        except TimeoutError as error:
            raise RetryLaterError("queue-unreachable", "the broker did not answer in time") from error

    async def open(self) -> None:
        """Open the link ahead of its first use, which takes half a second; a failure shows at that use."""
        try:
            await self._sender.create_message_batch()
        except (ServiceBusError, ValueError, OSError):
            return

    async def close(self) -> None:
        """Close the link, unfinished transfers included."""
        if self._transfer is not None:
            self._transfer.cancel()
        await self._sender.close()

    async def _transfer_all(self) -> None:
        while self._waiting:
            # Whoever waited too long was told so, and will hand in again.
            taken, self._waiting = [one for one in self._waiting if not one[1].done()], []
            try:
                await self._transfer_batches([message for messages, _ in taken for message in messages])
            except (ServiceBusError, ValueError, OSError) as error:
                _settle(taken, RetryLaterError("queue-unreachable", type(error).__name__))
            else:
                _settle(taken, None)

    async def _transfer_batches(self, messages: list[ServiceBusMessage]) -> None:
        if not messages:
            return
        batch = await self._sender.create_message_batch(BATCH_BYTES)
        for message in messages:
            try:
                batch.add_message(message)
            except ValueError:
                await self._sender.send_messages(batch)
                batch = await self._sender.create_message_batch(BATCH_BYTES)
                batch.add_message(message)
        await self._sender.send_messages(batch)


def _settle(
    taken: Iterable[tuple[list[ServiceBusMessage], asyncio.Future[None]]], error: RetryLaterError | None
) -> None:
    for _, accepted in taken:
        if accepted.done():
            continue
        if error is None:
            accepted.set_result(None)
        else:
            accepted.set_exception(error)


class ServiceBusQueue:
    """Looks at principals and reviews, verifications, directory events, cards to be shown and dead letters."""

    def __init__(self, client: ServiceBusClient) -> None:
        self._client = client
        self._senders: dict[str, SharedSender] = {}

    async def send(self, changes: Iterable[PrincipalChange], at: datetime | None = None) -> None:
        """See `Queue.send`."""
        await self._send(PRINCIPAL_CHANGES, [_message(encode_change(change), at) for change in changes])

    async def send_verification(self, change: PrincipalChange, at: datetime) -> None:
        """See `Queue.send_verification`."""
        await self._send(VERIFICATIONS, [_message(encode_change(change), at)])

    async def send_directory_events(self, events: Iterable[DirectoryEvent], at: datetime | None = None) -> None:
        """See `Queue.send_directory_events`."""
        await self._send(SUBSCRIPTION_EVENTS, [_message(encode_event(event), at) for event in events])

    async def send_review_events(self, events: Iterable[ReviewEvent], at: datetime | None = None) -> None:
        """See `Queue.send_review_events`."""
        await self._send(REVIEW_EVENTS, [_message(encode_review_event(event), at) for event in events])

    async def send_card_updates(self, updates: Iterable[CardUpdate], at: datetime | None = None) -> None:
        """See `Queue.send_card_updates`."""
        await self._send(CARD_UPDATES, [_message(encode_card_update(update), at) for update in updates])

    async def send_posture_jobs(self, jobs: Iterable[PostureJob], at: datetime | None = None) -> None:
        """See `Queue.send_posture_jobs`."""
        await self._send(POSTURE_JOBS, [_message(encode_posture_job(job), at) for job in jobs])

    async def dead_letter(self, body: bytes, queue: str, reason: str, detail: str) -> None:
        """See `Queue.dead_letter`. A trigger cannot dead-letter natively: the copy carries the same properties."""
        message = _message(body, None)
        message.application_properties = {
            "DeadLetterReason": reason,
            "DeadLetterErrorDescription": detail[:1024],
            "DeadLetterSource": queue,
        }
        await self._send(DEAD_LETTERS, [message])

    async def open(self) -> None:
        """Open the links that a revocation or a click needs, so that the first one does not wait for them."""
        await asyncio.gather(*(self._link(queue).open() for queue in AWAITED))

    async def close(self) -> None:
        """Close every link and the connection."""
        for sender in self._senders.values():
            await sender.close()
        await self._client.close()

    async def _send(self, queue: str, messages: list[ServiceBusMessage]) -> None:
        if not messages:
            return
        await self._link(queue).send(messages)

    def _link(self, queue: str) -> SharedSender:
        if queue not in self._senders:
            self._senders[queue] = SharedSender(self._client.get_queue_sender(queue))
        return self._senders[queue]


def _message(body: bytes, at: datetime | None) -> ServiceBusMessage:
    return ServiceBusMessage(
        body, message_id=str(uuid.uuid4()), content_type="application/json", scheduled_enqueue_time_utc=at
    )

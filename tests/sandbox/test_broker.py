"""The broker keeps Service Bus's promises to Microsoft's own client."""

import asyncio
import json
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusReceivedMessage, ServiceBusReceiveMode
from azure.servicebus import ServiceBusMessageState as State
from azure.servicebus import ServiceBusSubQueue as SubQueue
from azure.servicebus.aio import ServiceBusClient as AsyncServiceBusClient
from azure.servicebus.aio import ServiceBusReceiver, ServiceBusSender
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessageNotFoundError,
    MessageSizeExceededError,
    MessagingEntityNotFoundError,
    ServiceBusServerBusyError,
)

ROOT = Path(__file__).parents[2]
NODE = shutil.which("node")
SHORT_LOCK = 0.6
QUEUES: list[dict[str, Any]] = [
    {"name": "work"},
    {"name": "short-locks", "lockSeconds": SHORT_LOCK},
    {"name": "two-tries", "maxDeliveryCount": 2},
    {"name": "forwarding", "maxDeliveryCount": 1, "forwardDeadLetteredMessagesTo": "dead-letters"},
    {"name": "dead-letters"},
]

NOTHING = {"active": 0, "scheduled": 0, "deadLettered": 0, "locked": 0}

pytestmark = pytest.mark.skipif(
    NODE is None or not (ROOT / "sandbox/node_modules/rhea").exists(),
    reason="needs Node and the packages of sandbox/package.json",
)


@dataclass(frozen=True)
class Broker:
    process: subprocess.Popen[str]
    connection: str
    control: str

    def all_counts(self) -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = httpx.get(f"{self.control}/sandbox/queues").json()
        return counts

    def counts(self, queue: str) -> dict[str, int]:
        return self.all_counts()[queue]

    def drop_connections(self) -> int:
        dropped: int = httpx.post(f"{self.control}/sandbox/drop-connections").json()["dropped"]
        return dropped

    def refuse(self, refuse: bool) -> None:  # noqa: FBT001 - the switch is a boolean on the wire
        httpx.put(f"{self.control}/sandbox/switches", json={"refuse": refuse}).raise_for_status()


def start_broker(folder: Path) -> Broker:
    queues = folder / "queues.json"
    queues.write_text(json.dumps({"queues": QUEUES}))
    process = subprocess.Popen(
        ["node", "sandbox/broker/main.mjs", "--port", "0", "--queues", str(queues)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address, control = (process.stdout.readline().split()[-1] for _ in range(2))
    connection = f"Endpoint=sb://{address};SharedAccessKeyName=x;SharedAccessKey=y;UseDevelopmentEmulator=true"
    return Broker(process, connection, f"http://{control}")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = start_broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.process.terminate()
    assert broker.process.wait(10) == 0


class Bus:
    """One client for all tests: the SDK takes half a second to open a link and as long to close it."""

    def __init__(self, broker: Broker) -> None:
        self.client = AsyncServiceBusClient.from_connection_string(broker.connection, retry_total=1)
        self._senders: dict[str, ServiceBusSender] = {}

    def sender(self, queue: str) -> ServiceBusSender:
        return self._senders.setdefault(queue, self.client.get_queue_sender(queue))

    def receiver(
        self,
        queue: str,
        *,
        prefetch_count: int = 0,
        sub_queue: SubQueue | None = None,
        receive_mode: ServiceBusReceiveMode = ServiceBusReceiveMode.PEEK_LOCK,
    ) -> ServiceBusReceiver:
        return self.client.get_queue_receiver(
            queue, prefetch_count=prefetch_count, sub_queue=sub_queue, receive_mode=receive_mode
        )

    async def send(self, queue: str, *messages: str | ServiceBusMessage) -> None:
        for message in messages:
            await self.sender(queue).send_messages(ServiceBusMessage(message) if isinstance(message, str) else message)

    async def drain(self, queue: str, count: int) -> list[str]:
        """The bodies of the next `count` messages, received and completed."""
        received: list[ServiceBusReceivedMessage] = []
        async with self.receiver(queue) as receiver:
            while len(received) < count:
                received += await receiver.receive_messages(count - len(received), max_wait_time=5)
            for message in received:
                await receiver.complete_message(message)
        return bodies(received)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def open_bus(broker: Broker) -> AsyncIterator[Bus]:
    bus = Bus(broker)
    async with bus.client:
        yield bus


@pytest_asyncio.fixture(loop_scope="session")
async def bus(broker: Broker, open_bus: Bus) -> AsyncIterator[Bus]:
    """The shared client; each test leaves every queue empty."""
    yield open_bus
    assert broker.all_counts() == {settings["name"]: NOTHING for settings in QUEUES}


async def receive_one(receiver: ServiceBusReceiver) -> ServiceBusReceivedMessage:
    (message,) = await receiver.receive_messages(max_message_count=1, max_wait_time=5)
    return message


def bodies(messages: list[ServiceBusReceivedMessage]) -> list[str]:
    return [str(message) for message in messages]


async def test_message_arrives_as_it_was_sent(bus: Bus) -> None:
    sent = ServiceBusMessage(
        b"\x00body",
        message_id="m-1",
        correlation_id="c-1",
        subject="principal",
        content_type="application/json",
        application_properties={"attempt": 3, "kind": "user"},
    )
    await bus.send("work", sent)

    async with bus.receiver("work") as receiver:
        received = await receive_one(receiver)
        locked_until = received.locked_until_utc
        await receiver.complete_message(received)

    assert b"".join(received.body) == b"\x00body"
    assert (received.message_id, received.correlation_id) == ("m-1", "c-1")
    assert (received.subject, received.content_type) == ("principal", "application/json")
    assert received.application_properties == {b"attempt": 3, b"kind": b"user"}
    assert received.delivery_count == 0
    assert locked_until is not None
    assert timedelta(seconds=50) < locked_until - datetime.now(UTC) <= timedelta(seconds=60)


async def test_batch_arrives_in_order(bus: Bus) -> None:
    batch = await bus.sender("work").create_message_batch()
    for number in range(10):
        batch.add_message(ServiceBusMessage(str(number)))
    await bus.sender("work").send_messages(batch)

    received = await bus.drain("work", 10)

    assert received == [str(number) for number in range(10)]


def test_synchronous_client_is_served(broker: Broker) -> None:
    with ServiceBusClient.from_connection_string(broker.connection) as client:
        with client.get_queue_sender("work") as sender:
            sender.send_messages([ServiceBusMessage("one"), ServiceBusMessage("two")])
        with client.get_queue_receiver("work", prefetch_count=10) as receiver:
            messages = receiver.receive_messages(max_message_count=2, max_wait_time=5)
            receiver.complete_message(messages[0])
            receiver.complete_message(messages[1])

    assert bodies(messages) == ["one", "two"]
    assert broker.counts("work") == NOTHING


async def test_message_is_locked_until_it_is_completed(bus: Bus, broker: Broker) -> None:
    await bus.send("work", "only")
    async with bus.receiver("work") as receiver:
        message = await receive_one(receiver)
        during = broker.counts("work")
        await receiver.complete_message(message)

        after = broker.counts("work")

    assert during == {"active": 0, "scheduled": 0, "deadLettered": 0, "locked": 1}
    assert after == {"active": 0, "scheduled": 0, "deadLettered": 0, "locked": 0}


async def test_abandoned_message_returns_to_its_place_with_its_deliveries_counted(
    bus: Bus,
) -> None:
    await bus.send("work", "first", "second")
    async with bus.receiver("work") as receiver:
        message = await receive_one(receiver)
        await receiver.abandon_message(message)

        again = await receive_one(receiver)
        await receiver.complete_message(again)

    assert (str(again), again.delivery_count, again.sequence_number) == ("first", 1, message.sequence_number)
    assert await bus.drain("work", 1) == ["second"]


async def test_dead_letter_keeps_its_reason_and_its_properties(bus: Bus) -> None:
    await bus.send("work", ServiceBusMessage("bad", application_properties={"kind": "user"}))
    async with bus.receiver("work") as receiver:
        message = await receive_one(receiver)
        await receiver.dead_letter_message(message, reason="malformed", error_description="no id")

    async with bus.receiver("work", sub_queue=SubQueue.DEAD_LETTER) as receiver:
        dead = await receive_one(receiver)
        await receiver.complete_message(dead)

    assert (str(dead), dead.dead_letter_reason, dead.dead_letter_error_description) == ("bad", "malformed", "no id")
    assert dead.application_properties is not None
    assert dead.application_properties[b"kind"] == b"user"
    assert dead.dead_letter_source is None


async def test_message_is_dead_lettered_when_its_deliveries_run_out(bus: Bus, broker: Broker) -> None:
    await bus.send("two-tries", "poison")
    async with bus.receiver("two-tries") as receiver:
        for _ in range(2):
            await receiver.abandon_message(await receive_one(receiver))

    counts = broker.counts("two-tries")
    async with bus.receiver("two-tries", sub_queue=SubQueue.DEAD_LETTER) as receiver:
        dead = await receive_one(receiver)
        await receiver.complete_message(dead)

    assert counts == {"active": 0, "scheduled": 0, "deadLettered": 1, "locked": 0}
    assert (str(dead), dead.delivery_count) == ("poison", 2)
    assert dead.dead_letter_reason == "MaxDeliveryCountExceeded"


async def test_dead_letter_is_forwarded_with_its_reason_and_its_source(bus: Bus, broker: Broker) -> None:
    await bus.send("forwarding", "told", "worn out")
    async with bus.receiver("forwarding") as receiver:
        await receiver.dead_letter_message(await receive_one(receiver), reason="malformed")
        await receiver.abandon_message(await receive_one(receiver))

    counts = broker.counts("forwarding")
    async with bus.receiver("dead-letters") as receiver:
        told, worn_out = [await receive_one(receiver) for _ in range(2)]
        await receiver.complete_message(told)
        await receiver.complete_message(worn_out)

    assert counts == NOTHING
    assert (str(told), told.dead_letter_reason, told.dead_letter_source) == ("told", "malformed", "forwarding")
    assert (str(worn_out), worn_out.dead_letter_reason) == ("worn out", "MaxDeliveryCountExceeded")
    assert told.delivery_count == 0


async def test_message_is_redelivered_and_its_late_settlement_refused_when_the_lock_expires(
    bus: Bus,
) -> None:
    await bus.send("short-locks", "slow")
    async with bus.receiver("short-locks") as receiver:
        late = await receive_one(receiver)
        await asyncio.sleep(SHORT_LOCK)
        again = await receive_one(receiver)

        # Past the SDK's own look at the clock, so that the broker is asked.
        with pytest.raises(MessageLockLostError):
            await receiver._do_retryable_operation(
                receiver._settle_message, timeout=None, message=late, settle_operation="complete"
            )
        await receiver.complete_message(again)

    assert (str(again), again.delivery_count) == ("slow", 1)


async def test_renewed_lock_outlives_its_first_expiry(bus: Bus, broker: Broker) -> None:
    await bus.send("short-locks", "long work")
    async with bus.receiver("short-locks") as receiver:
        message = await receive_one(receiver)
        first_expiry = message.locked_until_utc
        for _ in range(2):
            await asyncio.sleep(SHORT_LOCK * 0.6)
            renewed = await receiver.renew_message_lock(message)

        during = broker.counts("short-locks")
        await receiver.complete_message(message)

    assert during["locked"] == 1
    assert first_expiry is not None
    assert first_expiry < renewed


async def test_lost_lock_cannot_be_renewed(bus: Bus) -> None:
    await bus.send("short-locks", "lost")
    async with bus.receiver("short-locks") as receiver:
        message = await receive_one(receiver)
        await receiver.complete_message(message)
        message._settled = False

        with pytest.raises(MessageLockLostError):
            await receiver.renew_message_lock(message)


async def test_message_sent_for_later_waits_until_then(bus: Bus, broker: Broker) -> None:
    async with bus.receiver("work") as receiver:
        await bus.send("work", "now")
        due = datetime.now(UTC) + timedelta(seconds=0.5)
        await bus.send("work", ServiceBusMessage("later", scheduled_enqueue_time_utc=due))
        waiting = broker.counts("work")

        now, later = await receive_one(receiver), await receive_one(receiver)
        await receiver.complete_message(now)
        await receiver.complete_message(later)

    assert waiting == {"active": 1, "scheduled": 1, "deadLettered": 0, "locked": 0}
    assert (str(now), str(later)) == ("now", "later")
    assert later.enqueued_time_utc is not None
    assert later.enqueued_time_utc >= due - timedelta(milliseconds=1)  # the wire counts in milliseconds


async def test_cancelled_message_never_arrives(bus: Bus, broker: Broker) -> None:
    due = datetime.now(UTC) + timedelta(seconds=0.5)
    messages = [ServiceBusMessage("kept"), ServiceBusMessage("called off")]
    _, called_off = await bus.sender("work").schedule_messages(messages, due)

    await bus.sender("work").cancel_scheduled_messages(called_off)

    assert broker.counts("work")["scheduled"] == 1
    with pytest.raises(MessageNotFoundError):
        await bus.sender("work").cancel_scheduled_messages(called_off)
    assert await bus.drain("work", 1) == ["kept"]


async def test_peeked_messages_stay_and_are_not_locked(bus: Bus, broker: Broker) -> None:
    due = datetime.now(UTC) + timedelta(hours=1)
    await bus.send("work", "one", "two")
    (scheduled,) = await bus.sender("work").schedule_messages(ServiceBusMessage("three"), due)
    async with bus.receiver("work") as receiver:
        peeked = await receiver.peek_messages(max_message_count=10)
        rest = await receiver.peek_messages(max_message_count=10)
        counts = broker.counts("work")
    await bus.sender("work").cancel_scheduled_messages(scheduled)

    assert [(str(message), message.state) for message in peeked] == [
        ("one", State.ACTIVE),
        ("two", State.ACTIVE),
        ("three", State.SCHEDULED),
    ]
    assert rest == []
    assert counts == {"active": 2, "scheduled": 1, "deadLettered": 0, "locked": 0}
    assert await bus.drain("work", 2) == ["one", "two"]


async def test_deferred_message_is_received_by_its_sequence_number_only(bus: Bus) -> None:
    await bus.send("work", "put aside", "next")
    async with bus.receiver("work") as receiver:
        message = await receive_one(receiver)
        await receiver.defer_message(message)
        assert message.sequence_number is not None

        following = await receive_one(receiver)
        await receiver.complete_message(following)
        (deferred,) = await receiver.receive_deferred_messages(message.sequence_number)
        await receiver.abandon_message(deferred)
        (deferred,) = await receiver.receive_deferred_messages(message.sequence_number)
        await receiver.complete_message(deferred)
        with pytest.raises(MessageNotFoundError):
            await receiver.receive_deferred_messages(message.sequence_number)

    assert (str(following), str(deferred)) == ("next", "put aside")


async def test_message_is_gone_on_receipt_when_receiving_deletes(bus: Bus, broker: Broker) -> None:
    await bus.send("work", "one", "two")
    mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE

    async with bus.receiver("work", receive_mode=mode) as receiver:
        received = await receiver.receive_messages(max_message_count=2, max_wait_time=5)

    assert bodies(received) == ["one", "two"]
    assert broker.counts("work") == NOTHING


async def test_body_of_256_kilobytes_arrives_whole_and_a_larger_one_is_refused(bus: Bus) -> None:
    largest = "x" * 256_000
    await bus.send("work", largest)

    with pytest.raises(MessageSizeExceededError):
        await bus.send("work", "x" * 270_000)

    assert await bus.drain("work", 1) == [largest]


async def test_unknown_queue_is_refused_to_senders_and_receivers(bus: Bus) -> None:
    with pytest.raises(MessagingEntityNotFoundError):
        await bus.send("nowhere", "lost")

    with pytest.raises(MessagingEntityNotFoundError):
        await bus.drain("nowhere", 1)


async def test_prefetching_receiver_gets_no_more_than_its_credit(bus: Bus, broker: Broker) -> None:
    await bus.send("work", *(str(number) for number in range(8)))
    async with bus.receiver("work", prefetch_count=4) as receiver:
        first = await receive_one(receiver)
        await asyncio.sleep(0.1)
        held = broker.counts("work")

        await receiver.complete_message(first)

    assert held == {"active": 3, "scheduled": 0, "deadLettered": 0, "locked": 5}
    assert await bus.drain("work", 7) == [str(number) for number in range(1, 8)]


async def test_messages_are_available_at_once_when_their_receiver_detaches(bus: Bus) -> None:
    await bus.send("work", "left behind")
    async with bus.receiver("work") as receiver:
        await receive_one(receiver)

    async with bus.receiver("work") as receiver:
        again = await receive_one(receiver)
        await receiver.complete_message(again)

    assert (str(again), again.delivery_count) == ("left behind", 1)


async def test_one_held_message_does_not_stop_thousands_after_it(bus: Bus) -> None:
    count = 2_200  # more than rhea's ring of deliveries
    for start in range(0, count, 200):
        batch = [ServiceBusMessage(str(number)) for number in range(start, start + 200)]
        await bus.sender("work").send_messages(batch)

    async with bus.receiver("work", prefetch_count=200) as receiver:
        held = await receive_one(receiver)
        seen: list[str] = []
        while len(seen) < count - 1:
            for message in await receiver.receive_messages(max_message_count=200, max_wait_time=5):
                await receiver.complete_message(message)
                seen.append(str(message))
        await receiver.complete_message(held)

    assert seen == [str(number) for number in range(1, count)]


async def test_messages_of_a_broken_connection_are_redelivered_when_their_lock_expires(
    bus: Bus, broker: Broker
) -> None:
    await bus.send("short-locks", "orphan")
    async with bus.receiver("short-locks") as receiver:
        await receive_one(receiver)
        dropped = broker.drop_connections()
        held = broker.counts("short-locks")

        again = await receive_one(receiver)
        await receiver.complete_message(again)

    assert dropped >= 1
    assert held == {"active": 0, "scheduled": 0, "deadLettered": 0, "locked": 1}
    assert (str(again), again.delivery_count) == ("orphan", 1)


async def test_message_can_be_completed_on_a_new_connection_while_its_lock_lasts(bus: Bus, broker: Broker) -> None:
    await bus.send("work", "held")
    async with bus.receiver("work") as receiver:
        message = await receive_one(receiver)
        broker.drop_connections()

        await receiver.complete_message(message)

    assert broker.counts("work") == NOTHING


async def test_sends_are_refused_while_the_switch_is_on(bus: Bus, broker: Broker) -> None:
    broker.refuse(True)
    impatient = AsyncServiceBusClient.from_connection_string(broker.connection, retry_total=0)
    async with impatient, impatient.get_queue_sender("work") as sender:
        with pytest.raises(ServiceBusServerBusyError):
            await sender.send_messages(ServiceBusMessage("refused"))
        with pytest.raises(ServiceBusServerBusyError):
            await sender.schedule_messages(ServiceBusMessage("refused"), datetime.now(UTC))

        broker.refuse(False)
        await sender.send_messages(ServiceBusMessage("taken"))

    assert await bus.drain("work", 1) == ["taken"]


def test_broker_stops_cleanly_on_interrupt(tmp_path: Path) -> None:
    broker = start_broker(tmp_path)
    counts = broker.counts("work")

    broker.process.send_signal(signal.SIGINT)

    assert broker.process.wait(10) == 0
    assert counts == NOTHING


def test_broker_does_not_start_when_dead_letters_lead_nowhere(tmp_path: Path) -> None:
    queues = tmp_path / "queues.json"
    queues.write_text(json.dumps({"queues": [{"name": "work", "forwardDeadLetteredMessagesTo": "gone"}]}))

    started = subprocess.run(
        ["node", "sandbox/broker/main.mjs", "--port", "0", "--queues", str(queues)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )

    assert started.returncode != 0
    assert "work forwards dead letters to gone, which is not a queue" in started.stderr

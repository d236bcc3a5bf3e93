"""The queues: what is returned from is durable, kept in memory and by the broker alike."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx
import pytest
from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient

from shared.adapters.service_bus_queue import DEAD_LETTERS, ServiceBusQueue
from shared.domain.card_copy import Audience, CardUpdate, CopySpec, Place, PlaceKind
from shared.domain.posture.jobs import JobKind, PostureJob
from shared.domain.principals import Hint, PrincipalChange, PrincipalKind, Source
from shared.domain.reviews import ReviewEvent
from shared.domain.subscriptions import DirectoryEvent, DirectoryEventKind
from shared.errors import RetryLaterError
from shared.ports import Queue
from shared.wire.messages import (
    encode_card_update,
    encode_change,
    encode_event,
    encode_posture_job,
    encode_review_event,
)
from tests.fakes.clock import FakeClock
from tests.fakes.queue import (
    CARD_UPDATES,
    CHANGES,
    EVENTS,
    POSTURE_JOBS,
    REVIEW_EVENTS,
    VERIFICATIONS,
    FakeQueue,
)
from tests.sandbox.host_process import ROOT, connection_string, free_port, running_broker

QUEUES = ROOT / "sandbox" / "queues.json"
NOW = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
needs_broker = pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "sandbox" / "node_modules" / "rhea").exists(),
    reason="needs Node and the packages of sandbox/package.json",
)


def a_change(number: int = 0) -> PrincipalChange:
    group = f"group {number}"
    return PrincipalChange(
        f"p{number}", Source.SWEEP, NOW, "c-1", PrincipalKind.USER, Hint.REMOVED_FROM_GROUP, group_id=group
    )


class Stage(Protocol):
    """The queues, and what a worker would receive."""

    @property
    def port(self) -> Queue: ...

    async def received(self, queue: str, count: int) -> Sequence[bytes]: ...
    async def scheduled(self, queue: str) -> int: ...
    async def put_aside(self) -> tuple[bytes, str, str]: ...
    def later(self) -> datetime: ...


@dataclass
class InMemory:
    """The fake."""

    port: FakeQueue

    async def received(self, queue: str, count: int) -> Sequence[bytes]:
        return [message.body for message in self.port.visible() if message.queue == queue][:count]

    async def scheduled(self, queue: str) -> int:
        return len(self.port.on(queue)) - len(await self.received(queue, 1000))

    async def put_aside(self) -> tuple[bytes, str, str]:
        (letter,) = self.port.dead_letters
        return letter.body, letter.reason, letter.queue

    def later(self) -> datetime:
        return self.port.clock.now() + timedelta(seconds=60)


@dataclass
class OverAmqp:
    """The adapter on a broker process."""

    port: ServiceBusQueue
    client: ServiceBusClient
    control: str

    async def received(self, queue: str, count: int) -> Sequence[bytes]:
        return [b"".join(message.body) for message in await self._received(queue, count)]

    async def scheduled(self, queue: str) -> int:
        async with httpx.AsyncClient() as http:
            counts = (await http.get(f"{self.control}/sandbox/queues")).json()
        return int(counts[queue]["scheduled"])

    async def put_aside(self) -> tuple[bytes, str, str]:
        (message,) = await self._received(DEAD_LETTERS, 1)
        properties = {_text(name): _text(value) for name, value in (message.application_properties or {}).items()}
        return b"".join(message.body), properties["DeadLetterReason"], properties["DeadLetterSource"]

    def later(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=60)

    async def _received(self, queue: str, count: int) -> list[ServiceBusReceivedMessage]:
        found: list[ServiceBusReceivedMessage] = []
        async with self.client.get_queue_receiver(queue) as receiver:
            while len(found) < count:
                found += await receiver.receive_messages(count - len(found), max_wait_time=10)
            for message in found:
                await receiver.complete_message(message)
        return found


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.fixture
def broker() -> Iterator[tuple[int, int]]:
    port, control = free_port(), free_port()
    with running_broker(QUEUES, port, control):
        yield port, control


@pytest.fixture
async def real(broker: tuple[int, int]) -> AsyncIterator[OverAmqp]:
    port, control = broker
    connection = connection_string(port)
    queue = ServiceBusQueue(ServiceBusClient.from_connection_string(connection))
    async with ServiceBusClient.from_connection_string(connection) as client:
        yield OverAmqp(queue, client, f"http://127.0.0.1:{control}")
    await queue.close()


@pytest.fixture(params=["in memory", pytest.param("over AMQP", marks=needs_broker)])
def stage(request: pytest.FixtureRequest) -> Stage:
    if request.param == "over AMQP":
        found: Stage = request.getfixturevalue("real")
        return found
    return InMemory(FakeQueue(FakeClock()))


async def test_look_is_received_as_it_was_sent(stage: Stage) -> None:
    await stage.port.send([a_change(1), a_change(2)])
    await stage.port.send([])

    assert sorted(await stage.received(CHANGES, 2)) == [encode_change(a_change(1)), encode_change(a_change(2))]


async def test_scheduled_messages_are_not_received_before_their_time(stage: Stage) -> None:
    await stage.port.send([a_change()], stage.later())
    await stage.port.send_verification(a_change(), stage.later())

    assert await stage.scheduled(CHANGES) == 1
    assert await stage.scheduled(VERIFICATIONS) == 1


async def test_directory_event_is_received_as_it_was_sent(stage: Stage) -> None:
    event = DirectoryEvent(DirectoryEventKind.MISSED, "", "a gap", "c-1")

    await stage.port.send_directory_events([event])

    assert await stage.received(EVENTS, 1) == [encode_event(event)]


async def test_look_at_a_review_is_received_as_it_was_sent_and_when(stage: Stage) -> None:
    event = ReviewEvent("r-1", "poll", NOW, "c-1")

    await stage.port.send_review_events([event])
    await stage.port.send_review_events([event.retried()], stage.later())

    assert await stage.scheduled(REVIEW_EVENTS) == 1
    assert await stage.received(REVIEW_EVENTS, 1) == [encode_review_event(event)]


async def test_card_update_is_received_as_it_was_sent_and_when(stage: Stage) -> None:
    update = CardUpdate("r-1", CopySpec(Audience.APPROVERS, Place(PlaceKind.CHANNEL, "19:a")), NOW, "c-1")

    await stage.port.send_card_updates([update])
    await stage.port.send_card_updates([update.retried()], stage.later())

    assert await stage.scheduled(CARD_UPDATES) == 1
    assert await stage.received(CARD_UPDATES, 1) == [encode_card_update(update)]


async def test_posture_job_is_received_as_it_was_sent_and_when(stage: Stage) -> None:
    job = PostureJob(JobKind.ANNOUNCE, NOW, "c-1", "20270104T090000Z")

    await stage.port.send_posture_jobs([job])
    await stage.port.send_posture_jobs([job.retried()], stage.later())

    assert await stage.scheduled(POSTURE_JOBS) == 1
    assert await stage.received(POSTURE_JOBS, 1) == [encode_posture_job(job)]


async def test_dead_letter_carries_its_reason_and_where_it_came_from(stage: Stage) -> None:
    await stage.port.dead_letter(b"{", CHANGES, "malformed-message", "x" * 5000)

    assert await stage.put_aside() == (b"{", "malformed-message", CHANGES)


@needs_broker
async def test_more_than_one_transfer_holds_is_sent_in_several(real: OverAmqp) -> None:
    looks = [a_change(number) for number in range(3000)]

    await asyncio.gather(*(real.port.send(looks[start : start + 500]) for start in range(0, 3000, 500)))

    received = await real.received(CHANGES, 3000)
    assert sorted(received) == sorted(map(encode_change, looks))


@needs_broker
async def test_links_that_were_opened_ahead_carry_the_first_message(real: OverAmqp) -> None:
    await real.port.open()
    await real.port.send([a_change()])

    assert len(await real.received(CHANGES, 1)) == 1


@needs_broker
async def test_broker_that_is_gone_is_a_reason_to_try_later() -> None:
    queue = ServiceBusQueue(ServiceBusClient.from_connection_string(connection_string(free_port()), retry_total=0))

    await queue.open()
    with pytest.raises(RetryLaterError, match="queue-unreachable"):
        await queue.send([a_change()])

    await queue.close()


@needs_broker
@pytest.mark.timeout(120)
async def test_broker_that_hangs_is_given_up_and_used_again_once_it_answers() -> None:
    port, control = free_port(), free_port()
    with running_broker(Path(QUEUES), port, control) as process:
        queue = ServiceBusQueue(ServiceBusClient.from_connection_string(connection_string(port)))
        await queue.send([a_change(1)])
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(RetryLaterError, match="queue-unreachable"):
            await queue.send([a_change(2)])
        with pytest.raises(RetryLaterError, match="queue-unreachable"):
            await queue.send([a_change(3)])

        process.send_signal(signal.SIGCONT)
        await _eventually(queue, a_change(4))

        async with httpx.AsyncClient() as http:
            counts = (await http.get(f"http://127.0.0.1:{control}/sandbox/queues")).json()
        await queue.close()
    assert 2 <= counts[CHANGES]["active"] <= 3


async def _eventually(queue: ServiceBusQueue, change: PrincipalChange) -> None:
    for _ in range(10):
        try:
            await queue.send([change])
        except RetryLaterError:
            continue
        return
    raise AssertionError("the queue was never usable again")

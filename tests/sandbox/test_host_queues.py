"""The local host receives, completes, abandons and renews Service Bus messages as Azure's host does."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from tests.sandbox.host_process import (
    FUNCTION_KEY,
    HostProcess,
    connection_string,
    eventually,
    free_port,
    has_broker,
    running_broker,
    running_host,
    write_queues,
)

pytestmark = pytest.mark.skipif(not has_broker, reason="the broker needs node and `npm ci` in sandbox/")


@dataclass
class Queue:
    """The queue `work` at a broker of this test's own, whose locks last two seconds."""

    port: int
    control_port: int

    def counts(self) -> dict[str, int]:
        counts: dict[str, dict[str, int]] = httpx.get(f"http://127.0.0.1:{self.control_port}/sandbox/queues").json()
        return counts["work"]

    def is_empty(self) -> bool:
        counts = self.counts()
        return counts["active"] == counts["locked"] == counts["scheduled"] == 0

    def drop_connections(self) -> None:
        httpx.post(f"http://127.0.0.1:{self.control_port}/sandbox/drop-connections")

    async def send(self, *orders: dict[str, object], **properties: object) -> None:
        messages = [ServiceBusMessage(json.dumps(order), **properties) for order in orders]  # type: ignore[arg-type]
        async with (
            ServiceBusClient.from_connection_string(connection_string(self.port)) as client,
            client.get_queue_sender("work") as sender,
        ):
            await sender.send_messages(messages)


@pytest.fixture(scope="module")
def queues_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_queues(tmp_path_factory.mktemp("broker"), lockSeconds=2, maxDeliveryCount=3)


@pytest.fixture(scope="module")
def queue(queues_file: Path) -> Iterator[Queue]:
    queue = Queue(free_port(), free_port())
    with running_broker(queues_file, queue.port, queue.control_port):
        yield queue


@pytest.fixture(scope="module")
def host(queue: Queue) -> Iterator[HostProcess]:
    with running_host("queues", WORK_QUEUE="work", ServiceBus=connection_string(queue.port)) as process:
        yield process


def times_done(host: HostProcess, name: str) -> int:
    return sum(each == {"done": name} for each in host.seen()["seen"])


def deliveries(host: HostProcess, name: str) -> list[dict[str, Any]]:
    return [each for each in host.seen()["seen"] if each.get("work") == name]


async def test_message_is_completed_after_its_function_saw_body_id_and_properties(
    queue: Queue, host: HostProcess
) -> None:
    await queue.send({"name": "plain"}, message_id="m-1", application_properties={"attempt": 2, "kind": "user"})

    eventually(lambda: times_done(host, "plain") == 1 and queue.is_empty())
    (delivery,) = deliveries(host, "plain")
    assert delivery["message_id"] == "m-1"
    assert delivery["properties"] == {"attempt": 2, "kind": "user"}
    assert delivery["delivery_count"] == 1
    assert delivery["enqueued"].endswith("+00:00")


async def test_failed_message_comes_again_with_its_delivery_counted(queue: Queue, host: HostProcess) -> None:
    await queue.send({"name": "flaky", "fails": 2})

    eventually(lambda: times_done(host, "flaky") == 1 and queue.is_empty())
    assert [delivery["delivery_count"] for delivery in deliveries(host, "flaky")] == [1, 2, 3]


async def test_message_that_always_fails_is_dead_lettered_by_the_broker(queue: Queue, host: HostProcess) -> None:
    await queue.send({"name": "hopeless", "fails": 99})

    eventually(lambda: queue.counts()["deadLettered"] == 1)
    assert [delivery["delivery_count"] for delivery in deliveries(host, "hopeless")] == [1, 2, 3]
    assert times_done(host, "hopeless") == 0


async def test_no_more_messages_are_in_work_than_host_json_allows(queue: Queue, host: HostProcess) -> None:
    names = [f"burst-{number}" for number in range(20)]

    await queue.send(*({"name": name, "seconds": 0.2} for name in names))

    eventually(lambda: all(times_done(host, name) == 1 for name in names) and queue.is_empty())
    assert host.seen()["most_at_once"] == 4


async def test_message_that_takes_longer_than_its_lock_is_delivered_once(queue: Queue, host: HostProcess) -> None:
    await queue.send({"name": "long", "seconds": 5})

    eventually(lambda: times_done(host, "long") == 1 and queue.is_empty())
    assert len(deliveries(host, "long")) == 1


async def test_queue_function_runs_on_demand_without_a_queue(host: HostProcess) -> None:
    answer = host.http.post(
        "/admin/functions/work", headers={"x-functions-key": FUNCTION_KEY}, json={"input": '{"name": "by hand"}'}
    )

    assert answer.status_code == 202
    eventually(lambda: times_done(host, "by hand") == 1)


async def test_host_receives_again_after_its_connections_broke(queue: Queue, host: HostProcess) -> None:
    await queue.send({"name": "before"})
    eventually(lambda: times_done(host, "before") == 1)

    queue.drop_connections()
    await queue.send({"name": "after"})

    eventually(lambda: times_done(host, "after") == 1 and queue.is_empty())


async def test_message_in_work_is_completed_before_a_terminated_host_exits(queues_file: Path) -> None:
    queue = Queue(free_port(), free_port())
    with (
        running_broker(queues_file, queue.port, queue.control_port),
        running_host("queues", WORK_QUEUE="work", ServiceBus=connection_string(queue.port)) as host,
    ):
        await queue.send({"name": "last", "seconds": 1})
        eventually(lambda: len(deliveries(host, "last")) == 1)

        exit_code = host.stop()

        assert exit_code == 0
        assert queue.is_empty()
        assert queue.counts()["deadLettered"] == 0


async def test_host_receives_again_after_the_broker_was_away(queues_file: Path) -> None:
    queue = Queue(free_port(), free_port())
    with ExitStack() as stack:
        with running_broker(queues_file, queue.port, queue.control_port):
            host = stack.enter_context(
                running_host("queues", WORK_QUEUE="work", ServiceBus=connection_string(queue.port))
            )
        stack.enter_context(running_broker(queues_file, queue.port, queue.control_port))

        await queue.send({"name": "late"})

        eventually(lambda: times_done(host, "late") == 1 and queue.is_empty())

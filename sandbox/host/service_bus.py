"""Service Bus triggers: a peek-lock receiver per function, which completes, abandons and renews as Azure's does."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from azure.core.exceptions import AzureError
from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver

from sandbox.host.app import HostedFunction
from sandbox.host.errors import AppError
from sandbox.host.invocation import InvocationError, Invocations
from sandbox.host.messages import message_from_broker
from sandbox.host.settings import HostSettings

log = logging.getLogger("sandbox.host")

LOOK_AGAIN_SECONDS = 1
LONGEST_BACKOFF_SECONDS = 10.0
Settle = Callable[[ServiceBusReceivedMessage], Awaitable[None]]
CONNECTION_ERRORS = (AzureError, OSError, ValueError, RuntimeError)


class QueueTrigger:
    """One queue function: pulls messages while a slot is free, and settles each by how its invocation ended."""

    def __init__(self, function: HostedFunction, settings: HostSettings, invocations: Invocations) -> None:
        if "queueName" not in function.trigger or function.trigger.get("cardinality", "ONE") != "ONE":
            raise AppError(f"{function.name}: this host serves Service Bus queues, one message at a time")
        check_connection(str(function.trigger["connection"]))
        self._function = function
        self._settings = settings
        self._invocations = invocations
        self._slots = asyncio.Semaphore(settings.max_concurrent_calls)
        self.attached = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Receives until the host stops, and attaches again whenever the broker goes away."""
        backoff = 0.5
        while not stopping.is_set():
            try:
                async with self._receiver() as receiver:
                    self.attached.set()
                    backoff = 0.5
                    await self._receive(receiver, stopping)
            except CONNECTION_ERRORS as error:
                log.warning("%s: %s; attaching again in %.1f s", self._function.name, _first_line(error), backoff)
            except Exception:
                log.exception("%s: receiving failed; attaching again in %.1f s", self._function.name, backoff)
            await _sleep_unless(stopping, backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)

    @asynccontextmanager
    async def _receiver(self) -> AsyncIterator[ServiceBusReceiver]:
        queue = str(self._function.trigger["queueName"])
        async with (
            connect(str(self._function.trigger["connection"])) as client,
            client.get_queue_receiver(queue, prefetch_count=self._settings.prefetch_count) as receiver,
        ):
            yield receiver

    async def _receive(self, receiver: ServiceBusReceiver, stopping: asyncio.Event) -> None:
        in_work: set[asyncio.Task[None]] = set()
        while not stopping.is_set():
            await self._slots.acquire()
            messages: list[ServiceBusReceivedMessage] = []
            try:
                # One at a time: asking for more makes the client linger 0.2 s for a fuller batch.
                messages = await receiver.receive_messages(1, max_wait_time=LOOK_AGAIN_SECONDS)
            finally:
                if not messages:
                    self._slots.release()
            for message in messages:
                task = self._invocations.start(self._process(receiver, message))
                in_work.add(task)
                task.add_done_callback(in_work.discard)
        if in_work:
            # The receiver stays open until what it received is settled.
            await asyncio.wait(in_work)

    async def _process(self, receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage) -> None:
        renewal = asyncio.create_task(self._keep_locked(receiver, message))
        settle = receiver.abandon_message
        try:
            await self._invocations.invoke(self._function, message_from_broker(message))
            settle = receiver.complete_message
        except InvocationError:
            pass  # logged where it happened; abandoning makes the broker count the delivery
        finally:
            renewal.cancel()
            # The slot is free before the broker confirms: with many settling, the client may wait 0.2 s for its answer.
            self._slots.release()
            await self._settle(settle, message)

    async def _settle(self, settle: Settle, message: ServiceBusReceivedMessage) -> None:
        if not self._settings.auto_complete_messages:
            return
        try:
            await settle(message)
        except CONNECTION_ERRORS as error:
            log.warning("%s: %s was not settled: %s", self._function.name, message.message_id, _first_line(error))

    async def _keep_locked(self, receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage) -> None:
        started = datetime.now(UTC)
        while (locked_until := message.locked_until_utc) is not None:
            now = datetime.now(UTC)
            if (now - started).total_seconds() > self._settings.max_lock_renewal:
                return
            await asyncio.sleep(max((locked_until - now).total_seconds() / 2, 0.1))
            try:
                await receiver.renew_message_lock(message)
            except CONNECTION_ERRORS as error:
                log.warning("%s: lock of %s not renewed: %s", self._function.name, message.message_id, error)
                return


def check_connection(name: str) -> None:
    """Raises `AppError` unless the app settings say how to reach the `name` connection."""
    if name not in os.environ and f"{name}__fullyQualifiedNamespace" not in os.environ:
        raise AppError(f"connection {name!r} needs the app setting {name} or {name}__fullyQualifiedNamespace")


@asynccontextmanager
async def connect(name: str) -> AsyncIterator[ServiceBusClient]:
    """A client for the `name` connection: a connection string, or a namespace and the managed identity."""
    if name in os.environ:
        async with ServiceBusClient.from_connection_string(os.environ[name], retry_total=0) as client:
            yield client
        return
    # Not imported above: 35 MB that a connection string never needs.
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415

    async with (
        DefaultAzureCredential() as credential,
        ServiceBusClient(os.environ[f"{name}__fullyQualifiedNamespace"], credential) as client,
    ):
        yield client


async def _sleep_unless(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return


def _first_line(error: BaseException) -> str:
    first, _, _ = str(error).partition("\n")
    return f"{type(error).__name__}: {first}"

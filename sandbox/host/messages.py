"""Service Bus messages as functions see them, decoded by the Functions package from the metadata Azure's host sends."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import azure.functions as func
from azure.functions.meta import Datum
from azure.servicebus import ServiceBusReceivedMessage


def message_from_broker(received: ServiceBusReceivedMessage) -> func.ServiceBusMessage:
    """The function's view of a message under peek-lock; the first delivery counts as 1, as in Azure."""
    properties = _properties(received.application_properties or {})
    return _decode(
        _body(received),
        {
            "ApplicationProperties": properties,
            "UserProperties": properties,
            "ContentType": received.content_type,
            "CorrelationId": received.correlation_id,
            "DeadLetterErrorDescription": received.dead_letter_error_description,
            "DeadLetterReason": received.dead_letter_reason,
            "DeadLetterSource": received.dead_letter_source,
            "DeliveryCount": (received.delivery_count or 0) + 1,
            "EnqueuedSequenceNumber": received.enqueued_sequence_number,
            "EnqueuedTimeUtc": received.enqueued_time_utc,
            "ExpiresAtUtc": received.expires_at_utc,
            "Label": received.subject,
            "LockToken": str(received.lock_token),
            "LockedUntil": received.locked_until_utc,
            "MessageId": received.message_id,
            "PartitionKey": received.partition_key,
            "ReplyTo": received.reply_to,
            "ReplyToSessionId": received.reply_to_session_id,
            "ScheduledEnqueueTimeUtc": received.scheduled_enqueue_time_utc,
            "SequenceNumber": received.sequence_number,
            "SessionId": received.session_id,
            "State": int(received.state.value),
            "Subject": received.subject,
            "To": received.to,
        },
    )


def message_from_text(text: str) -> func.ServiceBusMessage:
    """A message nobody sent, for running a queue function on demand."""
    now = datetime.now(UTC)
    metadata: dict[str, object] = {"MessageId": str(uuid4()), "DeliveryCount": 1, "EnqueuedTimeUtc": now}
    return _decode(text.encode(), metadata | {"ApplicationProperties": {}, "UserProperties": {}})


def _body(received: ServiceBusReceivedMessage) -> bytes:
    body: str | bytes | Iterable[bytes] = received.body
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b"".join(body)


def _decode(body: bytes, metadata: Mapping[str, object]) -> func.ServiceBusMessage:
    converter = func.get_binding_registry().get("serviceBusTrigger")
    data = {name: _datum(value) for name, value in metadata.items() if value is not None}
    return cast("func.ServiceBusMessage", converter.decode(Datum(body, "bytes"), trigger_metadata=data))


def _datum(value: object) -> Datum:
    if isinstance(value, datetime):
        return Datum(value.astimezone(UTC).isoformat(), "string")
    if isinstance(value, str):
        return Datum(value, "string")
    return Datum(json.dumps(value), "json")


def _properties(application_properties: Mapping[Any, Any]) -> dict[str, object]:
    return {str(_plain(name)): _plain(value) for name, value in application_properties.items()}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str | int | float | bool | None) else str(value)

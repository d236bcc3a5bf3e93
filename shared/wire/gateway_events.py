"""Webhooks of the gateway, signed by Svix: parsed and checked in one step, so that an unsigned one cannot exist.

https://docs.svix.com/receiving/verifying-payloads/how-manual
"""

import hmac
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json
from standardwebhooks import Webhook

from shared.errors import RejectedError, SettingsError

TOLERANCE_SECONDS = 300
LARGEST_BODY = 256 * 1024

_MOST_SIGNATURES = 16
_SMALLEST_SECRET = 16
_DELIVERY_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,11}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LINK = re.compile(r"\[(?P<text>[^\[\]()]+)\]\((?P<url>[^\[\]()\s]+)\)")


class GatewayEventKind(StrEnum):
    """The events that mean something to Tether; everything else is `OTHER` and ignored on purpose."""

    SESSION_OPEN = "session.open"
    SESSION_CLOSE = "session.close"
    REVIEW_CREATE = "microsoftteams.review.create"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """One authentic event; `session_id` is `None` only on `OTHER`, and `SESSION_OPEN` always waits for a review.

    `delivery_id` is the same each time Svix repeats a delivery.
    """

    kind: GatewayEventKind
    session_id: str | None
    delivery_id: str


def parse_gateway_event(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime) -> GatewayEvent:
    """The event that a delivery carries, signed under any of the secrets within five minutes of `now`.

    Raises:
        RejectedError: `unauthenticated` (401), `malformed-event` (400), `body-too-large` (413).
        SettingsError: a secret is not base64.
    """
    if len(body) > LARGEST_BODY:
        raise RejectedError("body-too-large", f"{len(body)} bytes")
    delivery_id = _authentic_delivery(body, headers, secrets, now)
    try:
        document = from_json(body)
    except ValueError as error:
        raise RejectedError("malformed-event", "the body is not JSON") from error
    if not isinstance(document, dict):
        raise RejectedError("malformed-event", "the body is not an object")
    kind = _kind(document)
    return GatewayEvent(kind, _session_id(kind, document), delivery_id)


def check_secret(secret: str) -> None:
    """Nothing, for a secret of at least 16 bytes, as Svix makes them.

    Raises:
        SettingsError: it is not base64, or too short to be a secret.
    """
    _signer(secret)


def _authentic_delivery(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime) -> str:
    by_name = {name.lower(): value for name, value in headers.items()}
    prefix = "svix" if "svix-id" in by_name else "webhook"
    delivery_id, stamp, signatures = (by_name.get(f"{prefix}-{each}", "") for each in ("id", "timestamp", "signature"))
    if not _DELIVERY_ID.fullmatch(delivery_id) or not _TIMESTAMP.fullmatch(stamp):
        raise RejectedError("unauthenticated", "the id or the timestamp is missing or malformed")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise RejectedError("unauthenticated", "the timestamp is more than five minutes away")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise RejectedError("unauthenticated", "the body is not UTF-8") from error
    sent_at = datetime.fromtimestamp(int(stamp), UTC)
    expected = [_signer(secret).sign(delivery_id, sent_at, text).encode() for secret in secrets]
    claimed = signatures.encode(errors="replace").split(b" ")[:_MOST_SIGNATURES]
    # Every pair is compared, each in constant time: how long it takes says nothing about which one was close.
    genuine = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in claimed]
    if not any(genuine):
        raise RejectedError("unauthenticated", "no signature matches")
    return delivery_id


def _signer(secret: str) -> Webhook:
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError as error:
        raise SettingsError("a webhook secret is not base64: copy it again, whsec_ included") from error
    if len(key) < _SMALLEST_SECRET:
        raise SettingsError(f"a webhook secret is shorter than {_SMALLEST_SECRET} bytes: let Svix make one")
    return Webhook(key)


def _kind(document: dict[str, Any]) -> GatewayEventKind:
    event_type = document.get("event_type")
    if event_type == GatewayEventKind.SESSION_CLOSE:
        return GatewayEventKind.SESSION_CLOSE
    if event_type == GatewayEventKind.SESSION_OPEN and document.get("review") is not None:
        return GatewayEventKind.SESSION_OPEN
    # This event is a bare Teams message: it has no type of its own.
    is_message = event_type is None and document.get("type") == "message" and "attachments" in document
    return GatewayEventKind.REVIEW_CREATE if is_message else GatewayEventKind.OTHER


def _session_id(kind: GatewayEventKind, document: dict[str, Any]) -> str | None:
    if kind is GatewayEventKind.OTHER:
        return None
    ids: list[Any] = _linked_sessions(document) if kind is GatewayEventKind.REVIEW_CREATE else [document.get("id")]
    found = ids[0] if len(ids) == 1 else None
    if not isinstance(found, str) or not _UUID.fullmatch(found.lower()):
        raise RejectedError("malformed-event", f"{kind} names no session, or several")
    return found.lower()


def _linked_sessions(message: dict[str, Any]) -> list[str]:
    """The sessions that the card links to. Only its own text blocks count: facts and code hold what people typed."""
    blocks = [block for content in _cards(message) for block in _dicts(content.get("body"))]
    texts = [block.get("text") for block in blocks if block.get("type") == "TextBlock"]
    links = [_LINK.fullmatch(text) for text in texts if isinstance(text, str)]
    return [match["text"] for match in links if match and _path(match["url"]).endswith(f"/sessions/{match['text']}")]


def _cards(message: dict[str, Any]) -> list[dict[str, Any]]:
    return _dicts([attachment.get("content") for attachment in _dicts(message.get("attachments"))])


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""

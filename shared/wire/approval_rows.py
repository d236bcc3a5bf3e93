"""Table rows of approvals, of their cards' copies and of conversations.

What a row holds is compressed JSON, in parts because a property holds 64 KiB; the plain columns are for people who look
into the table. Keys of tables may not hold every character, so what comes from outside is hashed into them.
"""

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from shared.domain.approval import Approval, ApprovalState, PastDecision
from shared.domain.card_copy import CardCopy, Conversation

APPROVAL, COPY, CONVERSATION = "approval", "copy:", "conversation"
COPIES_END = "copy;"
OPEN = "open"
PART = 60_000
_LAST_MICROSECOND = 10**17
_MICROSECONDS = 1_000_000
_APPROVAL = TypeAdapter(Approval)
_COPY = TypeAdapter(CardCopy)


def approval_row(approval: Approval) -> dict[str, Any]:
    """The row of an approval, its claim included."""
    claim = approval.claim
    return {
        "PartitionKey": approval.review_id,
        "RowKey": APPROVAL,
        "State": approval.state.value,
        "Connection": approval.connection,
        "ClaimOwner": claim.owner if claim else "",
        "ClaimExpiresAt": claim.expires_at.isoformat() if claim else "",
        **_parts(_APPROVAL.dump_json(replace(approval, version=None))),
    }


def parse_approval(row: Mapping[str, Any], version: str | None) -> Approval:
    """The approval that a row holds."""
    return replace(_APPROVAL.validate_json(_whole(row)), version=version)


def open_row(approval: Approval) -> dict[str, Any]:
    """The row by which an approval that may still be open is found."""
    return {"PartitionKey": OPEN, "RowKey": approval.review_id, "SessionId": approval.session_id}


def past_row(approval: Approval) -> dict[str, Any]:
    """The row of how a requester's request ended, the newest request first; the same for the same review."""
    outcome = approval.outcome
    return {
        "PartitionKey": past_partition(approval.requester.subject),
        "RowKey": f"{_newest_first(approval.created_at)}:{approval.review_id}",
        "At": (outcome.at if outcome else approval.created_at).isoformat(),
        "Connection": approval.connection,
        "State": approval.state.value,
    }


def past_partition(subject: str) -> str:
    """Where the history of a gateway subject lies."""
    return f"requester:{_digest(subject)}"


def parse_past(row: Mapping[str, Any]) -> PastDecision:
    """How the request ended that a row of history tells of."""
    return PastDecision(datetime.fromisoformat(row["At"]), row["Connection"], ApprovalState(row["State"]))


def copy_row(copy: CardCopy) -> dict[str, Any]:
    """The row of a card's copy, beside its approval."""
    return {
        "PartitionKey": copy.review_id,
        "RowKey": copy_key(copy.copy_id),
        "State": copy.state.value,
        **_parts(_COPY.dump_json(replace(copy, version=None))),
    }


def copy_key(copy_id: str) -> str:
    """The row key of a copy."""
    return f"{COPY}{copy_id}"


def parse_copy(row: Mapping[str, Any], version: str | None) -> CardCopy:
    """The copy that a row holds."""
    return replace(_COPY.validate_json(_whole(row)), version=version)


def conversation_row(place_id: str, conversation: Conversation) -> dict[str, Any]:
    """The row of where a place can be spoken to."""
    return {
        "PartitionKey": place_partition(place_id),
        "RowKey": CONVERSATION,
        "PlaceId": place_id,
        "ConversationId": conversation.conversation_id,
        "ServiceUrl": conversation.service_url,
    }


def place_partition(place_id: str) -> str:
    """Where the conversation of a place lies."""
    return _digest(place_id)


def parse_conversation(row: Mapping[str, Any]) -> Conversation:
    """The conversation that a row holds."""
    return Conversation(row["ConversationId"], row["ServiceUrl"])


def _parts(body: bytes) -> dict[str, bytes]:
    packed = zlib.compress(body)
    return {f"Body{start // PART}": packed[start : start + PART] for start in range(0, len(packed), PART)}


def _whole(row: Mapping[str, Any]) -> bytes:
    names = (f"Body{number}" for number in range(len(row)))
    return zlib.decompress(b"".join(row[name] for name in names if name in row))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _newest_first(moment: datetime) -> str:
    return f"{_LAST_MICROSECOND - int(moment.timestamp() * _MICROSECONDS):017}"

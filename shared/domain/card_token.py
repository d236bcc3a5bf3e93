"""Card tokens: what a card's button carries instead of data, bound to all that the person was shown.

A token names a review, a copy of its card and an expiry; its seal covers, besides, the tenant, the conversation, the
answers offered and the hash of the command. So a token from another card, tenant, conversation or command is refused,
although nothing but the token itself travels. Single use is the approval's: one vote per person, none after its end,
and so an expired token still opens the card that says how it ended.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from shared.errors import RejectedError

_SEAL_BYTES = 32
_HEAD_BYTES = 16 + 6 + 5
_LATEST = 2**35
_VERSION = b"\x01"


@dataclass(frozen=True, slots=True)
class CardToken:
    """What a token says by itself: nothing of it counts before its seal has been checked."""

    review_id: str
    copy_id: str
    expires_at: datetime
    seal: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """What the person was shown, and where."""

    conversation_id: str
    answers: Sequence[str]
    input_digest: str


@dataclass(frozen=True, slots=True)
class CardTokenKeys:
    """Seals and checks tokens of one tenant; the first key seals, every key checks, so that a key can be rotated."""

    tenant_id: str
    keys: tuple[bytes, ...]

    def issue(self, review_id: str, copy_id: str, expires_at: datetime, shown: Shown) -> str:
        """An opaque token. `review_id` is a UUID, `copy_id` 12 hexadecimal digits."""
        head = _head(review_id, copy_id, expires_at)
        return base64.urlsafe_b64encode(_VERSION + head + self._seal(self.keys[0], head, shown)).decode().rstrip("=")

    def check(self, token: CardToken, shown: Shown) -> None:
        """Raises `RejectedError`: `forged-token` when it was not issued for this."""
        head = _head(token.review_id, token.copy_id, token.expires_at)
        if not any(hmac.compare_digest(self._seal(key, head, shown), token.seal) for key in self.keys):
            raise RejectedError("forged-token", "it was not issued for this card, conversation or command")

    def _seal(self, key: bytes, head: bytes, shown: Shown) -> bytes:
        parts = (self.tenant_id, thread_of(shown.conversation_id), *sorted(shown.answers), shown.input_digest)
        # Each part with its length: no two different lists of parts are the same bytes.
        text = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return hmac.new(key, b"card-token" + head + text, hashlib.sha256).digest()


def parse_card_token(text: str) -> CardToken:
    """What a token says. Raises `RejectedError`: `forged-token`."""
    if "=" in text:
        raise RejectedError("forged-token", "padded: a token has one spelling")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise RejectedError("forged-token", "not a token") from error
    if len(raw) != len(_VERSION) + _HEAD_BYTES + _SEAL_BYTES or not raw.startswith(_VERSION):
        raise RejectedError("forged-token", "not a token of this kind")
    head, seal = raw[1 : 1 + _HEAD_BYTES], raw[1 + _HEAD_BYTES :]
    seconds = int.from_bytes(head[22:], "big")
    if seconds >= _LATEST:
        raise RejectedError("forged-token", "it expires when nothing does")
    return CardToken(str(UUID(bytes=head[:16])), head[16:22].hex(), datetime.fromtimestamp(seconds, UTC), seal)


def thread_of(conversation_id: str) -> str:
    """The channel or chat of a conversation: Teams adds the thread to a channel's id once a message is there."""
    return conversation_id.partition(";")[0]


def _head(review_id: str, copy_id: str, expires_at: datetime) -> bytes:
    # A gateway may name a moment before all others.
    seconds = max(0, int(expires_at.timestamp())).to_bytes(5, "big")
    return UUID(review_id).bytes + bytes.fromhex(copy_id) + seconds

"""Fit: a card that is small enough to be posted, whatever somebody wrote into it."""

import json
from collections.abc import Callable

from shared.wire.cards.elements import Card

MOST_BYTES = 24 * 1024
_LENGTHS = (2_000, 1_000, 400, 100)


def fitting(build: Callable[[int], Card]) -> Card:
    """The card with the longest quotation of the command that leaves it within 24 KB of JSON."""
    cards = (build(longest) for longest in _LENGTHS)
    return next((card for card in cards if size(card) <= MOST_BYTES), build(0))


def size(card: Card) -> int:
    """Bytes of the card as JSON."""
    return len(encode(card).encode())


def encode(content: object) -> str:
    """JSON without spaces, characters as they are."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

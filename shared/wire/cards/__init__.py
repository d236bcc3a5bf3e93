"""Cards: what an approval looks like in Teams."""

from shared.wire.cards.activities import activity, headline, reminder, text_face
from shared.wire.cards.decided import decided_card
from shared.wire.cards.elements import Card
from shared.wire.cards.request import given, request_card
from shared.wire.cards.requester import requester_card
from shared.wire.cards.security import security_card
from shared.wire.cards.sentences import sentence

__all__ = [
    "Card",
    "activity",
    "decided_card",
    "given",
    "headline",
    "reminder",
    "request_card",
    "requester_card",
    "security_card",
    "sentence",
    "text_face",
]

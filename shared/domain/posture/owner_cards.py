"""Owner cards: which copies an attestation wants, what each lets people answer, and what its token stands for."""

import hashlib
from datetime import datetime, timedelta

from shared.domain.card_copy import Audience, CopySpec, Place, PlaceKind
from shared.domain.posture.attestation import ABOUT_A_WISH, Answered, Attestation, Question, Reply, reminder_copies

# A sponsor may be a group of everybody.
MOST_ASKED = 20
TOKEN_LIFE = timedelta(days=180)
_ABOUT_IT = (Reply.KEEP, Reply.SHRINK, Reply.RETIRE)


def wanted_copies(attestation: Attestation, channel: str) -> tuple[CopySpec, ...]:
    """Every copy that is wanted now: its people are asked, and the security team where they cannot settle it."""
    people = [Place(PlaceKind.PERSON, person.principal_id) for person in attestation.question.people[:MOST_ASKED]]
    specs = [CopySpec(Audience.OWNER, place, attestation.round) for place in people]
    if attestation.reminded_at is not None:
        specs += reminder_copies(attestation)[:MOST_ASKED]
    if channel and attestation.is_with_security:
        specs.append(security_copy(attestation, channel))
    return tuple(specs)


def answers_on(spec: CopySpec) -> tuple[Reply, ...]:
    """What a copy may let people answer: a token is good for these answers only, at whatever stage."""
    if spec.audience is Audience.OWNER and spec.place.kind is PlaceKind.CHANNEL:
        return (*_ABOUT_IT, *ABOUT_A_WISH)
    return _ABOUT_IT if spec.audience in (Audience.OWNER, Audience.NOTICE) else ()


def digest_copy(channel: str) -> CopySpec:
    """The copy of a digest: the same for every report."""
    return CopySpec(Audience.NOTICE, Place(PlaceKind.CHANNEL, channel))


def security_copy(attestation: Attestation, channel: str) -> CopySpec:
    """The copy that the security team sees, if it comes to that."""
    return CopySpec(Audience.OWNER, Place(PlaceKind.CHANNEL, channel), attestation.round)


def is_outdated(spec: CopySpec, attestation: Attestation) -> bool:
    """Whether it was asked again since; the number of a reminder is the round below 0."""
    return spec.audience is Audience.OWNER and abs(spec.number) != attestation.round


def evidence_digest(question: Question) -> str:
    """The same as long as a person would be shown the same evidence and the same grants."""
    seen = [(one.finding_id, one.severity.word, one.says, *one.facts) for one in question.evidence]
    lost = [(one.identity, one.group, *one.connections) for one in question.unused]
    return hashlib.sha256(repr((seen, lost, question.is_tier_0)).encode(errors="surrogatepass")).hexdigest()


def seen_digests(attestation: Attestation, spec: CopySpec) -> tuple[str, ...]:
    """What a copy shows now, and then what it showed earlier in this round: the security team's shows a wish, too.

    Whoever accepts a wish has seen its terms: an owner may have changed them since.
    """
    evidence = evidence_digest(attestation.question)
    if spec.audience is not Audience.OWNER or spec.place.kind is not PlaceKind.CHANNEL:
        return (evidence,)
    return (*(_with_wish(evidence, wish) for wish in attestation.wishes), evidence)


def _with_wish(evidence: str, wish: Answered) -> str:
    until = wish.until.timestamp() if wish.until is not None else None
    terms = (evidence, wish.by.principal_id, wish.at.timestamp(), wish.reason, until)
    return hashlib.sha256(repr(terms).encode(errors="surrogatepass")).hexdigest()


def token_expires_at(made_at: datetime) -> datetime:
    """Until when a card that was made then can be answered."""
    return made_at + TOKEN_LIFE

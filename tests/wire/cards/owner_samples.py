"""Made-up attestations, one for each face of an owner's card."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.domain.approval import Person
from shared.domain.card_copy import Audience, CopySpec, Place, PlaceKind
from shared.domain.posture.attestation import Answered, Attestation, Question, Reply, Role, Stage, UnusedGrant
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity
from shared.wire.cards.attestation import attestation_card
from shared.wire.cards.elements import Card

AT = datetime(2026, 3, 2, 6, tzinfo=UTC)
LINK = "https://tether.example/api/reports/20260302T060000Z/report.html"
TOKEN = "AQ" + "x" * 78
MARY = Person("cccccccc-0000-4000-8000-000000000003", "Mary Somerville")
GRACE = Person("cccccccc-0000-4000-8000-000000000002", "Grace Hopper")
AGENT_ID, APP_ID = "aaaaaaaa-0000-4000-8000-000000000007", "dddddddd-0000-4000-8000-000000000007"
ABOUT = About(ObjectKind.AGENT_IDENTITY, AGENT_ID, "payroll-sync", "", APP_ID)
GRANT = UnusedGrant(
    f"service-account/{AGENT_ID}",
    "task-payroll",
    ("pg-payroll", "k8s-batch"),
    AT - timedelta(days=140),
    AGENT_ID,
    ("79870504-6937-5007-9132-051310132039",),
)
NEVER = replace(GRANT, group="task-archive", connections=("s3-archive",), last_opened=None, entra_groups=())
EVIDENCE = (
    Finding(
        "A4",
        ABOUT,
        Severity.CRITICAL,
        "Nobody uses it, and it could take over the tenant.",
        facts=(("days unused", "201"), ("holds", "RoleManagement.ReadWrite.Directory")),
    ),
    Finding(
        "G4",
        replace(ABOUT, key_id="pg-payroll"),
        Severity.MEDIUM,
        "It works, and has not opened this for a long time.",
        facts=(("last opened", "2025-10-13"), ("days", "140"), ("compared with sessions since", "2025-01-01")),
    ),
)
QUESTION = Question(ABOUT, EVIDENCE, (MARY,), unused=(GRANT, NEVER), owners=frozenset({MARY.principal_id}))
ASKED = Attestation("5f0c5bd4-0c56-5f0e-9d0a-2f3a5d1c7e11", QUESTION, AT, "20260302T060000Z")
UNTIL = AT + timedelta(days=80)
KEEP = Answered(Reply.KEEP, MARY, AT + timedelta(days=1), "Needed for the year end", UNTIL)
ACCEPT = Answered(Reply.ACCEPT, GRACE, AT + timedelta(days=2), role=Role.APPROVER)
REFUSE = Answered(Reply.REFUSE, GRACE, AT + timedelta(days=2), "It can take the tenant over", role=Role.APPROVER)
SHRINK = Answered(Reply.SHRINK, MARY, AT + timedelta(days=1))
RETIRE = Answered(Reply.RETIRE, MARY, AT + timedelta(days=1))
PROPOSED = replace(ASKED, stage=Stage.PROPOSED, answers=(KEEP,))

TO_OWNER = CopySpec(Audience.OWNER, Place(PlaceKind.PERSON, MARY.principal_id), 1)
REMINDER = replace(TO_OWNER, number=-1)
TO_SECURITY = CopySpec(Audience.OWNER, Place(PlaceKind.CHANNEL, "19:posture@thread.tacv2"), 1)

OWNER_FACES: Mapping[str, tuple[CopySpec, Attestation]] = {
    "owner__asked": (TO_OWNER, ASKED),
    "owner__asked_about_tier_0": (TO_OWNER, replace(ASKED, question=replace(QUESTION, is_tier_0=True, unused=()))),
    "owner__reminded": (REMINDER, replace(ASKED, reminded_at=AT + timedelta(days=7))),
    "owner__proposed": (TO_OWNER, PROPOSED),
    "owner__refused": (TO_OWNER, replace(ASKED, answers=(KEEP, REFUSE))),
    "owner__kept": (TO_OWNER, replace(PROPOSED, stage=Stage.KEPT, answers=(KEEP, ACCEPT))),
    "owner__shrunk": (TO_OWNER, replace(ASKED, stage=Stage.SHRUNK, answers=(SHRINK,), taken=(GRANT, NEVER))),
    "owner__retiring": (TO_OWNER, replace(ASKED, stage=Stage.RETIRING, answers=(RETIRE,))),
    "owner__settled": (TO_OWNER, replace(ASKED, stage=Stage.SETTLED)),
    "owner__asked_again": (TO_OWNER, replace(ASKED, round=2)),
    "security__nobody_owns_it": (TO_SECURITY, replace(ASKED, question=replace(QUESTION, people=()))),
    "security__escalated": (TO_SECURITY, replace(ASKED, escalated_at=AT + timedelta(days=14))),
    "security__wish": (TO_SECURITY, PROPOSED),
    "security__wish_refused": (TO_SECURITY, replace(ASKED, answers=(KEEP, REFUSE))),
    "security__retiring_application": (
        TO_SECURITY,
        replace(
            ASKED,
            question=replace(QUESTION, about=replace(ABOUT, kind=ObjectKind.APPLICATION)),
            stage=Stage.RETIRING,
            answers=(RETIRE,),
        ),
    ),
}


def owner_card(spec: CopySpec, attestation: Attestation) -> Card:
    """The card of one copy."""
    return attestation_card(attestation, spec, TOKEN, LINK)


def poisoned_attestation(attestation: Attestation, text: str) -> Attestation:
    """The attestation with the text in every field that somebody outside Tether can write."""
    somebody = replace(MARY, name=text)
    about = replace(attestation.question.about, name=text, app_id=text)
    evidence = tuple(
        replace(one, about=replace(about, key_id=text), says=text, facts=((text, text), ("last used", text)), fix=text)
        for one in attestation.question.evidence
    )
    grants = tuple(replace(one, identity=text, group=text, connections=(text, text)) for one in (GRANT, NEVER))
    question = replace(
        attestation.question,
        about=about,
        evidence=evidence,
        people=(somebody,) if attestation.question.people else (),
        unused=grants if attestation.question.unused else (),
    )
    answers = tuple(replace(one, by=replace(one.by, name=text), reason=text) for one in attestation.answers)
    taken = grants if attestation.taken else ()
    return replace(attestation, question=question, answers=answers, taken=taken)

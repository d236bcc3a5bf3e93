"""Who sees the card of an attestation, what it may be answered with, and which calls it shows."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain.approval import Person
from shared.domain.card_copy import Audience, CopySpec, Place, PlaceKind
from shared.domain.posture.attestation import Attestation, Question, Reply, Stage, UnusedGrant
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity
from shared.domain.posture.owner_cards import answers_on, digest_copy, evidence_digest, is_outdated, wanted_copies
from shared.domain.posture.retirement import lasting_steps, retire_steps

AT = datetime(2026, 3, 2, 6, tzinfo=UTC)
CHANNEL = "19:posture@thread.tacv2"
APP = About(ObjectKind.APPLICATION, "aaaaaaaa-0000-4000-8000-000000000001", "payroll", "", "app-1")
STALE = Finding("A1", APP, Severity.HIGH, "Nobody has used it for a long time.", facts=(("days unused", "201"),))
OWNERS = (Person("ada", "Ada"), Person("ben", "Ben"))
QUESTION = Question(APP, (STALE,), OWNERS)
ASKED = Attestation(QUESTION.attestation_id, QUESTION, AT, "20260302T060000Z")


def places(attestation: Attestation) -> list[str]:
    return [copy.place.id for copy in wanted_copies(attestation, CHANNEL)]


def test_owners_are_asked_and_nobody_else() -> None:
    assert places(ASKED) == ["ada", "ben"]


@pytest.mark.parametrize(
    "change",
    [{"escalated_at": AT}, {"stage": Stage.PROPOSED}, {"stage": Stage.RETIRING}],
    ids=["silence", "a wish to keep it", "retirement"],
)
def test_security_team_sees_what_owners_cannot_settle_alone(change: dict[str, object]) -> None:
    assert places(replace(ASKED, **change)) == ["ada", "ben", CHANNEL]  # type: ignore[arg-type]  # fields of it


def test_security_team_is_asked_at_once_where_nobody_answers_for_it() -> None:
    assert places(replace(ASKED, question=replace(QUESTION, people=()))) == [CHANNEL]


def test_nobody_is_asked_in_a_channel_that_does_not_exist() -> None:
    assert wanted_copies(replace(ASKED, escalated_at=AT), "") == wanted_copies(ASKED, "")


def test_a_sponsor_group_of_everybody_does_not_get_a_card_each() -> None:
    crowd = tuple(Person(str(number), "") for number in range(500))

    assert len(places(replace(ASKED, question=replace(QUESTION, people=crowd)))) == 20


def test_reminder_is_one_more_copy_for_each() -> None:
    specs = wanted_copies(replace(ASKED, reminded_at=AT, round=3), CHANNEL)

    assert [(spec.place.id, spec.number) for spec in specs] == [("ada", 3), ("ben", 3), ("ada", -3), ("ben", -3)]


@pytest.mark.parametrize(("number", "outdated"), [(2, False), (-2, False), (1, True), (-1, True)])
def test_card_of_an_earlier_round_is_outdated(number: int, outdated: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    spec = CopySpec(Audience.OWNER, Place(PlaceKind.PERSON, "ada"), number)

    assert is_outdated(spec, replace(ASKED, round=2)) is outdated


def test_wish_of_an_owner_is_answered_in_the_channel_only() -> None:
    owner = CopySpec(Audience.OWNER, Place(PlaceKind.PERSON, "ada"), 1)
    security = CopySpec(Audience.OWNER, Place(PlaceKind.CHANNEL, CHANNEL), 1)

    assert answers_on(owner) == answers_on(digest_copy(CHANNEL)) == (Reply.KEEP, Reply.SHRINK, Reply.RETIRE)
    assert set(answers_on(security)) == set(Reply)
    assert answers_on(CopySpec(Audience.APPROVERS, security.place)) == ()


@pytest.mark.parametrize(
    "changed",
    [
        replace(QUESTION, evidence=(replace(STALE, severity=Severity.CRITICAL),)),
        replace(QUESTION, evidence=(replace(STALE, facts=(("days unused", "202"),)),)),
        replace(QUESTION, unused=(UnusedGrant("user/x", "dev", ("pg1",)),)),
        replace(QUESTION, is_tier_0=True),
    ],
)
def test_token_stands_for_what_was_shown(changed: Question) -> None:
    assert evidence_digest(changed) != evidence_digest(QUESTION)
    assert evidence_digest(replace(QUESTION, people=())) == evidence_digest(QUESTION)


@pytest.mark.parametrize(
    ("kind", "first", "back"),
    [
        (ObjectKind.APPLICATION, 'PATCH /applications/a%2Fb {"isDisabled": true}', '{"isDisabled": false}'),
        (ObjectKind.SERVICE_PRINCIPAL, 'PATCH /servicePrincipals/a%2Fb {"accountEnabled": false}', "true}"),
        (ObjectKind.AGENT_IDENTITY, 'PATCH /servicePrincipals/a%2Fb {"accountEnabled": false}', "true}"),
    ],
)
def test_retirement_switches_off_before_it_deletes_and_says_how_to_take_each_back(
    kind: ObjectKind, first: str, back: str
) -> None:
    steps = retire_steps(replace(APP, kind=kind, object_id="a/b"))

    assert steps[0].call == first
    assert steps[1].call.endswith(back)
    assert [step.call.split(" ")[0] for step in steps] == ["PATCH", "PATCH", "DELETE", "POST"]
    assert steps[3].call == "POST /directory/deletedItems/a%2Fb/restore"


def test_person_is_switched_off_and_never_deleted() -> None:
    steps = retire_steps(replace(APP, kind=ObjectKind.GATEWAY_IDENTITY))

    assert [step.call.partition(" ")[0] for step in steps] == ["PATCH", "PATCH"]
    assert all(step.call.startswith(f"PATCH /users/{APP.object_id}") for step in steps)


def test_identity_that_only_the_gateway_knows_is_taken_away_there() -> None:
    (step,) = retire_steps(replace(APP, kind=ObjectKind.GATEWAY_IDENTITY, object_id="api-key/nightly"))

    assert "at the gateway" in step.call


def test_group_is_taken_away_in_entra_once_for_each_member() -> None:
    grant = UnusedGrant("user/x", "dev", ("pg1",), principal_id="ada", entra_groups=("group-1",))

    steps = lasting_steps([grant, replace(grant, identity="service-account/x"), replace(grant, entra_groups=())])

    assert [step.call for step in steps] == [
        "DELETE /groups/group-1/members/ada/$ref",
        'POST /groups/group-1/members/$ref with the address of /directoryObjects/ada as "@odata.id"',
    ]

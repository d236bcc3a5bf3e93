"""Whose word counts about an identity, what it leads to, and what silence leads to: case by case, and always."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.approval import Person
from shared.domain.card_copy import Place, PlaceKind
from shared.domain.posture.attestation import (
    Answered,
    Attestation,
    Due,
    Question,
    Reply,
    Role,
    Stage,
    UnusedGrant,
    ask,
    due,
    reminder_copies,
    rests,
    settle,
)
from shared.domain.posture.exceptions import Acceptance, Tier
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity
from shared.domain.posture.reply import acceptances, consider, is_repeated
from shared.domain.posture.rules import OwnerRules
from shared.errors import AlreadyDecidedError, RejectedError

AT = datetime(2027, 1, 4, 9, tzinfo=UTC)
RULES = OwnerRules()
ADA, BEN, MARY = Person("ada", "Ada"), Person("ben", "Ben"), Person("mary", "Mary")
ABOUT = About(ObjectKind.APPLICATION, "app", "crm")
UNUSED_APP = Finding("A1", ABOUT, Severity.HIGH, "Nobody uses it.")
NEVER_OPENED = Finding("G3", replace(ABOUT, key_id="pg"), Severity.MEDIUM, "It was never opened.")
GRANT = UnusedGrant("user/ada", "dev", ("pg",))
QUESTION = Question(ABOUT, (UNUSED_APP, NEVER_OPENED), (ADA,), unused=(GRANT,), owners=frozenset({"ada", "guest"}))
ASKED = Attestation(QUESTION.attestation_id, QUESTION, AT, "report-1")


def days(count: float) -> datetime:
    return AT + timedelta(days=count)


def owner(reply: Reply, reason: str = "Year end", until: datetime | None = None, day: float = 1) -> Answered:
    return Answered(reply, ADA, days(day), reason, until, Role.OWNER)


def approver(reply: Reply, reason: str = "Agreed", until: datetime | None = None, day: float = 2) -> Answered:
    return Answered(reply, MARY, days(day), reason, until, Role.APPROVER)


PROPOSED = consider(ASKED, owner(Reply.KEEP, until=days(31)))


class TestOwner:
    def test_keep_is_a_wish_that_somebody_else_has_to_accept(self) -> None:
        assert PROPOSED.stage is Stage.PROPOSED
        assert PROPOSED.stage.is_open
        assert PROPOSED.kept_until == days(31)
        assert acceptances(ASKED, owner(Reply.KEEP)) == ()

    @pytest.mark.parametrize(("tier_0", "longest"), [(False, 90), (True, 30)])
    def test_keep_without_an_end_lasts_as_long_as_the_tier_allows(self, tier_0: bool, longest: int) -> None:  # noqa: FBT001 - a parameter of pytest
        asked = replace(ASKED, question=replace(QUESTION, is_tier_0=tier_0))

        assert consider(asked, owner(Reply.KEEP)).kept_until == days(1 + longest)

    @pytest.mark.parametrize(
        ("answered", "reason"),
        [
            (owner(Reply.KEEP, " "), "reason-missing"),
            (owner(Reply.KEEP, until=days(91.1)), "acceptance-too-long"),
            (owner(Reply.KEEP, until=days(1)), "acceptance-without-time"),
            (owner(Reply.ACCEPT), "approver-is-owner"),
            (owner(Reply.REFUSE), "approver-is-owner"),
            (replace(owner(Reply.KEEP), role=Role.NOBODY), "not-asked"),
            (approver(Reply.ACCEPT), "nothing-proposed"),
            (approver(Reply.REFUSE), "nothing-proposed"),
            (approver(Reply.KEEP, ""), "reason-missing"),
            (approver(Reply.KEEP, until=days(93)), "acceptance-too-long"),
        ],
    )
    def test_answer_that_is_not_theirs_or_not_whole_is_refused(self, answered: Answered, reason: str) -> None:
        with pytest.raises(RejectedError, match=reason):
            consider(ASKED, answered)

    @pytest.mark.parametrize("by", [owner, approver])
    def test_shrink_and_retire_need_nobody_else(self, by: Callable[[Reply], Answered]) -> None:
        assert consider(ASKED, by(Reply.SHRINK)).stage is Stage.SHRUNK
        assert consider(ASKED, by(Reply.RETIRE)).stage is Stage.RETIRING

    def test_nothing_can_be_shrunk_where_everything_is_used(self) -> None:
        with pytest.raises(RejectedError, match="nothing-to-shrink"):
            consider(replace(ASKED, question=replace(QUESTION, unused=())), owner(Reply.SHRINK))

    def test_owner_may_think_better_of_a_wish(self) -> None:
        assert consider(PROPOSED, owner(Reply.RETIRE, day=3)).stage is Stage.RETIRING


class TestApprover:
    def test_accepted_wish_excepts_every_finding_on_the_owners_terms(self) -> None:
        after = consider(PROPOSED, approver(Reply.ACCEPT))
        excepted = acceptances(PROPOSED, approver(Reply.ACCEPT))

        assert after.stage is Stage.KEPT
        assert [one.finding_id for one in excepted] == [UNUSED_APP.finding_id, NEVER_OPENED.finding_id]
        assert {(one.reason, one.by, one.accepted_at, one.expires_at) for one in excepted} == {
            ("Year end", MARY, days(2), days(31))
        }

    def test_wish_that_ended_before_anybody_accepted_it_cannot_be_accepted(self) -> None:
        with pytest.raises(RejectedError, match="acceptance-without-time"):
            consider(PROPOSED, approver(Reply.ACCEPT, day=31))

    def test_keep_by_an_approver_excepts_at_once(self) -> None:
        answered = approver(Reply.KEEP, until=days(20))

        assert consider(ASKED, answered).stage is Stage.KEPT
        assert {one.expires_at for one in acceptances(ASKED, answered)} == {days(20)}

    def test_refused_wish_is_asked_again_and_counts_from_then(self) -> None:
        refused = consider(replace(PROPOSED, reminded_at=days(1)), approver(Reply.REFUSE, "Too risky"))

        assert refused.stage is Stage.ASKED
        assert refused.waits_since == days(2)
        assert refused.reminded_at is None

    def test_refusal_without_a_reason_is_refused(self) -> None:
        with pytest.raises(RejectedError, match="reason-missing"):
            consider(PROPOSED, approver(Reply.REFUSE, " "))

    def test_nobody_accepts_while_owners_are_unknown(self) -> None:
        unknown = replace(ASKED, question=replace(QUESTION, owners=None))

        with pytest.raises(RejectedError, match="owners-unknown"):
            consider(unknown, approver(Reply.KEEP))
        assert consider(unknown, approver(Reply.RETIRE)).stage is Stage.RETIRING

    def test_who_proposed_it_accepts_nothing_even_when_no_owner_any_more(self) -> None:
        with pytest.raises(RejectedError, match="approver-is-owner"):
            consider(replace(PROPOSED, question=replace(QUESTION, people=(), owners=frozenset())), mary_as_ada())


def mary_as_ada() -> Answered:
    return replace(approver(Reply.ACCEPT), by=ADA)


class TestRounds:
    def test_first_question_is_asked(self) -> None:
        asked = ask(QUESTION, "report-1", AT, None, RULES)

        assert asked == ASKED

    def test_open_question_is_not_asked_again(self) -> None:
        assert ask(QUESTION, "report-2", days(7), ASKED, RULES) is None
        assert ask(QUESTION, "report-2", days(7), PROPOSED, RULES) is None

    def test_same_report_asks_once(self) -> None:
        settled = settle(ASKED)

        assert ask(QUESTION, "report-1", days(7), settled, RULES) is None

    def test_next_round_keeps_the_row_and_its_evidence_and_forgets_the_answers(self) -> None:
        kept = replace(consider(ASKED, approver(Reply.KEEP)), version="7", escalated_at=days(1))

        asked = ask(QUESTION, "report-9", days(100), kept, RULES)

        assert asked == replace(ASKED, asked_at=days(100), report_id="report-9", round=2, version="7")

    @pytest.mark.parametrize("reply", [Reply.SHRINK, Reply.RETIRE])
    def test_who_said_what_is_to_be_done_has_two_weeks_to_do_it(self, reply: Reply) -> None:
        answered = consider(ASKED, owner(reply))

        assert rests(answered, days(14.9), RULES)
        assert not rests(answered, days(15), RULES)

    def test_question_whose_answer_is_underway_rests(self) -> None:
        assert rests(replace(ASKED, underway=owner(Reply.RETIRE)), days(100), RULES)

    def test_settled_is_what_was_open(self) -> None:
        kept = consider(ASKED, approver(Reply.KEEP))

        assert settle(ASKED).stage is Stage.SETTLED
        assert settle(kept) == kept


class TestSilence:
    @pytest.mark.parametrize(("day", "expected"), [(6.9, None), (7, Due.REMINDER), (14, Due.ESCALATION)])
    def test_silence_leads_to_a_reminder_and_then_to_security(self, day: float, expected: Due | None) -> None:
        assert due(ASKED, RULES, days(day)) is expected

    def test_reminder_is_due_once(self) -> None:
        assert due(replace(ASKED, reminded_at=days(7)), RULES, days(13)) is None

    @pytest.mark.parametrize(
        "attestation",
        [
            replace(ASKED, escalated_at=days(14)),
            replace(ASKED, question=replace(QUESTION, people=())),
            replace(ASKED, underway=owner(Reply.RETIRE)),
            PROPOSED,
            consider(ASKED, owner(Reply.RETIRE)),
        ],
        ids=["escalated", "nobody-to-ask", "underway", "proposed", "answered"],
    )
    def test_nothing_is_due_where_owners_are_not_waited_for(self, attestation: Attestation) -> None:
        assert due(attestation, RULES, days(50)) is None

    def test_reminder_is_another_card_in_the_same_chat(self) -> None:
        (copy,) = reminder_copies(replace(ASKED, round=3))

        assert (copy.place, copy.number) == (Place(PlaceKind.PERSON, "ada"), -3)


class TestRepetition:
    def test_same_words_of_the_same_person_are_a_repetition(self) -> None:
        assert is_repeated(PROPOSED, owner(Reply.KEEP, until=days(31), day=3))
        assert not is_repeated(PROPOSED, owner(Reply.KEEP, "Longer", until=days(31), day=3))
        assert not is_repeated(PROPOSED, replace(owner(Reply.KEEP, until=days(31)), by=BEN))

    def test_last_word_on_a_closed_question_stands_whatever_its_reason(self) -> None:
        assert is_repeated(consider(ASKED, owner(Reply.RETIRE)), owner(Reply.RETIRE, "Other words"))


# --- what always holds --------------------------------------------------------------------------------------------

people = st.sampled_from([("ada", Role.OWNER), ("guest", Role.OWNER), ("mary", Role.APPROVER), ("eve", Role.NOBODY)])
untils = st.one_of(st.none(), st.floats(-10, 400, allow_nan=False))
said = st.lists(
    st.tuples(st.sampled_from(Reply), people, st.sampled_from(["", "because"]), untils, st.floats(0, 20)), max_size=8
)
questions = st.builds(
    replace,
    st.just(QUESTION),
    is_tier_0=st.booleans(),
    people=st.sampled_from([(), (ADA,)]),
    owners=st.sampled_from([None, frozenset({"ada", "guest"})]),
)


@given(questions, said)
def test_no_sequence_of_answers_lets_an_owner_except_anything_or_except_for_longer_than_allowed(
    question: Question, answers: list[tuple[Reply, tuple[str, Role], str, float | None, float]]
) -> None:
    attestation, at = replace(ASKED, question=question), AT
    longest = (Tier.TIER_0 if question.is_tier_0 else Tier.OTHER).value
    for reply, (who, role), reason, until, later in answers:
        at += timedelta(days=later)
        end = None if until is None else at + timedelta(days=until)
        answered = Answered(reply, Person(who, who), at, reason, end, role)
        before = attestation
        if not before.stage.is_open:
            with pytest.raises(AlreadyDecidedError):
                consider(before, answered)
            continue
        try:
            attestation = consider(before, answered)
        except RejectedError:
            continue
        excepted = acceptances(before, answered)
        assert bool(excepted) == (attestation.stage is Stage.KEPT)
        for one in excepted:
            assert one.by.principal_id == "mary"
            assert question.owners is not None
            assert at < one.expires_at <= at + longest
            assert one.reason
            check_covers_nothing_worse(one, question)


def check_covers_nothing_worse(one: Acceptance, question: Question) -> None:
    (finding,) = (each for each in question.evidence if each.finding_id == one.finding_id)
    assert one.covers(finding, one.accepted_at, question.tier)
    assert not one.covers(replace(finding, severity=Severity.CRITICAL), one.accepted_at, question.tier)
    assert not one.covers(finding, one.expires_at, question.tier)
    assert not one.covers(finding, one.accepted_at + Tier.TIER_0.value, Tier.TIER_0)


@given(said)
def test_only_an_approver_ends_in_kept_and_whoever_answers_a_closed_question_is_too_late(
    answers: list[tuple[Reply, tuple[str, Role], str, float | None, float]],
) -> None:
    attestation = ASKED
    for reply, (who, role), reason, _, later in answers:
        try:
            attestation = consider(attestation, Answered(reply, Person(who, who), days(later), reason, None, role))
        except (RejectedError, AlreadyDecidedError):
            continue
    if attestation.stage is Stage.KEPT:
        assert attestation.last_answer
        assert attestation.last_answer.role is Role.APPROVER

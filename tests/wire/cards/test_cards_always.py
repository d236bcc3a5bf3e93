"""Whatever a request holds, its card is small enough, valid JSON, and free of what cannot be seen."""

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.approval import Approval, ApprovalState, Choice, Outcome, PastDecision, Person, Requester, Vote
from shared.domain.gateway import ReviewType
from shared.domain.principals import AccountState, PrincipalKind
from shared.wire.cards import Card, activity, decided_card, headline, request_card, requester_card, security_card
from shared.wire.cards.characters import visible
from shared.wire.cards.fit import MOST_BYTES, size
from tests.wire.cards.samples import LINK, NOW, TOKEN, WAITING

MOST_OF_A_MESSAGE = 80_000
SIGNS = ["x", "{", "$", '"', "\\", "\n", " ", "\u202e", "\u0301", "\u05d0", "\U0001f469", "\u200d", "\U0001f1e9", "漢"]

JOINING = ["\u200c", "\ufe0f", "\ufe0e", "\U0001f3fd", "\u0639", "\u094d", "\u0915", "\x1f", "\u0323"]

repeated = st.builds(lambda signs, times: "".join(signs) * times, st.lists(st.sampled_from(SIGNS)), st.integers(1, 900))
texts = st.text(st.characters(codec=None), max_size=200) | repeated
people = st.lists(st.builds(Person, texts, texts), max_size=12).map(tuple)
groups = st.lists(texts, max_size=12).map(tuple)
votes = st.lists(
    st.builds(Vote, st.builds(Person, texts, texts), st.sampled_from(Choice), st.just(NOW), groups, texts, texts),
    max_size=8,
).map(tuple)
requesters = st.builds(
    Requester,
    texts,
    texts,
    texts,
    st.none() | texts,
    st.sampled_from(PrincipalKind),
    st.sampled_from(AccountState),
    st.booleans(),
    people,
    people,
    st.lists(st.builds(PastDecision, st.just(NOW), texts, st.sampled_from(ApprovalState)), max_size=5).map(tuple),
)
approvals = st.builds(
    Approval,
    st.just(WAITING.review_id),
    st.just(WAITING.session_id),
    st.sampled_from(ReviewType),
    texts,
    st.timedeltas(timedelta(0), timedelta(days=2)),
    requesters,
    groups,
    st.integers(0, 5),
    st.just(NOW),
    st.just(NOW),
    excerpt=texts,
    input_size=st.integers(0, 10**9),
    input_digest=st.just("ab" * 32),
    answered=groups,
    unasked=groups,
    votes=votes,
    unconfirmed=votes,
    stuck=st.booleans(),
    escalated=st.booleans(),
)
outcomes = st.builds(
    Outcome,
    st.sampled_from([state for state in ApprovalState if state is not ApprovalState.PENDING]),
    st.just(NOW),
    groups,
    texts,
    st.sampled_from(["teams", "gateway", "tether"]),
    st.booleans(),
    st.none() | st.just(NOW),
)
thoroughly = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def assert_fits(card: Card, approval: Approval) -> None:
    face = activity(card, headline(approval)).activity
    assert size(card) <= MOST_BYTES
    assert len(face.encode("utf-16-le")) < MOST_OF_A_MESSAGE
    assert json.loads(face)["attachments"][0]["content"] == card


@given(approvals)
@thoroughly
def test_waiting_card_is_small_enough(approval: Approval) -> None:
    assert_fits(request_card(approval, TOKEN, LINK, break_glass=True), approval)
    assert_fits(security_card(approval, LINK), approval)


@given(approvals, outcomes)
@thoroughly
def test_card_after_the_end_is_small_enough(approval: Approval, outcome: Outcome) -> None:
    ended = replace(approval.closed(outcome), ended_at=NOW)

    for card in (decided_card(ended, LINK), requester_card(ended, TOKEN, LINK), security_card(ended, LINK)):
        assert_fits(card, ended)


@given(texts | st.text(st.sampled_from([*SIGNS, *JOINING]), max_size=12))
@settings(max_examples=400)
def test_what_can_be_seen_stays_when_it_is_looked_at_again(text: str) -> None:
    seen, _ = visible(text)

    again, hidden = visible(seen)

    assert (again, hidden) == (seen, 0)

"""What became of a request: read from the gateway's and Teams' logs, whatever the moments at which they were read."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.door.events import GatewayEvent, Json, TeamsEvent
from sandbox.door.hoop import differences
from sandbox.door.review_wording import NOBODY_ANSWERED, question, said, standing
from sandbox.door.reviews import Review, Reviews, Step
from sandbox.door.routes import Route, routes_of
from sandbox.door.teams import Card, TeamsWorld
from shared.handlers import look_at_review, reject_review

ALAN, ADA, ROOT, GRACE = "Alan", "Ada", "Root", "Grace"
IN_APPROVALS, IN_SECURITY, AT_GRACE = "m-1", "m-2", "m-3"
WORLD = TeamsWorld(
    {
        IN_APPROVALS: Card("r-1", "19:1", "approvals", is_channel=True),
        IN_SECURITY: Card("r-1", "19:2", "security", is_channel=True),
        AT_GRACE: Card("r-1", "a:3", GRACE, is_channel=False),
    },
    told={(IN_APPROVALS, ADA): ["it is your agent", "it still is"]},
)
TETHERS_KEY = "teams-approvals:dba-approvers"


def asked(at: float, type_: str = "jit") -> GatewayEvent:
    detail = {"review_id": "r-1", "session_id": "s-1", "type": type_}
    return GatewayEvent(0, at, "review-created", "sub-grace", "vault-db", detail)


def changed(at: float, after: str, before: str = "PENDING", by: str = TETHERS_KEY) -> GatewayEvent:
    detail = {"review_id": "r-1", "session_id": "s-1", "before": before, "after": after, "by": by}
    return GatewayEvent(0, at, "review-changed", "sub-grace", "vault-db", detail)


def session(at: float, verb: str, reason: str = "") -> GatewayEvent:
    return GatewayEvent(
        0, at, f"session-{verb}", "sub-grace", "vault-db", {"session_id": "s-1", "reason": reason, "released": True}
    )


def posted(at: float, activity: str = IN_APPROVALS) -> TeamsEvent:
    return TeamsEvent(0, at, "posted", activity)


def updated(at: float, activity: str = IN_APPROVALS) -> TeamsEvent:
    return TeamsEvent(0, at, "updated", activity)


def clicked(at: float, person: str, verb: str = "approve", activity: str = IN_APPROVALS) -> TeamsEvent:
    return TeamsEvent(0, at, "clicked", activity, person, verb)


def shown(at: float, person: str, what: str = "card", activity: str = IN_APPROVALS) -> TeamsEvent:
    return TeamsEvent(0, at, "shown", activity, person, shown=what)


def seen(*events: GatewayEvent | TeamsEvent) -> Review:
    reviews = Reviews()
    look(reviews, events)
    return reviews.all["r-1"]


def look(reviews: Reviews, events: Sequence[GatewayEvent | TeamsEvent]) -> None:
    at_gateway = [event for event in events if isinstance(event, GatewayEvent)]
    reviews.observe(at_gateway, [event for event in events if isinstance(event, TeamsEvent)], WORLD)


def told(review: Review, reason: str = "") -> list[tuple[str, int | None]]:
    """Each step in words, with its milliseconds."""
    return [(said(step, _name, reason), _ms(step)) for step in review.steps]


def _name(step: Step) -> str:
    return step.who


def _ms(step: Step) -> int | None:
    return None if step.took is None else round(step.took * 1000)


APPROVED = (
    asked(1.0),
    posted(1.3),
    clicked(5.0, ALAN),
    changed(5.05, "APPROVED"),
    session(5.051, "opened"),
    shown(5.1, ALAN),
    updated(5.2),
    posted(5.3, AT_GRACE),
)


def test_approved_request_tells_of_its_card_its_click_its_session_and_who_was_told() -> None:
    review = seen(*APPROVED)

    assert told(review) == [
        ("card posted to #approvals", 300),
        ("approved by Alan in Teams", 50),
        ("session opened", 51),
        ("1 card updated", 150),
        ("Grace told in Teams", 250),
    ]
    assert standing(review, "") == "approved"


def test_refused_click_says_what_teams_told_the_person_each_time() -> None:
    review = seen(
        asked(1.0),
        clicked(2.0, ADA),
        shown(2.1, ADA, "message"),
        clicked(3.0, ADA),
        shown(3.2, ADA, "message"),
    )

    assert told(review) == [
        ("Ada clicked Approve, refused: it is your agent", 100),
        ("Ada clicked Approve, refused: it still is", 200),
    ]
    assert standing(review, "") == "waiting"


def test_click_without_an_answer_is_not_taken_for_a_refusal() -> None:
    review = seen(asked(1.0), clicked(2.0, ALAN), shown(2.5, ALAN, "error"))

    assert told(review) == [("Alan clicked Approve, and Teams got no answer", 500)]


def test_vote_that_is_not_enough_is_told_before_the_one_that_decides() -> None:
    review = seen(
        asked(1.0),
        posted(1.2),
        posted(1.25, IN_SECURITY),
        clicked(2.0, ALAN),
        shown(2.1, ALAN),
        clicked(3.0, ROOT, activity=IN_SECURITY),
        changed(3.05, "PENDING"),
        changed(3.06, "APPROVED"),
        shown(3.1, ROOT, activity=IN_SECURITY),
    )

    assert told(review) == [
        ("card posted to #approvals and #security", 200),
        ("Alan approved in Teams", 100),
        ("approved by Root in Teams", 60),
    ]


def test_channels_are_named_before_people() -> None:
    review = seen(asked(1.0), posted(1.2, AT_GRACE), posted(1.25, IN_SECURITY), posted(1.3))

    assert told(review) == [("card posted to #approvals, #security and Grace", 200)]


def test_vote_that_was_seen_before_the_gateway_obeyed_is_told_once() -> None:
    review = seen(asked(1.0), clicked(2.0, ALAN), shown(2.1, ALAN), changed(12.0, "APPROVED"))

    assert told(review) == [("approved by Alan in Teams", 10_000)]


def test_denial_is_told_with_its_reason() -> None:
    review = seen(asked(1.0), clicked(2.0, ALAN, "deny"), changed(2.05, "REJECTED"), session(2.06, "closed"))

    assert told(review, "not today") == [("denied by Alan in Teams: not today", 50)]
    assert standing(review, "not today") == "denied"


def test_denial_in_teams_is_nobodys_effect_in_entra_and_a_rejection_by_tether_may_be() -> None:
    denied, rejected = Reviews(), Reviews()
    effects = [changed(2.05, "REJECTED"), session(2.06, "closed", "review rejected")]
    look(denied, [asked(1.0), clicked(2.0, ALAN, "deny"), *effects])
    look(rejected, [asked(1.0), *effects])

    assert [denied.is_answer_of_a_person(event) for event in effects] == [True, True]
    assert [rejected.is_answer_of_a_person(event) for event in effects] == [False, False]


def test_denial_after_a_refused_approval_is_the_denial_of_who_clicked_deny() -> None:
    review = seen(
        asked(1.0), clicked(1.5, ADA), shown(1.6, ADA, "message"), clicked(2.0, ALAN, "deny"), changed(2.05, "REJECTED")
    )

    assert told(review)[-1] == ("denied by Alan in Teams", 50)


def test_break_glass_is_told_as_such() -> None:
    review = seen(asked(1.0), clicked(2.0, ROOT, "break-glass"), changed(2.05, "APPROVED"))

    assert told(review) == [("approved by Root in Teams, breaking the glass", 50)]
    assert standing(review, "") == "forced"


@pytest.mark.parametrize(
    ("why", "word"),
    [(look_at_review.EXPIRED, "expired"), (reject_review.LEFT, "withdrawn"), ("no longer a member", "withdrawn")],
)
def test_rejection_of_tether_itself_is_no_denial(why: str, word: str) -> None:
    review = seen(asked(1.0), changed(9.0, "REJECTED", by="tether"))

    assert told(review, f"Tether: {why}") == [(f"rejected by Tether: {why}", None)]
    assert standing(review, f"Tether: {why}") == word


def test_expiry_is_known_by_the_words_that_the_app_uses() -> None:
    assert look_at_review.EXPIRED == NOBODY_ANSWERED


def test_answer_given_elsewhere_names_who_the_gateway_names() -> None:
    review = seen(asked(1.0), posted(1.2), changed(2.0, "APPROVED", by="Root"))

    assert told(review)[-1] == ("approved by Root at the gateway", None)


def test_vote_given_elsewhere_is_told_too() -> None:
    review = seen(asked(1.0), changed(2.0, "PENDING", by="Root"))

    assert told(review) == [("Root approved at the gateway", None)]


def test_client_that_hangs_up_while_it_waits_is_told_and_nothing_is_awaited_any_more() -> None:
    review = seen(asked(1.0), session(2.0, "closed", "client disconnected"))

    assert told(review) == [("the client hung up", None)]
    assert review.hung_up


def test_grant_that_is_given_back_names_who_did() -> None:
    review = seen(
        *APPROVED,
        clicked(9.0, GRACE, "done", AT_GRACE),
        changed(9.1, "REVOKED", before="APPROVED", by="tether"),
        session(9.2, "closed", "killed"),
    )

    assert told(review)[-2:] == [("Grace gave it back", 100), ("session ended: killed", None)]


def test_card_that_is_posted_again_much_later_is_a_reminder() -> None:
    review = seen(asked(1.0), posted(1.2), posted(900.0))

    assert told(review) == [("card posted to #approvals", 200), ("asked again in #approvals", None)]


def test_each_card_counts_once_however_often_it_is_updated() -> None:
    review = seen(*APPROVED, updated(6.0), updated(6.5), updated(7.05, IN_SECURITY))

    assert ("2 cards updated", 2000) in told(review)


def test_card_that_is_heard_of_before_its_review_is_kept() -> None:
    reviews = Reviews()
    look(reviews, [posted(1.3)])

    look(reviews, [asked(1.0)])
    look(reviews, [])

    assert told(reviews.all["r-1"]) == [("card posted to #approvals", 300)]


def test_message_that_is_about_no_review_is_nobodys_step() -> None:
    assert told(seen(asked(1.0), posted(1.1, "m-9"), clicked(1.2, ALAN, activity="m-9"))) == []


def test_reset_of_the_gateway_forgets_every_request() -> None:
    reviews = Reviews()
    look(reviews, APPROVED)

    look(reviews, [GatewayEvent(0, 6.0, "reset")])

    assert reviews.all == {}


@given(st.lists(st.integers(0, len(APPROVED)), max_size=4))
def test_request_reads_the_same_however_its_events_are_split_into_looks(cuts: list[int]) -> None:
    reviews = Reviews()
    edges = [0, *sorted(cuts), len(APPROVED)]

    for start, end in pairwise(edges):
        look(reviews, APPROVED[start:end])

    assert told(reviews.all["r-1"]) == told(seen(*APPROVED))


def test_command_is_asked_for_as_one() -> None:
    assert question(seen(asked(1.0, "onetime")), "Grace") == "Grace asked to run a command on vault-db"
    assert question(seen(asked(1.0)), "Grace") == "Grace asked for vault-db"


def test_real_gateways_reviews_are_differences_between_two_looks() -> None:
    review: Json = {
        "id": "r-1",
        "session": "s-1",
        "type": "jit",
        "status": "PENDING",
        "created_at": "2026-01-01T00:00:01Z",
        "owner": "sub-grace",
        "connection": "vault-db",
        "review_groups_data": None,
    }
    voted: Json = {"status": "APPROVED", "review_groups_data": [{"group": "dba", "reviewed_by": {"name": "Root"}}]}
    past = review | {"id": "r-0", "status": "EXECUTED"}

    first = differences(None, looked(review, past), 1.0)
    then = differences(looked(review, past), looked(review | voted, past), 2.0)

    assert [(event.kind, event.at, event.detail["review_id"]) for event in first] == [
        ("review-created", 1767225601.0, "r-1")
    ]
    assert [(event.kind, event.detail["after"], event.detail["by"]) for event in then] == [
        ("review-changed", "APPROVED", "Root")
    ]


def looked(*reviews: Json) -> Json:
    return {"users": [], "service_accounts": [], "streams": [], "ended": {}, "reviews": list(reviews)}


def test_routes_say_who_answers_and_where() -> None:
    document = {
        "channels": {"approvals": "19:1"},
        "routes": [
            {"reviewer-group": "dba", "approvers": "dba-people", "channel": "approvals"},
            {"reviewer-group": "0-1", "channel": "approvals"},
        ],
    }

    assert routes_of(document) == {
        "dba": Route("dba-people", "19:1", "approvals"),
        "0-1": Route("0-1", "19:1", "approvals"),
    }
    assert routes_of(None) == {}

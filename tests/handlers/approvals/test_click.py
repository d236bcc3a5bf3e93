"""One click of somebody entitled decides; everybody else is told why it did not count, and nothing happens."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.approval import ApprovalState
from shared.domain.card_copy import Audience, CopySpec, Place, PlaceKind
from shared.domain.card_token import Shown
from shared.domain.gateway import ReviewType
from shared.domain.identity_map import IdentityMap
from shared.domain.reviews import ReviewStatus
from shared.errors import RejectedError
from shared.handlers.receive_activity import receive_activity
from shared.wire.cards.sentences import sentence
from tests.fakes.entra import guid
from tests.fakes.reviews import Voter
from tests.fakes.worker import unreachable
from tests.handlers.approvals.scene import (
    COMMAND,
    DBA,
    LOUD,
    SECURITY,
    Scene,
    asking,
    card_in,
    check_agreement,
    is_card,
    set_scene,
    tokens_in,
    told,
    verbs_in,
)


async def asked(*groups: str, needed: int | None = None, **more: Any) -> Scene:  # noqa: ANN401 - as `Scene.ask`
    scene = await set_scene()
    await scene.ask(*groups, needed=needed, **more)
    return scene


def nothing_happened(scene: Scene) -> bool:
    pending = scene.at_the_gateway is ReviewStatus.PENDING and scene.approval.is_open
    return pending and not scene.approval.votes and not scene.effects


async def test_click_of_an_approver_is_obeyed_by_the_gateway_and_seen_by_everybody() -> None:
    scene = await asked("dba", "security", needed=1)

    answer = await scene.click("ada")
    await scene.world.settle()

    assert verbs_in(answer["value"]) == []
    assert (scene.at_the_gateway, scene.approval.state) == (ReviewStatus.APPROVED, ApprovalState.APPROVED)
    assert scene.effects == [("approve", "dba")]
    assert [verbs_in(card_in(scene.card_message(place))) for place in (DBA, SECURITY)] == [[], []]
    check_agreement(scene)


async def test_denial_is_obeyed_and_its_reason_goes_to_the_gateway() -> None:
    scene = await asked("dba", "security", needed=2)

    assert is_card(await scene.click("cleo", "deny", SECURITY, reason="use the replica"))

    shown = scene.world.reviews.shown(scene.review_id).review
    assert (shown.status, shown.rejection_reason) == (ReviewStatus.REJECTED, "use the replica")
    assert scene.approval.state is ApprovalState.DENIED


async def test_approvals_of_several_groups_are_sent_once_they_are_enough() -> None:
    scene = await asked("dba", "security", needed=2)

    first = await scene.click("ada")
    sent_after_the_first = list(scene.effects)
    await scene.click("cleo", place=SECURITY)
    await scene.after(30)

    assert "approve" in verbs_in(first["value"])
    assert sent_after_the_first == []
    assert sorted(scene.effects) == [("approve", "dba"), ("approve", "security")]
    assert scene.at_the_gateway is ReviewStatus.APPROVED
    check_agreement(scene)


async def test_person_in_both_groups_has_one_vote() -> None:
    scene = await asked("dba", "security", needed=2)
    await scene.click("dora")

    again = await scene.click("dora", place=SECURITY)

    assert is_card(again)
    assert len(scene.approval.votes) == 1
    assert scene.effects == []
    await scene.click("cleo", place=SECURITY)
    assert {vote.approver.name: vote.group for vote in scene.approval.votes} == {"dora": "dba", "cleo": "security"}


async def test_threshold_is_met_exactly_however_many_have_voted() -> None:
    scene = await asked("dba", "security", "ops", needed=2)

    for who in ("ada", "dora", "ben", "cleo"):
        await scene.click(who)

    assert scene.at_the_gateway is ReviewStatus.APPROVED
    assert len(scene.effects) == 2


@pytest.mark.parametrize("who", ["mallory", "cleo", "eve", "rita"])
@pytest.mark.parametrize("verb", ["approve", "deny"])
async def test_somebody_who_is_no_approver_of_the_group_is_told_so(who: str, verb: str) -> None:
    scene = await asked("dba")

    answer = await scene.click(who, verb, reason="please")

    assert told(answer) == sentence("not-an-approver")
    assert nothing_happened(scene)


async def test_empty_approver_group_means_nobody() -> None:
    scene = await asked("dba")
    scene.world.entra.truth.members[guid("dba-approvers")].clear()

    assert told(await scene.click("ada")) == sentence("not-an-approver")
    assert nothing_happened(scene)


async def test_approver_group_that_entra_does_not_know_means_nobody_and_security_hears_of_it() -> None:
    rules = asking()
    unknown = replace(rules.routes.routes[0], approvers="Nobody's group")
    scene = await set_scene(asking(unknown))
    await scene.ask("dba")

    assert told(await scene.click("ada")) == sentence("not-an-approver")
    assert scene.approval.unasked == ("dba",)
    assert scene.world.alerts.reasons["nobody-to-ask"] == 1


async def test_somebody_who_was_removed_from_the_group_a_moment_ago_is_no_approver() -> None:
    scene = await asked("dba")
    scene.world.entra.remove(guid("dba-approvers"), guid("ada"))

    assert told(await scene.click("ada")) == sentence("not-an-approver")
    assert nothing_happened(scene)


@pytest.mark.parametrize("end", ["disable", "delete"])
async def test_account_that_entra_has_shut_answers_nothing(end: str) -> None:
    scene = await asked("dba")
    getattr(scene.world.entra, end)(guid("ada"))

    answer = told(await scene.click("ada"))

    assert answer == sentence("approver-disabled")
    assert nothing_happened(scene)


async def test_somebody_whom_entra_never_heard_of_is_no_approver() -> None:
    scene = await asked("dba")

    assert told(await scene.click(guid("a stranger"))) == sentence("not-an-approver")


# --- nobody approves for themselves -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "group"), [("approve", "dba-approvers"), ("break-glass", "break-glass")])
async def test_own_request_is_refused_even_to_an_admin_in_every_group(verb: str, group: str) -> None:
    scene = await set_scene()
    scene.world.gateway.set_groups(scene.rita_at, "dev", "admin")
    scene.world.entra.truth.members[guid(group)].add(guid("rita"))
    await scene.ask("dba")

    assert told(await scene.click("rita", verb, reason="it is mine")) == sentence("own-request")
    assert nothing_happened(scene)


@pytest.mark.parametrize("part", ["sponsors", "owners"])
async def test_people_behind_an_agent_do_not_approve_for_it(part: str) -> None:
    scene = await set_scene()
    agent = scene.world.entra.service_principal("agent", blueprint_id="blueprint")
    getattr(scene.world.entra.truth, part)[agent] = [guid("ada")]
    await scene.ask("dba", by=scene.world.gateway.service_account(agent, "dev"))

    assert told(await scene.click("ada")) == sentence("own-request")
    assert nothing_happened(scene)
    assert is_card(await scene.click("ben"))


async def test_own_request_may_be_denied() -> None:
    scene = await set_scene()
    scene.world.entra.truth.members[guid("dba-approvers")].add(guid("rita"))
    await scene.ask("dba")

    assert is_card(await scene.click("rita", "deny", reason="a mistake"))
    assert scene.approval.state is ApprovalState.DENIED


@pytest.mark.parametrize("how", ["unknown", "ambiguous"])
async def test_request_of_somebody_unknown_can_be_denied_and_not_approved(how: str) -> None:
    scene = await set_scene()
    email = "twins@tether.example" if how == "ambiguous" else "ghost@elsewhere.example"
    if how == "ambiguous":
        scene.world.entra.user("twin-1", email)
        scene.world.entra.user("twin-2", email)
    await scene.ask("dba", by=scene.world.gateway.person(email, "dev"))

    assert told(await scene.click("ada")) == sentence("requester-unknown")
    assert told(await scene.click("eve", "break-glass", reason="now")) == sentence("requester-unknown")
    assert nothing_happened(scene)
    assert is_card(await scene.click("ada", "deny", reason="who are you"))


async def test_agent_of_the_operators_map_is_known_and_its_owner_cannot_approve() -> None:
    scene = await set_scene()
    agent = scene.world.entra.service_principal("mapped")
    scene.world.entra.truth.owners[agent] = [guid("ada")]
    ref = scene.world.gateway.service_account("typed-by-hand", "dev")
    scene.world.rules = replace(scene.world.rules, identity_map=IdentityMap(agents={agent: (ref,)}))
    await scene.ask("dba", by=ref)

    assert scene.approval.requester.principal_id == agent
    assert told(await scene.click("ada")) == sentence("own-request")


# --- break-glass ------------------------------------------------------------------------------------------------------


async def test_break_glass_forces_the_approval_and_is_loud() -> None:
    scene = await asked("dba", "security", needed=2)

    assert is_card(await scene.click("eve", "break-glass", reason="production is down"))
    await scene.world.settle()

    assert scene.effects == [("force", "break-glass")]
    assert scene.approval.outcome
    assert (scene.approval.outcome.by, scene.approval.outcome.reason) == (("eve",), "production is down")
    assert len(scene.cards_in(LOUD)) == 1
    assert scene.world.alerts.reasons["break-glass"] == 1
    check_agreement(scene)


@pytest.mark.parametrize(("who", "reason", "why"), [("ada", "now", "not-break-glass"), ("eve", " ", "reason-missing")])
async def test_break_glass_wants_its_own_group_and_a_reason(who: str, reason: str, why: str) -> None:
    scene = await asked("dba")

    assert told(await scene.click(who, "break-glass", reason=reason)) == sentence(why)
    assert nothing_happened(scene)


async def test_denial_wants_a_reason() -> None:
    scene = await asked("dba")

    assert told(await scene.click("ada", "deny")) == sentence("reason-missing")
    assert nothing_happened(scene)


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (None, "no-key"),
        (Voter("two", frozenset({"dba", "security"})), "reviewer-key-wrong"),
        (Voter("other", frozenset({"security"})), "reviewer-key-wrong"),
        (Voter("admin", frozenset({"dba"}), is_admin=True), "reviewer-key-wrong"),
    ],
    ids=["none", "of two groups", "of another group", "an admin's"],
)
async def test_vote_without_the_key_of_exactly_its_group_is_undone_and_told(key: Voter | None, why: str) -> None:
    scene = await asked("dba")
    del scene.world.reviews.keys["dba"]
    if key is not None:
        scene.world.reviews.keys["dba"] = key

    answer = await scene.click("ada")

    assert told(answer) == sentence(why)
    assert nothing_happened(scene)
    assert scene.story[-1] == "answer-undone"


# --- tokens -----------------------------------------------------------------------------------------------------------


async def test_forged_token_opens_nothing() -> None:
    scene = await asked("dba")
    (token, *_) = tokens_in(card_in(scene.card_message()))

    for forged in ("", "x", token[:-4] + "AAAA", token[::-1]):
        assert told(await scene.click("ada", token=forged)) == sentence("forged-token")
    assert nothing_happened(scene)


async def test_token_of_another_card_is_refused_in_this_conversation() -> None:
    scene = await asked("dba", "security", needed=2)
    (token, *_) = tokens_in(card_in(scene.card_message(SECURITY)))

    assert told(await scene.click("ada", place=DBA, token=token)) == sentence("forged-token")
    assert nothing_happened(scene)


async def test_token_of_a_review_that_tether_never_saw_is_refused() -> None:
    scene = await asked("dba")
    scene.world.approvals.stored.clear()

    assert told(await scene.click("ada", message=scene.card_message())) == sentence("forged-token")


@pytest.mark.parametrize("verb", ["done", "escalate", "", "APPROVE"])
async def test_answer_that_the_card_does_not_offer_is_refused(verb: str) -> None:
    scene = await asked("dba")

    assert told(await scene.click("ada", verb)) == sentence("forged-token")
    assert nothing_happened(scene)


async def test_answer_of_the_requesters_card_does_not_approve() -> None:
    scene = await asked("dba")
    await scene.click("ada", "deny", reason="no")
    await scene.world.settle()
    chat = scene.world.teams.chat_with(guid("rita"))

    assert told(await scene.click("ada", "approve", chat, token=_token_for_requester(scene))) == sentence(
        "forged-token"
    )


async def test_invoke_that_is_no_sound_card_action_is_answered() -> None:
    scene = await asked("dba")

    activity = replace(scene.activity("ada", "approve", scene.card_message()), action=None)

    answer = await receive_activity(activity, scene.world.worker(), scene.rules)

    assert answer is not None
    assert told(answer) == sentence("unknown-card")


# --- repeated, late and stale -----------------------------------------------------------------------------------------


async def test_repeated_click_is_answered_with_the_card_and_sent_once() -> None:
    scene = await asked("dba")
    message = scene.card_message()

    answers = [await scene.click("ada", message=message) for _ in range(4)]

    assert all(is_card(answer) for answer in answers)
    assert scene.effects == [("approve", "dba")]


@pytest.mark.parametrize("verb", ["approve", "deny", "break-glass"])
async def test_click_on_a_stale_card_shows_how_it_was_decided(verb: str) -> None:
    scene = await asked("dba")
    stale = replace(scene.card_message(), faces=list(scene.card_message().faces))
    await scene.click("ada")

    answer = await scene.click("ben", verb, message=stale, reason="late")

    assert verbs_in(answer["value"]) == []
    assert len(scene.effects) == 1
    assert scene.approval.state is ApprovalState.APPROVED


async def test_click_after_the_end_at_the_gateway_shows_it_and_closes_every_card() -> None:
    scene = await asked("dba")
    await scene.at_gateway("dba", deny=True)

    answer = await scene.click("ada")
    await scene.world.settle()

    assert verbs_in(answer["value"]) == []
    assert (scene.approval.state, scene.effects) == (ApprovalState.DENIED, [])
    check_agreement(scene)


async def test_command_that_changed_underneath_is_not_approved() -> None:
    scene = await asked("dba", review_type=ReviewType.ONETIME)
    sessions = scene.world.reviews._sessions
    session_id = scene.asked.session.session_id
    sessions[session_id] = replace(sessions[session_id], input=COMMAND + " OR TRUE")

    assert told(await scene.click("ada")) == sentence("input-changed")
    assert nothing_happened(scene)


async def test_vote_of_somebody_who_lost_the_right_to_it_before_the_threshold_does_not_count() -> None:
    scene = await asked("dba", "security", needed=2)
    await scene.click("ada")
    scene.world.entra.remove(guid("dba-approvers"), guid("ada"))

    answer = await scene.click("cleo", place=SECURITY)

    assert "approve" in verbs_in(answer["value"])
    assert [vote.approver.name for vote in scene.approval.votes] == ["cleo"]
    assert scene.effects == []
    assert "votes-withdrawn" in scene.story
    await scene.click("ben")
    assert scene.approval.outcome
    assert set(scene.approval.outcome.by) == {"ben", "cleo"}


async def test_vote_given_at_the_gateway_and_one_in_teams_are_enough_together() -> None:
    scene = await asked("dba", "security", needed=2)
    await scene.at_gateway("security")

    await scene.click("ada")
    await scene.after(30)

    assert scene.approval.state is ApprovalState.APPROVED
    assert scene.effects == [("approve", "dba")]
    check_agreement(scene)


async def test_person_who_voted_at_the_gateway_does_not_vote_again_in_teams() -> None:
    scene = await asked("dba", "security", needed=2)
    await scene.at_gateway("dba", name="dora@tether.example")

    assert told(await scene.click("dora", place=SECURITY)) == sentence("voted-already")


async def test_group_that_has_answered_needs_no_second_vote() -> None:
    scene = await asked("dba", "security", needed=2)
    await scene.at_gateway("dba")

    assert told(await scene.click("ada")) == sentence("group-answered")


async def test_stuck_review_is_told_to_approvers_and_forced_by_break_glass() -> None:
    scene = await asked("dba", "security", "ops", needed=1)
    scene.world.reviews.vote(scene.review_id, Voter("somebody", frozenset({"dba", "security"})))
    assert scene.asked.review.status is ReviewStatus.PENDING

    assert told(await scene.click("olaf", place="19:oncall@thread.tacv2")) == sentence("review-stuck")
    await scene.look("operator")
    await scene.world.settle()

    assert scene.approval.stuck
    assert scene.world.alerts.reasons["review-stuck"] == 1
    assert is_card(await scene.click("eve", "break-glass", reason="stuck"))
    assert scene.at_the_gateway is ReviewStatus.APPROVED
    await scene.after(30)
    check_agreement(scene)


# --- on behalf of the approver ----------------------------------------------------------------------------------------


class FakeSignIn:
    """Exchanges a token for one of the same name; `refuses` is what it says instead."""

    def __init__(self, refuses: RejectedError | None = None) -> None:
        self.refuses = refuses
        self.asked: list[tuple[str, str]] = []

    async def exchange(self, sso_token: str, person_id: str) -> str:
        self.asked.append((sso_token, person_id))
        if self.refuses is not None:
            raise self.refuses
        return f"gateway:{sso_token}"


async def test_approver_signs_in_and_answers_the_gateway_as_themselves() -> None:
    scene = await asked("dba")
    scene.world.sign_in = FakeSignIn()
    del scene.world.reviews.keys["dba"]
    scene.world.reviews.people["gateway:sso"] = Voter("ada@tether.example", frozenset({"dba", "dev"}), "sub-ada")

    first = await scene.click("ada")
    second = await scene.click("ada", sso_token="sso")

    assert first["type"].endswith("loginRequest")
    assert is_card(second)
    assert scene.world.sign_in.asked == [("sso", guid("ada"))]
    row = scene.world.reviews.shown(scene.review_id).review.groups[0]
    assert row.reviewed_by == "ada@tether.example"


@pytest.mark.parametrize("why", ["sign-in-refused", "consent-needed"])
async def test_refused_sign_in_decides_nothing(why: str) -> None:
    scene = await asked("dba")
    scene.world.sign_in = FakeSignIn(RejectedError(why))

    assert told(await scene.click("ada", sso_token="stolen")) == sentence(why)
    assert nothing_happened(scene)


async def test_nobody_signs_in_where_several_groups_have_to_answer_or_glass_is_broken() -> None:
    scene = await asked("dba", "security", needed=2)
    scene.world.sign_in = FakeSignIn()

    assert is_card(await scene.click("ada"))
    assert is_card(await scene.click("eve", "break-glass", reason="now"))
    assert scene.world.sign_in.asked == []


# --- automatic refresh ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ada", "mallory", "rita"])
async def test_refresh_shows_everybody_the_card_as_it_is_and_counts_for_nothing(who: str) -> None:
    scene = await asked("dba")

    answer = await scene.click(who, "refresh", automatic=True)

    assert "approve" in verbs_in(answer["value"])
    assert nothing_happened(scene)


async def test_automatic_approval_is_a_refresh() -> None:
    scene = await asked("dba")

    assert is_card(await scene.click("ada", "approve", automatic=True))
    assert nothing_happened(scene)


@pytest.mark.parametrize(
    "down", ["approvals", "copies", "conversations", "directory", "reviews", "queue", "evidence", "gateway", "teams"]
)
async def test_refresh_is_answered_whatever_is_down(down: str) -> None:
    scene = await asked("dba")
    scene.world.fault = unreachable(down)

    await scene.click("ada", "refresh", automatic=True)

    scene.world.fault = unreachable()
    assert nothing_happened(scene)


@pytest.mark.parametrize(
    "down",
    [
        "approvals",
        "approvals.save",
        "copies",
        "directory",
        "directory.describe",
        "directory.memberships",
        "reviews",
        "reviews.approve",
        "queue",
        "queue.send_review_events",
        "evidence",
    ],
)
async def test_click_is_counted_or_told_whatever_is_down_and_works_once_it_is_up(down: str) -> None:
    scene = await asked("dba")
    scene.world.fault = unreachable(down)

    answer = await scene.click("ada", message=scene.card_message())

    scene.world.fault = unreachable()
    assert told(answer) in (sentence("try-again"), sentence("gateway-down"))
    assert is_card(await scene.click("ada"))
    await scene.after(60)
    assert scene.approval.state is ApprovalState.APPROVED
    assert scene.effects == [("approve", "dba")]
    check_agreement(scene)


async def test_decision_stands_although_the_cards_cannot_be_told_at_once() -> None:
    scene = await asked("dba")
    scene.world.fault = unreachable("queue.send_card_updates")

    answer = await scene.click("ada")

    scene.world.fault = unreachable()
    assert is_card(answer)
    await scene.after(60)
    check_agreement(scene)


async def test_click_that_takes_too_long_is_answered_in_time_and_finished_later() -> None:
    scene = await set_scene(asking(click_seconds=0.05))
    await scene.ask("dba")
    scene.world.reviews.latency = 0.04

    answer = await scene.click("ada")

    scene.world.reviews.latency = 0.0
    assert told(answer) == sentence("still-working")
    assert scene.world.alerts.reasons["click-too-slow"] == 1
    await scene.after(60)
    if scene.approval.is_open:
        await scene.click("ada")
        await scene.after(60)
    check_agreement(scene)
    assert scene.approval.state is ApprovalState.APPROVED


def _token_for_requester(scene: Scene) -> str:
    chat = scene.world.teams.chat_with(guid("rita"))
    spec = CopySpec(Audience.REQUESTER, Place(PlaceKind.PERSON, guid("rita")))
    shown = Shown(chat, ("done",), scene.approval.input_digest)
    return scene.rules.tokens.issue(scene.review_id, spec.copy_id, scene.approval.expires_at, shown)

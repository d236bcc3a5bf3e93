"""What each card says, and what it offers to do."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.approval import Approval, ApprovalState, Choice, Person, Vote
from shared.domain.principals import AccountState
from shared.wire.cards import Card, decided_card, given, request_card, requester_card, security_card
from tests.wire.cards.samples import (
    AGENT,
    APPROVED,
    COMMAND,
    DENIED,
    ELSEWHERE,
    FORCED,
    GIVEN_BACK,
    GRACE,
    LINK,
    MARY,
    NOW,
    ONE_COMMAND,
    STRANGER,
    TOKEN,
    VOTED,
    WAITING,
    ended,
    texts_of,
)


def said(card: Card) -> str:
    """What the card shows, in order."""
    return " ".join("".join(_shown(card["body"])).replace("\u00a0", " ").split())


def _shown(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        yield str(content.get("text", ""))
        content = [value for key, value in content.items() if key in ("items", "columns", "inlines")]
    if isinstance(content, list):
        for each in content:
            yield from _shown(each)


def asked(approval: Approval) -> str:
    return said(request_card(approval, TOKEN, LINK))


def verbs(card: Card) -> list[str]:
    return [action.get("verb", action["type"]) for action in card.get("actions", [])]


def action(card: Card, verb: str) -> dict[str, Any]:
    return next(each for each in card["actions"] if each.get("verb") == verb)


def test_request_offers_approve_and_deny_and_the_way_to_the_gateway() -> None:
    card = request_card(WAITING, TOKEN, LINK)

    assert verbs(card) == ["approve", "deny", "Action.OpenUrl"]


def test_break_glass_is_offered_out_of_the_way_and_only_when_there_is_such_a_group() -> None:
    card = request_card(WAITING, TOKEN, None, break_glass=True)

    assert verbs(card) == ["approve", "deny", "break-glass"]
    assert action(card, "break-glass")["mode"] == "secondary"


def test_approve_sends_no_reason_while_deny_and_break_glass_do() -> None:
    card = request_card(WAITING, TOKEN, LINK, break_glass=True)

    sent = {verb: action(card, verb)["associatedInputs"] for verb in ("approve", "deny", "break-glass")}
    assert sent == {"approve": "none", "deny": "auto", "break-glass": "auto"}


def test_reason_is_asked_for_but_does_not_stand_in_the_way_of_a_click() -> None:
    card = request_card(WAITING, TOKEN, LINK)

    (field,) = [element for element in card["body"] if element["type"] == "Input.Text"]
    assert "needed to deny" in field["label"]
    assert field["maxLength"] == 500
    assert "isRequired" not in field


def test_waiting_card_refreshes_for_everybody_and_a_decided_one_for_nobody() -> None:
    waiting, decided = request_card(WAITING, TOKEN, LINK)["refresh"], decided_card(APPROVED, LINK)["refresh"]

    assert "userIds" not in waiting
    assert waiting["action"]["data"] == {"token": TOKEN}
    assert decided["userIds"] == []


@pytest.mark.parametrize("link", [None, "http://gateway.example", "javascript:alert(1)", "https://", "gateway"])
def test_link_that_is_not_https_is_left_out(link: str | None) -> None:
    card = request_card(WAITING, TOKEN, link)

    assert "Action.OpenUrl" not in verbs(card)


def test_request_says_who_asks_for_what_and_until_when() -> None:
    text = asked(WAITING)

    assert "Ada Lovelace (person) asks for pg-prod: access for 30 minutes." in text
    assert "ada@example.com" in text
    assert "enabled in Entra" in text
    assert "2026-03-01 16:00 UTC" in text
    assert "0 of 2 needed" in text


def test_request_of_an_agent_names_its_sponsors_and_owners() -> None:
    text = asked(replace(WAITING, requester=AGENT))

    assert "(AI agent)" in text
    assert GRACE.name in text
    assert MARY.name in text


def test_agent_without_a_sponsor_is_pointed_out() -> None:
    text = asked(replace(WAITING, requester=replace(AGENT, sponsors=())))

    assert "Entra names nobody who answers for this agent." in text


def test_many_sponsors_are_counted() -> None:
    sponsors = tuple(Person(str(number), f"Sponsor {number}") for number in range(9))

    text = asked(replace(WAITING, requester=replace(AGENT, sponsors=sponsors)))

    assert "Sponsor 4" in text
    assert "Sponsor 5" not in text
    assert "and 4 others" in text


def test_stranger_is_pointed_out() -> None:
    text = asked(replace(WAITING, requester=STRANGER))

    assert "Not known in Entra." in text
    assert "nobody can approve it" in text


def test_disabled_account_is_pointed_out() -> None:
    requester = replace(WAITING.requester, state=AccountState.DISABLED)

    assert "The account is disabled in Entra." in asked(replace(WAITING, requester=requester))


def test_stuck_and_escalated_requests_say_so() -> None:
    text = asked(replace(WAITING, stuck=True, escalated=True))

    assert "No vote can decide this any more; only break-glass or Deny." in text
    assert "Escalated." in text


def test_command_keeps_its_lines_and_says_how_much_of_it_is_missing() -> None:
    text = asked(ONE_COMMAND)

    assert "SET paid = true" in text
    assert "… 1200 more characters; SHA-256 of the whole:" in text
    assert "abababababababab abababababababab" in text


def test_command_of_many_lines_is_cut_and_its_rest_counted() -> None:
    command = "\n".join(["x"] * 200)

    text = asked(replace(ONE_COMMAND, excerpt=command, input_size=len(command)))

    assert "… 340 more characters" in text


def test_command_with_hidden_characters_says_how_many_were_removed() -> None:
    command = COMMAND + "\u202e\u200b\x00"

    text = asked(replace(ONE_COMMAND, excerpt=command, input_size=len(command)))

    assert "(3 hidden characters removed)" in text


def test_command_with_letters_that_run_from_right_to_left_warns_of_their_order() -> None:
    text = asked(replace(ONE_COMMAND, excerpt="echo \u05d0"))

    assert "what runs may be in another order" in text


def test_votes_are_shown_with_their_group_and_counted_once() -> None:
    text = asked(VOTED)

    assert "1 of 2 needed" in text
    assert "Grace Hopper" in text
    assert "not seen at the gateway" in text


def test_votes_that_wait_count_for_one_group_each() -> None:
    votes = (
        Vote(GRACE, Choice.APPROVE, NOW, ("dba",)),
        Vote(MARY, Choice.APPROVE, NOW, ("dba",)),
    )

    assert given(replace(WAITING, votes=votes)) == 1
    assert given(replace(WAITING, votes=(votes[0], replace(votes[1], groups=("dba", "security"))))) == 2


def test_vote_and_answer_at_the_gateway_count_together_and_never_beyond_what_is_needed() -> None:
    votes = (Vote(GRACE, Choice.APPROVE, NOW, ("dba",)),)

    assert given(replace(WAITING, votes=votes, answered=("security",))) == 2
    assert given(replace(WAITING, votes=votes, answered=("dba", "security", "more"))) == 2


def test_approved_card_says_who_until_when_and_that_the_gateway_confirmed_it() -> None:
    card = decided_card(APPROVED, LINK)

    assert "Grace Hopper" in said(card)
    assert "Checked at the gateway" in said(card)
    assert "2026-03-01 12:33 UTC" in said(card)
    assert verbs(card) == ["Action.OpenUrl"]
    assert "Input.Text" not in texts_of(card)


def test_card_approved_by_force_is_loud_and_gives_the_reason() -> None:
    card = decided_card(FORCED, LINK)

    assert card["body"][0]["style"] == "attention"
    assert "Break-glass: approved by force" in said(card)
    assert "Invoices are stuck" in said(card)


def test_card_decided_elsewhere_says_where() -> None:
    assert "decided outside Teams" in said(decided_card(ELSEWHERE, LINK))


def test_command_is_forgotten_after_the_decision_but_not_its_hash() -> None:
    text = said(decided_card(ended(ApprovalState.DENIED, approval=ONE_COMMAND), LINK))

    assert "invoices" not in text
    assert "abababababababab" in text


def test_final_state_without_an_outcome_still_has_a_card() -> None:
    assert "Withdrawn" in said(decided_card(replace(WAITING, state=ApprovalState.WITHDRAWN), None))


def test_requester_can_give_a_running_grant_back() -> None:
    card = requester_card(APPROVED, TOKEN, LINK)

    assert verbs(card) == ["done", "Action.OpenUrl"]
    assert action(card, "done")["data"] == {"token": TOKEN}


@pytest.mark.parametrize("approval", [WAITING, DENIED, GIVEN_BACK, ended(ApprovalState.APPROVED, approval=ONE_COMMAND)])
def test_requester_is_not_offered_to_give_back_what_does_not_run(approval: Approval) -> None:
    assert "done" not in verbs(requester_card(approval, TOKEN, LINK))


def test_requester_of_one_command_is_told_to_run_it() -> None:
    approval = ended(ApprovalState.APPROVED, approval=ONE_COMMAND)

    assert "Run it now" in said(requester_card(approval, None, LINK))


def test_requester_reads_the_reason_of_a_denial() -> None:
    assert "Use the replica instead" in said(requester_card(DENIED, None, LINK))


def test_grant_that_ended_early_says_what_was_closed() -> None:
    assert "1 session ended" in said(requester_card(GIVEN_BACK, TOKEN, LINK))


def test_security_hears_who_used_break_glass_and_why() -> None:
    text = said(security_card(FORCED, LINK))

    assert "Break-glass was used" in text
    assert MARY.name in text
    assert "Invoices are stuck" in text


def test_security_hears_which_group_cannot_be_asked() -> None:
    text = said(security_card(replace(WAITING, unasked=("security",)), LINK))

    assert "No route" in text
    assert "(nobody can be asked)" in text


def test_security_card_has_nothing_to_decide() -> None:
    assert verbs(security_card(replace(WAITING, stuck=True), LINK)) == ["Action.OpenUrl"]


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=1), "1 second"),
        (timedelta(minutes=90), "1 hour 30 minutes"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=1, hours=2, minutes=3), "1 day 2 hours"),
        (timedelta(0), "no time"),
    ],
)
def test_duration_is_said_in_words(duration: timedelta, words: str) -> None:
    assert f"access for {words}." in asked(replace(WAITING, duration=duration))

"""Activities of the Bot Connector: read tolerantly once they are ours; and the answers to a click."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.activities import Activity, ActivityKind, Bot, CardAction, ConversationKind, Person
from shared.wire.activities import (
    LONGEST_REASON,
    UNCLEAR,
    Assurance,
    card_answer,
    login_request,
    message_answer,
    parse_activity,
)
from tests.domain.samples import ADA
from tests.wire.samples import TENANT, fixture

BOT = Bot("b0b0b0b0-0000-4000-8000-000000000001", TENANT, frozenset({"smba.trafficmanager.net"}))
SERVICE_URL = f"https://smba.trafficmanager.net/emea/{TENANT}/"
CHANNEL = "19:4a5b6c7d8e9f00000000000000000000@thread.tacv2"
TEAM = "19:1f2e3d4c5b6a00000000000000000000@thread.tacv2"
CARD = "1767517200000"
APPROVE = "teams/invoke__card_action__approve"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def parse(document: object) -> Activity:
    return parse_activity(json.dumps(document).encode(), Assurance(SERVICE_URL, frozenset({"msteams"})), BOT)


def parse_fixture(name: str) -> Activity:
    return parse(fixture(name))


def approve(**changes: object) -> Activity:
    return parse({**deepcopy(fixture(APPROVE)), **changes})


def click(**changes: object) -> CardAction | None:
    """What is read from a click whose action has some members changed."""
    document = deepcopy(fixture(APPROVE))
    document["value"]["action"].update(changes)
    return parse(document).action


def test_click_says_who_decided_what_on_which_card_and_where() -> None:
    assert parse_fixture("teams/invoke__card_action__approve") == Activity(
        kind=ActivityKind.INVOKE,
        name="adaptiveCard/action",
        activity_id="f:1a2b3c4d-0000-4000-8000-00000000000a",
        service_url=SERVICE_URL,
        conversation_id=f"{CHANNEL};messageid={CARD}",
        conversation_kind=ConversationKind.CHANNEL,
        channel_id=CHANNEL,
        team_id=TEAM,
        tenant_id=TENANT,
        person=Person(ADA, "29:1AdaMadeUpIdForThisBot", "Ada Example"),
        reply_to=CARD,
        action=CardAction("approve", "tok-1.made-up", reason="", automatic=False),
    )


def test_typed_reason_comes_without_the_space_around_it() -> None:
    action = parse_fixture("teams/invoke__card_action__deny").action

    assert action == CardAction("deny", "tok-1.made-up", reason="not during the freeze", automatic=False)


def test_refresh_by_the_client_itself_is_told_from_a_click() -> None:
    action = parse_fixture("teams/invoke__card_action__automatic_refresh").action

    assert action == CardAction("refresh", "tok-1.made-up", reason="", automatic=True)


def test_click_without_a_trigger_is_a_persons() -> None:
    document = deepcopy(fixture(APPROVE))
    del document["value"]["trigger"]

    action = parse(document).action

    assert action == CardAction("approve", "tok-1.made-up", reason="", automatic=False)


def test_click_after_signing_in_brings_the_token_and_the_code() -> None:
    activity = parse_fixture("teams/invoke__card_action__signed_in")

    assert activity.action == CardAction("approve", "tok-1.made-up", "", False, "made-up.sso.token", "123456")
    assert activity.conversation_kind is ConversationKind.PERSONAL
    assert (activity.channel_id, activity.team_id) == (None, None)


def test_tokens_of_a_click_are_not_shown_when_it_is_printed() -> None:
    printed = repr(parse_fixture("teams/invoke__card_action__signed_in"))

    assert "approve" in printed
    assert not [secret for secret in ("tok-1", "made-up.sso.token", "123456") if secret in printed]


def test_click_without_data_is_an_invoke_without_an_action() -> None:
    activity = parse_fixture("teams/invoke__card_action__without_data")

    assert (activity.kind, activity.person.object_id, activity.action) == (ActivityKind.INVOKE, ADA, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Action.Submit"},
        {"type": None},
        {"verb": ""},
        {"verb": None},
        {"verb": ["approve"]},
        {"verb": "x" * 2000},
        {"data": []},
        {"data": "tok-1"},
        {"data": {}},
        {"data": {"token": ""}},
        {"data": {"token": 1}},
        {"data": {"token": {"$ne": ""}}},
        {"data": {"token": "x" * 5000}},
        {"data": {"token": "tok-1", "reason": 7}},
        {"data": {"token": "tok-1", "reason": ["x"]}},
        {"data": {"token": "tok-1", "reason": "x" * (LONGEST_REASON + 1)}},
    ],
)
def test_malformed_action_is_no_action(changes: dict[str, Any]) -> None:
    assert click(**changes) is None


@pytest.mark.parametrize("reason", [None, "", "   "])
def test_reason_left_out_is_empty(reason: str | None) -> None:
    action = click(data={"token": "tok-1", "reason": reason})

    assert action is not None
    assert action.reason == ""


@pytest.mark.parametrize(
    ("chosen", "until"),
    [(None, ""), ("", ""), ("2027-02-01", "2027-02-01"), (7, UNCLEAR), (["2027-02-01"], UNCLEAR), ("1" * 99, UNCLEAR)],
)
def test_day_comes_as_the_client_wrote_it_and_nonsense_is_never_taken_for_none(chosen: object, until: str) -> None:
    action = click(data={"token": "tok-1", "until": chosen})

    assert action is not None
    assert action.until == until


@pytest.mark.parametrize("value", [None, [], "approve", {}, {"action": None}, {"action": []}])
def test_invoke_without_a_sound_value_has_no_action(value: object) -> None:
    activity = approve(value=value)

    assert (activity.kind, activity.action) == (ActivityKind.INVOKE, None)


@pytest.mark.parametrize("authentication", [None, [], "x", {}, {"token": None}, {"token": 1}])
def test_sign_in_that_makes_no_sense_is_none(authentication: object) -> None:
    action = approve(value={**fixture(APPROVE)["value"], "authentication": authentication, "state": 5}).action

    assert action is not None
    assert (action.sso_token, action.sign_in_state) == (None, None)


def test_other_invoke_is_named_and_has_no_action() -> None:
    activity = parse_fixture("teams/invoke__sign_in_verify_state")

    assert (activity.kind, activity.name, activity.action) == (ActivityKind.INVOKE, "signin/verifyState", None)


@pytest.mark.parametrize(
    ("name", "kind", "installed"),
    [
        ("teams/conversation_update__bot_added", ActivityKind.CONVERSATION_UPDATE, True),
        ("teams/conversation_update__bot_removed", ActivityKind.CONVERSATION_UPDATE, False),
        ("teams/conversation_update__person_added", ActivityKind.CONVERSATION_UPDATE, None),
        ("teams/installation_update__added", ActivityKind.INSTALLATION_UPDATE, True),
        ("teams/installation_update__removed", ActivityKind.INSTALLATION_UPDATE, False),
        ("teams/message__personal", ActivityKind.MESSAGE, None),
        ("teams/message_reaction__unknown_to_tether", ActivityKind.OTHER, None),
    ],
)
def test_activity_says_whether_the_app_was_installed_here(
    name: str,
    kind: ActivityKind,
    installed: bool | None,  # noqa: FBT001 - an expectation
) -> None:
    activity = parse_fixture(name)

    assert (activity.kind, activity.installed, activity.action) == (kind, installed, None)
    assert activity.service_url == SERVICE_URL


@pytest.mark.parametrize(
    ("action", "installed"),
    [("add-upgrade", True), ("remove-upgrade", False), ("upgrade", None), (None, None), (["add"], None)],
)
def test_installation_by_upgrade_counts_and_what_is_new_does_not(action: object, installed: bool | None) -> None:  # noqa: FBT001 - an expectation
    activity = parse({**fixture("teams/installation_update__added"), "action": action})

    assert activity.installed is installed


@pytest.mark.parametrize("members", [None, {}, "28:x", [None, 7, {"id": 7}]])
def test_members_that_make_no_sense_install_nothing(members: object) -> None:
    activity = parse({**fixture("teams/conversation_update__bot_added"), "membersAdded": members})

    assert activity.installed is None


def test_group_chat_is_told_from_channel_and_person() -> None:
    conversation = {**fixture(APPROVE)["conversation"], "conversationType": "groupChat"}

    assert approve(conversation=conversation).conversation_kind is ConversationKind.GROUP


def test_object_ids_are_read_in_one_case() -> None:
    assert approve(**{"from": {"id": "29:x", "aadObjectId": ADA.upper()}}).person == Person(ADA, "29:x", "")


def test_message_of_somebody_without_an_object_id_is_nobodys() -> None:
    message = {**fixture("teams/message__personal"), "from": {"id": "29:guest", "aadObjectId": "guest"}}

    assert parse(message).person == Person(None, "29:guest", "")


@given(st.sampled_from(sorted(fixture(APPROVE).keys() - {"serviceUrl", "channelId", "channelData", "from"})), ANYTHING)
def test_authentic_activity_is_read_whatever_vendors_put_into_the_rest(member: str, value: object) -> None:
    changed = {} if member == "conversation" and isinstance(value, dict) and "tenantId" in value else {member: value}

    activity = approve(**changed)

    assert (activity.person.object_id, activity.tenant_id) == (ADA, TENANT)


@given(st.dictionaries(st.sampled_from(["token", "reason", "x"]), ANYTHING), ANYTHING, ANYTHING)
def test_any_card_action_is_read_or_passed_over(data: object, verb: object, trigger: object) -> None:
    value = {"action": {"type": "Action.Execute", "verb": verb, "data": data}, "trigger": trigger}

    action = approve(value=value).action

    assert action is None or (action.verb == verb and action.token)


def test_answers_to_a_click_are_as_teams_wants_them() -> None:
    assert card_answer({"type": "AdaptiveCard"}) == {
        "statusCode": 200,
        "type": "application/vnd.microsoft.card.adaptive",
        "value": {"type": "AdaptiveCard"},
    }
    assert message_answer("Already decided.") == {
        "statusCode": 200,
        "type": "application/vnd.microsoft.activity.message",
        "value": "Already decided.",
    }


def test_login_request_asks_for_a_token_and_offers_a_button_where_there_is_a_page() -> None:
    silent = login_request("entra", "api://botid-1", None, "id-1")
    visible = login_request("entra", "api://botid-1", "https://login.example/start", "id-1")

    assert silent == {
        "statusCode": 401,
        "type": "application/vnd.microsoft.activity.loginRequest",
        "value": {
            "text": "Sign in to decide.",
            "connectionName": "entra",
            "tokenExchangeResource": {"id": "id-1", "uri": "api://botid-1", "providerId": ""},
            "buttons": [],
        },
    }
    assert visible["value"]["buttons"] == [
        {
            "type": "signin",
            "title": "Sign in",
            "text": "Sign in to decide.",
            "value": "https://login.example/start",
        }
    ]


@pytest.mark.parametrize(
    "service_url", ["http://127.0.0.1:7078/teams/", "http://127.0.0.1:7078/teams", "https://127.0.0.1/teams/"]
)
def test_listed_loopback_is_trusted_without_tls_and_on_any_port(service_url: str) -> None:
    local = Bot(BOT.app_id, TENANT, frozenset({"127.0.0.1"}))

    assert (local.trusts(service_url), BOT.trusts(service_url)) == (True, False)


def test_name_that_is_listed_but_not_loopback_needs_tls() -> None:
    assert BOT.trusts("https://smba.trafficmanager.net/teams/")
    assert not BOT.trusts("http://smba.trafficmanager.net/teams/")

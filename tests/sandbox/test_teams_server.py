"""The Bot Connector stand-in: what it posts, updates, shows of rosters, refuses and gets wrong on demand."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox import cast
from sandbox.teams.acceptance import LARGEST_BYTES, utf16_bytes
from sandbox.teams.ids import mri
from sandbox.teams.limits import Limits
from sandbox.teams.world import APPROVALS_CHANNEL, ON_CALL_CHANNEL, SECURITY_CHANNEL, TEAM_ID
from sandbox.tenant import TENANT_ID, TETHER_OBJECT_ID
from sandbox.tokens import issue_token
from tests.sandbox.teams_under_test import Json, Teams, card, running_teams, with_card

NOBODY_LISTENS = "http://127.0.0.1:9/api/teams/messages"
TEXT: Json = {"type": "message", "text": "hello"}


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Teams]:
    async with running_teams(NOBODY_LISTENS) as teams:
        yield teams


@pytest.fixture
async def teams(process: Teams) -> Teams:
    await process.begin()
    return process


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"code", "message"}
    return answer.status_code, answer.json()["error"]["code"]


async def test_channel_thread_is_created_and_its_card_is_seen_by_a_member(teams: Teams) -> None:
    conversation, activity_id = await teams.thread(with_card(card("please", "approve")))

    (message,) = await teams.seen(conversation, cast.ADA)

    assert conversation == f"{APPROVALS_CHANNEL};messageid={activity_id}"
    assert re.fullmatch(r"19:[0-9a-f]{32}@thread\.tacv2", APPROVALS_CHANNEL)
    assert re.fullmatch(r"\d{13}", activity_id)
    assert message["id"] == activity_id
    assert message["card"] == card("please", "approve")
    assert message["summary"] == "Access request"
    assert not message["edited"]


async def test_escaped_conversation_id_is_understood(teams: Teams) -> None:
    escaped = APPROVALS_CHANNEL.replace(":", "%3A").replace("@", "%40")

    answer = await teams.bot("POST", f"/conversations/{escaped}/activities", TEXT)

    assert answer.status_code == 201
    assert list(answer.json()) == ["id"]


async def test_message_to_a_channel_starts_a_thread_and_a_reply_stays_in_it(teams: Teams) -> None:
    root = (await teams.bot("POST", f"/conversations/{APPROVALS_CHANNEL}/activities", TEXT)).json()["id"]
    thread = f"{APPROVALS_CHANNEL};messageid={root}"

    reply = (await teams.bot("POST", f"/conversations/{thread}/activities", TEXT)).json()["id"]

    seen = await teams.seen(thread, cast.ADA)
    assert [(message["id"], message["reply_to"]) for message in seen] == [(root, None), (reply, root)]


async def test_reply_to_an_activity_lands_in_its_thread(teams: Teams) -> None:
    conversation, root = await teams.thread(TEXT)

    await teams.bot("POST", f"/conversations/{APPROVALS_CHANNEL}/activities/{root}", TEXT)

    assert len(await teams.seen(conversation, cast.ADA)) == 2


@pytest.mark.parametrize("identifier", [cast.ADA.id, mri(cast.ADA.id)])
async def test_chat_with_a_person_is_the_same_by_either_id(teams: Teams, identifier: str) -> None:
    first = await teams.chat(identifier)
    again = await teams.chat(identifier)

    assert first.status_code == 201
    assert first.json()["id"].startswith("a:1")
    assert again.json() == first.json()


async def test_message_in_a_chat_is_seen_by_that_person_only(teams: Teams) -> None:
    chat = (await teams.chat()).json()["id"]

    await teams.bot("POST", f"/conversations/{chat}/activities", TEXT)

    assert [message["text"] for message in await teams.seen(chat, cast.ADA)] == ["hello"]
    other = await teams.control("GET", f"/conversations/{chat}/messages?person={cast.GRACE.id}")
    assert refusal(other) == (403, "Forbidden")


async def test_activity_ids_are_never_given_twice(teams: Teams) -> None:
    await teams.switched(rateLimits=False)

    ids = [(await teams.thread(TEXT))[1] for _ in range(20)]

    assert ids == sorted(set(ids))


async def test_update_changes_the_card_for_everybody_and_marks_it_edited(teams: Teams) -> None:
    where = await teams.thread(with_card(card("please")))

    await teams.update(where, card("decided"))

    for person in (cast.ADA, cast.GRACE):
        (message,) = await teams.seen(where[0], person)
        assert (message["card"], message["edited"]) == (card("decided"), True)


async def test_deleted_message_is_gone_and_can_no_longer_be_updated(teams: Teams) -> None:
    conversation, activity_id = await teams.thread(TEXT)
    path = f"/conversations/{conversation}/activities/{activity_id}"

    gone = await teams.bot("DELETE", path)
    late = await teams.bot("PUT", path, TEXT)

    assert gone.status_code == 200
    assert refusal(late) == (404, "ActivityNotFoundInConversation")
    assert await teams.seen(conversation, cast.ADA) == []


async def test_text_and_card_in_one_activity_are_split_and_answer_no_id(teams: Teams) -> None:
    chat = (await teams.chat()).json()["id"]
    both = with_card(card("please"), text="look")

    answer = await teams.bot("POST", f"/conversations/{chat}/activities", both)

    assert (answer.status_code, answer.json()) == (201, {})
    seen = await teams.seen(chat, cast.ADA)
    assert [(message["text"], message["card"]) for message in seen] == [("look", None), ("", card("please"))]


@pytest.mark.parametrize(
    "token",
    ["", "nonsense", issue_token(audience="https://graph.microsoft.com", object_id=TETHER_OBJECT_ID)],
    ids=["none", "malformed", "other audience"],
)
async def test_bot_without_a_token_for_the_connector_is_refused(teams: Teams, token: str) -> None:
    answer = await teams.bot("POST", f"/conversations/{APPROVALS_CHANNEL}/activities", TEXT, token)

    assert refusal(answer) == (401, "Unauthorized")
    assert await teams.seen(APPROVALS_CHANNEL, cast.ADA) == []


@pytest.mark.parametrize(
    "conversation",
    ["19:ffffffffffffffffffffffffffffffff@thread.tacv2", f"{APPROVALS_CHANNEL};messageid=1", "a:1nobody"],
)
async def test_unknown_conversation_is_not_found(teams: Teams, conversation: str) -> None:
    answer = await teams.bot("POST", f"/conversations/{conversation}/activities", TEXT)

    assert refusal(answer) == (404, "ConversationNotFound")


async def test_update_in_another_thread_is_not_found(teams: Teams) -> None:
    _, activity_id = await teams.thread(TEXT)
    elsewhere, _ = await teams.thread(TEXT)

    answer = await teams.bot("PUT", f"/conversations/{elsewhere}/activities/{activity_id}", TEXT)

    assert refusal(answer) == (404, "ActivityNotFoundInConversation")


async def test_team_without_the_app_refuses_the_bot_everywhere(teams: Teams) -> None:
    conversation, activity_id = await teams.thread(TEXT)
    await teams.done("POST", "/install", {"team": TEAM_ID, "installed": False})

    answers = [
        await teams.bot(
            "POST", "/conversations", {"channelData": {"channel": {"id": ON_CALL_CHANNEL}}, "activity": TEXT}
        ),
        await teams.bot("POST", f"/conversations/{conversation}/activities", TEXT),
        await teams.bot("PUT", f"/conversations/{conversation}/activities/{activity_id}", TEXT),
        await teams.bot("GET", f"/conversations/{TEAM_ID}/pagedmembers"),
    ]

    assert {refusal(answer) for answer in answers} == {(403, "BotNotInConversationRoster")}


async def test_channel_without_the_app_refuses_the_bot_and_others_do_not(teams: Teams) -> None:
    await teams.done("POST", "/install", {"channel": SECURITY_CHANNEL, "installed": False})

    refused = await teams.bot("POST", f"/conversations/{SECURITY_CHANNEL}/activities", TEXT)
    posted = await teams.bot("POST", f"/conversations/{ON_CALL_CHANNEL}/activities", TEXT)

    assert refusal(refused) == (403, "BotNotInConversationRoster")
    assert posted.status_code == 201


async def test_person_without_the_app_cannot_be_written_to(teams: Teams) -> None:
    chat = (await teams.chat()).json()["id"]
    await teams.done("POST", "/install", {"person": cast.ADA.id, "installed": False})

    created = await teams.chat()
    sent = await teams.bot("POST", f"/conversations/{chat}/activities", TEXT)

    assert refusal(created) == refusal(sent) == (403, "BotNotInConversationRoster")


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("29:1nobody", (400, "BadArgument")),
        ("ada@contoso.example", (400, "BadArgument")),
        (cast.object_id(0x999), (404, "ConversationNotFound")),
    ],
)
async def test_chat_with_nobody_is_refused(teams: Teams, identifier: str, expected: tuple[int, str]) -> None:
    answer = await teams.chat(identifier)

    assert refusal(answer) == expected


async def test_conversation_in_another_tenant_is_refused(teams: Teams) -> None:
    body = {"tenantId": cast.object_id(0x999), "members": [{"id": cast.ADA.id}]}

    answer = await teams.bot("POST", "/conversations", body)

    assert refusal(answer) == (400, "BadSyntax")


async def test_message_is_measured_in_utf16(teams: Teams) -> None:
    fits: Json = {"type": "message", "text": ""}
    fits["text"] = "ä" * ((LARGEST_BYTES - utf16_bytes(fits)) // 2)
    path = f"/conversations/{APPROVALS_CHANNEL}/activities"

    posted = await teams.bot("POST", path, fits)
    refused = await teams.bot("POST", path, {**fits, "text": fits["text"] + "ä"})

    assert posted.status_code == 201
    assert refusal(refused) == (413, "MessageSizeTooBig")


@pytest.mark.parametrize(
    ("activity", "code"),
    [
        ({"type": "message"}, "BadSyntax"),
        ({"type": "event", "text": "x"}, "BadSyntax"),
        ({"type": "message", "attachments": [{"content": {}}]}, "BadSyntax"),
        ({"type": "message", "attachments": [{"contentType": "application/pdf"}]}, "BadArgument"),
        (with_card({"type": "Container"}), "BadArgument"),
    ],
    ids=["empty", "not a message", "no content type", "unknown content type", "no card"],
)
async def test_activity_teams_cannot_show_is_refused(teams: Teams, activity: Json, code: str) -> None:
    answer = await teams.bot("POST", f"/conversations/{APPROVALS_CHANNEL}/activities", activity)

    assert refusal(answer) == (400, code)


async def test_roster_names_people_by_both_ids(teams: Teams) -> None:
    page = (await teams.bot("GET", f"/conversations/{TEAM_ID}/pagedmembers")).json()

    assert [member["aadObjectId"] for member in page["members"]] == [person.id for person in cast.PEOPLE]
    assert [member["id"] for member in page["members"]] == [mri(person.id) for person in cast.PEOPLE]
    assert "continuationToken" not in page


async def test_large_roster_comes_in_pages_without_gap_or_repetition(teams: Teams) -> None:
    crowd = [{"id": cast.object_id(0x1000 + n), "name": f"Person {n}"} for n in range(120)]
    await teams.done("POST", "/people", {"people": crowd})
    path = f"/conversations/{APPROVALS_CHANNEL}/pagedmembers?pageSize=1"

    pages = [(await teams.bot("GET", path)).json()]
    while token := pages[-1].get("continuationToken"):
        pages.append((await teams.bot("GET", f"{path}&continuationToken={token}")).json())

    assert [len(page["members"]) for page in pages] == [50, 50, 24]
    assert len({member["id"] for page in pages for member in page["members"]}) == 124


async def test_member_is_found_by_either_id_and_a_stranger_is_not(teams: Teams) -> None:
    path = f"/conversations/{APPROVALS_CHANNEL}/members"

    found = [(await teams.bot("GET", f"{path}/{one}")).json() for one in (cast.ADA.id, mri(cast.ADA.id))]
    stranger = await teams.bot("GET", f"{path}/{cast.object_id(0x999)}")

    assert [member["name"] for member in found] == ["Ada Byron", "Ada Byron"]
    assert found[0]["tenantId"] == TENANT_ID
    assert refusal(stranger) == (404, "MemberNotFoundInConversation")


async def test_eighth_message_in_a_second_has_to_wait_and_another_channel_does_not(teams: Teams) -> None:
    path = f"/conversations/{APPROVALS_CHANNEL}/activities"

    statuses = [(await teams.bot("POST", path, TEXT)).status_code for _ in range(7)]
    throttled = await teams.bot("POST", path, TEXT)
    elsewhere = await teams.bot("POST", f"/conversations/{ON_CALL_CHANNEL}/activities", TEXT)

    assert statuses == [201] * 7
    assert refusal(throttled) == (429, "TooManyRequests")
    assert int(throttled.headers["Retry-After"]) >= 1
    assert elsewhere.status_code == 201


def test_limits_hold_over_two_seconds_and_over_thirty() -> None:
    clock = [0.0]
    limits = Limits(lambda: clock[0])

    first = [limits.wait_to_write("a place") for _ in range(8)]
    clock[0] = 1.5
    second = [limits.wait_to_write("a place") for _ in range(2)]
    for _ in range(13):
        clock[0] += 2
        for _ in range(4):
            assert limits.wait_to_write("a place") == 0
    third = limits.wait_to_write("a place")

    assert first == [0] * 7 + [1]
    assert second == [0, 1]
    assert third == 3


async def test_limits_can_be_switched_off(teams: Teams) -> None:
    await teams.switched(rateLimits=False)

    statuses = [
        (await teams.bot("POST", f"/conversations/{APPROVALS_CHANNEL}/activities", TEXT)).status_code for _ in range(10)
    ]

    assert statuses == [201] * 10


async def test_chosen_status_strikes_the_chosen_operation_so_many_times(teams: Teams) -> None:
    where = await teams.thread(with_card(card("please")))
    await teams.switched(status={"code": 503, "retryAfter": 3, "count": 1, "operation": "update"})
    path = f"/conversations/{where[0]}/activities"

    sent = await teams.bot("POST", path, TEXT)
    first = await teams.bot("PUT", f"{path}/{where[1]}", TEXT)
    second = await teams.bot("PUT", f"{path}/{where[1]}", TEXT)

    assert (sent.status_code, first.status_code, second.status_code) == (201, 503, 200)
    assert first.headers["Retry-After"] == "3"


async def test_lost_answer_is_done_all_the_same(teams: Teams) -> None:
    await teams.switched(answerLost=1)

    with pytest.raises(httpx.RemoteProtocolError):
        await teams.thread(TEXT)

    assert [message["text"] for message in await teams.seen(APPROVALS_CHANNEL, cast.ADA)] == ["hello"]
    assert (await teams.bot("GET", f"/conversations/{TEAM_ID}/pagedmembers")).status_code == 200


async def test_unknown_switch_is_refused_and_changes_nothing(teams: Teams) -> None:
    answer = await teams.control("PUT", "/switches", {"latencyMs": 5, "color": "red"})

    assert refusal(answer) == (400, "BadArgument")
    assert (await teams.done("GET", "/switches"))["latencyMs"] == 0


async def test_counters_tell_posts_updates_and_answers_apart(teams: Teams) -> None:
    where = await teams.thread(with_card(card("please")))
    await teams.update(where, card("decided"))
    await teams.bot("DELETE", f"/conversations/{where[0]}/activities/{where[1]}")

    counters = await teams.done("GET", "/counters")

    assert counters == {
        "posts": {APPROVALS_CHANNEL: 1},
        "updates": {APPROVALS_CHANNEL: 1},
        "deletes": {APPROVALS_CHANNEL: 1},
        "requests": {"create 201": 1, "update 200": 1, "delete 200": 1},
    }


async def test_snapshot_holds_every_version_of_a_card(teams: Teams) -> None:
    where = await teams.thread(with_card(card("please")))
    await teams.update(where, card("decided"))

    snapshot = await teams.done("GET", "/snapshot")

    ((message,),) = [one["messages"] for one in snapshot["conversations"]]
    assert [version["card"] for version in message["versions"]] == [card("please"), card("decided")]
    assert snapshot["service_url"] == f"{teams.url}/teams/"
    assert snapshot["deliveries"] == {"stopped": False, "failures": 0}


async def test_reset_forgets_messages_and_people_but_keeps_counting_events(teams: Teams) -> None:
    await teams.thread(TEXT)
    await teams.done("POST", "/people", {"id": cast.object_id(0x999), "name": "Somebody"})
    last = (await teams.done("GET", "/events"))["last"]

    await teams.done("POST", "/reset")

    snapshot = await teams.done("GET", "/snapshot")
    assert snapshot["conversations"] == []
    assert [person["id"] for person in snapshot["people"]] == [person.id for person in cast.PEOPLE]
    assert snapshot["last"] == last + 1

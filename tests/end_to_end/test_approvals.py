"""Approvals on real protocols: the gateway asks, Teams shows, one click by somebody entitled decides."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox import cast
from sandbox.seed import subscribe_webhooks
from sandbox.teams.world import APPROVALS_CHANNEL, SECURITY_CHANNEL
from sandbox.tenant import BOT_APP_ID
from shared.wire.cards.sentences import sentence
from tests.end_to_end.approvals import Json, Stage
from tools.verify_evidence import verify_folder

APPROVED = ["requested", "answered", "approved"]


@pytest.fixture
async def free_gateway(stage: Stage) -> AsyncIterator[None]:
    """A gateway under its free licence: without webhooks, and so without their plugin."""
    gateway, path = stage.sandbox.gateway, "/api/plugins/webhooks/conn"
    for rule in cast.RULES:
        (await gateway.delete(f"{path}/{rule.connection}")).raise_for_status()
    await stage.at_gateway(license="oss")
    yield
    await stage.at_gateway(license="enterprise")
    secret = stage.sandbox.settings["GATEWAY_WEBHOOK_SECRETS"]
    await subscribe_webhooks(gateway, f"{stage.sandbox.url('functions')}/api/gateway/events", secret)


async def test_request_is_released_by_one_click_and_everybody_sees_it(stage: Stage, tmp_path: Path) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)
    waiting = await stage.asked_in(asked)
    was_live = await stage.teams.is_live(asked)

    answer = await stage.click(asked, cast.ALAN, "approve")

    assert not was_live
    assert "Root" in waiting.words
    assert "card" in answer
    assert await stage.teams.status(asked) == "APPROVED"
    assert await stage.teams.is_live(asked)
    copies = [await stage.shown(asked, "Approved", person=person) for person in (cast.ALAN, cast.GRACE)]
    assert not any(copy.offers(verb) for copy in copies for verb in ("approve", "deny", "break-glass"))
    told = await stage.shown(asked, "Your request is approved", await stage.chat(cast.ROOT), cast.ROOT)
    assert told.offers("done")
    assert await stage.places(asked) == {APPROVALS_CHANNEL: 1, await stage.chat(cast.ROOT): 1}
    assert await stage.statuses(asked) == ["APPROVED"]
    assert await stage.kinds(asked) == APPROVED
    await stage.download(tmp_path, asked)
    assert verify_folder(tmp_path) == (1, len(APPROVED), 0, [])


async def test_announced_request_is_found_by_its_webhook(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)

    await stage.asked_in(asked)

    assert (await stage.evidence(asked))[0]["details"]["source"] == "webhook"


async def test_repeated_and_doubled_webhooks_make_one_card(stage: Stage) -> None:
    await stage.at_gateway(webhookDuplicates=10, sessionOpenRepeats=2)

    asked = await stage.ask(cast.SYNC_AGENT)
    await stage.asked_in(asked)
    await stage.is_quiet()

    assert await stage.places(asked) == {APPROVALS_CHANNEL: 1}
    assert await stage.kinds(asked) == ["requested"]


async def test_request_whose_webhook_was_lost_is_found_by_the_poll(stage: Stage) -> None:
    await stage.at_gateway(webhookDrop=100)
    asked = await stage.ask(cast.SYNC_AGENT)

    await stage.sandbox.run_function("poll_reviews")
    await stage.click(asked, cast.ALAN, "approve")

    assert (await stage.evidence(asked))[0]["details"]["source"] == "poll"
    assert await stage.teams.is_live(asked)


@pytest.mark.usefixtures("free_gateway")
async def test_request_at_a_gateway_without_webhooks_is_found_by_the_poll(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)

    await stage.sandbox.run_function("poll_reviews")
    await stage.click(asked, cast.ALAN, "approve")

    assert await stage.kinds(asked) == APPROVED
    assert await stage.teams.is_live(asked)


async def test_two_groups_are_answered_by_two_people(stage: Stage) -> None:
    asked = await stage.ask(cast.GRACE, cast.VAULT_DB)

    await stage.click(asked, cast.ALAN, "approve")
    halfway = await stage.asked_in(asked, SECURITY_CHANNEL, cast.ADA)
    status = await stage.teams.status(asked)
    answer = await stage.teams.click(halfway, cast.ADA, "approve")

    assert status == "PENDING"
    assert "card" in answer["shown"]
    review = await stage.review(asked)
    assert review["status"] == "APPROVED"
    assert [row["reviewed_by"]["name"] for row in review["review_groups_data"]] == [
        f"teams-approvals:{cast.DBA_REVIEWERS}",
        f"teams-approvals:{cast.SECURITY_REVIEWERS}",
    ]
    places = [(place, cast.ALAN) for place in (APPROVALS_CHANNEL, SECURITY_CHANNEL)]
    places += [(await stage.chat(person), person) for person in (cast.ADA, cast.ROOT)]
    copies = [await stage.shown(asked, "Approved", place, person) for place, person in places]
    assert all("Alan Turing" in copy.words and "Ada Byron" in copy.words for copy in copies)
    assert await stage.kinds(asked) == ["requested", "answered", "answered", "approved"]


async def test_one_person_does_not_answer_for_two_groups(stage: Stage) -> None:
    both = await stage.newcomer(cast.DBA_APPROVERS, cast.SECURITY_APPROVERS)
    asked = await stage.ask(cast.GRACE, cast.VAULT_DB)

    first = await stage.click(asked, both, "approve")
    second = await stage.click(asked, both, "approve")

    assert ("card" in first, "card" in second) == (True, True)
    assert await stage.teams.status(asked) == "PENDING"
    assert await stage.kinds(asked) == ["requested", "answered"]
    await stage.leave(both, cast.DBA_APPROVERS)
    await stage.leave(both, cast.SECURITY_APPROVERS)


async def test_nobody_approves_for_themselves_or_their_agent(stage: Stage) -> None:
    own = await stage.ask(cast.GRACE)
    of_agent = await stage.ask(cast.SYNC_AGENT, cast.VAULT_DB)

    answers = [
        await stage.click(own, cast.GRACE, "approve"),
        await stage.click(of_agent, cast.ADA, "approve"),
        await stage.click(of_agent, cast.ROOT, "approve"),
        await stage.click(of_agent, cast.ROOT, "break-glass", "it is only me"),
    ]

    assert answers == [{"message": sentence("own-request")}] * 4
    assert [await stage.statuses(one) for one in (own, of_agent)] == [[], []]
    assert [await stage.kinds(one) for one in (own, of_agent)] == [["requested"]] * 2


async def test_requester_who_has_only_just_come_is_recognised(stage: Stage) -> None:
    await stage.sandbox.run_function("reconcile_roster")
    newcomer = await stage.newcomer(cast.PLATFORM, gateway_groups=(cast.PLATFORM_ID,))

    asked = await stage.ask(newcomer)
    await stage.click(asked, cast.ALAN, "approve")

    assert await stage.kinds(asked) == APPROVED
    assert await stage.teams.is_live(asked)


async def test_somebody_who_may_not_answer_is_told_so(stage: Stage) -> None:
    stranger = await stage.newcomer()
    asked = await stage.ask(cast.SYNC_AGENT)

    answers = [await stage.click(asked, stranger, verb, "because") for verb in ("approve", "deny", "break-glass")]

    assert [answer["message"] for answer in answers] == [
        sentence("not-an-approver"),
        sentence("not-an-approver"),
        sentence("not-break-glass"),
    ]
    assert await stage.kinds(asked) == ["requested"]


async def test_denial_with_its_reason_reaches_gateway_and_requester(stage: Stage) -> None:
    asked = await stage.ask(cast.GRACE)

    await stage.click(asked, cast.ALAN, "deny", "not on a Friday")

    review = await stage.review(asked)
    assert (review["status"], review["rejection_reason"]) == ("REJECTED", "not on a Friday")
    assert "not on a Friday" in (await stage.shown(asked, "Denied")).words
    told = await stage.shown(asked, "Your request is denied", await stage.chat(cast.GRACE), cast.GRACE)
    assert not told.offers("done")
    assert await stage.kinds(asked) == ["requested", "answered", "denied"]


async def test_denial_without_a_reason_is_asked_for_one(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)

    answer = await stage.click(asked, cast.ALAN, "deny")

    assert answer == {"message": sentence("reason-missing")}
    assert await stage.teams.status(asked) == "PENDING"
    assert await stage.kinds(asked) == ["requested"]


async def test_approval_given_at_the_gateway_closes_the_card(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)
    await stage.asked_in(asked)
    as_reviewer = {"Authorization": f"Bearer {stage.sandbox.settings['GATEWAY_KEY_DBA']}"}
    url = f"{stage.sandbox.url('gateway')}/api/reviews/{asked.review_id}"

    (await stage.sandbox.functions.put(url, json={"status": "APPROVED"}, headers=as_reviewer)).raise_for_status()
    await stage.sandbox.run_function("poll_reviews")

    card = await stage.shown(asked, "Approved at the gateway")
    assert not card.offers("approve")
    await stage.shown(asked, "Your request is approved", await stage.chat(cast.ROOT), cast.ROOT)
    assert await stage.statuses(asked) == ["APPROVED"]


async def test_rejection_by_an_administrator_closes_the_card(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)
    await stage.asked_in(asked)
    body = {"status": "REJECTED", "rejection_reason": "the audit is on"}

    (await stage.sandbox.gateway.put(f"/api/reviews/{asked.review_id}", json=body)).raise_for_status()
    await stage.sandbox.run_function("poll_reviews")

    assert "the audit is on" in (await stage.shown(asked, "Denied at the gateway")).words


async def test_click_on_a_card_that_was_decided_at_the_gateway_shows_how(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)
    card = await stage.asked_in(asked)
    await stage.at_gateway(webhookDrop=100)
    (await stage.sandbox.gateway.put(f"/api/reviews/{asked.review_id}", json={"status": "REJECTED"})).raise_for_status()

    answer = await stage.teams.click(card, cast.ALAN, "approve")

    assert "Denied" in str(answer["shown"]["card"])
    assert await stage.statuses(asked) == ["REJECTED"]


async def test_break_glass_releases_and_the_security_channel_hears_of_it(stage: Stage) -> None:
    asked = await stage.ask(cast.GRACE)

    without_reason = await stage.click(asked, cast.ROOT, "break-glass")
    await stage.click(asked, cast.ROOT, "break-glass", "the shop is down")

    assert without_reason == {"message": sentence("reason-missing")}
    assert await stage.teams.is_live(asked)
    assert "the shop is down" in (await stage.shown(asked, "Break-glass: approved by force")).words
    await stage.is_quiet()
    notices = [card.words for card in await stage.teams.cards(SECURITY_CHANNEL, cast.ROOT)]
    (notice,) = [words for words in notices if words.startswith("Break-glass was used")]
    assert "the shop is down" in notice
    assert "Grace Hopper" in notice
    assert await stage.kinds(asked) == APPROVED


async def test_sponsor_who_is_done_ends_the_stream_and_the_grant(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)
    await stage.click(asked, cast.ALAN, "approve")
    chat = await stage.chat(cast.ROOT)
    told = await stage.shown(asked, "Your request is approved", chat, cast.ROOT)

    await stage.teams.click(told, cast.ROOT, "done")

    assert not await stage.teams.is_live(asked)
    assert await stage.statuses(asked) == ["APPROVED", "REVOKED"]
    ended = await stage.shown(asked, "Your access has ended", chat, cast.ROOT)
    assert not ended.offers("done")
    await stage.shown(asked, "Approved, and given back")
    assert await stage.kinds(asked) == [*APPROVED, "ending", "ended"]


async def test_activities_that_tether_does_not_know_are_answered_and_change_nothing(stage: Stage) -> None:
    activities: list[Json] = [
        {"type": "messageReaction", "reactionsAdded": [{"type": "like"}]},
        {"type": "event", "name": "application/vnd.microsoft.meetingStart", "value": {}},
        {"type": "conversationUpdate", "channelData": {"eventType": "teamRenamed"}},
        {"type": "installationUpdate", "action": "upgrade"},
        {"type": "invoke", "name": "composeExtension/query", "value": {"commandId": "search"}},
        {"type": "something-of-next-year", "value": [1, None, {"deep": {"er": []}}]},
        {"type": "message", "text": "hello", "attachments": None, "entities": "nonsense"},
    ]

    answers = [
        (await stage.sandbox.teams.post("/sandbox/event", json={"activity": one})).raise_for_status().json()
        for one in activities
    ]

    assert [answer["status"] for answer in answers] == [200] * len(activities)
    assert (await stage.snapshot())["deliveries"] == {"stopped": False, "failures": 0}


async def test_activity_that_does_not_come_from_teams_is_refused(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)
    click = await stage.compose(await stage.asked_in(asked), cast.ALAN, "approve")

    answers = [
        await stage.deliver(click, signed_with="foreign"),
        await stage.deliver(click, signed_with="none"),
        await stage.deliver(click, headers={"Authorization": None}),
        await stage.deliver(click, claims={"iss": "https://login.microsoftonline.com/common/v2.0"}),
        await stage.deliver(click, claims={"aud": BOT_APP_ID[::-1]}),
        await stage.deliver(click, claims={"serviceurl": "https://elsewhere.example/"}),
        await stage.deliver({**click, "channelData": {"tenant": {"id": cast.object_id(0x999)}}}),
    ]

    assert {answer["status"] for answer in answers} <= {401, 403}
    assert await stage.teams.status(asked) == "PENDING"
    assert await stage.kinds(asked) == ["requested"]


async def test_token_of_another_place_or_card_or_nobody_decides_nothing(stage: Stage) -> None:
    asked, other = await stage.ask(cast.SYNC_AGENT), await stage.ask(cast.GRACE, cast.VAULT_DB)
    click = await stage.compose(await stage.asked_in(asked), cast.ALAN, "approve")
    elsewhere = await stage.compose(await stage.asked_in(other, SECURITY_CHANNEL), cast.ALAN, "approve")
    genuine = click["value"]["action"]["data"]["token"]
    middle = len(genuine) // 2
    changed = genuine[:middle] + ("A" if genuine[middle] != "A" else "B") + genuine[middle + 1 :]

    answers = [
        await stage.deliver({**elsewhere, "value": click["value"]}),
        await stage.deliver({**click, "value": elsewhere["value"]}),
        *[await stage.deliver(_with_token(click, token)) for token in (changed, "x", "", None, 7, genuine * 40)],
        await stage.deliver(_with_verb(click, "done")),
    ]

    assert [answer["status"] for answer in answers] == [200] * len(answers)
    assert all(answer["body"]["type"].endswith("activity.message") for answer in answers)
    assert [await stage.statuses(one) for one in (asked, other)] == [[], []]
    assert [await stage.kinds(one) for one in (asked, other)] == [["requested"]] * 2


def _with_token(click: Json, token: object) -> Json:
    action = {**click["value"]["action"], "data": {"token": token}}
    return {**click, "value": {**click["value"], "action": action}}


def _with_verb(click: Json, verb: str) -> Json:
    return {**click, "value": {**click["value"], "action": {**click["value"]["action"], "verb": verb}}}

"""Approvals when people leave, servers fail, answers are lost, processes die: one decision, and cards that say it."""

import asyncio
from collections.abc import Mapping

import pytest

from sandbox import cast
from sandbox.bench.crowd import until
from sandbox.demo.teams import Asked
from sandbox.teams.world import APPROVALS_CHANNEL
from shared.wire.cards.sentences import sentence
from tests.end_to_end.approvals import WITHIN, Stage
from tests.end_to_end.second_app import second_app

APPROVED = ["requested", "answered", "approved"]
AFTER_A_DOUBT, AFTER_A_CRASH = 40, 90
PUT_REVIEW = "PUT /api/reviews/{id}"


async def test_approver_who_left_the_group_a_moment_ago_is_refused(stage: Stage) -> None:
    leaver = await stage.newcomer(cast.DBA_APPROVERS)
    asked = await stage.ask(cast.SYNC_AGENT)
    await stage.asked_in(asked)
    await stage.leave(leaver, cast.DBA_APPROVERS)

    answer = await stage.click(asked, leaver, "approve")

    assert answer == {"message": sentence("not-an-approver")}
    assert await stage.teams.status(asked) == "PENDING"
    assert await stage.kinds(asked) == ["requested"]


async def test_approver_who_was_disabled_a_moment_ago_is_refused(stage: Stage) -> None:
    leaver = await stage.newcomer(cast.DBA_APPROVERS)
    asked = await stage.ask(cast.SYNC_AGENT)
    await stage.asked_in(asked)
    await stage.disable(leaver)

    answer = await stage.click(asked, leaver, "approve")

    assert answer == {"message": sentence("approver-disabled")}
    assert await stage.kinds(asked) == ["requested"]


async def test_vote_of_somebody_disabled_before_it_was_enough_does_not_count(stage: Stage) -> None:
    leaver = await stage.newcomer(cast.DBA_APPROVERS)
    asked = await stage.ask(cast.ADA, cast.VAULT_DB)
    await stage.click(asked, leaver, "approve")
    await stage.disable(leaver)

    await stage.click(asked, cast.ROOT, "approve")
    without = await stage.statuses(asked)
    await stage.click(asked, cast.ALAN, "approve")

    assert without == []
    assert await stage.teams.status(asked) == "APPROVED"
    assert await stage.kinds(asked) == ["requested", "answered", "votes-withdrawn", "answered", "answered", "approved"]
    assert leaver.name not in (await stage.shown(asked, "Approved")).words


async def test_request_of_somebody_disabled_while_it_waits_is_withdrawn(stage: Stage) -> None:
    leaver = await stage.newcomer(cast.PLATFORM, gateway_groups=(cast.PLATFORM_ID,))
    asked = await stage.ask(leaver, cast.CUSTOMERS_DB)
    await stage.asked_in(asked)

    await stage.disable(leaver)

    await stage.has_status(asked, "REJECTED")
    card = await stage.shown(asked, "Withdrawn")
    assert not card.offers("approve")
    assert (await stage.review(asked))["rejection_reason"].startswith("Tether: ")
    assert await stage.kinds(asked) == ["requested", "withdrawn"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [({"down": True}, "gateway-down"), ({"hang": True}, "still-working"), ({"html": True}, "gateway-down")],
    ids=["down", "hangs", "shows-a-page"],
)
async def test_click_at_a_gateway_that_does_not_answer_decides_nothing_and_works_later(
    stage: Stage, fault: Mapping[str, object], told: str
) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)
    card = await stage.asked_in(asked)
    await stage.at_gateway(**fault)

    answer = await stage.teams.click(card, cast.ALAN, "approve")
    meanwhile = await stage.kinds(asked)
    await stage.at_gateway(**dict.fromkeys(fault, False))
    await stage.click(asked, cast.ALAN, "approve")

    assert answer["shown"] == {"message": sentence(told)}
    assert meanwhile == ["requested"]
    assert await stage.kinds(asked) == APPROVED
    assert await stage.teams.is_live(asked)


async def test_vote_that_the_gateway_forgot_is_given_again(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)
    await stage.asked_in(asked)
    await stage.at_gateway(putIgnored=1)

    await stage.click(asked, cast.ALAN, "approve")

    assert await stage.statuses(asked) == ["APPROVED"]
    assert await stage.kinds(asked) == APPROVED


async def test_vote_that_arrives_after_the_click_gave_up_is_credited_to_the_approver(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)
    card = await stage.asked_in(asked)
    await stage.at_gateway(latencyMs=2500)

    answer = await stage.teams.click(card, cast.ALAN, "approve")
    await stage.at_gateway(latencyMs=0)
    await stage.has_status(asked, "APPROVED")
    await stage.sandbox.run_function("poll_reviews")

    assert answer["shown"] == {"message": sentence("still-working")}
    assert "Alan Turing" in (await stage.shown(asked, "Approved")).words
    assert await stage.statuses(asked) == ["APPROVED"]
    assert await stage.kinds(asked) == APPROVED


async def test_teams_that_is_busy_gets_one_card_and_its_update_a_little_later(stage: Stage) -> None:
    await stage.is_quiet()
    await stage.at_teams(status={"code": 429, "retryAfter": 1, "count": 1, "operation": "create"})
    asked = await stage.ask(cast.SYNC_AGENT)
    await stage.asked_in(asked)
    await stage.at_teams(status={"code": 429, "retryAfter": 1, "count": 1, "operation": "update"})

    await stage.click(asked, cast.ALAN, "approve")

    await stage.shown(asked, "Approved", person=cast.GRACE)
    assert (await stage.places(asked))[APPROVALS_CHANNEL] == 1


async def test_post_that_nobody_knows_about_is_repeated_unless_somebody_saw_it(stage: Stage) -> None:
    await stage.is_quiet()
    await stage.at_teams(answerLost=1)
    seen = await stage.ask(cast.SYNC_AGENT)
    await stage.asked_in(seen)
    await stage.at_teams(answerLost=1)
    unseen = await stage.ask(cast.GRACE)
    stray = await stage.asked_in(unseen)
    await stage.at_teams(status={"code": 503, "count": 1, "operation": "create"})
    refused = await stage.ask(cast.ADA)

    await stage.click(seen, cast.ALAN, "approve")
    await has_cards(stage, unseen, 2)
    await has_cards(stage, refused, 1)
    await stage.teams.click(stray, cast.ALAN, "approve")

    await until(lambda: everybody_sees(stage, {seen: "Approved", unseen: "Approved", refused: "Access"}), WITHIN)
    assert [(await stage.places(one))[APPROVALS_CHANNEL] for one in (seen, unseen, refused)] == [1, 2, 1]


async def test_duplicate_clicks_at_two_instances_are_one_decision(stage: Stage) -> None:
    opponent = await stage.newcomer(cast.DBA_APPROVERS)
    same, opposed = await stage.ask(cast.SYNC_AGENT), await stage.ask(cast.GRACE)
    card, other = await stage.asked_in(same), await stage.asked_in(opposed)
    async with second_app(stage.sandbox) as second:
        apps = (stage.sandbox.functions, second)
        click = await stage.compose(card, cast.ALAN, "approve")
        against = [
            await stage.compose(other, cast.ALAN, "approve"),
            await stage.compose(other, opponent, "deny", "not now"),
        ]

        answers = await asyncio.gather(*(stage.deliver_to(app, click) for app in (*apps, *apps)))
        answers += await asyncio.gather(
            *(stage.deliver_to(app, one) for app, one in zip(apps, against, strict=True)),
        )
        await stage.is_quiet()

    assert all(answer["type"].endswith("card.adaptive") for answer in answers)
    assert await stage.statuses(same) == ["APPROVED"]
    assert await stage.kinds(same) == APPROVED
    (status,) = await stage.statuses(opposed)
    ended = {"APPROVED": "approved", "REJECTED": "denied"}[status]
    assert await stage.kinds(opposed) == ["requested", "answered", ended]
    await stage.shown(opposed, ended.capitalize())
    await stage.leave(opponent, cast.DBA_APPROVERS)


@pytest.mark.timeout(200)
async def test_vote_of_an_app_that_was_killed_is_applied_once_and_the_cards_say_so(stage: Stage) -> None:
    on_its_way, not_sent = await stage.ask(cast.SYNC_AGENT), await stage.ask(cast.GRACE)
    first, second = await stage.asked_in(on_its_way), await stage.asked_in(not_sent)
    puts = await puts_at(stage)
    await stage.at_gateway(reviewPauseMs=1500)
    clicks = [asyncio.create_task(stage.teams.click(first, cast.ALAN, "approve"))]
    await until(lambda: has_put(stage, puts), WITHIN, look_again=0.02)
    await killed_and_started(stage)
    # A fresh process asks the gateway about its key before it votes: it dies in between.
    await stage.at_gateway(reviewPauseMs=0, latencyMs=800)
    clicks += [asyncio.create_task(stage.teams.click(second, cast.ALAN, "approve"))]
    await stage.on_record(not_sent, "answered")
    unsent = await puts_at(stage)
    await killed_and_started(stage)
    await stage.at_gateway(latencyMs=0)

    for asked in (on_its_way, not_sent):
        await until(lambda asked=asked: is_closed(stage, asked), AFTER_A_CRASH, look_again=1)  # type: ignore[misc]

    assert unsent == puts + 1
    for asked in (on_its_way, not_sent):
        assert "Alan Turing" in (await stage.shown(asked, "Approved", person=cast.GRACE)).words
        assert (await stage.places(asked))[APPROVALS_CHANNEL] == 1
        assert await stage.statuses(asked) == ["APPROVED"]
        assert await stage.kinds(asked) == APPROVED
    await asyncio.gather(*clicks)


async def has_cards(stage: Stage, asked: Asked, count: int) -> None:
    async def are_there() -> bool:
        return (await stage.places(asked))[APPROVALS_CHANNEL] == count

    await until(are_there, AFTER_A_DOUBT)


async def everybody_sees(stage: Stage, headings: Mapping[Asked, str]) -> bool:
    """Whether every card about these requests, as somebody who did not click sees it, says so."""
    cards = await stage.teams.cards(APPROVALS_CHANNEL, cast.GRACE)
    return all(
        card.words.startswith(heading)
        for asked, heading in headings.items()
        for card in cards
        if card.is_about(asked.review_id)
    )


async def puts_at(stage: Stage) -> int:
    counters = (await stage.sandbox.gateway.get("/sandbox/counters")).raise_for_status().json()
    return int(counters["requests"].get(PUT_REVIEW, 0))


async def has_put(stage: Stage, before: int) -> bool:
    return await puts_at(stage) > before


async def killed_and_started(stage: Stage) -> None:
    await stage.sandbox.kill("functions")
    await stage.sandbox.start("functions")
    (await stage.sandbox.functions.get("/api/health")).raise_for_status()


async def is_closed(stage: Stage, asked: Asked) -> bool:
    return "approved" in await stage.kinds(asked)

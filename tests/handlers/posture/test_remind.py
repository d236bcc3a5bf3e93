"""Silence: one reminder, then the security team, each once whatever dies; the clock finishes what was said."""

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.posture.attestation import Reply, Stage
from shared.errors import RetryLaterError
from tests.fakes.entra import guid
from tests.fakes.worker import CrashError, Fate
from tests.handlers.posture.attest_scene import CHANNEL, Scene, set_scene

DAY = timedelta(days=1).total_seconds()
ADA = guid("ada")
heard = pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])


async def silent_for(days: float, **changes: object) -> Scene:
    scene = await set_scene()
    await scene.ask(**changes)
    scene.world.clock.advance(days * DAY)
    return scene


async def test_nothing_happens_before_its_time() -> None:
    scene = await silent_for(6.9)

    assert await scene.tick() == 0
    assert scene.shown() == []


async def test_silent_owner_is_reminded_once() -> None:
    scene = await silent_for(7)

    assert await scene.tick() == 1
    scene.world.clock.advance(DAY)
    assert await scene.tick() == 0

    assert scene.shown().count((ADA, -1)) == 1
    assert scene.story == ["owners-reminded"]


async def test_security_team_is_asked_when_the_reminder_did_not_help() -> None:
    scene = await silent_for(7)
    await scene.tick()
    scene.world.queue.waiting.clear()
    scene.world.clock.advance(7 * DAY)

    assert await scene.tick() == 1

    assert (CHANNEL, 1) in scene.shown()
    assert scene.story == ["owners-reminded", "attestation-escalated"]
    scene.world.clock.advance(30 * DAY)
    assert await scene.tick() == 0


async def test_late_tick_escalates_without_a_reminder_before() -> None:
    scene = await silent_for(60)

    await scene.tick()

    assert scene.story == ["attestation-escalated"]
    assert (ADA, -1) not in scene.shown()


async def test_on_duty_hear_of_silence_where_there_is_no_channel() -> None:
    scene = await silent_for(14)
    scene.rules = replace(scene.rules, posture=replace(scene.rules.posture, channel=""))

    await scene.tick()

    assert scene.world.alerts.reasons["nobody-answers"] == 1


async def test_answered_question_is_left_alone() -> None:
    scene = await silent_for(1)
    await scene.say("ada", Reply.KEEP)
    scene.world.clock.advance(30 * DAY)

    assert await scene.tick() == 0
    assert scene.attestation.reminded_at is None


async def test_refused_wish_is_reminded_of_from_the_refusal_on() -> None:
    scene = await silent_for(6)
    await scene.say("ada", Reply.KEEP)
    await scene.say("mary", Reply.REFUSE)
    scene.world.clock.advance(6 * DAY)
    assert await scene.tick() == 0
    scene.world.clock.advance(DAY)

    assert await scene.tick() == 1


async def test_two_ticks_at_once_mark_it_once() -> None:
    scene = await silent_for(7)

    done = await asyncio.gather(*(scene.tick(Fate()) for _ in range(3)))

    assert sum(done) == 1
    assert scene.story == ["owners-reminded"]


async def test_answer_in_between_wins() -> None:
    scene = await silent_for(7)
    real = scene.attestations.save

    async def answered_meanwhile(attestation: object) -> object:
        scene.attestations.save = real  # type: ignore[method-assign]
        await scene.say("ada", Reply.RETIRE)
        return await real(attestation)  # type: ignore[arg-type]

    scene.attestations.save = answered_meanwhile  # type: ignore[method-assign,assignment]

    assert await scene.tick() == 0
    assert scene.attestation.stage is Stage.RETIRING
    assert (ADA, -1) not in scene.shown()


async def test_one_that_fails_does_not_keep_the_others_waiting() -> None:
    scene = await silent_for(1)
    await scene.say_and_die(Fate(dies_on="gateway.write_identity"), "ada", Reply.SHRINK)
    scene.log.fails = RetryLaterError("gateway-503")
    about = replace(scene.question().about, object_id=guid("another"))
    await scene.ask(about=about)
    scene.world.clock.advance(7 * DAY - 6 * DAY)
    other = scene.attestation_id
    await scene.attestations.save(replace(scene.attestation, asked_at=scene.world.clock.now() - timedelta(days=8)))

    await scene.tick()

    assert scene.attestations.stored[other].reminded_at is not None


@heard
@pytest.mark.parametrize("days", [7, 14])
async def test_reminder_and_escalation_survive_a_crash_at_every_call(days: int, heard: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    wanted = (ADA, -1) if days == 7 else (CHANNEL, 1)
    for number in itertools.count(1):
        scene = await silent_for(days)
        try:
            await scene.tick(Fate(dies_at=number, heard=heard))
            died = False
        except CrashError:
            died = True
        scene.world.clock.advance(3600)
        await scene.tick()

        assert wanted in scene.shown()
        assert len(scene.story) <= 2
        if not died:
            assert number > 3
            return


async def test_security_team_is_asked_although_the_app_was_down_since_it_was_marked() -> None:
    scene = await silent_for(14)
    with pytest.raises(CrashError):
        await scene.tick(Fate(dies_on="queue.send_card_updates"))
    scene.world.clock.advance(3 * DAY)

    await scene.tick()

    assert (CHANNEL, 1) in scene.shown()
    assert scene.story == ["attestation-escalated"]


async def test_answer_that_the_gateway_did_not_take_is_finished_by_the_clock_and_shown() -> None:
    scene = await silent_for(1)
    scene.log.fails = RetryLaterError("gateway-503")
    with pytest.raises(RetryLaterError):
        await scene.say("ada", Reply.SHRINK)
    scene.log.fails = None

    assert await scene.tick() == 1

    assert scene.attestation.stage is Stage.SHRUNK
    assert scene.groups == {"dev"}


async def test_answer_that_turns_out_impossible_is_withdrawn_and_somebody_hears_of_it() -> None:
    scene = await silent_for(1)
    scene.log.fails = RetryLaterError("gateway-503")
    with pytest.raises(RetryLaterError):
        await scene.say("ada", Reply.SHRINK)
    scene.log.fails = None
    scene.opens("pg", hours_ago=1)

    await scene.tick()

    assert scene.attestation.stage is Stage.ASKED
    assert scene.attestation.underway is None
    assert scene.world.alerts.reasons["answer-withheld"] == 1


async def test_answer_that_cannot_be_carried_out_for_a_day_makes_room_for_another() -> None:
    scene = await silent_for(1)
    scene.log.fails = RetryLaterError("gateway-503")
    with pytest.raises(RetryLaterError):
        await scene.say("ada", Reply.SHRINK)
    await scene.tick()
    assert scene.attestation.underway is not None
    scene.world.clock.advance(DAY)

    await scene.tick()

    assert scene.attestation.underway is None
    assert scene.world.alerts.reasons["answer-given-up"] == 1
    assert "attestation-given-up" in scene.story
    assert (await scene.say("ada", Reply.RETIRE)).stage is Stage.RETIRING

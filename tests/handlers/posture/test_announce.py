"""An announcement asks each question once and posts the digest once, wherever it dies and however often it comes."""

import itertools
import json
from dataclasses import replace

import pytest

from shared.domain.approval import Person
from shared.domain.posture.attestation import Reply, Stage
from shared.domain.posture.finding import About, ObjectKind
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers.announce_report import announce_report
from shared.ports.reports import ANNOUNCEMENT
from tests.fakes.entra import guid
from tests.fakes.worker import Fate, unreachable
from tests.handlers.approvals.scene import card_in, tokens_in, verbs_in
from tests.handlers.posture.cards_scene import (
    CHANNEL,
    NEXT_REPORT,
    REPORT,
    STALE,
    CardsScene,
    posture_asking,
    set_cards_scene,
)

heard = pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
OTHER = About(ObjectKind.APPLICATION, guid("other"), "other")


async def published() -> CardsScene:
    scene = await set_cards_scene()
    orphan = scene.asks(about=OTHER, people=(), evidence=(replace(STALE, about=OTHER),), unused=())
    await scene.publish(scene.asks(), orphan)
    return scene


def seen(scene: CardsScene) -> tuple[int, int]:
    """How many cards there are in ada's chat and in the channel."""
    return len(scene.cards_in(scene.chat("ada"))), len(scene.cards_in(CHANNEL))


async def test_owner_is_asked_and_the_channel_sees_the_digest_and_what_nobody_owns() -> None:
    scene = await published()

    await scene.announce()
    await scene.world.settle()

    assert seen(scene) == (1, 2)
    assert verbs_in(card_in(scene.card_message(scene.chat("ada")))) == ["keep", "shrink", "retire"]
    asked, digest = sorted(scene.cards_in(CHANNEL), key=lambda message: "Identity posture" in message.shows)
    assert "Nobody answers for this" in asked.shows
    assert len(set(tokens_in(card_in(digest)))) == 2


async def test_announcement_that_comes_twice_is_one() -> None:
    scene = await published()
    await scene.announce()
    await scene.world.settle()
    stored = dict(scene.attestations.stored)

    await scene.announce()
    await scene.world.settle()

    assert scene.attestations.stored == stored
    assert seen(scene) == (1, 2)
    assert scene.world.teams.counts["update"] == 0


@heard
async def test_announcement_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    for number in itertools.count(1):
        scene = await published()
        died = await scene.announce_and_die(Fate(dies_at=number, heard=heard))
        await scene.announce()
        await scene.world.run(60)

        assert seen(scene) == (1, 2)
        assert {one.round for one in scene.attestations.stored.values()} == {1}
        assert all(one.stage is Stage.ASKED for one in scene.attestations.stored.values())
        scene.world.proven()
        if not died:
            assert number > 8
            return


async def test_announcement_that_storage_interrupts_is_repeated() -> None:
    scene = await published()

    with pytest.raises(RetryLaterError):
        await scene.announce(Fate(unreachable("notices")))
    await scene.announce()
    await scene.world.settle()

    assert seen(scene) == (1, 2)


async def test_question_that_is_open_is_not_asked_again_by_the_next_report() -> None:
    scene = await set_cards_scene()
    await scene.ask_owners()
    scene.world.clock.advance(7 * 86_400)
    await scene.publish(scene.asks(), report_id=NEXT_REPORT)

    await scene.announce(report_id=NEXT_REPORT)
    await scene.world.settle()

    assert (scene.attestation.round, scene.attestation.report_id) == (1, REPORT)
    assert len(scene.cards_in(scene.chat("ada"))) == 1
    assert len(scene.cards_in(CHANNEL)) == 2


async def test_question_that_was_answered_is_asked_in_a_new_round_and_the_old_card_says_so() -> None:
    scene = await set_cards_scene()
    await scene.ask_owners()
    await scene.click("ada", Reply.RETIRE, scene.chat("ada"))
    await scene.world.settle()
    scene.world.clock.advance(30 * 86_400)
    await scene.publish(scene.asks(), report_id=NEXT_REPORT)

    await scene.announce(report_id=NEXT_REPORT)
    await scene.world.settle()

    assert scene.attestation.round == 2
    old, new = scene.cards_in(scene.chat("ada"))
    assert "Asked again" in old.shows
    assert (verbs_in(card_in(old)), verbs_in(card_in(new))) == ([], ["keep", "shrink", "retire"])
    scene.check_cards()


async def test_question_whose_findings_are_gone_is_settled() -> None:
    scene = await set_cards_scene()
    await scene.ask_owners()
    await scene.publish(report_id=NEXT_REPORT, settled=(scene.attestation.attestation_id,))

    await scene.announce(report_id=NEXT_REPORT)
    await scene.world.settle()

    assert scene.attestation.stage is Stage.SETTLED
    assert verbs_in(card_in(scene.card_message(scene.chat("ada")))) == []
    assert scene.told[-1] == "attestation-settled"


async def test_older_report_is_not_announced_once_there_is_a_newer_one() -> None:
    scene = await published()
    await scene.publish(report_id=NEXT_REPORT)

    with pytest.raises(AlreadyDecidedError, match="newer-report"):
        await scene.announce()
    assert not scene.attestations.stored


async def test_announcement_that_is_damaged_is_put_aside() -> None:
    scene = await set_cards_scene()
    await scene.reports.put(REPORT, {ANNOUNCEMENT: b'{"digest": 1}'})

    with pytest.raises(RejectedError, match="malformed-announcement"):
        await scene.announce()


async def test_nobody_is_told_where_teams_is_not_set_up() -> None:
    scene = await published()

    await announce_report(REPORT, "", scene.reports, replace(scene.world.ports, approval=None), scene.rules)
    await announce_report(REPORT, "", scene.reports, replace(scene.world.ports, posture=None), scene.rules)
    await announce_report(REPORT, "", scene.reports, scene.world.ports, None)

    assert not scene.attestations.stored
    assert not scene.world.queue.waiting


async def test_without_a_channel_owners_are_asked_and_somebody_hears_of_what_nobody_owns() -> None:
    scene = await set_cards_scene(posture_asking(channel=""))
    await scene.publish(scene.asks(), scene.asks(about=OTHER, people=()))

    await scene.announce()
    await scene.world.settle()

    assert len(scene.cards_in(scene.chat("ada"))) == 1
    assert [json.loads(message.shows) for message in scene.world.teams.in_place(CHANNEL)] == []
    assert scene.world.alerts.reasons["nobody-to-ask"] == 1


async def test_owner_whom_teams_cannot_reach_is_replaced_by_the_security_team() -> None:
    scene = await set_cards_scene()
    scene.world.teams.gone.add(guid("ada"))

    await scene.ask_owners()

    assert scene.attestation.escalated_at is not None
    assert ["Nobody has answered for this" in message.shows for message in scene.cards_in(CHANNEL)].count(True) == 1
    scene.check_cards()


async def test_one_owner_who_can_be_reached_is_enough() -> None:
    scene = await set_cards_scene()
    scene.world.teams.gone.add(guid("ada"))

    await scene.ask_owners(people=(Person(guid("ada"), "ada"), Person(guid("eve"), "eve")))

    assert scene.attestation.escalated_at is None
    assert len(scene.cards_in(scene.chat("eve"))) == 1


async def test_reminder_is_one_more_card_with_the_same_buttons() -> None:
    scene = await set_cards_scene()
    await scene.ask_owners()
    await scene.attestations.save(replace(scene.attestation, reminded_at=scene.world.clock.now()))

    await scene.announce()
    await scene.world.settle()

    first, second = scene.cards_in(scene.chat("ada"))
    assert "A reminder" in second.shows
    assert verbs_in(card_in(first)) == verbs_in(card_in(second)) == ["keep", "shrink", "retire"]

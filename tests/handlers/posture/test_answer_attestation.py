"""Answers of owners and approvers: who may say what, once, in any order, and through every crash."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.posture.attestation import Reply, Role, Stage
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers.anchor_evidence import anchor_evidence
from shared.handlers.answer_attestation import answer_attestation
from tests.fakes.entra import guid
from tests.fakes.worker import Fate, unreachable
from tests.handlers.posture.attest_scene import BOT, RULES, Scene, set_scene

heard = pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])


async def asked() -> Scene:
    scene = await set_scene()
    await scene.ask()
    return scene


async def proposed() -> Scene:
    scene = await asked()
    await scene.say("ada", Reply.KEEP, "Year end")
    return scene


class TestOneAnswer:
    async def test_owners_wish_excepts_nothing(self) -> None:
        scene = await asked()

        after = await scene.say("ada", Reply.KEEP, "Year end")

        assert after.stage is Stage.PROPOSED
        assert scene.excepted == []
        assert scene.story == ["attestation-answered", "attestation-proposed"]

    async def test_owner_who_may_accept_risks_is_an_owner_all_the_same(self) -> None:
        scene = await proposed()

        with pytest.raises(RejectedError, match="approver-is-owner"):
            await scene.say("ada", Reply.ACCEPT)
        assert scene.excepted == []

    async def test_accepted_wish_excepts_every_finding(self) -> None:
        scene = await proposed()

        after = await scene.say("mary", Reply.ACCEPT)

        assert after.stage is Stage.KEPT
        assert scene.excepted == ["A1", "G3"]

    async def test_refused_wish_is_asked_again(self) -> None:
        scene = await proposed()

        after = await scene.say("mary", Reply.REFUSE, "Too risky")

        assert after.stage is Stage.ASKED
        assert scene.excepted == []

    async def test_approver_keeps_at_once(self) -> None:
        scene = await asked()

        assert (await scene.say("mary", Reply.KEEP)).stage is Stage.KEPT
        assert scene.excepted == ["A1", "G3"]

    @pytest.mark.parametrize("reply", Reply)
    async def test_stranger_is_refused_whatever_they_say(self, reply: Reply) -> None:
        scene = await proposed()

        with pytest.raises(RejectedError, match="not-asked"):
            await scene.say("eve", reply)
        assert scene.attestation.underway is None

    @pytest.mark.parametrize("who", ["ada", "mary"])
    async def test_disabled_person_is_refused(self, who: str) -> None:
        scene = await asked()
        scene.world.entra.disable(guid(who))

        with pytest.raises(RejectedError, match="not-asked"):
            await scene.say(who, Reply.RETIRE)

    async def test_person_whom_entra_does_not_know_is_refused(self) -> None:
        scene = await asked()

        with pytest.raises(RejectedError, match="not-asked"):
            await scene.say("ghost", Reply.RETIRE)

    async def test_nobody_is_entitled_while_entra_cannot_be_asked(self) -> None:
        scene = await asked()

        with pytest.raises(RetryLaterError):
            await scene.say("mary", Reply.KEEP, fate=Fate(unreachable("directory")))
        assert scene.attestation.stage is Stage.ASKED
        assert scene.story == []

    async def test_member_of_a_group_that_owns_it_is_an_owner(self) -> None:
        scene = await set_scene()
        group = scene.world.entra.group("sponsors", guid("mary"))
        await scene.ask(owners=frozenset({group}), owner_groups=frozenset({group}), people=())

        after = await scene.say("mary", Reply.KEEP)

        assert after.stage is Stage.PROPOSED
        assert after.last_answer
        assert after.last_answer.role is Role.OWNER

    async def test_approver_who_came_to_own_or_sponsor_it_since_accepts_nothing(self) -> None:
        for behind in ("owners", "sponsors"):
            scene = await proposed()
            getattr(scene.world.entra.truth, behind)[guid(BOT)] = [guid("mary")]

            with pytest.raises(RejectedError, match="approver-is-owner"):
                await scene.say("mary", Reply.ACCEPT)
            assert (await scene.say("mary", Reply.KEEP)).stage is Stage.PROPOSED
            assert scene.excepted == []

    async def test_nobody_keeps_it_while_its_owners_are_unknown(self) -> None:
        scene = await set_scene()
        await scene.ask(owners=None, people=())

        with pytest.raises(RejectedError, match="owners-unknown"):
            await scene.say("mary", Reply.KEEP)
        assert (await scene.say("mary", Reply.RETIRE)).stage is Stage.RETIRING

    async def test_nobody_may_accept_where_no_group_is_named(self) -> None:
        scene = await proposed()
        nobody = replace(RULES, posture=replace(RULES.posture, approvers=""))

        with pytest.raises(RejectedError, match="not-asked"):
            await answer_attestation(scene.attestation, scene.said("mary", Reply.ACCEPT), scene.ports(), nobody)

    async def test_answer_ends_with_its_tier(self) -> None:
        scene = await asked()
        too_long = scene.said("mary", Reply.KEEP, until=scene.world.clock.now() + timedelta(days=91))

        with pytest.raises(RejectedError, match="acceptance-too-long"):
            await answer_attestation(scene.attestation, too_long, scene.ports(), RULES)

    async def test_evidence_says_who_said_what_why_and_what_came_of_it(self) -> None:
        scene = await proposed()
        await scene.say("mary", Reply.ACCEPT, "Agreed")

        last = scene.world.entries(f"attestations/{scene.attestation_id}")[-1]

        assert last["what"] == "attestation-kept"
        assert last["correlation"]
        wanted = {"by": guid("mary"), "reason": "Agreed", "role": "approver", "before": "proposed", "after": "kept"}
        assert last["details"].items() >= wanted.items()

    async def test_chain_is_anchored(self) -> None:
        scene = await proposed()

        chains = await anchor_evidence(scene.ports())

        (anchored,) = scene.world.evidence.anchors.values()
        assert f"attestations/{scene.attestation_id}" in anchored["heads"]
        assert chains == len(anchored["heads"])


class TestManyAnswers:
    async def test_same_answer_again_gives_the_same_and_says_it_once(self) -> None:
        scene = await proposed()
        first = await scene.say("mary", Reply.ACCEPT)

        again = await scene.say("mary", Reply.ACCEPT)

        assert again == first
        assert scene.story.count("attestation-kept") == 1

    async def test_another_answer_to_a_closed_question_is_too_late(self) -> None:
        scene = await asked()
        await scene.say("ada", Reply.RETIRE)

        with pytest.raises(AlreadyDecidedError):
            await scene.say("mary", Reply.KEEP)
        assert scene.excepted == []

    async def test_click_on_an_older_round_is_too_late(self) -> None:
        scene = await asked()
        seen = scene.attestation
        await scene.attestations.save(replace(seen, round=2))

        with pytest.raises(AlreadyDecidedError):
            await answer_attestation(seen, scene.said("ada", Reply.RETIRE), scene.ports(), RULES)

    async def test_reminder_in_between_does_not_make_an_answer_late(self) -> None:
        scene = await asked()
        seen = scene.attestation
        await scene.attestations.save(replace(seen, reminded_at=scene.world.clock.now()))

        after = await answer_attestation(seen, scene.said("ada", Reply.RETIRE), scene.ports(), RULES)

        assert after.stage is Stage.RETIRING

    @pytest.mark.parametrize("reply", [Reply.ACCEPT, Reply.REFUSE])
    async def test_wish_that_changes_while_it_is_answered_is_neither_accepted_nor_refused(self, reply: Reply) -> None:
        scene = await proposed()
        seen = scene.attestation
        await scene.say("ada", Reply.KEEP, "For good")

        with pytest.raises(RejectedError, match="outdated-card"):
            await answer_attestation(seen, scene.said("mary", reply), scene.ports(), RULES)
        assert scene.attestation.stage is Stage.PROPOSED
        assert scene.excepted == []

    async def test_of_accept_and_refuse_at_once_one_counts_and_only_its_effects_are_there(self) -> None:
        for first, second in itertools.permutations([("mary", Reply.ACCEPT), ("nora", Reply.REFUSE)]):
            scene = await proposed()

            await asyncio.gather(
                scene.say(*first, fate=Fate()), scene.say(*second, fate=Fate()), return_exceptions=True
            )

            assert scene.attestation.stage in (Stage.KEPT, Stage.ASKED)
            assert bool(scene.excepted) == (scene.attestation.stage is Stage.KEPT)

    async def test_twins_of_one_click_give_the_same(self) -> None:
        scene = await proposed()

        answers = await asyncio.gather(
            *(scene.say("mary", Reply.ACCEPT, fate=Fate()) for _ in range(3)), return_exceptions=True
        )

        assert [one.stage for one in answers if not isinstance(one, BaseException)] == [Stage.KEPT] * 3
        assert scene.excepted == ["A1", "G3"]

    async def test_somebody_elses_answer_that_is_underway_is_finished_before_the_next_one(self) -> None:
        scene = await proposed()
        await scene.say_and_die(Fate(dies_on="exemptions.put"), "mary", Reply.ACCEPT)

        with pytest.raises(AlreadyDecidedError):
            await scene.say("nora", Reply.REFUSE)

        assert scene.attestation.stage is Stage.KEPT
        assert scene.excepted == ["A1", "G3"]


# --- the process dies at every call -------------------------------------------------------------------------------


async def at_every_call(prepare: Callable[[], Awaitable[Scene]], who: str, reply: Reply, *, heard: bool) -> list[Scene]:
    """One scene for each call of the answer: its process died there."""
    scenes = []
    for number in itertools.count(1):
        scene = await prepare()
        died = await scene.say_and_die(Fate(dies_at=number, heard=heard), who, reply)
        scenes.append(scene)
        if not died:
            assert number > 4
            return scenes
    raise AssertionError("endless")


ANSWERS = [
    (asked, "ada", Reply.KEEP, Stage.PROPOSED, []),
    (asked, "mary", Reply.KEEP, Stage.KEPT, ["A1", "G3"]),
    (asked, "ada", Reply.RETIRE, Stage.RETIRING, []),
    (asked, "ada", Reply.SHRINK, Stage.SHRUNK, []),
    (proposed, "mary", Reply.ACCEPT, Stage.KEPT, ["A1", "G3"]),
    (proposed, "mary", Reply.REFUSE, Stage.ASKED, []),
]
answers = pytest.mark.parametrize(
    ("prepare", "who", "reply", "stage", "excepted"),
    ANSWERS,
    ids=["propose", "keep", "retire", "shrink", "accept", "refuse"],
)
Prepare = Callable[[], Awaitable[Scene]]


@heard
@answers
async def test_same_click_finishes_what_a_crash_left(  # noqa: PLR0917 - parameters of pytest
    prepare: Prepare,
    who: str,
    reply: Reply,
    stage: Stage,
    excepted: list[str],
    heard: bool,  # noqa: FBT001 - as above
) -> None:
    for scene in await at_every_call(prepare, who, reply, heard=heard):
        scene.world.clock.advance(121)
        after = await scene.insist(who, reply)

        check(scene, after.stage, stage, excepted)


@heard
@answers
async def test_clock_finishes_what_was_on_record_and_nothing_else(  # noqa: PLR0917 - parameters of pytest
    prepare: Prepare,
    who: str,
    reply: Reply,
    stage: Stage,
    excepted: list[str],
    heard: bool,  # noqa: FBT001 - as above
) -> None:
    for scene in await at_every_call(prepare, who, reply, heard=heard):
        before = len(scene.attestation.answers)
        was_said = scene.attestation.underway is not None or before > (prepare is proposed)
        scene.world.clock.advance(3600)
        await scene.tick()

        assert scene.attestation.underway is None
        if was_said:
            check(scene, scene.attestation.stage, stage, excepted)
        else:
            assert scene.attestation.stage is (Stage.PROPOSED if prepare is proposed else Stage.ASKED)
            assert scene.excepted == []
            assert scene.groups == {"dba", "dev"}


def check(scene: Scene, stage: Stage, expected: Stage, excepted: list[str]) -> None:
    assert stage is expected
    assert scene.attestation.underway is None
    assert scene.excepted == excepted
    assert scene.groups == ({"dev"} if expected is Stage.SHRUNK else {"dba", "dev"})
    assert f"attestation-{expected}" in scene.story
    assert scene.story[-1] == f"attestation-{expected}"
    state = scene.world.records.states.get(guid("billing-bot"))
    assert state is None or state.ledger == ()

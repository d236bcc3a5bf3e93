"""A click on an owner's card or on a digest counts once, for those whose word counts, and is always answered."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.card_copy import Audience, CopySpec, Place, PlaceKind
from shared.domain.card_token import Shown
from shared.domain.posture.attestation import Reply, Stage
from shared.domain.posture.finding import Severity
from shared.domain.posture.owner_cards import answers_on, evidence_digest
from shared.handlers.receive_activity import receive_activity
from shared.wire.cards.sentences import sentence
from tests.fakes.entra import guid
from tests.fakes.worker import Fate, unreachable
from tests.handlers.approvals.scene import card_in, check_well_formed, is_card, tokens_in, told, verbs_in
from tests.handlers.posture.cards_scene import CHANNEL, STALE, CardsScene, set_cards_scene

heard = pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
DIGEST = 0
CLAIM = 130


async def asked() -> CardsScene:
    scene = await set_cards_scene()
    await scene.ask_owners()
    return scene


async def proposed() -> CardsScene:
    scene = await asked()
    assert is_card(await owner_says(scene, Reply.KEEP, reason="Year end"))
    await scene.world.settle()
    return scene


async def owner_says(scene: CardsScene, reply: Reply, who: str = "ada", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as `Scene.click`
    return await scene.click(who, reply, scene.chat("ada"), **more)


def asked_first(scene: CardsScene) -> Any:  # noqa: ANN401 - a message, as the fake keeps it
    """The owner's card as it was before anybody answered, which a phone may still show."""
    message = scene.card_message(scene.chat("ada"))
    return replace(message, faces=message.faces[:1])


def nothing_happened(scene: CardsScene) -> bool:
    untouched = scene.attestation.stage is Stage.ASKED and not scene.attestation.answers
    return untouched and "attestation-answered" not in scene.told


class TestOwner:
    async def test_wish_to_keep_it_waits_for_the_security_team(self) -> None:
        scene = await asked()

        answer = await owner_says(scene, Reply.KEEP, reason="Year end", until="2027-02-01")
        await scene.world.settle()

        assert verbs_in(answer["value"]) == []
        assert scene.attestation.stage is Stage.PROPOSED
        assert str(scene.attestation.answers[-1].until) == "2027-02-01 00:00:00+00:00"
        assert verbs_in(card_in(scene.card_message(CHANNEL))) == ["accept", "refuse"]
        scene.check_cards()

    async def test_card_without_a_day_is_kept_as_long_as_its_tier_allows(self) -> None:
        scene = await asked()

        await owner_says(scene, Reply.KEEP, reason="Year end")

        answer = scene.attestation.answers[-1]
        assert answer.until == answer.at + timedelta(days=90)

    @pytest.mark.parametrize(
        ("reason", "until", "because"),
        [
            ("", "", "reason-missing"),
            ("why", "2040-01-01", "acceptance-too-long"),
            ("why", "2020-01-01", "acceptance-without-time"),
            ("why", "tomorrow", "day-unclear"),
            ("why", "2027-02-30", "day-unclear"),
            ("why", "20270201", "day-unclear"),
            ("why", "2027-02-01T00:00:00Z", "day-unclear"),
            ("why", "?", "day-unclear"),
        ],
    )
    async def test_wish_without_terms_is_refused_with_a_sentence(self, reason: str, until: str, because: str) -> None:
        scene = await asked()

        assert told(await owner_says(scene, Reply.KEEP, reason=reason, until=until)) == sentence(because)
        assert nothing_happened(scene)

    async def test_shrink_takes_the_unused_group_away_and_shows_the_call_that_makes_it_last(self) -> None:
        scene = await asked()

        answer = await owner_says(scene, Reply.SHRINK)
        await scene.world.settle()

        assert scene.attestation.stage is Stage.SHRUNK
        assert scene.world.gateway.identities[scene.rita_at].groups == {"dev"}
        assert f"DELETE /groups/{guid('database-people')}/members/" in str(answer["value"])
        scene.check_cards()

    async def test_retire_shows_the_calls_to_the_owner_and_to_the_security_team(self) -> None:
        scene = await asked()

        await owner_says(scene, Reply.RETIRE)
        await scene.world.settle()

        shown = [scene.card_message(place).shows for place in (scene.chat("ada"), CHANNEL)]
        assert all(f"PATCH /servicePrincipals/{guid('billing-bot')}" in one for one in shown)
        scene.check_cards()

    async def test_repeated_click_is_answered_with_the_same_card(self) -> None:
        scene = await asked()
        first = await owner_says(scene, Reply.RETIRE)

        assert await owner_says(scene, Reply.RETIRE) == first
        assert len(scene.attestation.answers) == 1

    async def test_click_after_the_end_shows_how_it_ended(self) -> None:
        scene = await asked()
        before = scene.card_message(scene.chat("ada"))
        stale = replace(before, faces=before.faces[:1])
        await owner_says(scene, Reply.RETIRE)
        await scene.world.settle()

        answer = await owner_says(scene, Reply.KEEP, reason="no, wait", message=stale)

        assert "being retired" in str(answer["value"])
        assert scene.attestation.stage is Stage.RETIRING


class TestSecurityTeam:
    async def test_accepted_wish_is_kept_and_every_card_says_until_when(self) -> None:
        scene = await proposed()

        answer = await scene.click("mary", Reply.ACCEPT, CHANNEL)
        await scene.world.settle()

        assert scene.attestation.stage is Stage.KEPT
        assert "Kept for a while" in str(answer["value"])
        assert "Kept for a while" in scene.card_message(scene.chat("ada")).shows
        scene.check_cards()

    async def test_refusal_needs_a_reason_and_reaches_the_owner(self) -> None:
        scene = await proposed()

        assert told(await scene.click("mary", Reply.REFUSE, CHANNEL)) == sentence("reason-missing")
        await scene.click("mary", Reply.REFUSE, CHANNEL, reason="It has a live secret")
        await scene.world.settle()

        card = scene.card_message(scene.chat("ada"))
        assert "It has a live secret" in card.shows
        assert verbs_in(card_in(card)) == ["keep", "shrink", "retire"]
        assert "Asked again of its owners" in scene.card_message(CHANNEL).shows

    async def test_owner_accepts_nothing_even_as_a_member_of_the_team(self) -> None:
        scene = await proposed()

        assert told(await scene.click("ada", Reply.ACCEPT, CHANNEL)) == sentence("approver-is-owner")
        assert scene.attestation.stage is Stage.PROPOSED

    @pytest.mark.parametrize("reply", [Reply.ACCEPT, Reply.REFUSE])
    async def test_wish_whose_terms_changed_since_the_card_was_shown_is_neither_accepted_nor_refused(
        self, reply: Reply
    ) -> None:
        scene = await proposed()
        before = scene.card_message(CHANNEL)
        stale = replace(before, faces=before.faces[:])
        await owner_says(scene, Reply.KEEP, reason="for good", message=asked_first(scene))

        answer = await scene.click("mary", reply, CHANNEL, reason="fine", message=stale)

        assert told(answer) == sentence("outdated-card")
        assert scene.attestation.stage is Stage.PROPOSED
        assert [one.reply for one in scene.attestation.answers] == [Reply.KEEP, Reply.KEEP]

    async def test_card_that_shows_an_earlier_wish_asks_for_the_last_one_and_then_it_can_be_accepted(self) -> None:
        scene = await proposed()
        before = scene.card_message(CHANNEL)
        stale = replace(before, faces=before.faces[:])
        await owner_says(scene, Reply.KEEP, reason="for good", message=asked_first(scene))

        answer = await scene.click("mary", "refresh", CHANNEL, message=stale, automatic=True)
        await scene.world.settle()

        assert "for good" in str(answer["value"])
        assert is_card(await scene.click("mary", Reply.ACCEPT, CHANNEL))
        assert scene.attestation.stage is Stage.KEPT

    async def test_wish_cannot_be_accepted_from_the_owners_card(self) -> None:
        scene = await asked()

        assert told(await owner_says(scene, Reply.ACCEPT, "mary")) == sentence("forged-token")

    @pytest.mark.parametrize("reply", [Reply.KEEP, Reply.SHRINK, Reply.RETIRE])
    async def test_somebody_else_answers_nothing(self, reply: Reply) -> None:
        scene = await asked()

        assert told(await owner_says(scene, reply, "eve", reason="because")) == sentence("not-asked")
        assert nothing_happened(scene)

    async def test_owner_whose_account_is_shut_answers_nothing(self) -> None:
        scene = await asked()
        scene.world.entra.disable(guid("ada"))

        assert told(await owner_says(scene, Reply.RETIRE)) == sentence("not-asked")

    async def test_nobody_answers_while_entra_is_silent(self) -> None:
        scene = await asked()

        answer = await owner_says(scene, Reply.RETIRE, fate=Fate(unreachable("directory")))

        assert told(answer) == sentence("try-again")
        assert nothing_happened(scene)


class TestDigest:
    async def test_answer_is_a_sentence_and_the_owners_card_shows_it(self) -> None:
        scene = await asked()

        answer = await scene.click(
            "ada", Reply.KEEP, CHANNEL, reason="Year end", message=scene.cards_in(CHANNEL)[DIGEST]
        )
        await scene.world.settle()

        assert told(answer) == sentence("proposed")
        assert "The wish to keep it waits" in scene.card_message(scene.chat("ada")).shows

    async def test_digest_names_what_shrink_takes_away_and_then_that_is_gone(self) -> None:
        scene = await asked()
        digest = scene.cards_in(CHANNEL)[DIGEST]

        answer = await scene.click("mary", Reply.SHRINK, CHANNEL, message=digest)

        assert "Shrink takes away: " in digest.shows
        assert '"dba"' in digest.shows
        assert told(answer) == sentence("shrunk")
        assert scene.world.gateway.identities[scene.rita_at].groups == {"dev"}

    async def test_security_team_keeps_what_the_digest_names(self) -> None:
        scene = await asked()

        answer = await scene.click("mary", Reply.KEEP, CHANNEL, reason="Year end", message=scene.cards_in(CHANNEL)[0])

        assert told(answer) == sentence("kept")

    async def test_digest_of_other_evidence_decides_nothing(self) -> None:
        scene = await asked()
        digest = scene.cards_in(CHANNEL)[DIGEST]
        worse = replace(scene.attestation.question, evidence=(replace(STALE, severity=Severity.CRITICAL),))
        await scene.attestations.save(replace(scene.attestation, question=worse))

        answer = await scene.click("mary", Reply.KEEP, CHANNEL, reason="Year end", message=digest)

        assert told(answer) == sentence("outdated-card")
        assert nothing_happened(scene)


class TestTokens:
    async def test_card_of_an_earlier_round_decides_nothing(self) -> None:
        scene = await asked()
        await scene.attestations.save(replace(scene.attestation, round=2))

        assert told(await owner_says(scene, Reply.RETIRE)) == sentence("outdated-card")
        assert nothing_happened(scene)

    async def test_card_whose_time_is_over_decides_nothing_and_still_shows_itself(self) -> None:
        scene = await asked()
        scene.world.clock.advance(181 * 86_400)

        assert told(await owner_says(scene, Reply.RETIRE)) == sentence("outdated-card")
        assert is_card(await scene.click("ada", "refresh", scene.chat("ada"), automatic=True))

    async def test_token_from_another_conversation_is_forged(self) -> None:
        scene = await asked()
        elsewhere = replace(scene.card_message(scene.chat("ada")), conversation_id="a:somebody")

        assert told(await owner_says(scene, Reply.RETIRE, message=elsewhere)) == sentence("forged-token")

    async def test_token_of_an_owners_card_does_not_pass_for_the_channels(self) -> None:
        scene = await asked()
        spec = CopySpec(Audience.OWNER, Place(PlaceKind.CHANNEL, CHANNEL), 1)
        shown = Shown(CHANNEL, answers_on(spec), evidence_digest(scene.attestation.question))
        expires_at = scene.world.clock.now() + timedelta(days=1)
        token = scene.rules.tokens.issue(scene.attestation.attestation_id, spec.copy_id, expires_at, shown)

        assert told(await owner_says(scene, Reply.RETIRE, token=token)) == sentence("forged-token")
        assert nothing_happened(scene)

    @pytest.mark.parametrize("verb", ["approve", "deny", "done", "Keep", ""])
    async def test_verb_that_the_card_does_not_offer_is_refused(self, verb: str) -> None:
        scene = await asked()

        assert told(await scene.click("ada", verb, scene.chat("ada"), reason="x")) == sentence("forged-token")

    async def test_refresh_shows_the_card_as_it_is_now_and_decides_nothing(self) -> None:
        scene = await asked()

        answer = await scene.click("eve", "refresh", scene.chat("ada"), automatic=True)

        assert verbs_in(answer["value"]) == ["keep", "shrink", "retire"]
        assert nothing_happened(scene)

    async def test_refresh_never_fails(self) -> None:
        scene = await asked()
        message = scene.card_message(scene.chat("ada"))
        scene.attestations.stored.clear()

        for port in ("attestations", "copies", "approvals"):
            activity = scene.activity("ada", "refresh", message, automatic=True)
            answer = await receive_activity(activity, scene.world.worker(Fate(unreachable(port))), scene.rules)
            assert answer is not None
            check_well_formed(answer)

    async def test_evidence_holds_no_token(self) -> None:
        scene = await proposed()

        text = scene.world.evidence.chains[f"attestations/{scene.attestation.attestation_id}"].decode()

        assert not [token for token in tokens_in(card_in(scene.card_message(CHANNEL))) if token in text]


@heard
@pytest.mark.parametrize("reply", [Reply.KEEP, Reply.SHRINK, Reply.RETIRE])
async def test_click_survives_a_crash_at_every_call(reply: Reply, heard: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    for number in itertools.count(1):
        scene = await asked()
        died = await scene.click_and_die(
            Fate(dies_at=number, heard=heard), "ada", reply, scene.chat("ada"), reason="because"
        )
        await scene.world.run(CLAIM)
        scene.check_cards()
        assert is_card(await owner_says(scene, reply, reason="because"))
        await scene.world.run(60)

        scene.check_cards()
        assert not scene.attestation.stage.is_open or reply is Reply.KEEP
        assert len(scene.attestation.answers) == 1
        assert (scene.attestation.stage.name == "PROPOSED") is (reply is Reply.KEEP)
        if not died:
            assert number > 5
            return

"""Shrink takes away at the gateway what is still unused, proves it, and is not undone by Tether itself."""

from dataclasses import replace

import pytest

from shared.domain.gateway import IdentityKind
from shared.domain.ledger import Taken, TakenKind
from shared.domain.posture.attestation import Reply, Stage, UnusedGrant
from shared.domain.posture.gateway_view import Use
from shared.domain.principals import PrincipalKind
from shared.domain.reach import AccessPolicy, ApprovalRule
from shared.errors import ClaimedElsewhereError, RejectedError, RetryLaterError
from tests.fakes.entra import guid
from tests.fakes.worker import Fate
from tests.handlers.posture.attest_scene import BOT, POLICY, Scene, set_scene

HOUR = 3600.0


async def asked(**changes: object) -> Scene:
    scene = await set_scene()
    await scene.ask(**changes)
    return scene


async def test_unused_group_is_gone_from_the_gateway_and_nothing_else_is() -> None:
    scene = await asked()

    after = await scene.say("ada", Reply.SHRINK)

    assert after.stage is Stage.SHRUNK
    assert scene.groups == {"dev"}
    assert scene.world.gateway.done("write") == {str(scene.bot_at): 1}


async def test_card_learns_which_entra_groups_would_give_it_back() -> None:
    scene = await asked()

    (taken,) = (await scene.say("mary", Reply.SHRINK)).taken

    assert (taken.group, taken.principal_id) == ("dba", guid(BOT))
    assert taken.entra_groups == (guid("database-people"),)


async def test_both_chains_of_evidence_tell_what_was_taken_for_whom() -> None:
    scene = await asked()
    await scene.say("ada", Reply.SHRINK)

    decided = next(one for one in scene.world.entries(guid(BOT)) if one["what"] == "shrink-decided")

    assert scene.story == ["attestation-answered", "attestation-shrunk"]
    assert scene.world.story(guid(BOT))[-2:] == ["shrink-decided", "shrunk"]
    assert decided["details"]["before"]["groups"] == ["dba", "dev"]
    assert decided["details"]["after"]["groups"] == ["dev"]
    assert decided["details"]["attestation"] == scene.attestation_id


class TestRefusals:
    async def test_group_that_was_used_since_stays(self) -> None:
        scene = await asked()
        scene.opens("pg", hours_ago=48)

        with pytest.raises(RejectedError, match="used-since"):
            await scene.say("ada", Reply.SHRINK)
        assert scene.groups == {"dba", "dev"}
        assert scene.attestation.stage is Stage.ASKED
        assert scene.attestation.underway is None
        assert scene.story == ["attestation-answered", "attestation-withheld"]

    async def test_use_before_the_question_was_read_and_use_by_others_do_not_count(self) -> None:
        scene = await asked()
        scene.opens("pg", hours_ago=73)
        scene.opens("pg", hours_ago=1, user="somebody-else")

        assert (await scene.say("ada", Reply.SHRINK)).stage is Stage.SHRUNK

    async def test_group_stays_that_opens_more_than_was_shown(self) -> None:
        scene = await asked()
        wider = {**POLICY.groups_of_connection, "vault": frozenset({"dba"})}
        connections = POLICY.connections | {"vault"}
        scene.world.gateway.policy = replace(POLICY, connections=connections, groups_of_connection=wider)

        with pytest.raises(RejectedError, match="opens-more"):
            await scene.say("ada", Reply.SHRINK)
        assert scene.groups == {"dba", "dev"}
        assert scene.attestation.stage is Stage.ASKED

    async def test_connections_that_had_no_room_on_the_card_were_counted_and_go(self) -> None:
        scene = await set_scene()
        wider = {**POLICY.groups_of_connection, "vault": frozenset({"dba"})}
        connections = POLICY.connections | {"vault"}
        scene.world.gateway.policy = replace(POLICY, connections=connections, groups_of_connection=wider)
        await scene.ask(unused=(replace(scene.question().unused[0], left_out=1),))

        assert (await scene.say("ada", Reply.SHRINK)).stage is Stage.SHRUNK

    async def test_connection_of_a_machine_stays_whose_attribute_opens_another(self) -> None:
        scene = await set_scene()
        machine = scene.world.gateway.machine("batch", "pg")
        scene.world.gateway.identities[machine] = replace(
            scene.world.gateway.identities[machine], attributes=frozenset({"prod"})
        )
        carried = {"pg": frozenset({"prod"}), "web": frozenset({"prod"})}
        scene.world.gateway.policy = replace(POLICY, attributes_of_connection=carried)
        await scene.ask(unused=(UnusedGrant(str(machine), "pg", ("pg",)),))

        with pytest.raises(RejectedError, match="opens-more"):
            await scene.say("ada", Reply.SHRINK)
        assert scene.world.gateway.identities[machine].attributes == {"prod"}

    async def test_group_with_a_live_session_stays(self) -> None:
        scene = await asked()
        scene.world.gateway.connect(scene.bot_at, "pg")

        with pytest.raises(RejectedError, match="still-in-use"):
            await scene.say("ada", Reply.SHRINK)
        assert scene.groups == {"dba", "dev"}

    async def test_group_stays_that_is_used_while_the_log_is_being_read(self) -> None:
        scene = await asked()
        now = scene.world.clock

        def later() -> None:
            if not scene.log.opened:
                now.advance(5)
                scene.log.opened.append((guid(BOT), Use("pg", now.now(), now.now())))
                now.advance(5)

        scene.world.gateway.on_read = later
        with pytest.raises(RejectedError, match="used-since"):
            await scene.say("ada", Reply.SHRINK)
        assert scene.groups == {"dba", "dev"}

    async def test_break_glass_identity_loses_nothing(self) -> None:
        scene = await asked()
        scene.break_glass(guid(BOT))

        with pytest.raises(RejectedError, match="break-glass-kept"):
            await scene.say("ada", Reply.SHRINK)
        assert scene.groups == {"dba", "dev"}

    async def test_admin_group_is_never_taken_as_unused(self) -> None:
        scene = await set_scene()
        admin = next(ref for ref in scene.world.gateway.identities if ref.key.startswith("sub-root"))
        await scene.ask(unused=(UnusedGrant(str(admin), "admin", ("pg",)),))

        with pytest.raises(RejectedError, match="administers"):
            await scene.say("ada", Reply.SHRINK)

    async def test_group_stays_whose_removal_would_skip_an_approval(self) -> None:
        scene = await asked()
        rule = ApprovalRule(frozenset({"pg"}), frozenset(), frozenset({"dba"}))
        both = {"pg": frozenset({"dba", "dev"}), "web": frozenset({"dev"})}
        scene.world.gateway.policy = replace(POLICY, groups_of_connection=both, rules=(rule,))

        with pytest.raises(RejectedError, match="removal-would-skip-approval"):
            await scene.say("ada", Reply.SHRINK)
        assert scene.groups == {"dba", "dev"}
        assert scene.world.gateway.identities[scene.bot_at].status == "active"

    async def test_nothing_is_taken_where_the_gateway_lets_everybody_in(self) -> None:
        scene = await asked()
        scene.world.gateway.policy = AccessPolicy(enforced=False)

        with pytest.raises(RejectedError, match="access-control-is-off"):
            await scene.say("ada", Reply.SHRINK)

    async def test_what_may_go_goes_though_another_has_to_stay(self) -> None:
        scene = await set_scene()
        first = scene.question().unused[0]
        await scene.ask(unused=(first, replace(first, group="dev", connections=("web",))))
        scene.opens("pg", hours_ago=1)

        after = await scene.say("ada", Reply.SHRINK)

        assert [one.group for one in after.taken] == ["dev"]
        assert scene.groups == {"dba"}


class TestTrouble:
    async def test_nothing_is_taken_while_the_log_cannot_be_read(self) -> None:
        scene = await asked()
        scene.log.fails = RetryLaterError("gateway-503")

        with pytest.raises(RetryLaterError):
            await scene.say("ada", Reply.SHRINK)
        assert scene.groups == {"dba", "dev"}

        scene.log.fails = None
        assert (await scene.say("ada", Reply.SHRINK)).stage is Stage.SHRUNK

    async def test_shrink_that_has_become_impossible_is_withdrawn_at_the_next_click(self) -> None:
        for who, reply in (("ada", Reply.SHRINK), ("mary", Reply.RETIRE)):
            scene = await asked()
            await scene.say_and_die(Fate(dies_on="gateway.write_identity"), "ada", Reply.SHRINK)
            scene.opens("pg", hours_ago=1)
            scene.world.clock.advance(121)

            if reply is Reply.SHRINK:
                with pytest.raises(RejectedError, match="used-since"):
                    await scene.say(who, reply)
            else:
                assert (await scene.say(who, reply)).stage is Stage.RETIRING

            assert scene.attestation.underway is None
            assert "attestation-withheld" in scene.story
            assert scene.groups == {"dba", "dev"}

    async def test_removal_that_the_gateway_does_not_show_is_not_called_done(self) -> None:
        scene = await asked()

        async def deaf(before: object, after: object) -> None:
            assert before != after

        scene.world.gateway.write_identity = deaf  # type: ignore[method-assign]
        with pytest.raises(RetryLaterError, match="revocation-not-proven"):
            await scene.say("ada", Reply.SHRINK)
        assert scene.attestation.stage is Stage.ASKED
        assert scene.attestation.underway is not None

    async def test_shrink_waits_for_a_revocation_that_is_at_work(self) -> None:
        scene = await asked()
        now = scene.world.clock.now()
        await scene.world.records.claim(guid(BOT), "a revocation", now, now.replace(hour=23))

        with pytest.raises(ClaimedElsewhereError):
            await scene.say("ada", Reply.SHRINK)
        assert scene.groups == {"dba", "dev"}

    async def test_group_that_somebody_took_meanwhile_counts_as_gone(self) -> None:
        scene = await asked()
        scene.world.gateway.set_groups(scene.bot_at, "dev")

        assert (await scene.say("ada", Reply.SHRINK)).stage is Stage.SHRUNK
        assert not scene.world.gateway.done("write")

    async def test_identity_that_is_gone_has_lost_everything(self) -> None:
        scene = await asked()
        del scene.world.gateway.identities[scene.bot_at]

        assert (await scene.say("ada", Reply.SHRINK)).stage is Stage.SHRUNK


class TestOtherIdentities:
    async def test_group_of_a_key_that_is_nobodys_goes(self) -> None:
        for kind in (IdentityKind.API_KEY, IdentityKind.AI_AGENT):
            scene = await set_scene()
            key = scene.world.gateway.key(kind, "k-1", "dba", "dev")
            await scene.ask(unused=(UnusedGrant(str(key), "dba", ("pg",)),))

            assert (await scene.say("ada", Reply.SHRINK)).stage is Stage.SHRUNK
            assert scene.world.gateway.identities[key].groups == {"dev"}
            assert scene.world.gateway.identities[key].status == "active"

    async def test_connection_of_a_machine_identity_goes(self) -> None:
        scene = await set_scene()
        machine = scene.world.gateway.machine("batch", "pg", "web")
        await scene.ask(unused=(UnusedGrant(str(machine), "pg", ("pg",)),))

        assert (await scene.say("ada", Reply.SHRINK)).stage is Stage.SHRUNK
        assert scene.world.gateway.identities[machine].connections == {"web"}


class TestRestore:
    async def test_nothing_gives_it_back_when_the_account_comes_back(self) -> None:
        scene = await asked()
        await scene.say("ada", Reply.SHRINK)

        await scene.switch_off_and_on()

        assert scene.groups == {"dev"}

    async def test_shrink_while_the_account_is_shut_is_not_undone_by_its_return(self) -> None:
        scene = await asked()
        world = scene.world
        world.entra.disable(guid(BOT))
        await world.sweep_quietly()
        assert scene.groups == frozenset()

        await scene.say("ada", Reply.SHRINK)
        world.entra.enable(guid(BOT))
        await world.sweep_quietly()
        await world.run(HOUR)

        assert scene.groups == {"dev"}
        assert world.gateway.identities[scene.bot_at].status == "active"

    async def test_other_debts_to_the_same_principal_stay(self) -> None:
        scene = await asked()
        state = await scene.world.records.claim(guid(BOT), "test", scene.world.clock.now(), scene.world.clock.now())
        debt = Taken(scene.bot_at, TakenKind.GROUP, "ops", scene.world.clock.now())
        owed = Taken(replace(scene.bot_at, key="other"), TakenKind.GROUP, "dba", scene.world.clock.now())
        await scene.world.records.save(replace(state, ledger=(debt, owed), claim=None))

        await scene.say("ada", Reply.SHRINK)

        assert set(scene.world.records.states[guid(BOT)].ledger) == {debt, owed}
        assert scene.world.records.facts[guid(BOT)].kind is PrincipalKind.SERVICE_PRINCIPAL

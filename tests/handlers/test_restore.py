"""What Entra gives back comes back: after two reads, exactly as it was taken, and never more."""

from datetime import timedelta

import pytest

from shared.domain.gateway import IdentityKind
from shared.domain.identity_map import GroupMapping, IdentityMap
from tests.fakes.queue import CHANGES
from tests.fakes.worker import unreachable
from tests.fakes.world import rules
from tests.handlers.scene import DEV, HORIZON, LONGEST_VERIFICATION, MAP, OPS, is_closed, set_scene


async def test_reenabled_user_gets_back_exactly_what_was_taken_after_a_minute() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    gateway.set_groups(scene.alice_at, "dev", "of-her-own")
    before = gateway.identities[scene.alice_at]
    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    scene.world.entra.enable(scene.alice)
    await scene.world.deliver()
    await scene.world.run(59)

    assert is_closed(scene, scene.alice_at)

    await scene.world.run(2)

    assert gateway.identities[scene.alice_at] == before
    assert scene.world.story(scene.alice)[-2:] == ["restore-decided", "restored"]
    assert not scene.world.records.states[scene.alice].ledger


async def test_group_given_again_comes_back_and_groups_taken_by_others_do_not() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    gateway.set_groups(scene.alice_at, "dev", "extra")
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()
    gateway.set_groups(scene.alice_at)

    scene.world.entra.add(DEV, scene.alice)
    await scene.world.deliver()
    await scene.world.run(61)

    assert gateway.identities[scene.alice_at].groups == {"dev"}


async def test_account_that_an_admin_of_the_gateway_had_deactivated_stays_inactive() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    gateway.set_status(scene.alice_at, "inactive")
    gateway.set_groups(scene.alice_at)
    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    scene.world.entra.enable(scene.alice)
    await scene.world.deliver()
    await scene.world.run(HORIZON + LONGEST_VERIFICATION)

    assert gateway.identities[scene.alice_at].status == "inactive"
    assert not gateway.identities[scene.alice_at].groups
    assert not gateway.done("write")


async def test_identity_that_is_gone_from_the_gateway_is_not_made_anew() -> None:
    scene = await set_scene()
    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()
    del scene.world.gateway.identities[scene.alice_at]

    scene.world.entra.enable(scene.alice)
    await scene.world.deliver()
    await scene.world.run(61)

    assert scene.alice_at not in scene.world.gateway.identities
    assert scene.world.story(scene.alice)[-1] == "restore-abandoned"


async def test_nothing_comes_back_on_one_read_when_graph_is_silent_at_the_second() -> None:
    scene = await set_scene()
    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()
    scene.world.entra.enable(scene.alice)
    await scene.world.deliver()

    scene.world.fault = unreachable("directory")
    await scene.world.run(120)

    assert is_closed(scene, scene.alice_at)

    scene.world.fault = unreachable()
    await scene.world.run(120)

    assert scene.world.gateway.reaches(scene.alice_at, "pg1")


async def test_removal_from_another_group_is_no_second_read_for_what_is_due() -> None:
    scene = await set_scene()
    entra, gateway = scene.world.entra, scene.world.gateway
    entra.remove(DEV, scene.agent)
    await scene.world.deliver()
    entra.add(DEV, scene.agent)
    await scene.world.deliver()
    entra.remove(DEV, scene.agent)
    scene.world.lose_notifications()
    scene.world.clock.advance(61)

    entra.remove(OPS, scene.agent)
    message_of_another_group = entra.outbox[-1]
    entra.outbox[:] = [message_of_another_group]
    await scene.world.notify()
    told = scene.world.queue.on(CHANGES)[-1]
    await scene.world.process(told)

    assert not gateway.reaches(scene.agent_at, "pg1")


async def test_access_taken_away_between_the_two_reads_does_not_come_back() -> None:
    scene = await set_scene()
    entra = scene.world.entra
    entra.disable(scene.alice)
    await scene.world.deliver()
    entra.enable(scene.alice)
    await scene.world.deliver()
    await scene.world.run(30)

    entra.disable(scene.alice)
    await scene.world.deliver()
    entra.enable(scene.alice)
    await scene.world.deliver()
    await scene.world.run(40)

    assert is_closed(scene, scene.alice_at)

    await scene.world.run(25)

    assert scene.world.gateway.reaches(scene.alice_at, "pg1")


async def test_removal_that_graph_denies_is_obeyed_and_not_undone_before_the_horizon() -> None:
    scene = await set_scene()
    scene.world.entra.lag()

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)

    await scene.world.run(HORIZON - 1)

    assert is_closed(scene, scene.alice_at)
    scene.world.entra.catch_up()
    await scene.world.run(LONGEST_VERIFICATION)

    assert is_closed(scene, scene.alice_at)


async def test_removal_that_graph_denies_for_good_is_undone_at_the_horizon() -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.alice)
    scene.world.entra.add(DEV, scene.alice)
    scene.world.entra.outbox.pop()

    await scene.world.deliver()
    await scene.world.run(HORIZON + 30)

    assert scene.world.gateway.reaches(scene.alice_at, "pg1")


async def test_added_event_shortens_the_horizon() -> None:
    scene = await set_scene()
    scene.world.entra.lag()
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()
    scene.world.entra.catch_up()

    scene.world.entra.add(DEV, scene.alice)
    await scene.world.deliver()
    await scene.world.run(61)

    assert scene.world.gateway.reaches(scene.alice_at, "pg1")


@pytest.mark.parametrize("news", ["added elsewhere", "updated"])
async def test_unrelated_news_does_not_shorten_the_horizon(news: str) -> None:
    scene = await set_scene()
    entra = scene.world.entra
    entra.lag()
    entra.remove(DEV, scene.alice)
    await scene.world.deliver()
    await scene.world.sweep()
    await scene.world.settle()

    if news == "added elsewhere":
        entra.add(OPS, scene.alice)
        await scene.world.notify()
    else:
        entra.enable(scene.alice)
        scene.world.lose_notifications()
    await scene.world.sweep()
    await scene.world.run(HORIZON - 60)

    assert is_closed(scene, scene.alice_at)


async def test_group_entry_waits_for_its_account() -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()
    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    scene.world.entra.add(DEV, scene.alice)
    await scene.world.deliver()
    await scene.world.run(HORIZON + 120)

    assert not scene.world.gateway.identities[scene.alice_at].groups


async def test_restore_that_the_gateway_does_not_show_is_tried_again() -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()
    scene.world.entra.add(DEV, scene.alice)
    await scene.world.deliver()
    gateway = scene.world.gateway
    real = gateway.write_identity

    async def forgetful(*_: object) -> None:
        gateway.write_identity = real  # type: ignore[method-assign]

    gateway.write_identity = forgetful  # type: ignore[method-assign, assignment]
    await scene.world.run(60)

    assert is_closed(scene, scene.alice_at)

    await scene.world.run(5)

    assert gateway.reaches(scene.alice_at, "pg1")


async def test_emptied_machine_identity_is_given_back_in_one_attempt() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    robot = gateway.machine("robot", "pg1")
    mapped = IdentityMap((*MAP.groups, GroupMapping(DEV, connection="pg1")), {scene.agent: (robot,)})
    scene.world.rules = rules(mapped)
    scene.world.entra.disable(scene.agent)
    await scene.world.sweep()
    await scene.world.settle()

    scene.world.entra.enable(scene.agent)
    await scene.world.sweep()
    await scene.world.run(60)

    assert gateway.identities[robot].connections == {"pg1"}
    assert scene.world.story(scene.agent).count("restored") == 2
    assert robot.kind is IdentityKind.MACHINE_IDENTITY


async def test_restored_deleted_user_gets_back_what_her_groups_still_grant() -> None:
    scene = await set_scene()
    scene.world.entra.delete(scene.alice)
    await scene.world.deliver()

    scene.world.entra.undelete(scene.alice)
    scene.world.entra.add(DEV, scene.alice)
    await scene.world.deliver()
    await scene.world.run(61)

    assert scene.world.gateway.reaches(scene.alice_at, "pg1")
    assert timedelta(seconds=61) > scene.world.rules.restore.interval

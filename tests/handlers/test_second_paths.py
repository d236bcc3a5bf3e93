"""A second path to the same group keeps access, and what Graph was late to show is caught by looking again."""

from shared.domain.identity_map import GroupMapping, IdentityMap
from tests.fakes.queue import CHANGES
from tests.fakes.worker import unreachable
from tests.fakes.world import rules
from tests.handlers.scene import DEV, MAP, OPS, Scene, is_closed, set_scene


async def alice_has_a_second_path() -> tuple[Scene, str]:
    scene = await set_scene()
    contractors = scene.world.entra.group("contractors", scene.alice)
    scene.world.entra.truth.members[DEV].add(contractors)
    return scene, contractors


async def test_second_path_keeps_access_and_looks_three_times_more() -> None:
    scene, _ = await alice_has_a_second_path()

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()
    waits = []
    while scene.world.queue.on(CHANGES):
        (message,) = scene.world.queue.on(CHANGES)
        waits.append((message.visible_at - scene.world.clock.now()).total_seconds())
        await scene.world.run(waits[-1])

    assert waits == [2, 10, 60]
    assert not scene.world.gateway.effects
    assert scene.world.story(scene.alice) == ["access-kept"]


async def test_second_path_that_was_only_lag_is_caught_by_the_rechecks() -> None:
    scene, contractors = await alice_has_a_second_path()
    entra = scene.world.entra
    entra.remove(DEV, scene.alice)
    entra.lag()
    entra.truth.members[contractors].discard(scene.alice)
    await scene.world.deliver()

    await scene.world.run(2)
    entra.catch_up()
    await scene.world.run(10)

    assert is_closed(scene, scene.alice_at)


async def test_second_path_does_not_count_while_graph_still_shows_the_first() -> None:
    scene, _ = await alice_has_a_second_path()
    scene.world.entra.lag()

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)


async def test_silent_graph_does_not_save_access() -> None:
    scene = await set_scene()
    scene.world.fault = unreachable("directory")

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)
    assert scene.others_are_untouched


async def test_direct_member_keeps_access_when_a_nested_group_she_is_also_in_is_removed() -> None:
    scene, contractors = await alice_has_a_second_path()

    scene.world.entra.remove(DEV, contractors)
    await scene.world.deliver()

    assert scene.world.gateway.reaches(scene.alice_at, "pg1")
    assert scene.others_are_untouched


async def test_nested_removal_that_graph_does_not_show_yet_is_obeyed() -> None:
    scene, contractors = await alice_has_a_second_path()
    scene.world.entra.truth.members[DEV].discard(scene.alice)
    scene.world.entra.lag()

    scene.world.entra.remove(DEV, contractors)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)
    assert scene.others_are_untouched


async def test_gateway_group_of_two_entra_groups_stays_until_both_are_lost() -> None:
    scene = await set_scene(rules(IdentityMap((*MAP.groups, GroupMapping(OPS, "dev")))))

    scene.world.entra.remove(DEV, scene.agent)
    await scene.world.deliver()

    assert scene.world.gateway.reaches(scene.agent_at, "pg1")

    scene.world.entra.remove(OPS, scene.agent)
    await scene.world.deliver()

    assert is_closed(scene, scene.agent_at)


async def test_rechecks_do_not_multiply_while_graph_is_silent() -> None:
    scene, _ = await alice_has_a_second_path()
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    scene.world.fault = unreachable("directory")
    await scene.world.run(600)

    assert len(scene.world.queue.waiting) == 1


async def test_verifications_do_not_multiply_while_graph_is_silent() -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    scene.world.fault = unreachable("directory")
    await scene.world.run(600)

    assert len(scene.world.queue.waiting) == 1

    scene.world.fault = unreachable()
    await scene.world.run(2 * 5400)

    assert not scene.world.queue.waiting

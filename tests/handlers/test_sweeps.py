"""Sweeps find what has no notification and what was lost; too much at once waits for a person."""

import asyncio
from dataclasses import replace

import pytest

from shared.domain.gateway import IdentityKind
from shared.domain.identity_map import GroupMapping, IdentityMap
from shared.domain.principals import AccountState
from shared.domain.reach import ApprovalRule
from shared.domain.sweep import SweepLimit
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.sweep_directory import sweep_directory
from tests.fakes.entra import guid
from tests.fakes.queue import CHANGES, EVENTS
from tests.fakes.worker import unreachable
from tests.fakes.world import World, rules
from tests.handlers.scene import DEV, MAP, POLICY, is_closed, set_scene

HOUR = 3600


async def crowd(size: int = 10) -> tuple[World, list[str]]:
    """Developers, of whom two may go at once."""
    world = World(rules(MAP, sweep_limit=SweepLimit(percent=20, minimum=1)))
    people = [world.entra.user(f"user{number}") for number in range(size)]
    world.entra.group("developers", *people)
    for number in range(size):
        world.gateway.person(f"user{number}@tether.example", "dev")
    await world.met()
    return world, people


def closed(world: World) -> int:
    return sum(not identity.groups for identity in world.gateway.identities.values())


async def test_lost_notification_is_repaired_by_the_sweep() -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.alice)
    scene.world.lose_notifications()

    await scene.world.sweep()
    await scene.world.settle()

    assert is_closed(scene, scene.alice_at)
    assert scene.others_are_untouched


async def test_disabled_service_principal_is_found_and_comes_back() -> None:
    scene = await set_scene()
    before = scene.world.gateway.identities[scene.agent_at]
    scene.world.entra.disable(scene.agent)

    await scene.world.sweep()
    await scene.world.settle()

    assert is_closed(scene, scene.agent_at)

    scene.world.entra.enable(scene.agent)
    await scene.world.sweep()
    await scene.world.run(61)

    assert scene.world.gateway.identities[scene.agent_at] == before


@pytest.mark.parametrize("app", ["app-1", "blueprint-1"])
async def test_disabled_application_or_blueprint_takes_its_agents_and_gives_them_back(app: str) -> None:
    scene = await set_scene()
    scene.world.entra.disable_app(app)

    await scene.world.sweep()
    await scene.world.settle()

    assert is_closed(scene, scene.agent_at)

    scene.world.entra.enable_app(app)
    await scene.world.sweep()
    await scene.world.run(61)

    assert scene.world.gateway.reaches(scene.agent_at, "pg1")


async def test_disabled_blueprint_principal_takes_its_agents() -> None:
    scene = await set_scene()
    blueprint = scene.world.entra.service_principal("blueprint", app_id="blueprint-1")
    scene.world.entra.truth.disabled_apps.add("blueprint-1")

    scene.world.entra.disable(blueprint)
    await scene.world.sweep()
    await scene.world.settle()

    assert is_closed(scene, scene.agent_at)


async def test_deleted_blueprint_principal_takes_its_agents() -> None:
    scene = await set_scene()
    blueprint = scene.world.entra.service_principal("blueprint", app_id="blueprint-1")
    scene.world.entra.truth.disabled_apps.add("blueprint-1")

    scene.world.entra.delete(blueprint)
    await scene.world.sweep()
    await scene.world.settle()

    assert is_closed(scene, scene.agent_at)


async def test_agent_whose_account_was_shut_for_a_group_loses_its_keys_when_it_is_disabled() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    key = gateway.key(IdentityKind.AI_AGENT, "agent-key", "ops")
    scene.world.rules = rules(IdentityMap(MAP.groups, {scene.agent: (key,)}))
    gateway.policy = replace(
        POLICY, rules=(ApprovalRule(frozenset({"pg3"}), frozenset(), approval_required_groups=frozenset({"dev"})),)
    )
    scene.world.entra.remove(DEV, scene.agent)
    await scene.world.deliver()
    assert gateway.identities[scene.agent_at].status == "inactive"
    assert gateway.identities[key].status == "active"

    scene.world.entra.disable(scene.agent)
    await scene.world.sweep()
    await scene.world.settle()

    assert gateway.identities[key].status == "revoked"


async def test_replayed_delta_changes_nothing() -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()
    await scene.world.sweep()
    await scene.world.run(HOUR * 2)
    effects = scene.world.gateway.effects[:]

    scene.world.entra.replay()
    await scene.world.sweep()
    await scene.world.run(HOUR * 2)

    assert scene.world.gateway.effects == effects


async def test_change_on_a_later_page_is_found() -> None:
    scene = await set_scene()
    scene.world.entra.page_size = 1
    for _ in range(3):
        scene.world.entra.enable(scene.bob)
    scene.world.entra.remove(DEV, scene.alice)
    scene.world.lose_notifications()

    await scene.world.sweep()
    await scene.world.settle()

    assert is_closed(scene, scene.alice_at)


async def test_lost_link_starts_over_and_has_everybody_looked_at() -> None:
    scene = await set_scene()
    link, _ = scene.world.delta_links.links["groups"]
    scene.world.entra.remove(DEV, scene.alice)
    scene.world.lose_notifications()
    scene.world.entra.lost_links.add(link)

    await scene.world.sweep()
    assert len(scene.world.queue.on(EVENTS)) == 1
    await scene.world.settle()

    assert is_closed(scene, scene.alice_at)
    assert scene.world.delta_links.links["groups"][0] != link
    assert scene.others_are_untouched


async def test_start_over_whose_event_cannot_be_queued_starts_over_again() -> None:
    scene = await set_scene()
    link, _ = scene.world.delta_links.links["groups"]
    scene.world.entra.remove(DEV, scene.alice)
    scene.world.lose_notifications()
    scene.world.entra.lost_links.add(link)
    scene.world.fault = unreachable("queue")
    await scene.world.sweep()

    scene.world.fault = unreachable()
    await scene.world.sweep()
    await scene.world.settle()

    assert is_closed(scene, scene.alice_at)


async def test_two_sweeps_at_once_advance_once() -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.alice)
    version = scene.world.delta_links.links["groups"][1]

    await asyncio.gather(
        *(sweep_directory("groups", scene.world.worker(), scene.world.rules) for _ in range(2)),
    )
    await scene.world.settle()

    assert int(scene.world.delta_links.links["groups"][1]) == int(version) + 1
    assert is_closed(scene, scene.alice_at)


async def test_sweep_that_fails_goes_on_where_it_was() -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.alice)
    scene.world.lose_notifications()
    scene.world.fault = unreachable("queue")
    await scene.world.sweep()
    assert scene.world.alerts.reasons["tick-failed"] == 1

    scene.world.fault = unreachable()
    await scene.world.sweep()
    await scene.world.settle()

    assert is_closed(scene, scene.alice_at)


async def test_mass_removal_is_held_and_released_once() -> None:
    world, people = await crowd()
    for person in people[:3]:
        world.entra.remove(DEV, person)
    world.lose_notifications()

    await world.sweep()
    await world.settle()

    assert closed(world) == 0
    assert world.alerts.reasons == {"sweep-held": 1}
    (hold_id,) = await world.holds.list_ids()

    assert await world.release(hold_id) == 3
    await world.settle()

    assert closed(world) == 3
    with pytest.raises(RejectedError, match="unknown-hold"):
        await world.release(hold_id)


async def test_released_hold_takes_from_nobody_who_has_access_again() -> None:
    world, people = await crowd()
    for person in people[:3]:
        world.entra.remove(DEV, person)
    await world.sweep_quietly()
    (hold_id,) = await world.holds.list_ids()
    world.entra.add(DEV, people[0])
    world.lose_notifications()
    world.clock.advance(HOUR)

    await world.release(hold_id)
    await world.settle()

    assert closed(world) == 2


async def test_removals_within_the_limit_are_not_held() -> None:
    world, people = await crowd()
    for person in people[:2]:
        world.entra.remove(DEV, person)

    await world.sweep_quietly()

    assert closed(world) == 2
    assert not await world.holds.list_ids()


async def test_notified_mass_removal_is_not_held() -> None:
    world, people = await crowd()
    for person in people[:6]:
        world.entra.remove(DEV, person)

    await world.deliver()

    assert closed(world) == 6


async def test_mass_difference_of_a_reconcile_is_held() -> None:
    world, people = await crowd()
    for person in people[:3]:
        world.entra.disable(person)
    world.lose_notifications()

    found = await world.reconcile()
    await world.settle()

    assert found.looks == 3
    assert closed(world) == 0
    assert world.alerts.reasons["sweep-held"] == 1


async def test_empty_roster_is_an_error() -> None:
    world, _ = await crowd()
    world.gateway.identities.clear()

    with pytest.raises(RejectedError, match="empty-roster"):
        await world.reconcile()


async def test_reconcile_without_graph_is_for_later() -> None:
    world, _ = await crowd()
    world.fault = unreachable("directory")

    with pytest.raises(RetryLaterError):
        await world.reconcile()

    assert not world.queue.waiting


async def test_reconcile_repairs_what_nothing_else_told() -> None:
    scene = await set_scene()
    scene.world.entra.truth.members[DEV].discard(scene.alice)

    found = await scene.world.reconcile()
    await scene.world.settle()

    assert (found.compared, found.looks, found.unmatched) == (3, 1, 1)
    assert is_closed(scene, scene.alice_at)
    assert scene.others_are_untouched


async def test_reconcile_looks_again_at_whoever_waits_for_something() -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()
    await scene.world.run(2 * HOUR)
    scene.world.entra.truth.members[DEV].add(scene.alice)

    await scene.world.reconcile()
    await scene.world.run(61)

    assert scene.world.gateway.reaches(scene.alice_at, "pg1")


async def test_user_who_got_a_new_address_at_both_sides_is_still_found() -> None:
    scene = await set_scene()
    gateway, entra = scene.world.gateway, scene.world.entra
    del gateway.identities[scene.alice_at]
    entra.rename(scene.alice, "alice.new@tether.example")
    scene.world.lose_notifications()
    married = gateway.person("alice.new@tether.example", "dev")
    await scene.world.reconcile()
    await scene.world.settle()

    entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, married)


@pytest.mark.parametrize("way", ["look", "reconcile"])
async def test_user_whose_old_address_only_the_gateway_knows_is_still_found(way: str) -> None:
    scene = await set_scene()
    scene.world.entra.rename(scene.alice, "alice.new@tether.example")
    if way == "look":
        await scene.world.deliver()
    else:
        scene.world.lose_notifications()
        await scene.world.reconcile()

    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)


async def test_service_account_that_entra_never_heard_of_is_reported_and_untouched() -> None:
    scene = await set_scene()
    stranger = scene.world.gateway.service_account(guid("nobody"), "dev")

    await scene.world.reconcile()
    await scene.world.settle()

    assert scene.world.gateway.reaches(stranger, "pg1")
    assert scene.world.alerts.reasons["unmatched-service-account"] == 1


async def test_new_service_account_of_a_deleted_service_principal_is_revoked() -> None:
    scene = await set_scene()
    bot = scene.world.entra.service_principal("late bot")
    scene.world.entra.delete(bot)
    at = scene.world.gateway.service_account(bot, "dev")

    await scene.world.reconcile()
    await scene.world.settle()

    assert is_closed(scene, at)
    assert scene.world.records.facts[bot].state is AccountState.DELETED


async def test_group_names_that_entra_does_not_know_are_reported() -> None:
    unknown = rules(IdentityMap((*MAP.groups, GroupMapping("no such group", "dev"))))
    scene = await set_scene(unknown)

    await scene.world.reconcile()

    assert scene.world.alerts.reasons["unresolved-entra-groups"] == 1


async def test_stranger_who_was_added_somewhere_is_not_looked_at() -> None:
    scene = await set_scene()
    scene.world.entra.add(DEV, scene.world.entra.user("stranger"))
    scene.world.lose_notifications()

    await scene.world.sweep()

    assert not scene.world.queue.on(CHANGES)


async def test_removals_from_a_group_that_stands_for_nothing_are_neither_held_nor_looked_at() -> None:
    world, people = await crowd()
    idle = world.entra.group("book-club", *people)
    for person in people:
        world.entra.remove(idle, person)
    world.lose_notifications()

    await world.sweep()

    assert not world.holds.holds
    assert not world.queue.waiting


async def test_held_sweep_does_not_hold_back_what_takes_nothing() -> None:
    world, people = await crowd()
    world.entra.disable(people[0])
    await world.sweep()
    await world.settle()
    world.entra.enable(people[0])
    for person in people[1:]:
        world.entra.disable(person)

    await world.sweep()
    await world.settle()
    await world.run(61)

    assert closed(world) == 0
    assert len(world.holds.holds) == 1

"""The process is killed at every call it makes, before or after it took effect: the next worker finishes the work."""

import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from shared.domain.gateway import IdentityKind, ReviewType
from shared.domain.identity_map import IdentityMap
from shared.handlers.sweep_directory import sweep_directory
from tests.fakes.queue import Message
from tests.fakes.worker import CrashError, Fate
from tests.fakes.world import World, rules
from tests.handlers.scene import DEV, LONGEST_VERIFICATION, MAP, Scene, is_closed, set_scene

CLAIM = 120
heard = pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])


async def at_every_call(prepare: Callable[[], Awaitable[Scene]], *, heard: bool) -> list[Scene]:
    """One scene for each call of the work: its worker died there, and another one finished."""
    scenes = []
    for number in itertools.count(1):
        scene = await prepare()
        fate = Fate(dies_at=number, heard=heard)
        settled = await scene.world.process(first(scene.world), fate)
        await scene.world.run(CLAIM + 30)
        scenes.append(scene)
        if settled:
            return scenes
    raise AssertionError("endless")


def first(world: World) -> Message:
    return world.queue.visible()[0]


def no_effect_twice(scene: Scene) -> bool:
    kills, closings = scene.world.gateway.done("kill"), scene.world.gateway.done("close")
    writes = scene.world.gateway.done("write")
    once = all(count == 1 for counter in (kills, closings, writes) for count in counter.values())
    return once and not scene.world.gateway.idle_kills


async def removed() -> Scene:
    scene = await set_scene()
    scene.world.gateway.connect(scene.alice_at, "pg3")
    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.notify()
    return scene


async def disabled_with_everything() -> Scene:
    scene = await set_scene()
    gateway = scene.world.gateway
    key = gateway.key(IdentityKind.AI_AGENT, "agent-key", "dev")
    robot = gateway.machine("robot", "pg1")
    scene.world.rules = rules(IdentityMap(MAP.groups, {scene.alice: (key, robot)}))
    for ref in (key, robot):
        gateway.connect(ref, "pg1")
    for review_type, pending in itertools.product(ReviewType, (True, False)):
        gateway.ask(scene.alice_at, gateway.connect(scene.alice_at, "pg3"), review_type, pending=pending)
    scene.world.entra.disable(scene.alice)
    await scene.world.notify()
    return scene


async def about_to_be_restored() -> Scene:
    scene = await set_scene()
    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()
    scene.world.entra.enable(scene.alice)
    await scene.world.deliver()
    await scene.world.run(59)
    scene.world.gateway.effects.clear()
    scene.world.clock.advance(1)
    return scene


async def told_of_a_nested_group() -> Scene:
    scene = await set_scene()
    contractors = scene.world.entra.group("contractors", scene.alice)
    scene.world.entra.truth.members[DEV].discard(scene.alice)
    scene.world.entra.truth.members[DEV].add(contractors)
    scene.world.entra.remove(DEV, contractors)
    await scene.world.notify()
    return scene


@heard
async def test_removal_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    for scene in await at_every_call(removed, heard=heard):
        assert is_closed(scene, scene.alice_at)
        assert no_effect_twice(scene)
        assert "revoked" in scene.world.story(scene.alice)
        assert scene.others_are_untouched
        assert not scene.world.queue.dead_letters
        assert [entry.name for entry in scene.world.records.states[scene.alice].ledger] == ["dev"]


@heard
async def test_loss_of_everything_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    for scene in await at_every_call(disabled_with_everything, heard=heard):
        gateway = scene.world.gateway
        for ref in (scene.alice_at, *scene.world.rules.identity_map.agents[scene.alice]):
            assert not gateway.flowing(ref)
            assert not gateway.open_reviews(ref)
            assert not gateway.identities[ref].is_open
        assert no_effect_twice(scene)
        assert "revoked" in scene.world.story(scene.alice)
        assert scene.others_are_untouched


@heard
async def test_fan_out_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    for scene in await at_every_call(told_of_a_nested_group, heard=heard):
        assert is_closed(scene, scene.alice_at)
        assert no_effect_twice(scene)
        assert scene.others_are_untouched


@heard
async def test_restore_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    for scene in await at_every_call(about_to_be_restored, heard=heard):
        alice = scene.world.gateway.identities[scene.alice_at]
        assert (alice.status, alice.groups) == ("active", frozenset({"dev"}))
        assert no_effect_twice(scene)
        assert scene.world.story(scene.alice)[-1] == "restored"
        assert not scene.world.records.states[scene.alice].ledger


@heard
async def test_sweep_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    for number in itertools.count(1):
        scene = await set_scene()
        scene.world.entra.remove(DEV, scene.alice)
        scene.world.lose_notifications()
        died = False
        try:
            await sweep_directory("groups", scene.world.worker(Fate(dies_at=number, heard=heard)), scene.world.rules)
        except CrashError:
            died = True
        await scene.world.sweep()
        await scene.world.settle()

        assert is_closed(scene, scene.alice_at)
        assert scene.others_are_untouched
        if not died:
            return


@heard
async def test_start_over_survives_a_crash_at_every_call(heard: bool) -> None:  # noqa: FBT001 - as above
    for number in itertools.count(1):
        scene = await set_scene()
        link, _ = scene.world.delta_links.links["groups"]
        scene.world.entra.remove(DEV, scene.alice)
        scene.world.lose_notifications()
        scene.world.entra.lost_links.add(link)
        died = False
        try:
            await sweep_directory("groups", scene.world.worker(Fate(dies_at=number, heard=heard)), scene.world.rules)
        except CrashError:
            died = True
        await scene.world.sweep()
        await scene.world.settle()

        assert is_closed(scene, scene.alice_at)
        if not died:
            return


async def test_dead_owner_is_replaced_when_its_claim_expires() -> None:
    scene = await removed()
    fate = Fate(dies_on="gateway.write_identity")

    await scene.world.process(first(scene.world), fate)
    assert scene.world.records.states[scene.alice].claim is not None
    await scene.world.run(CLAIM - 1)
    writes_before_expiry = scene.world.gateway.done("write")
    await scene.world.run(2)

    assert not writes_before_expiry
    assert is_closed(scene, scene.alice_at)


async def test_waiting_for_a_claim_is_no_attempt() -> None:
    scene = await removed()
    now = scene.world.clock.now()
    await scene.world.records.claim(scene.alice, "somebody", now, now + timedelta(seconds=CLAIM))

    await scene.world.settle()
    (waiting,) = scene.world.queue.waiting
    await scene.world.run(CLAIM - 1)
    (still_waiting,) = scene.world.queue.waiting

    assert (waiting.visible_at - now).total_seconds() == 1
    assert waiting.body == still_waiting.body
    assert not scene.world.queue.dead_letters

    await scene.world.run(LONGEST_VERIFICATION + CLAIM)

    assert is_closed(scene, scene.alice_at)

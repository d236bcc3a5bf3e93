"""Subscriptions are made, adopted, renewed, replaced and missed without a word from Graph."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.client_state import ClientStateKeys
from shared.domain.subscriptions import LIFETIME, DirectoryEventKind, Subscription
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.anchor_evidence import anchor_evidence
from shared.handlers.keep_subscriptions import SubscriptionPlan, renew_subscriptions, watch_subscriptions
from shared.handlers.receive_notifications import LARGEST_BODY, receive_notifications
from shared.handlers.show_health import show_health
from tests.fakes.entra import KEYS, TENANT, guid, notification
from tests.fakes.queue import CHANGES, EVENTS
from tests.fakes.worker import unreachable
from tests.fakes.world import URL, World
from tests.handlers.scene import DEV, is_closed, set_scene

NEW_KEYS = ClientStateKeys(TENANT, (b"the next key of thirty-two characters", *KEYS.keys))


async def subscribed() -> World:
    """Both subscriptions exist, and their creation is history."""
    world = World()
    await watch_subscriptions(world.plan, world.ports)
    world.queue.waiting.clear()
    world.alerts.raised.clear()
    return world


def lifecycle(kind: str, subscription_id: str) -> bytes:
    item = {
        "lifecycleEvent": kind,
        "subscriptionId": subscription_id,
        "clientState": KEYS.issue("users", 1),
        "tenantId": TENANT,
    }
    return json.dumps({"value": [item]}).encode()


async def test_missing_subscriptions_are_made_and_everybody_is_looked_at() -> None:
    world = World()

    made = await watch_subscriptions(world.plan, world.ports)

    assert list(made) == ["users", "groups"]
    assert {one.resource for one in world.subscriptions.registered.values()} == {"users", "groups"}
    assert all(one.lifecycle_url == one.notification_url for one in world.subscriptions.registered.values())
    assert all(one.expires_at == world.clock.now() + LIFETIME for one in world.subscriptions.registered.values())
    assert {KEYS.check(state) for state in world.subscriptions.client_states.values()} == {"users", "groups"}
    assert len(world.queue.on(EVENTS)) == 1
    assert world.alerts.reasons == {"subscription-made-anew": 1}


async def test_subscriptions_that_serve_are_adopted() -> None:
    world = await subscribed()
    before = dict(world.subscriptions.registered)

    made = await watch_subscriptions(world.plan, world.ports)

    assert not made
    assert world.subscriptions.registered == before
    assert not world.queue.waiting


async def test_subscription_that_was_created_meanwhile_is_left_to_the_next_watch() -> None:
    world = await subscribed()
    real = world.subscriptions.list_all

    async def before_the_other_came() -> list[Subscription]:
        return []

    world.subscriptions.list_all = before_the_other_came  # type: ignore[method-assign]
    made = await watch_subscriptions(world.plan, world.ports)
    world.subscriptions.list_all = real  # type: ignore[method-assign]

    assert not made
    assert len(world.subscriptions.registered) == 2


async def test_silently_lost_subscription_is_made_anew_and_everybody_is_looked_at() -> None:
    scene = await set_scene()
    world = scene.world
    await watch_subscriptions(world.plan, world.ports)
    await world.settle()
    lost = next(one for one in world.subscriptions.registered.values() if one.resource == "groups")
    await world.subscriptions.delete(lost.subscription_id)
    world.entra.remove(DEV, scene.alice)
    world.lose_notifications()

    made = await watch_subscriptions(world.plan, world.ports)
    await world.settle()

    assert list(made) == ["groups"]
    assert is_closed(scene, scene.alice_at)


@pytest.mark.parametrize("change", ["key", "generation", "expired", "url"])
async def test_subscription_that_does_not_serve_any_more_is_replaced(change: str) -> None:
    world = await subscribed()
    old = set(world.subscriptions.registered)
    plan = world.plan
    if change == "key":
        plan = replace(plan, keys=NEW_KEYS)
    elif change == "generation":
        plan = replace(plan, generation=2)
    elif change == "url":
        plan = replace(plan, notification_url="https://moved.example/api/graph/notifications")
    else:
        world.clock.advance(LIFETIME.total_seconds())

    made = await watch_subscriptions(plan, world.ports)

    assert list(made) == ["users", "groups"]
    assert not old & set(world.subscriptions.registered)
    assert len(world.subscriptions.registered) == 2


async def test_notification_under_the_previous_key_still_counts_during_rotation() -> None:
    world = await subscribed()

    accepted = await receive_notifications(notification("users", "updated", {"id": guid("a")}), NEW_KEYS, world.ports)

    assert accepted == 1


async def test_subscription_close_to_its_end_is_renewed_by_the_watch() -> None:
    world = await subscribed()
    world.clock.advance(2 * 3600)

    made = await watch_subscriptions(world.plan, world.ports)

    assert not made
    assert len(world.subscriptions.renewed) == 2
    assert {one.expires_at for one in world.subscriptions.registered.values()} == {world.clock.now() + LIFETIME}


async def test_only_our_own_subscriptions_are_renewed() -> None:
    world = await subscribed()
    foreign = Subscription("users", "https://other.example", None, world.clock.now() + timedelta(days=1))
    await world.subscriptions.create(replace(foreign, change_types=frozenset({"deleted"})))
    world.clock.advance(1800)

    renewed = await renew_subscriptions(world.plan, world.ports)

    assert renewed == 2
    assert len(set(world.subscriptions.renewed)) == 2


async def test_challenge_is_answered_by_a_renewal() -> None:
    world = await subscribed()
    (subscription_id, *_) = world.subscriptions.registered

    await receive_notifications(lifecycle("reauthorizationRequired", subscription_id), KEYS, world.ports)
    await world.settle()

    assert world.subscriptions.renewed == [subscription_id]


async def test_challenge_for_a_lost_subscription_is_reported() -> None:
    world = await subscribed()

    await receive_notifications(lifecycle("reauthorizationRequired", "gone"), KEYS, world.ports)
    await world.settle()

    assert world.alerts.reasons == {"subscription-lost": 1}
    assert not world.queue.waiting


async def test_removed_subscription_is_made_anew_and_everybody_is_looked_at() -> None:
    scene = await set_scene()
    world = scene.world
    await watch_subscriptions(world.plan, world.ports)
    await world.settle()
    (subscription_id, *_) = world.subscriptions.registered
    await world.subscriptions.delete(subscription_id)
    world.entra.remove(DEV, scene.alice)
    world.lose_notifications()

    await receive_notifications(lifecycle("subscriptionRemoved", subscription_id), KEYS, world.ports)
    await world.settle()

    assert len(world.subscriptions.registered) == 2
    assert is_closed(scene, scene.alice_at)


async def test_missed_notifications_have_everybody_looked_at() -> None:
    scene = await set_scene()
    scene.world.entra.remove(DEV, scene.alice)
    scene.world.lose_notifications()

    await receive_notifications(lifecycle(DirectoryEventKind.MISSED, "any"), KEYS, scene.world.ports)
    await scene.world.settle()

    assert is_closed(scene, scene.alice_at)


async def test_forged_delivery_is_refused_and_not_queued() -> None:
    world = World()
    forged = notification(
        "users", "updated", {"id": guid("a")}, ClientStateKeys(TENANT, (b"somebody else's key of 32 characters",))
    )

    with pytest.raises(RejectedError, match="forged-client-state"):
        await receive_notifications(forged, KEYS, world.ports)

    assert not world.queue.waiting


async def test_one_bad_item_costs_the_good_ones_nothing() -> None:
    world = World()
    items = [json.loads(notification("users", "updated", {"id": guid(f"u{n}")}))["value"][0] for n in range(100)]
    items[50]["clientState"] = "users.1.forged"

    accepted = await receive_notifications(json.dumps({"value": items}).encode(), KEYS, world.ports)

    assert accepted == 99
    assert len(world.queue.on(CHANGES)) == 99
    assert world.alerts.reasons == {"forged-client-state": 1}


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"{", "malformed-notifications"), (b" " * (LARGEST_BODY + 1), "body-too-large"), (b"[]", "malformed")],
)
async def test_unreadable_delivery_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(RejectedError, match=reason):
        await receive_notifications(body, KEYS, World().ports)


async def test_delivery_that_cannot_be_made_durable_is_sent_again_by_graph() -> None:
    world = World(fault=unreachable("queue"))

    with pytest.raises(RetryLaterError):
        await receive_notifications(notification("users", "updated", {"id": guid("a")}), KEYS, world.worker())


async def test_health_is_good_and_names_the_holds_that_wait() -> None:
    world = await subscribed()

    shown = await show_health(world.plan, world.ports)

    assert shown == {
        "healthy": True,
        "parts": {"gateway": "ok", "subscriptions": "ok", "storage": "ok"},
        "holds": [],
    }


async def test_health_names_each_part_that_fails() -> None:
    world = World(fault=unreachable("gateway", "holds"))

    shown = await show_health(world.plan, world.worker())

    assert not shown["healthy"]
    assert shown["parts"] == {
        "gateway": "gateway-unreachable",
        "subscriptions": "subscription-missing: users, groups",
        "storage": "holds-unreachable",
    }


async def test_anchor_holds_the_heads_of_all_chains_once() -> None:
    scene = await set_scene()
    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()
    scene.world.clock.advance(86_400)

    first = await anchor_evidence(scene.world.ports)
    scene.world.entra.disable(scene.bob)
    await scene.world.deliver()
    again = await anchor_evidence(scene.world.ports)

    assert (first, again) == (1, 1)
    assert scene.world.evidence.anchors["2027-01-04"]["heads"].keys() == {scene.alice}


def test_url_of_a_subscription_carries_no_secret() -> None:
    wanted = SubscriptionPlan(KEYS, 1, URL).wanted("users", World().clock.now())

    assert wanted.client_state not in wanted.notification_url
    assert wanted.client_state.rpartition(".")[2] not in wanted.notification_url

"""The Graph stand-in's subscriptions, and what it delivers to them."""

from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from sandbox.graph.clock import precise_date
from sandbox.graph.testing import Subscriber, Tenant, bearer, eventually
from sandbox.tenant import TENANT_ID


@pytest.fixture
async def tenant() -> AsyncIterator[Tenant]:
    tenant = Tenant()
    yield tenant
    await tenant.close()


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    with Subscriber() as subscriber:
        yield subscriber


async def test_subscription_exists_after_both_urls_echoed_their_token(tenant: Tenant, subscriber: Subscriber) -> None:
    answer = await tenant.subscribe(
        "/users", subscriber.url, lifecycleNotificationUrl=f"{subscriber.url}/lifecycle?a=b"
    )
    made = answer.json()
    read = (await tenant.read(f"/subscriptions/{made['id']}")).json()
    listed = await tenant.rows("/subscriptions")

    assert answer.status_code == 201
    assert len(set(subscriber.handshakes)) == 2
    assert (made["clientState"], read["clientState"]) == ("a shared secret", None)
    assert [row["id"] for row in listed] == [made["id"]]


@pytest.mark.parametrize(
    "answer",
    [
        lambda token: PlainTextResponse(token, 202),
        HTMLResponse,
        lambda token: PlainTextResponse(token.replace("+", " ")),
        lambda _: Response(status_code=200),
    ],
    ids=["not 200", "not text/plain", "decoded twice", "empty"],
)
async def test_subscription_is_refused_when_the_handshake_fails(
    tenant: Tenant, subscriber: Subscriber, answer: type[Response]
) -> None:
    subscriber.echo = answer

    refused = await tenant.subscribe("/users", subscriber.url)

    assert refused.status_code == 400
    assert await tenant.rows("/subscriptions") == []


@pytest.mark.parametrize(
    "values",
    [
        {"resource": "/servicePrincipals"},
        {"resource": "/users/{id}/memberOf"},
        {"changeType": "created,updated"},
        {"clientState": "x" * 129},
        {"expirationDateTime": precise_date(1_800_000_000 + 41_761 * 60)},
        {"expirationDateTime": precise_date(1_799_999_999)},
        {"notificationUrl": "http://elsewhere.example/hook"},
    ],
    ids=lambda values: next(iter(values)),
)
async def test_subscription_that_graph_does_not_offer_is_refused(
    tenant: Tenant, subscriber: Subscriber, values: dict[str, str]
) -> None:
    refused = await tenant.subscribe("/users", subscriber.url, **values)

    assert refused.status_code == 400
    assert subscriber.handshakes == []


async def test_second_subscription_for_the_same_is_a_conflict(tenant: Tenant, subscriber: Subscriber) -> None:
    await tenant.subscribe("/users", subscriber.url)

    same = await tenant.subscribe("users", subscriber.url, changeType="deleted,updated")
    other = await tenant.subscribe("/users", subscriber.url, changeType="updated")

    assert (same.status_code, other.status_code) == (409, 201)


async def test_hundred_and_first_subscription_is_forbidden(tenant: Tenant, subscriber: Subscriber) -> None:
    for number in range(100):
        await tenant.subscribe(f"/users/00000000-0000-4000-8000-{number:012}", subscriber.url)

    refused = await tenant.subscribe("/users", subscriber.url)

    assert (refused.status_code, len(await tenant.rows("/subscriptions"))) == (403, 100)


async def test_renewal_moves_the_expiry_and_nobody_else_sees_the_subscription(
    tenant: Tenant, subscriber: Subscriber
) -> None:
    path = f"/v1.0/subscriptions/{(await tenant.subscribe('/users', subscriber.url)).json()['id']}"
    later = precise_date(tenant.clock.now + 7200)

    renewed = await tenant.client.patch(path, headers=tenant.reader, json={"expirationDateTime": later})
    moved = await tenant.client.patch(path, headers=tenant.reader, json={"lifecycleNotificationUrl": subscriber.url})
    reauthorized = await tenant.client.post(f"{path}/reauthorize", headers=tenant.reader)
    foreign = await tenant.client.get(path, headers=bearer("User.Read.All", object_id="another app"))
    removed = await tenant.client.delete(path, headers=tenant.reader)

    assert renewed.json()["expirationDateTime"] == later
    answers = (moved, reauthorized, foreign, removed)
    assert [answer.status_code for answer in answers] == [400, 204, 404, 204]


async def test_moved_subscription_delivers_to_the_new_url_once_that_has_echoed(
    tenant: Tenant, subscriber: Subscriber
) -> None:
    made = (await tenant.subscribe("/users", subscriber.url)).json()

    with Subscriber() as other:
        path = f"/v1.0/subscriptions/{made['id']}"
        plain = await tenant.client.patch(path, headers=tenant.reader, json={"notificationUrl": "http://a.example"})
        moved = await tenant.client.patch(path, headers=tenant.reader, json={"notificationUrl": other.url})
        await tenant.user("ada")
        await other.received(1)

    assert (plain.status_code, moved.status_code) == (400, 200)
    assert (len(other.handshakes), subscriber.items) == (1, [])


async def test_removed_member_is_told_in_the_shape_that_graph_was_seen_to_send(
    tenant: Tenant, subscriber: Subscriber
) -> None:
    ada = await tenant.user("ada")
    team = await tenant.group("team", ada)
    made = (await tenant.subscribe("/groups", subscriber.url)).json()

    await tenant.remove_member(team, ada)
    await subscriber.received(1)
    await tenant.add_member(team, ada)
    removed, added = await subscriber.received(2)

    assert removed == {
        "changeType": "updated",
        "clientState": "a shared secret",
        "resource": f"Groups/{team}",
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.Group",
            "@odata.id": f"Groups/{team}",
            "id": team,
            "organizationId": TENANT_ID,
            "members@delta": [{"id": ada, "@removed": "deleted"}],
        },
        "subscriptionExpirationDateTime": made["expirationDateTime"],
        "subscriptionId": made["id"],
        "tenantId": TENANT_ID,
    }
    assert added["resourceData"]["members@delta"] == [{"id": ada}]


async def test_user_changes_are_told_without_saying_what_changed(tenant: Tenant, subscriber: Subscriber) -> None:
    ada = await tenant.user("ada")
    await tenant.subscribe("/users", subscriber.url)

    await tenant.write("PATCH", f"/users/{ada}", {"accountEnabled": False})
    await tenant.write("PATCH", f"/users/{ada}", {"accountEnabled": False})
    await subscriber.received(1)
    await tenant.write("DELETE", f"/users/{ada}")
    await subscriber.received(2)
    await tenant.write("DELETE", f"/directory/deletedItems/{ada}")
    items = await subscriber.received(3)

    assert [item["changeType"] for item in items] == ["updated", "updated", "deleted"]
    assert {frozenset(item["resourceData"]) for item in items} == {
        frozenset({"@odata.type", "@odata.id", "id", "organizationId"})
    }


async def test_event_time_and_sequence_number_come_when_switched_on(tenant: Tenant, subscriber: Subscriber) -> None:
    await tenant.subscribe("/users", subscriber.url)
    await tenant.switch(eventTime=True)

    await tenant.user("ada")
    (item,) = await subscriber.received(1)

    assert item["resourceData"]["eventTime"] == "2027-01-15T08:00:00.0000000Z"
    assert item["resourceData"]["sequenceNumber"] == 639_355_968_000_000_000


async def test_subscription_for_one_group_hears_of_no_other(tenant: Tenant, subscriber: Subscriber) -> None:
    mine, other = await tenant.group("mine"), await tenant.group("other")
    await tenant.subscribe(f"/groups/{mine}", subscriber.url)

    await tenant.write("PATCH", f"/groups/{other}", {"displayName": "renamed"})
    await tenant.write("PATCH", f"/groups/{mine}", {"displayName": "renamed"})
    items = await subscriber.received(1)

    assert [item["resourceData"]["id"] for item in items] == [mine]


async def test_service_principals_change_without_notification(tenant: Tenant, subscriber: Subscriber) -> None:
    await tenant.subscribe("/users", subscriber.url)
    principal = (await tenant.write("POST", "/servicePrincipals", {"appId": "an app", "displayName": "bot"})).json()

    await tenant.write("PATCH", f"/servicePrincipals/{principal['id']}", {"accountEnabled": False})
    ada = await tenant.user("ada")
    items = await subscriber.received(1)

    assert [item["resourceData"]["id"] for item in items] == [ada]
    assert len(await tenant.events("service-principal-disabled")) == 1


async def test_refused_delivery_is_repeated_until_accepted_even_after_403(
    tenant: Tenant, subscriber: Subscriber
) -> None:
    await tenant.subscribe("/users", subscriber.url)
    await tenant.switch(retryBaseMs=1)
    subscriber.statuses = [403, 503]

    ada = await tenant.user("ada")
    await subscriber.received(1)
    await eventually(lambda: not tenant.state.sender.tasks)
    sent = await tenant.events("notification-sent")

    assert [(event["status"], event["attempt"]) for event in sent] == [(403, 1), (503, 2), (202, 3)]
    assert {event["principalId"] for event in sent} == {ada}
    assert sent[0]["causes"] == [event["seq"] for event in await tenant.events("user-created")]


async def test_delivery_is_given_up_after_four_hours(tenant: Tenant, subscriber: Subscriber) -> None:
    later = precise_date(tenant.clock.now + 5 * 3600)
    await tenant.subscribe("/users", subscriber.url, expirationDateTime=later)
    await tenant.switch(retryBaseMs=1)
    subscriber.statuses = [503] * 10_000

    await tenant.user("ada")
    await eventually(lambda: subscriber.attempts > 1)
    tenant.clock.advance(4 * 3600 + 1)
    await eventually(lambda: not tenant.state.sender.tasks)

    assert len(await tenant.events("notification-abandoned")) == 1


async def test_expired_subscription_goes_silent(tenant: Tenant, subscriber: Subscriber) -> None:
    made = (await tenant.subscribe("/users", subscriber.url)).json()

    tenant.clock.advance(3601)
    await tenant.user("ada")

    assert not tenant.state.sender.tasks
    assert (await tenant.read(f"/subscriptions/{made['id']}")).status_code == 404
    assert await tenant.events("notification-sent") == []


async def test_lost_subscription_goes_silent_without_a_lifecycle_notification(
    tenant: Tenant, subscriber: Subscriber
) -> None:
    made = (await tenant.subscribe("/users", subscriber.url, lifecycleNotificationUrl=subscriber.url)).json()

    lost = await tenant.client.post(f"/sandbox/subscriptions/{made['id']}/lose")
    await tenant.user("ada")

    assert lost.status_code == 204
    assert not tenant.state.sender.tasks
    assert (await tenant.subscribe("/users", subscriber.url)).status_code == 201


async def test_lifecycle_notification_names_neither_resource_nor_change(tenant: Tenant, subscriber: Subscriber) -> None:
    made = (await tenant.subscribe("/users", subscriber.url, lifecycleNotificationUrl=subscriber.url)).json()

    body = {"subscriptionId": made["id"], "lifecycleEvent": "reauthorizationRequired"}
    asked = await tenant.client.post("/sandbox/lifecycle", json=body)
    items = await subscriber.received(1)

    assert asked.status_code == 202
    assert items == [
        {
            "subscriptionId": made["id"],
            "subscriptionExpirationDateTime": made["expirationDateTime"],
            "tenantId": TENANT_ID,
            "clientState": "a shared secret",
            "lifecycleEvent": "reauthorizationRequired",
        }
    ]


async def test_burst_is_delivered_in_batches_of_at_most_a_hundred(tenant: Tenant, subscriber: Subscriber) -> None:
    ada = await tenant.user("ada")
    await tenant.subscribe("/users", subscriber.url)
    await tenant.switch(coalesceMs=400)

    for number in range(120):
        await tenant.write("PATCH", f"/users/{ada}", {"jobTitle": str(number)})
    items = await subscriber.received(120)

    assert len(items) == 120
    assert max(len(delivery) for delivery in subscriber.deliveries) == 100


async def test_items_are_dropped_doubled_and_turned_around_as_switched(tenant: Tenant, subscriber: Subscriber) -> None:
    await tenant.subscribe("/users", subscriber.url)

    await tenant.switch(drop=1, duplicate=1, reorder=True)
    ids = [await tenant.user(f"user{n}") for n in range(3)]
    items = await subscriber.received(3)

    assert [item["resourceData"]["id"] for item in items] == [ids[2], ids[1], ids[1]]
    assert len(await tenant.events("notification-dropped")) == 1


async def test_members_of_one_group_are_merged_into_one_item_when_switched_on(
    tenant: Tenant, subscriber: Subscriber
) -> None:
    ada = await tenant.user("ada")
    team = await tenant.group("team", ada)
    await tenant.subscribe("/groups", subscriber.url)
    await tenant.switch(mergeMembers=True, coalesceMs=200)

    await tenant.remove_member(team, ada)
    await tenant.add_member(team, ada)
    items = await subscriber.received(1)

    assert [item["resourceData"]["members@delta"] for item in items] == [
        [{"id": ada, "@removed": "deleted"}, {"id": ada}]
    ]


async def test_delayed_notification_arrives_later_than_one_sent_after_it(
    tenant: Tenant, subscriber: Subscriber
) -> None:
    await tenant.subscribe("/users", subscriber.url)

    await tenant.switch(delayMs=200)
    first = await tenant.user("first")
    await tenant.switch(delayMs=0)
    second = await tenant.user("second")
    items = await subscriber.received(2)

    assert [item["resourceData"]["id"] for item in items] == [second, first]

"""Graph's subscriptions: what keeping them relies on, in memory and through msgraph-sdk on the stand-in alike."""

import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
import uvicorn
from azure.core.credentials import AccessToken

from sandbox.graph.testing import READ_ROLES, Subscriber, Tenant, bearer
from shared.adapters.graph_subscriptions import GraphSubscriptions
from shared.domain.subscriptions import LIFETIME, Subscription
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.ports import Subscriptions
from tests.fakes.subscriptions import FakeSubscriptions
from tests.sandbox.host_process import free_port


class Identity:
    """A credential whose token the stand-in accepts."""

    async def get_token(self, *_: str, **__: object) -> AccessToken:
        token = bearer(*READ_ROLES)["Authorization"].removeprefix("Bearer ")
        return AccessToken(token, int(time.time()) + 3600)

    async def close(self) -> None:
        return

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def graph() -> Iterator[str]:
    """The stand-in behind a port, with a clock that stands for the real one."""
    tenant = Tenant()
    tenant.clock.now = time.time()
    server = uvicorn.Server(uvicorn.Config(tenant.app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def url() -> Iterator[str]:
    with Subscriber() as subscriber:
        yield f"{subscriber.url}?v=1"


@pytest.fixture(params=["in memory", "over HTTP"])
async def subscriptions(request: pytest.FixtureRequest) -> AsyncIterator[Subscriptions]:
    if request.param == "in memory":
        yield FakeSubscriptions()
        return
    real = GraphSubscriptions(_identity(), request.getfixturevalue("graph"))
    yield real
    for one in await real.list_all():
        await real.delete(one.subscription_id)


def _identity() -> Any:  # noqa: ANN401 - as much of a credential as is used
    return Identity()


def wanted(resource: str, url: str) -> Subscription:
    expires_at = (datetime.now(UTC) + LIFETIME).replace(microsecond=0)
    return Subscription(resource, url, url, expires_at, client_state=f"{resource}.1.proof")


async def test_created_subscription_serves_and_is_listed(subscriptions: Subscriptions, url: str) -> None:
    users, groups = wanted("users", url), wanted("groups", url)

    created = await subscriptions.create(users)
    await subscriptions.create(groups)

    listed = await subscriptions.list_all()
    assert created.subscription_id
    assert created.serves(users)
    assert sorted(one.resource for one in listed) == ["groups", "users"]
    assert all(one.serves(users) or one.serves(groups) for one in listed)
    assert {one.expires_at for one in listed} == {users.expires_at, groups.expires_at}


async def test_second_subscription_like_the_first_was_decided_already(subscriptions: Subscriptions, url: str) -> None:
    await subscriptions.create(wanted("users", url))

    with pytest.raises(AlreadyDecidedError):
        await subscriptions.create(wanted("users", f"{url}&other=1"))


async def test_renewed_subscription_ends_later(subscriptions: Subscriptions, url: str) -> None:
    created = await subscriptions.create(wanted("users", url))
    later = created.expires_at + timedelta(minutes=30)

    await subscriptions.renew(created.subscription_id, later)

    (listed,) = await subscriptions.list_all()
    assert listed.expires_at == later


async def test_lost_subscription_cannot_be_renewed(subscriptions: Subscriptions, url: str) -> None:
    created = await subscriptions.create(wanted("users", url))
    await subscriptions.delete(created.subscription_id)

    with pytest.raises(RejectedError):
        await subscriptions.renew(created.subscription_id, created.expires_at)


async def test_deleting_what_is_gone_is_no_error(subscriptions: Subscriptions, url: str) -> None:
    created = await subscriptions.create(wanted("users", url))

    await subscriptions.delete(created.subscription_id)
    await subscriptions.delete(created.subscription_id)

    assert await subscriptions.list_all() == []


async def test_endpoint_that_fails_the_handshake_is_a_reason_to_try_later(graph: str) -> None:
    real = GraphSubscriptions(_identity(), graph)

    with pytest.raises(RetryLaterError, match="graph-400"):
        await real.create(wanted("users", f"http://127.0.0.1:{free_port()}/nobody"))


async def test_graph_that_is_gone_is_a_reason_to_try_later() -> None:
    real = GraphSubscriptions(_identity(), f"http://127.0.0.1:{free_port()}")

    with pytest.raises(RetryLaterError, match="graph-unreachable"):
        await real.list_all()

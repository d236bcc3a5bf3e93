"""Which subscription does what we want, and events that are tried again."""

from dataclasses import replace

import pytest

from shared.domain.subscriptions import DirectoryEvent, DirectoryEventKind, Subscription
from tests.domain.samples import NOW, later

URL = "https://tether.example/api/graph/notifications?v=1"
WANTED = Subscription("users", URL, URL, NOW)


def test_subscription_serves_whatever_its_id_and_expiry() -> None:
    held = replace(WANTED, subscription_id="s-1", expires_at=later(60), client_state="secret")

    assert held.serves(WANTED)


@pytest.mark.parametrize(
    "held",
    [
        replace(WANTED, resource="groups"),
        replace(WANTED, change_types=frozenset({"updated"})),
        replace(WANTED, notification_url="https://elsewhere.example/"),
        replace(WANTED, lifecycle_url=None),
    ],
)
def test_subscription_that_would_miss_something_does_not_serve(held: Subscription) -> None:
    assert not held.serves(WANTED)


def test_retried_event_counts_the_attempt() -> None:
    event = DirectoryEvent(DirectoryEventKind.MISSED, "", "first sweep", "c-1")

    assert event.retried() == replace(event, attempt=1)

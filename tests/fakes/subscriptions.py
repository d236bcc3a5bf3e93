"""Graph's subscriptions in memory: one per resource and change types, no word when one is lost."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.subscriptions import Subscription
from shared.errors import AlreadyDecidedError, RejectedError


class FakeSubscriptions:
    """What Graph has registered; `client_states` are what it will prove itself with."""

    def __init__(self) -> None:
        self.registered: dict[str, Subscription] = {}
        self.client_states: dict[str, str] = {}
        self.renewed: list[str] = []
        self._made = 0

    async def list_all(self) -> Sequence[Subscription]:
        return list(self.registered.values())

    async def create(self, wanted: Subscription) -> Subscription:
        for one in self.registered.values():
            if (one.resource, one.change_types) == (wanted.resource, wanted.change_types):
                raise AlreadyDecidedError("subscription-exists")
        self._made += 1
        created = replace(wanted, subscription_id=f"subscription-{self._made}", client_state="")
        self.registered[created.subscription_id] = created
        self.client_states[created.subscription_id] = wanted.client_state
        return created

    async def renew(self, subscription_id: str, expires_at: datetime) -> None:
        if subscription_id not in self.registered:
            raise RejectedError("subscription-lost")
        self.registered[subscription_id] = replace(self.registered[subscription_id], expires_at=expires_at)
        self.renewed.append(subscription_id)

    async def delete(self, subscription_id: str) -> None:
        self.registered.pop(subscription_id, None)

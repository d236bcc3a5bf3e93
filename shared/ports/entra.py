"""Entra: the directory, and our registrations with Graph."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.approval import Person
from shared.domain.posture.gateway_view import GroupFacts
from shared.domain.principals import Principal, PrincipalKind
from shared.domain.subscriptions import Subscription
from shared.domain.sweep import DeltaPage


class Directory(Protocol):
    """Entra, read through Graph."""

    async def describe(self, principal_id: str, kind: PrincipalKind) -> Principal | None:
        """The principal as it is now, its blueprint's state included; `None` when Entra never heard of the id.

        A deleted principal is returned with `AccountState.DELETED`, and with its addresses while Entra keeps them.
        """

    async def describe_many(self, principals: Collection[Principal]) -> Mapping[str, Principal]:
        """The same for many known principals, by id."""

    async def find_users(self, emails: Collection[str]) -> Mapping[str, Sequence[Principal]]:
        """The users who carry each of these addresses, by case-folded address."""

    async def direct_groups(self, principal_id: str, kind: PrincipalKind) -> frozenset[str]:
        """The groups of which it is a direct member."""

    async def memberships(self, principal_id: str, groups: Collection[str]) -> frozenset[str]:
        """Those of `groups` in which it (a group, too) is a member by any path."""

    async def memberships_of_many(self, wanted: Mapping[str, Collection[str]]) -> Mapping[str, frozenset[str]]:
        """The same for many principals, by id."""

    async def members(self, group_id: str, most: int) -> Sequence[Person]:
        """The enabled users in a group by any path, at most so many."""

    async def people_behind(self, principal: Principal) -> tuple[Sequence[Person], Sequence[Person]]:
        """The sponsors and the owners of a service principal or agent identity."""

    async def people_behind_many(
        self, principals: Collection[Principal]
    ) -> Mapping[str, tuple[Sequence[Person], Sequence[Person]]]:
        """The same for many, by id."""

    async def group_ids(self, display_names: Collection[str]) -> Mapping[str, str]:
        """The object ids of groups by display name; names that no group or several groups carry are left out."""

    async def group_facts(self, group_ids: Collection[str]) -> Mapping[str, GroupFacts]:
        """Names, ages and counts of groups by object id; groups that are gone are left out."""

    async def latest_delta_link(self, resource: str) -> str:
        """A link from which changes are counted as of now."""

    async def delta(self, resource: str, link: str) -> DeltaPage:
        """The page behind a link. Raises `DeltaLinkLostError` when Graph has forgotten it."""


class Subscriptions(Protocol):
    """Our registrations with Graph."""

    async def list_all(self) -> Sequence[Subscription]:
        """Every subscription of this app in the tenant."""

    async def create(self, wanted: Subscription) -> Subscription:
        """Register; our URL answers its handshake meanwhile. Raises `AlreadyDecidedError` when one like it exists."""

    async def renew(self, subscription_id: str, expires_at: datetime) -> None:
        """Extend and reauthorize. Raises `RejectedError` when Graph has lost the subscription."""

    async def delete(self, subscription_id: str) -> None:
        """Remove it; removing what is gone is no error."""

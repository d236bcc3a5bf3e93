"""Entra in memory: what its admins did, and what Graph says of it: now, late, or not at all."""

import asyncio
import copy
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.domain.approval import Person
from shared.domain.client_state import ClientStateKeys
from shared.domain.posture.gateway_view import GroupFacts
from shared.domain.principals import AccountState, Hint, Principal, PrincipalChange, PrincipalKind, Source
from shared.domain.sweep import DeltaPage, DirectoryChange
from shared.errors import DeltaLinkLostError
from shared.wire.graph_notifications import member_hint
from tests.fakes.clock import FakeClock

TENANT = "7e7e0000-0000-4000-8000-000000000001"
KEYS = ClientStateKeys(TENANT, (b"a key of at least thirty-two characters",))


def guid(name: str) -> str:
    """The object id of whatever has this name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


@dataclass
class Truth:
    """The directory: principals (deleted ones in the bin), groups by members, names of groups, disabled apps.

    `sponsors` and `owners` are people by agent.
    """

    principals: dict[str, Principal] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    bin: dict[str, Principal] = field(default_factory=dict)
    binned_groups: dict[str, set[str]] = field(default_factory=dict)
    disabled_apps: set[str] = field(default_factory=set)
    sponsors: dict[str, list[str]] = field(default_factory=dict)
    owners: dict[str, list[str]] = field(default_factory=dict)

    def groups_of(self, member_id: str) -> frozenset[str]:
        return frozenset(group for group, members in self.members.items() if member_id in members)

    def all_groups_of(self, member_id: str) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        fringe = self.groups_of(member_id)
        while fringe - found:
            found |= fringe
            fringe = frozenset().union(*(self.groups_of(group) for group in fringe))
        return found

    def described(self, principal_id: str) -> Principal | None:
        if principal_id in self.bin:
            return replace(self.bin[principal_id], state=AccountState.DELETED)
        if principal_id in self.members:
            return Principal(principal_id, PrincipalKind.GROUP, AccountState.ENABLED)
        if principal_id in self.binned_groups:
            return Principal(principal_id, PrincipalKind.GROUP, AccountState.DELETED)
        found = self.principals.get(principal_id)
        if found is None or found.state.is_shut:
            return found
        shut = {found.app_id, found.blueprint_id} & self.disabled_apps
        return replace(found, state=AccountState.DISABLED) if shut else found


class FakeEntra:
    """The directory, its change notifications (`outbox`, bodies as Graph sends them) and its delta queries."""

    def __init__(self, clock: FakeClock) -> None:
        self.truth = Truth()
        self.outbox: list[bytes] = []
        self.lost_links: set[str] = set()
        self.page_size = 100
        self._clock = clock
        self._shown: Truth | None = None
        self._hangs = False
        self._log: list[tuple[str, DirectoryChange]] = []

    # --- what admins do ---------------------------------------------------------------------------------------------

    def user(self, name: str, *emails: str) -> str:
        addresses = frozenset(email.casefold() for email in emails or (f"{name}@tether.example",))
        return self._create(Principal(guid(name), PrincipalKind.USER, AccountState.ENABLED, name, addresses))

    def service_principal(self, name: str, app_id: str | None = None, blueprint_id: str | None = None) -> str:
        kind, state = PrincipalKind.SERVICE_PRINCIPAL, AccountState.ENABLED
        return self._create(Principal(guid(name), kind, state, name, app_id=app_id, blueprint_id=blueprint_id))

    def group(self, name: str, *members: str) -> str:
        self.truth.members[guid(name)] = set(members)
        self.truth.names[guid(name)] = name
        return guid(name)

    def add(self, group_id: str, member_id: str) -> None:
        self.truth.members[group_id].add(member_id)
        self._tell_member(group_id, member_id, removed=False)

    def remove(self, group_id: str, member_id: str) -> None:
        self.truth.members[group_id].discard(member_id)
        self._tell_member(group_id, member_id, removed=True)

    def disable(self, principal_id: str) -> None:
        self._set_state(principal_id, AccountState.DISABLED)

    def enable(self, principal_id: str) -> None:
        self._set_state(principal_id, AccountState.ENABLED)

    def rename(self, principal_id: str, *emails: str) -> None:
        known = self.truth.principals[principal_id]
        self.truth.principals[principal_id] = replace(known, emails=frozenset(emails))
        self._tell(self.truth.principals[principal_id], "updated", Hint.ENABLED)

    def delete(self, principal_id: str) -> None:
        """To the recycle bin: Graph calls it an update, and shows no membership any more."""
        gone = self.truth.principals.pop(principal_id)
        self.truth.bin[principal_id] = gone
        for group in self.truth.groups_of(principal_id):
            self.truth.members[group].discard(principal_id)
            self._log_member(group, principal_id, removed=True)
        self._tell(gone, "updated", Hint.DELETED)

    def purge(self, principal_id: str) -> None:
        """For good."""
        if principal_id in self.truth.principals:
            told = len(self.outbox)
            self.delete(principal_id)
            del self.outbox[told:]
        gone = self.truth.bin.pop(principal_id)
        self._tell(gone, "deleted", Hint.DELETED)

    def undelete(self, principal_id: str) -> None:
        """Back from the bin, without its groups."""
        self.truth.principals[principal_id] = self.truth.bin.pop(principal_id)
        self._tell(self.truth.principals[principal_id], "updated", Hint.ENABLED)

    def delete_group(self, group_id: str) -> None:
        self.truth.binned_groups[group_id] = self.truth.members.pop(group_id)
        self._log.append(("groups", self._entry(group_id, PrincipalKind.GROUP, Hint.DELETED)))
        self.outbox.append(notification("groups", "updated", {"id": group_id}))

    def purge_group(self, group_id: str) -> None:
        self.truth.members.pop(group_id, None)
        self._log.append(("groups", self._entry(group_id, PrincipalKind.GROUP, Hint.DELETED)))
        self.outbox.append(notification("groups", "deleted", {"id": group_id}))

    def disable_app(self, app_id: str) -> None:
        self.truth.disabled_apps.add(app_id)
        self._log_app(app_id, Hint.DISABLED)

    def enable_app(self, app_id: str) -> None:
        self.truth.disabled_apps.discard(app_id)
        self._log_app(app_id, Hint.ENABLED)

    # --- how Graph shows it -----------------------------------------------------------------------------------------

    def lag(self) -> None:
        """From now on reads are served from a copy that does not change."""
        self._shown = copy.deepcopy(self.truth)

    def catch_up(self) -> None:
        self._shown = None

    def hang(self) -> None:
        """From now on reads of one principal never end."""
        self._hangs = True

    def replay(self) -> None:
        """The next delta queries bring the latest changes once more."""
        self._log += self._log[-20:]

    async def _think(self) -> None:
        if self._hangs:
            await asyncio.Event().wait()

    @property
    def _now(self) -> Truth:
        return self._shown or self.truth

    async def describe(self, principal_id: str, kind: PrincipalKind) -> Principal | None:  # noqa: ARG002 - the port's
        await self._think()
        return self._now.described(principal_id)

    async def describe_many(self, principals: Collection[Principal]) -> Mapping[str, Principal]:
        shown = {p.principal_id: self._now.described(p.principal_id) for p in principals}
        return {p.principal_id: shown[p.principal_id] or replace(p, state=AccountState.DELETED) for p in principals}

    async def find_users(self, emails: Collection[str]) -> Mapping[str, Sequence[Principal]]:
        users = [p for p in self._now.principals.values() if p.kind is PrincipalKind.USER]
        return {email: [user for user in users if email in user.emails] for email in emails}

    async def direct_groups(self, principal_id: str, kind: PrincipalKind) -> frozenset[str]:  # noqa: ARG002 - the port's
        await self._think()
        return self._now.groups_of(principal_id)

    async def memberships(self, principal_id: str, groups: Collection[str]) -> frozenset[str]:
        await self._think()
        return self._now.all_groups_of(principal_id) & frozenset(groups)

    async def memberships_of_many(self, wanted: Mapping[str, Collection[str]]) -> Mapping[str, frozenset[str]]:
        return {id_: self._now.all_groups_of(id_) & frozenset(groups) for id_, groups in wanted.items()}

    async def group_ids(self, display_names: Collection[str]) -> Mapping[str, str]:
        known = [(name, id_) for id_, name in self._now.names.items() if id_ in self._now.members]
        wanted = [(name, id_) for name, id_ in known if name in display_names]
        return {name: id_ for name, id_ in wanted if sum(name == other for other, _ in wanted) == 1}

    async def members(self, group_id: str, most: int) -> Sequence[Person]:
        await self._think()
        held = (p for p in self._now.principals.values() if p.kind is PrincipalKind.USER and not p.state.is_shut)
        inside = [p for p in held if group_id in self._now.all_groups_of(p.principal_id)]
        return [Person(p.principal_id, p.display_name) for p in inside[:most]]

    async def people_behind(self, principal: Principal) -> tuple[Sequence[Person], Sequence[Person]]:
        await self._think()
        behind = (self._now.sponsors, self._now.owners)
        sponsors, owners = ([*map(self._person, each.get(principal.principal_id, ()))] for each in behind)
        return sponsors, owners

    async def people_behind_many(
        self, principals: Collection[Principal]
    ) -> Mapping[str, tuple[Sequence[Person], Sequence[Person]]]:
        return {one.principal_id: await self.people_behind(one) for one in principals}

    async def group_facts(self, group_ids: Collection[str]) -> Mapping[str, GroupFacts]:
        held, names, owners = self._now.members, self._now.names, self._now.owners
        return {
            id_: GroupFacts(names[id_], len(held[id_]), len(owners.get(id_, ()))) for id_ in group_ids if id_ in held
        }

    async def latest_delta_link(self, resource: str) -> str:
        return f"{resource}?{len(self._log)}"

    async def delta(self, resource: str, link: str) -> DeltaPage:
        if link in self.lost_links or not link.startswith(f"{resource}?"):
            raise DeltaLinkLostError(resource)
        start = int(link.rpartition("?")[2])
        end = min(start + self.page_size, len(self._log))
        now, correlation_id = self._clock.now(), self._clock.new_id()
        changes = [
            replace(entry, change=replace(entry.change, received_at=now, correlation_id=correlation_id))
            for logged, entry in self._log[start:end]
            if logged == resource
        ]
        return DeltaPage(changes, f"{resource}?{end}", is_last=end == len(self._log))

    def _person(self, principal_id: str) -> Person:
        return Person(principal_id, self._now.principals[principal_id].display_name)

    # --- and how it tells -------------------------------------------------------------------------------------------

    def _create(self, principal: Principal) -> str:
        self.truth.principals[principal.principal_id] = principal
        return principal.principal_id

    def _set_state(self, principal_id: str, state: AccountState) -> None:
        changed = replace(self.truth.principals[principal_id], state=state)
        self.truth.principals[principal_id] = changed
        self._tell(changed, "updated", Hint.DISABLED if state is AccountState.DISABLED else Hint.ENABLED)

    def _tell(self, principal: Principal, change_type: str, hint: Hint) -> None:
        is_user = principal.kind is PrincipalKind.USER
        app_id = None if hint is Hint.DELETED else principal.app_id
        entry = self._entry(principal.principal_id, principal.kind, hint, app_id=app_id)
        self._log.append(("users" if is_user else "servicePrincipals", entry))
        if is_user:
            self.outbox.append(notification("users", change_type, {"id": principal.principal_id}))

    def _tell_member(self, group_id: str, member_id: str, *, removed: bool) -> None:
        member = {"id": member_id} | ({"@removed": "deleted"} if removed else {})
        self.outbox.append(notification("groups", "updated", {"id": group_id, "members@delta": [member]}))
        self._log_member(group_id, member_id, removed=removed)

    def _log_member(self, group_id: str, member_id: str, *, removed: bool) -> None:
        known = self.truth.described(member_id)
        kind = known.kind if known else PrincipalKind.UNKNOWN
        entry = self._entry(member_id, kind, member_hint(removed=removed), group_id=group_id)
        self._log.append(("groups", entry))

    def _log_app(self, app_id: str, hint: Hint) -> None:
        entry = self._entry(guid(f"app {app_id}"), PrincipalKind.APP_REGISTRATION, hint, app_id=app_id)
        self._log.append(("applications", entry))

    def _entry(
        self,
        principal_id: str,
        kind: PrincipalKind,
        hint: Hint,
        *,
        group_id: str | None = None,
        app_id: str | None = None,
    ) -> DirectoryChange:
        change = PrincipalChange(principal_id, Source.SWEEP, self._clock.now(), "", kind, hint, group_id=group_id)
        return DirectoryChange(change, app_id)


def notification(resource: str, change_type: str, data: Mapping[str, Any], keys: ClientStateKeys = KEYS) -> bytes:
    """One delivery with one change notification."""
    item = {
        "changeType": change_type,
        "clientState": keys.issue(resource, 1),
        "resource": f"{resource.capitalize()}/{data['id']}",
        "resourceData": dict(data),
        "subscriptionId": guid(f"subscription {resource}"),
        "tenantId": TENANT,
    }
    return json.dumps({"value": [item]}).encode()

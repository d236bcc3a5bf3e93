"""Party: everybody at the gateway once: a principal with all its gateway identities, or an identity of nobody's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.gateway import IdentityKind
from shared.domain.posture.finding import About, ObjectKind
from shared.domain.posture.gateway_view import Estate, Holder, Use
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.live_spans import Span
from shared.domain.principals import Principal, PrincipalKind

_KINDS = {
    PrincipalKind.SERVICE_PRINCIPAL: ObjectKind.SERVICE_PRINCIPAL,
    PrincipalKind.APP_REGISTRATION: ObjectKind.APPLICATION,
    PrincipalKind.GROUP: ObjectKind.GROUP,
}


@dataclass(frozen=True, slots=True)
class Party:
    """One holder of access with everything it holds, whichever of its gateway identities holds it.

    `reach` is that of identities which the gateway would let in, by connection; `task_groups` are object ids.
    """

    about: About
    principal: Principal | None
    holders: tuple[Holder, ...]
    reach: dict[str, frozenset[str]]
    task_groups: Known[frozenset[str]] | Unknown
    uses: Known[tuple[Use, ...]] | Unknown

    @property
    def is_machine(self) -> bool:
        """Whether no person sits behind it."""
        if self.principal is None:
            return all(holder.identity.ref.kind is not IdentityKind.USER for holder in self.holders)
        return self.principal.kind in (PrincipalKind.SERVICE_PRINCIPAL, PrincipalKind.APP_REGISTRATION)

    @property
    def is_open(self) -> bool:
        """Whether the gateway would let it in under any of its identities."""
        return any(holder.identity.is_open for holder in self.holders)

    def granted_at(self, connection: str) -> datetime | None:
        """Since when this connection is within reach; `None` if that was before the directory audit begins."""
        dates = [holder.granted_at.get(connection) for holder in _open(self.holders) if connection in holder.reach]
        known = [date for date in dates if date is not None]
        return min(known) if known and len(known) == len(dates) else None

    def live(self, connection: str) -> tuple[Span, ...]:
        """When any session of a connection that protects a resource was live."""
        return tuple(span for holder in self.holders for span in holder.live.get(connection, ()))

    def asks(self, connection: str) -> bool:
        """Whether every way to this connection waits for an approval."""
        ways = [holder for holder in _open(self.holders) if connection in holder.reach]
        return all(connection in holder.needs_approval for holder in ways)


def parties(estate: Estate) -> tuple[Party, ...]:
    """Everybody, in an order that does not depend on the reading.

    With a service account comes the user that the gateway makes of it: two identities, one agent.
    """
    found: dict[str, list[Holder]] = {}
    for holder in sorted(estate.holders, key=lambda one: one.identity.ref):
        key = holder.principal.principal_id.lower() if holder.principal is not None else str(holder.identity.ref)
        found.setdefault(key, []).append(holder)
    return tuple(_party(key, tuple(found[key])) for key in sorted(found))


def _party(key: str, holders: tuple[Holder, ...]) -> Party:
    principal = holders[0].principal
    reach: dict[str, frozenset[str]] = {}
    for holder in _open(holders):
        for connection, groups in holder.reach.items():
            reach[connection] = reach.get(connection, frozenset()) | groups
    return Party(
        _about(key, principal, holders[0].identity.name),
        principal,
        holders,
        {connection: reach[connection] for connection in sorted(reach)},
        _task_groups(holders),
        _uses(holders),
    )


def _about(key: str, principal: Principal | None, name: str) -> About:
    if principal is None:
        return About(ObjectKind.GATEWAY_IDENTITY, key, name or key)
    kind = _KINDS.get(principal.kind, ObjectKind.GATEWAY_IDENTITY)
    kind = ObjectKind.AGENT_IDENTITY if principal.blueprint_id else kind
    return About(kind, key, principal.display_name or name or key, app_id=principal.app_id or "")


def _open(holders: Iterable[Holder]) -> tuple[Holder, ...]:
    return tuple(holder for holder in holders if holder.identity.is_open)


def _task_groups(holders: tuple[Holder, ...]) -> Known[frozenset[str]] | Unknown:
    held: set[str] = set()
    for holder in holders:
        if isinstance(holder.task_groups, Unknown):
            return holder.task_groups
        held |= {group_id.lower() for group_id in holder.task_groups.value}
    return Known(frozenset(held))


def _uses(holders: tuple[Holder, ...]) -> Known[tuple[Use, ...]] | Unknown:
    """Newest first. Identities of one subject share their sessions, which are counted once."""
    uses: dict[Use, None] = {}
    for holder in holders:
        if isinstance(holder.uses, Unknown):
            return holder.uses
        uses |= dict.fromkeys(holder.uses.value)
    return Known(tuple(sorted(uses, key=_newest_first)))


def _newest_first(use: Use) -> tuple[float, float, str, str, bool]:
    ended = use.ended_at.timestamp() if use.ended_at is not None else float("inf")
    return -use.opened_at.timestamp(), -ended, use.connection, use.source, use.interactive

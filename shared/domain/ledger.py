"""The ledger: exactly what Tether took from a principal, and when each thing may be given back."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.gateway import GatewayIdentity, IdentityRef
from shared.domain.principals import Hint, PrincipalChange

Needs = frozenset[frozenset[str]]
"""Conditions on membership: of each inner set of Entra groups, at least one must be held."""


class TakenKind(StrEnum):
    """What was taken: the open account (status, key or machine identity), or one of its parts."""

    ACCOUNT = "account"
    GROUP = "group"
    CONNECTION = "connection"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class Taken:
    """One thing that Tether took from one gateway identity.

    `needs` says of which Entra groups it must be a member again before this goes back. `confirmed` says that Entra has
    been seen without the access (or has announced its return since), so that a positive read is news rather than lag.
    `seen_since` is the first of an unbroken row of positive reads, `seen_until` the last.
    """

    ref: IdentityRef
    kind: TakenKind
    name: str
    taken_at: datetime
    needs: Needs = frozenset()
    confirmed: bool = False
    seen_since: datetime | None = None
    seen_until: datetime | None = None

    @property
    def identity_of_entry(self) -> tuple[IdentityRef, TakenKind, str]:
        """What makes two entries the same: one thing is taken once, however often it is revoked."""
        return (self.ref, self.kind, self.name)


@dataclass(frozen=True, slots=True)
class RestoreRules:
    """How sure Entra must be: two positive reads at least `interval` apart, and no lag within `horizon`."""

    interval: timedelta = timedelta(seconds=60)
    horizon: timedelta = timedelta(minutes=15)


Ledger = tuple[Taken, ...]


def record(ledger: Ledger, taken: Iterable[Taken]) -> Ledger:
    """The ledger with more taken. What it holds already keeps its first state, but has to earn its return anew."""
    entries = {entry.identity_of_entry: entry for entry in ledger}
    for new in taken:
        known = entries.get(new.identity_of_entry, new)
        entries[new.identity_of_entry] = replace(
            _unseen(known, confirmed=new.confirmed), taken_at=new.taken_at, needs=known.needs | new.needs
        )
    return tuple(entries.values())


def returned(ledger: Ledger, given_back: Iterable[Taken]) -> Ledger:
    """The ledger without what was given back."""
    gone = {entry.identity_of_entry for entry in given_back}
    return tuple(entry for entry in ledger if entry.identity_of_entry not in gone)


def lose_again(ledger: Ledger, groups: frozenset[str] | None, *, confirmed: bool) -> Ledger:
    """The ledger after Entra took access away anew: entries that need these groups (all, for `None`) start over."""
    return tuple(
        _unseen(entry, confirmed=confirmed) if groups is None or _depends(entry, groups) else entry for entry in ledger
    )


def standing(ledger: Ledger, rules: RestoreRules, now: datetime) -> Ledger:
    """What must still be absent at the gateway: everything but what Entra is known to grant again."""
    going_back = {entry.identity_of_entry for entry in due(ledger, rules, now)}
    return tuple(
        entry
        for entry in ledger
        if entry.identity_of_entry not in going_back and not (entry.confirmed and entry.seen_since is not None)
    )


def is_taken(ledger: Ledger, change: PrincipalChange) -> bool:
    """Whether what a hint says was lost has been taken already, and is not on its way back."""
    lost = [entry for entry in ledger if entry.seen_since is None]
    if change.hint is Hint.REMOVED_FROM_GROUP:
        return any(change.group_id in alternatives for entry in lost for alternatives in entry.needs)
    # An account that was shut for the sake of a group says nothing about the principal's other identities.
    return any(entry.kind is TakenKind.ACCOUNT and not entry.needs for entry in lost)


def needed_groups(ledger: Ledger) -> frozenset[str]:
    """The Entra groups on which the return of anything depends."""
    return frozenset(group for entry in ledger for alternatives in entry.needs for group in alternatives)


def announce_return(ledger: Ledger) -> Ledger:
    """The ledger after Entra said that access came back: from now on positive reads are news, not lag."""
    return tuple(replace(entry, confirmed=True) for entry in ledger)


def review(ledger: Ledger, *, enabled: bool, memberships: frozenset[str], now: datetime) -> Ledger:
    """The ledger after one truthful read of Entra: positive reads start or continue a row, negative ones end it."""
    return tuple(_review_entry(entry, enabled=enabled, memberships=memberships, now=now) for entry in ledger)


def due(ledger: Ledger, rules: RestoreRules, now: datetime) -> Ledger:
    """What may be given back now: Entra was seen to grant it for long enough, not just once long ago."""
    return tuple(entry for entry in ledger if _is_proven(entry, rules, now))


def due_at(entry: Taken, rules: RestoreRules) -> datetime | None:
    """When an entry may go back if Entra goes on granting it; `None` while it does not."""
    if entry.seen_since is None:
        return None
    proven = entry.seen_since + rules.interval
    return proven if entry.confirmed else max(proven, entry.taken_at + rules.horizon)


def next_look(ledger: Ledger, rules: RestoreRules, now: datetime) -> datetime | None:
    """When the next entry will be due, if any is on its way back and not due yet."""
    upcoming = (due_at(entry, rules) for entry in ledger)
    return min((at for at in upcoming if at is not None and at > now), default=None)


def of_identity(ledger: Ledger, ref: IdentityRef) -> Ledger:
    """The entries of one gateway identity."""
    return tuple(entry for entry in ledger if entry.ref == ref)


def give_back(identity: GatewayIdentity, entries: Ledger) -> GatewayIdentity:
    """The identity as it should be once these entries are back: what it has now, and what was taken."""
    names = {
        kind: frozenset(entry.name for entry in entries if entry.kind is kind)
        for kind in (TakenKind.GROUP, TakenKind.CONNECTION, TakenKind.ATTRIBUTE)
    }
    # A machine identity has no status of its own: it is active as soon as anything is attached to it.
    is_attached = names[TakenKind.CONNECTION] or names[TakenKind.ATTRIBUTE]
    status = next(
        (entry.name for entry in entries if entry.kind is TakenKind.ACCOUNT),
        "active" if is_attached else identity.status,
    )
    return replace(
        identity,
        status=status,
        groups=identity.groups | names[TakenKind.GROUP],
        connections=identity.connections | names[TakenKind.CONNECTION],
        attributes=identity.attributes | names[TakenKind.ATTRIBUTE],
    )


def _is_proven(entry: Taken, rules: RestoreRules, now: datetime) -> bool:
    at = due_at(entry, rules)
    return at is not None and entry.seen_until is not None and at <= min(entry.seen_until, now)


def _unseen(entry: Taken, *, confirmed: bool) -> Taken:
    return replace(entry, confirmed=confirmed, seen_since=None, seen_until=None)


def _depends(entry: Taken, groups: frozenset[str]) -> bool:
    return any(alternatives <= groups for alternatives in entry.needs)


def _review_entry(entry: Taken, *, enabled: bool, memberships: frozenset[str], now: datetime) -> Taken:
    if enabled and all(alternatives & memberships for alternatives in entry.needs):
        return replace(entry, seen_since=entry.seen_since or now, seen_until=now)
    return _unseen(entry, confirmed=True)

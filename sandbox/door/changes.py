"""Which gateway effects answer which Entra change, and after how long: pure, fed with events in order.

Every number comes from the servers' own event logs, so it owes nothing to the app that is being watched.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.door.events import EntraEvent, GatewayEvent
from sandbox.door.picture import NOTHING, Picture
from sandbox.door.standing import GIVING, Effect, EffectKind, Standings

TAKING_VERBS = frozenset({"disabled", "disabled-by-microsoft", "deleted", "permanently-deleted", "member-removed"})
GIVING_VERBS = frozenset({"enabled", "restored", "member-added"})
PART_OF_MAKING_SECONDS = 5.0
SETTLING_SECONDS = 2.0
LATE_SECONDS = 600.0
PATIENCE_SECONDS = {True: 30.0, False: 200.0}
_WHOLE_ACCOUNT = frozenset({EffectKind.ACCOUNT_CLOSED, EffectKind.ACCOUNT_REOPENED})


class ChangeState(StrEnum):
    """Where a change stands: waiting for the gateway, answered, needing no answer, or waited for in vain."""

    OPEN = "open"
    DONE = "done"
    QUIET = "quiet"
    OVERDUE = "overdue"


@dataclass(slots=True)
class Change:
    """One Entra change and what the gateway did about it.

    `lost` says for each gateway identity which of its groups the change is about; it is None for the whole account.
    """

    seq: int
    at: float
    verb: str
    principal_id: str | None
    group_id: str | None
    taking: bool
    who: str
    where: str
    subjects: frozenset[str]
    lost: Mapping[str, frozenset[str]] | None = None
    pending: set[str] = field(default_factory=set)
    effects: list[Effect] = field(default_factory=list)
    note: str = ""
    closed_at: float | None = None

    @property
    def latency_ms(self) -> float | None:
        """Milliseconds until the gateway showed the last effect, once it did."""
        return None if self.closed_at is None else (self.closed_at - self.at) * 1000

    def state(self, now: float) -> ChangeState:
        """Where the change stands at this moment."""
        if self.closed_at is not None:
            return ChangeState.DONE
        if not self.pending:
            return ChangeState.QUIET
        return ChangeState.OVERDUE if now - self.at > PATIENCE_SECONDS[self.taking] else ChangeState.OPEN


class Changes:
    """Every Entra change that matters to access, oldest first."""

    def __init__(self) -> None:
        self.all: list[Change] = []
        self.standings = Standings()
        self._of_subject: defaultdict[str, list[Change]] = defaultdict(list)
        self._made_at: dict[str, float] = {}
        self._picture = Picture()

    def observe(
        self, entra_events: Iterable[EntraEvent], gateway_events: Iterable[GatewayEvent], picture: Picture
    ) -> None:
        """Take in what both sides logged since the last time, and how they are linked now."""
        before, self._picture = self._picture, picture
        events: list[EntraEvent | GatewayEvent] = [*entra_events, *gateway_events]
        for event in sorted(events, key=lambda event: event.at):
            if isinstance(event, GatewayEvent):
                self._answer(event)
            else:
                self._open(event, before)

    def latencies_ms(self) -> list[float]:
        """How long each finished revocation took."""
        return [one.latency_ms for one in self.all if one.taking and one.effects and one.latency_ms is not None]

    def still_let_in(self, now: float) -> list[Change]:
        """Whole accounts that Entra took away too long ago and that the gateway still lets in."""
        return [
            one
            for one in self.all
            if one.taking
            and one.state(now) is ChangeState.OVERDUE
            and one.lost is None
            and one.principal_id in self._picture.off
        ]

    def _open(self, event: EntraEvent, before: Picture) -> None:
        if event.kind == "reset":
            self.all.clear()
            self._of_subject.clear()
        verb = _verb(event)
        if verb == "created":
            self._made_at[event.principal_id or event.group_id or ""] = event.at
        if verb not in TAKING_VERBS | GIVING_VERBS or self._is_part_of_making(event):
            return
        change = self._change(event, verb, before)
        is_kept = change.taking and change.principal_id in self._picture.break_glass
        change.pending = set() if is_kept else {s for s in change.subjects if self._is_due(change, s)}
        if is_kept:
            change.note = "break-glass: access is kept, and Tether alerts"
        elif not change.pending:
            change.note = self._why_nothing(change, before)
        self.all.append(change)
        for subject in change.subjects:
            self._of_subject[subject].append(change)

    def _change(self, event: EntraEvent, verb: str, before: Picture) -> Change:
        picture, member = self._picture, event.principal_id
        group = event.group_id if verb.startswith("member-") or member is None else None
        principals = self._affected(event, before)
        return Change(
            seq=event.seq,
            at=event.at,
            verb=verb,
            principal_id=member,
            group_id=group,
            taking=verb in TAKING_VERBS,
            who=_name(member, picture, before) if member else "",
            where=_name(group, picture, before) if group else "",
            subjects=picture.subjects_of(principals) | before.subjects_of(principals),
            lost=self._lost(group, verb, principals, before) if group else None,
        )

    def _affected(self, event: EntraEvent, before: Picture) -> frozenset[str]:
        if event.type_name == "agentIdentityBlueprint":
            blueprint = event.principal_id or ""
            return self._picture.agents_of.get(blueprint) or before.agents_of.get(blueprint, NOTHING)
        if event.principal_id is None:
            return before.principals_in(event.group_id or "") | self._picture.principals_in(event.group_id or "")
        return self._picture.principals_in(event.principal_id)

    def _lost(self, group: str, verb: str, principals: frozenset[str], before: Picture) -> dict[str, frozenset[str]]:
        """For each identity the gateway's names of the group and all above it, less what it keeps on another path."""
        picture = self._picture if group in self._picture.members else before
        above = {group} | picture.groups_above(group)
        lost: dict[str, frozenset[str]] = {}
        for principal in principals:
            kept = NOTHING if verb == "member-added" else self._picture.groups_above(principal)
            for subject in picture.subjects_of((principal,)):
                lost[subject] = picture.gateway_groups(above - kept)
        return lost

    def _is_due(self, change: Change, subject: str) -> bool:
        standing = self.standings[subject]
        if change.taking:
            return not self._is_gone(change, subject)
        if change.principal_id in self._picture.off:
            return False
        if change.lost is None:
            return standing.lacks_something
        return bool(standing.taken & change.lost.get(subject, NOTHING))

    def _is_gone(self, change: Change, subject: str) -> bool:
        standing = self.standings[subject]
        if change.lost is None or not standing.is_open:
            return not standing.is_open and not standing.streams
        lost = change.lost.get(subject, NOTHING)
        if standing.groups & lost:
            return False
        return not lost or all(self._picture.reaches(standing.groups, name) for name in standing.streams.values())

    def _is_back(self, change: Change, subject: str) -> bool:
        standing = self.standings[subject]
        return not standing.was_closed if change.lost is None else not self._is_due(change, subject)

    def _why_nothing(self, change: Change, before: Picture) -> str:
        if not change.subjects:
            return "no identity at the gateway"
        if not change.taking:
            return "still disabled in Entra" if change.principal_id in self._picture.off else "nothing to give back"
        if not any(self.standings[subject].is_open for subject in change.subjects):
            return "closed at the gateway already"
        through = self._other_paths(change, before)
        return f"access stays, through {through}" if through else "stands for nothing at the gateway"

    def _other_paths(self, change: Change, before: Picture) -> str:
        if not change.group_id or not change.principal_id:
            return ""
        picture, held = self._picture, NOTHING.union(*(self.standings[s].groups for s in change.subjects))
        kept = picture.groups_above(change.principal_id)
        lost = {change.group_id} | before.groups_above(change.group_id)
        if not picture.gateway_groups(kept & lost) & held:
            return ""
        direct = (group for group, members in picture.members.items() if change.principal_id in members)
        leading = (one for one in direct if lost & ({one} | picture.groups_above(one)))
        return ", ".join(sorted(picture.names.get(one, one) for one in leading))

    def _answer(self, event: GatewayEvent) -> None:
        if event.kind == "reset":
            self.standings = Standings()
        for effect in self.standings.apply(event):
            for change in self._answered_by(effect):
                if effect.kind is not EffectKind.SESSION_LEFT:
                    change.effects.append(effect)
                self._close_if_gone(change, effect)

    def _answered_by(self, effect: Effect) -> list[Change]:
        taking = effect.kind not in GIVING
        earlier = [one for one in self._of_subject[effect.subject] if one.taking is taking and one.at <= effect.at]
        waiting = [one for one in earlier if effect.subject in one.pending]
        if waiting:
            return [one for one in waiting if _is_about(effect, one)] or waiting
        return [one for one in earlier[-1:] if _is_recent(effect, one)]

    def _close_if_gone(self, change: Change, effect: Effect) -> None:
        settled = self._is_gone if change.taking else self._is_back
        if settled(change, effect.subject):
            change.pending.discard(effect.subject)
        if not change.pending and change.effects:
            change.closed_at = max(one.at for one in change.effects)

    def _is_part_of_making(self, event: EntraEvent) -> bool:
        if _verb(event) != "member-added":
            return False
        made_at = max(self._made_at.get(one or "", 0.0) for one in (event.principal_id, event.group_id))
        return event.at - made_at <= PART_OF_MAKING_SECONDS


def _verb(event: EntraEvent) -> str:
    """What happened, without the kind of object; empty for what says nothing about access."""
    if event.kind.startswith("member-"):
        return event.kind
    if event.type_name == "agentIdentityBlueprintPrincipal":
        return ""
    for kind in ("user-", "service-principal-", "group-", "application-"):
        verb = event.kind.removeprefix(kind)
        if verb != event.kind:
            is_plain_application = kind == "application-" and event.type_name != "agentIdentityBlueprint"
            return "" if is_plain_application and verb != "created" else verb
    return ""


def _is_about(effect: Effect, change: Change) -> bool:
    if effect.kind in _WHOLE_ACCOUNT:
        return change.lost is None
    if effect.kind in (EffectKind.GROUPS_TAKEN, EffectKind.GROUPS_GIVEN):
        return change.lost is None or bool(change.lost.get(effect.subject, NOTHING).intersection(effect.names))
    return True


def _is_recent(effect: Effect, change: Change) -> bool:
    if change.closed_at is not None:
        return effect.at - change.closed_at <= SETTLING_SECONDS
    return effect.at - change.at <= LATE_SECONDS and effect.kind is not EffectKind.SESSION_LEFT


def _name(object_id: str, picture: Picture, before: Picture) -> str:
    return picture.names.get(object_id) or before.names.get(object_id) or object_id

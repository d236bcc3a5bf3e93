"""Approval routes: which reviewer group is asked where, and who may approve for it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain.identity_map import is_object_id

LONGEST_QUESTION = timedelta(hours=24)
MOST_PERSONAL_CARDS = 20


@dataclass(frozen=True, slots=True)
class Timing:
    """How long after its creation a review is reminded of, shown in a second channel, and rejected.

    Raises:
        ValueError: when the three are not positive, not in this order, or longer than a day.
    """

    remind_after: timedelta = timedelta(minutes=15)
    escalate_after: timedelta = timedelta(minutes=30)
    expire_after: timedelta = timedelta(hours=4)

    def __post_init__(self) -> None:
        if not timedelta() < self.remind_after < self.escalate_after < self.expire_after <= LONGEST_QUESTION:
            raise ValueError("remind-after < escalate-after < expire-after <= 24h does not hold")


@dataclass(frozen=True, slots=True)
class Route:
    """Where one reviewer group is asked; `approvers` is its Entra group, by object id or display name.

    Channels are Teams conversation ids. `mention` are object ids of people. `key_setting` names the app setting that
    holds the gateway key of exactly this group; without one, only the approver's own token can carry the vote.
    """

    reviewer_group: str
    approvers: str
    channel: str
    mention: tuple[str, ...] = ()
    personal_cards: bool = False
    key_setting: str | None = None
    escalation_channel: str | None = None
    timing: Timing = field(default_factory=Timing)

    def personal_card_holders(self, approvers: Collection[str]) -> tuple[str, ...]:
        """Which of these approvers get a card in their own chat: all, or nobody when they are more than 20."""
        if not self.personal_cards or len(approvers) > MOST_PERSONAL_CARDS:
            return ()
        return tuple(approvers)


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Who may force an approval, and the channel that is told loudly; `approvers` as in a route."""

    approvers: str
    channel: str
    key_setting: str | None = None


@dataclass(frozen=True, slots=True)
class ApprovalRoutes:
    """The operator's routes. `fallback` serves reviewer groups without a route that are named by an object id.

    `security_channel` is told of what no route can ask. `group_ids` are the object ids of those approver groups that
    the routes call by display name.
    """

    routes: tuple[Route, ...]
    security_channel: str
    fallback: Route | None = None
    break_glass: BreakGlass | None = None
    group_ids: Mapping[str, str] = field(default_factory=dict)

    def route_for(self, reviewer_group: str) -> Route | None:
        """The route of this reviewer group; `None` when nobody can be asked: report such a review, never approve it."""
        own = next((route for route in self.routes if _same_group(route.reviewer_group, reviewer_group)), None)
        if own or not self.fallback or not is_object_id(reviewer_group):
            return own
        return replace(self.fallback, reviewer_group=reviewer_group, approvers=reviewer_group.lower())

    def approver_group(self, asked: Route | BreakGlass) -> str | None:
        """The object id of the Entra group whose members may approve; `None` means nobody may."""
        if is_object_id(asked.approvers):
            return asked.approvers.lower()
        return self.group_ids.get(asked.approvers)

    def resolved(self, group_ids: Mapping[str, str]) -> "ApprovalRoutes":
        """The same routes with the object ids of the groups that they call by display name."""
        return replace(self, group_ids=dict(group_ids))

    @property
    def display_names(self) -> frozenset[str]:
        """The approver groups that must be looked up, because the routes call them by display name."""
        return frozenset(asked.approvers for asked in self._asked() if not is_object_id(asked.approvers))

    @property
    def key_settings(self) -> frozenset[str]:
        """The app settings that hold gateway keys, one for each reviewer group that has a key."""
        return frozenset(asked.key_setting for asked in self._asked() if asked.key_setting)

    def _asked(self) -> tuple[Route | BreakGlass, ...]:
        return (*self.routes, self.break_glass) if self.break_glass else self.routes


def reminders(timing: Timing, created_at: datetime) -> tuple[datetime, ...]:
    """The moments of the reminders, all before expiry: the wait doubles from one to the next."""
    expires_at = created_at + timing.expire_after
    wait, moment = timing.remind_after, created_at + timing.remind_after
    moments = []
    while moment < expires_at:
        moments.append(moment)
        wait *= 2
        moment += wait
    return tuple(moments)


def _same_group(one: str, other: str) -> bool:
    """Names of the gateway's own must agree to the letter; object ids have no case."""
    return one == other or (is_object_id(one) and one.lower() == other.lower())

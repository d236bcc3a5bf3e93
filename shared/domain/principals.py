"""Principals: who can hold access, as Entra knows them, and what we are told about them."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class PrincipalKind(StrEnum):
    """Entra's kinds; an agent identity is a service principal with a blueprint."""

    USER = "user"
    SERVICE_PRINCIPAL = "service-principal"
    GROUP = "group"
    APP_REGISTRATION = "app-registration"
    UNKNOWN = "unknown"


class AccountState(StrEnum):
    """Whether Entra lets the principal sign in; `UNKNOWN` when Graph was not asked or gave no answer."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"
    UNKNOWN = "unknown"

    @property
    def is_shut(self) -> bool:
        """Whether Entra has taken the whole account away."""
        return self in (AccountState.DISABLED, AccountState.DELETED)


@dataclass(frozen=True, slots=True)
class Principal:
    """A principal as last read from Entra. `emails` are case-folded; `blueprint_id` is the blueprint's app id."""

    principal_id: str
    kind: PrincipalKind
    state: AccountState = AccountState.UNKNOWN
    display_name: str = ""
    emails: frozenset[str] = frozenset()
    app_id: str | None = None
    blueprint_id: str | None = None


class Source(StrEnum):
    """Who told us to look."""

    NOTIFICATION = "notification"
    SWEEP = "sweep"
    RECONCILE = "reconcile"
    FOLLOW_UP = "follow-up"
    VERIFICATION = "verification"
    OPERATOR = "operator"


class Hint(StrEnum):
    """What the sender believes happened; it may only make us faster in the safe direction."""

    CHANGED = "changed"
    REMOVED_FROM_GROUP = "removed-from-group"
    ADDED_TO_GROUP = "added-to-group"
    DISABLED = "disabled"
    DELETED = "deleted"
    ENABLED = "enabled"

    @property
    def takes_away(self) -> bool:
        """Whether the hint alone justifies acting in the safe direction."""
        return self in (Hint.REMOVED_FROM_GROUP, Hint.DISABLED, Hint.DELETED)

    @property
    def gives_back(self) -> bool:
        """Whether the hint says that Entra gave access (back)."""
        return self in (Hint.ADDED_TO_GROUP, Hint.ENABLED)


@dataclass(frozen=True, slots=True)
class PrincipalChange:
    """The message *look at this principal*. Never the truth: that is read when it is processed.

    `group_id` is the group that the hint is about; `via` is the nested group which that happened to, when it was not
    the principal itself.
    """

    principal_id: str
    source: Source
    received_at: datetime
    correlation_id: str
    kind: PrincipalKind = PrincipalKind.UNKNOWN
    hint: Hint = Hint.CHANGED
    group_id: str | None = None
    stage: int = 0
    attempt: int = 0
    via: str | None = None

    def retried(self) -> "PrincipalChange":
        """The same message with one more attempt counted."""
        return replace(self, attempt=self.attempt + 1)

    def follow_up(self, *, source: Source, stage: int = 0) -> "PrincipalChange":
        """A later look at the same principal, without the hint."""
        return replace(self, source=source, hint=Hint.CHANGED, group_id=None, stage=stage, attempt=0, via=None)

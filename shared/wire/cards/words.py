"""Words: times, spans, kinds and states as people say them."""

from datetime import UTC, datetime, timedelta

from shared.domain.approval import ApprovalState, Choice, Requester
from shared.domain.gateway import ReviewType
from shared.domain.principals import AccountState, PrincipalKind

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_KINDS = {
    PrincipalKind.USER: "person",
    PrincipalKind.SERVICE_PRINCIPAL: "service principal",
    PrincipalKind.GROUP: "group",
    PrincipalKind.APP_REGISTRATION: "app registration",
    PrincipalKind.UNKNOWN: "not known in Entra",
}
_ACCOUNTS = {
    AccountState.ENABLED: "enabled in Entra",
    AccountState.DISABLED: "disabled in Entra",
    AccountState.DELETED: "deleted in Entra",
    AccountState.UNKNOWN: "not known: Entra gave no answer",
}
_STATES = {
    ApprovalState.PENDING: "waiting",
    ApprovalState.APPROVED: "approved",
    ApprovalState.DENIED: "denied",
    ApprovalState.EXPIRED: "expired",
    ApprovalState.WITHDRAWN: "withdrawn",
}
_CHOICES = {
    Choice.APPROVE: "approved",
    Choice.DENY: "denied",
    Choice.BREAK_GLASS: "approved by force",
}


def moment(at: datetime) -> str:
    """A time to the minute, in UTC: clients are not trusted to know the reader's clock."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def day(at: datetime) -> str:
    """A date, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def span(duration: timedelta) -> str:
    """A duration in its two largest units."""
    left = max(0, round(duration.total_seconds()))
    parts: list[str] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(counted(count, unit))
    return " ".join(parts[:2]) or "no time"


def counted(count: int, noun: str) -> str:
    """A number with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def kind(requester: Requester) -> str:
    """What the requester is."""
    if requester.principal_id is None:
        return "not known in Entra"
    return "AI agent" if requester.is_agent_identity else _KINDS[requester.kind]


def account(state: AccountState) -> str:
    """Whether the account is alive."""
    return _ACCOUNTS[state]


def ended(state: ApprovalState) -> str:
    """How a request stands."""
    return _STATES[state]


def chosen(choice: Choice) -> str:
    """What a person answered."""
    return _CHOICES[choice]


def wanted(review_type: ReviewType, duration: timedelta) -> str:
    """What is asked for."""
    if review_type is ReviewType.ONETIME:
        return "one command, to run once"
    return f"access for {span(duration)}"

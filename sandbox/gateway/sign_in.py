"""What signing in does to a user's row: an interactive login, and an MCP request with a token that is still valid."""

from sandbox.gateway.records import User
from sandbox.gateway.state import GatewayState
from sandbox.gateway.users import access_of
from sandbox.gateway.wire import RefusalError


def log_in(state: GatewayState, subject: str, email: str, groups: list[str] | None, name: str) -> User:
    """The user's row after an interactive login; an absent groups claim leaves the stored groups as they were."""
    user = (
        state.users.get(subject) or _invited(state, subject, email.lower()) or _created(state, subject, email.lower())
    )
    if user.status in ("inactive", "reviewing"):
        raise RefusalError(403, "the user is not active")
    before = access_of(user)
    user.status, user.name = "active", name or user.name
    _sync_groups(state, user, groups)
    state.events.record("user-logged-in", subject, before=before, after=access_of(user))
    return user


def use_mcp(state: GatewayState, subject: str, groups: list[str] | None) -> User:
    """The user's row after an MCP request: active again whatever it was; a service account gains a shadow user."""
    user = state.users.get(subject)
    if user is None:
        account = state.service_accounts.get(subject)
        if account is None:
            raise RefusalError(401, "access denied")
        user = User(subject, email=f"{account.name}@service-accounts", name=account.name, groups=list(account.groups))
        state.add_user(user)
    before = access_of(user)
    user.status, user.picture = "active", ""
    _sync_groups(state, user, groups)
    state.events.record("mcp-request", subject, before=before, after=access_of(user))
    return user


def _sync_groups(state: GatewayState, user: User, groups: list[str] | None) -> None:
    if groups is None:
        return
    sticky = [state.admin_group] if state.admin_group in user.groups else []
    user.groups = list(dict.fromkeys([*groups, *sticky]))


def _invited(state: GatewayState, subject: str, email: str) -> User | None:
    """An invitation to this address, or the one row all users without an address share; its subject is replaced."""
    rows = state.users_by_email.get(email, [])
    user = next((row for row in rows if row.status == "invited" or not email), None)
    if user:
        del state.users[user.subject]
        user.subject, user.verified = subject, True
        state.users[subject] = user
    return user


def _created(state: GatewayState, subject: str, email: str) -> User:
    user = User(subject, email)
    state.add_user(user)
    return user

"""Who calls: the credential of a request resolved to an identity, and the roles that routes admit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto

import jwt
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response

from sandbox.gateway.records import Identity, Json
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, now
from sandbox.tokens import read_token

LEGACY_SUBJECT = "API_KEY"
Handler = Callable[[GatewayState, Call], Awaitable[Response]]


class Role(Enum):
    """Whom a route admits."""

    PUBLIC = auto()
    ANYBODY_BUT_AUDITORS = auto()
    READERS = auto()
    ADMIN_OR_AUDITOR = auto()
    ADMIN = auto()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the route table; the path is relative to `/api`."""

    method: str
    path: str
    role: Role
    handler: Handler


NOBODY = Identity("", "", "", ())


def identify(state: GatewayState, headers: Headers) -> Identity:
    """The identity behind a request's credential; refused with 401 when there is none the gateway accepts."""
    if (legacy := headers.get("api-key")) is not None:
        return _legacy_key(state, legacy)
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential:
        raise RefusalError(401, "access denied")
    if credential.startswith("hpk_"):
        return _key(state, credential)
    return _token(state, credential)


def admit(state: GatewayState, caller: Identity, role: Role) -> None:
    """Nothing when the role admits the caller; refused with 403 otherwise."""
    admin, auditor = state.is_admin(caller), state.is_auditor(caller)
    admitted = {
        Role.PUBLIC: True,
        Role.ANYBODY_BUT_AUDITORS: not auditor,
        Role.READERS: True,
        Role.ADMIN_OR_AUDITOR: admin or auditor,
        Role.ADMIN: admin,
    }[role]
    if not admitted:
        raise RefusalError(403, "access denied")


def _legacy_key(state: GatewayState, value: str) -> Identity:
    if not state.api_key:
        raise RefusalError(401, "access denied")
    if value != state.api_key:
        raise RefusalError(401, "unauthorize")
    return Identity(LEGACY_SUBJECT, LEGACY_SUBJECT, LEGACY_SUBJECT, (state.admin_group,), kind="legacy-key")


def _key(state: GatewayState, secret: str) -> Identity:
    key = state.keys_by_secret.get(secret)
    if key is None or key.status != "active":
        raise RefusalError(401, "access denied")
    key.last_used_at = now()
    return Identity(key.id, key.name, key.name, tuple(key.groups), kind="key")


def _token(state: GatewayState, token: str) -> Identity:
    try:
        subject = read_token(token)["sub"]
    except (jwt.InvalidTokenError, KeyError):
        raise RefusalError(401, "access denied") from None
    known = subject in state.users or subject in state.service_accounts
    identity = state.identity(subject) if known else None
    if identity is None or identity.status != "active":
        raise RefusalError(401, "access denied")
    return identity


async def get_userinfo(state: GatewayState, call: Call) -> Response:
    caller = call.caller
    admin = state.is_admin(caller)
    info: Json = {
        "id": caller.subject,
        "name": caller.name,
        "email": caller.email,
        "picture": caller.picture,
        "status": caller.status,
        "role": "admin" if admin else "standard",
        "verified": True,
        "slack_id": caller.slack_id,
        "groups": list(caller.groups),
        "is_admin": admin,
        "is_multitenant": False,
        "tenancy_type": "selfhosted",
        "org_name": "default",
        "webapp_users_management": "on",
    }
    return JSONResponse(info)


ROUTES = [Endpoint("GET", "/userinfo", Role.READERS, get_userinfo)]

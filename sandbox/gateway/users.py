"""`/users`: whole-object PUT with everything it wipes, lookups by subject or exact e-mail."""

from uuid import uuid4

from starlette.responses import JSONResponse, Response

from sandbox.gateway.auth import Endpoint, Role
from sandbox.gateway.records import Identity, Json, Key, ServiceAccount, User
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, is_email, none_if_empty, required, text, texts

STATUSES = ("active", "inactive", "invited", "reviewing")


def user_json(state: GatewayState, user: User) -> Json:
    """A user as the API shows it; its `id` is the subject."""
    return {
        "id": user.subject,
        "name": user.name,
        "email": user.email,
        "status": user.status,
        "verified": user.verified,
        "role": "admin" if state.admin_group in user.groups else "standard",
        "slack_id": user.slack_id,
        "picture": user.picture,
        "groups": list(user.groups),
    }


def access_of(user: User) -> Json:
    """What of a user decides access, for the event log."""
    return {"status": user.status, "groups": list(user.groups)}


async def list_users(state: GatewayState, _call: Call) -> Response:
    return JSONResponse([user_json(state, user) for user in state.users.values()])


async def get_user(state: GatewayState, call: Call) -> Response:
    return JSONResponse(user_json(state, _found(state, call.path["key"])))


async def invite_user(state: GatewayState, call: Call) -> Response:
    email = required(call.body, "email")
    if not is_email(email):
        raise RefusalError(422, "invalid email")
    if state.users_by_email.get(email):
        raise RefusalError(409, f"user already exists with email {email}")
    local = bool(text(call.body, "password"))
    user = User(
        subject=f"local|{uuid4()}" if local else email,
        email=email,
        name=text(call.body, "name"),
        status="active" if local else "invited",
        groups=_without_duplicates(texts(call.body, "groups")),
        picture=text(call.body, "picture"),
        slack_id=text(call.body, "slack_id"),
        verified=local,
    )
    state.add_user(user)
    state.events.record("user-created", user.subject, after=access_of(user))
    return JSONResponse(user_json(state, user), 201)


async def put_user(state: GatewayState, call: Call) -> Response:
    found = _found(state, call.path["key"])
    required(call.body, "email")
    status, groups = text(call.body, "status"), texts(call.body, "groups")
    if call.caller.subject == found.subject:
        groups = _keep_own_access(state, call.caller, status, groups)
    if status not in STATUSES or len(set(groups)) != len(groups):
        raise RefusalError(500, "failed updating user and user groups")
    user, counts = state.to_change(found)
    before = access_of(user)
    user.name, user.picture = text(call.body, "name"), text(call.body, "picture")
    user.slack_id, user.status, user.groups = text(call.body, "slack_id"), status, groups
    kind = "user-updated" if counts else "put-ignored"
    state.events.record(kind, user.subject, before=before, after=access_of(user), by=call.caller.name)
    return JSONResponse({**user_json(state, user), "groups": none_if_empty(groups)})


async def delete_user(state: GatewayState, call: Call) -> Response:
    """204 also when the path is the e-mail of a user whose subject is something else: then nothing is deleted."""
    key = call.path["key"]
    user = _found(state, key)
    if user.subject == call.caller.subject:
        raise RefusalError(422, "cannot delete yourself")
    if key in state.users:
        state.remove_user(key)
        state.events.record("user-deleted", key)
    return Response(status_code=204)


async def list_groups(state: GatewayState, _call: Call) -> Response:
    rows: list[User | ServiceAccount] = [*state.users.values(), *state.service_accounts.values()]
    return JSONResponse(none_if_empty(sorted({group for row in rows for group in row.groups})))


async def delete_group(state: GatewayState, call: Call) -> Response:
    """Strips the group from everyone: users, service accounts, keys and agents."""
    name = call.path["name"]
    keys = [key for table in state.keys.values() for key in table.values()]
    rows: list[User | ServiceAccount | Key] = [*state.users.values(), *state.service_accounts.values(), *keys]
    holders = [row for row in rows if name in row.groups]
    if not holders:
        raise RefusalError(404, "group not found")
    for row in holders:
        row.groups = [group for group in row.groups if group != name]
    state.events.record("group-deleted", name, holders=len(holders))
    return Response(status_code=204)


def _found(state: GatewayState, key: str) -> User:
    rows = state.users_by_email.get(key, []) if is_email(key) else []
    user = rows[0] if rows else state.users.get(key)
    if user is None:
        raise RefusalError(404, f"user {key} not found")
    return user


def _keep_own_access(state: GatewayState, caller: Identity, status: str, groups: list[str]) -> list[str]:
    if status != "active":
        raise RefusalError(422, "cannot deactivate yourself")
    if state.is_admin(caller) and state.admin_group not in groups:
        return [*groups, state.admin_group]
    return groups


def _without_duplicates(groups: list[str]) -> list[str]:
    if len(set(groups)) != len(groups):
        raise RefusalError(500, "duplicate key value violates unique constraint")
    return groups


ROUTES = [
    Endpoint("GET", "/users", Role.READERS, list_users),
    Endpoint("POST", "/users", Role.ADMIN, invite_user),
    Endpoint("GET", "/users/groups", Role.READERS, list_groups),
    Endpoint("DELETE", "/users/groups/{name}", Role.ADMIN, delete_group),
    Endpoint("GET", "/users/{key}", Role.READERS, get_user),
    Endpoint("PUT", "/users/{key}", Role.ADMIN, put_user),
    Endpoint("DELETE", "/users/{key}", Role.ADMIN, delete_user),
]

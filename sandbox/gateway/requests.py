"""Asking for access over REST: native-client credentials, and sessions provisioned for somebody else."""

from datetime import timedelta

from starlette.responses import JSONResponse, Response

from sandbox.gateway.access import Gate, gate_by_reviewers, gate_by_rule, reaches, rule_for
from sandbox.gateway.auth import Endpoint, Role
from sandbox.gateway.decisions import vote
from sandbox.gateway.records import Connection, Identity, Json, Review, Session, new_id
from sandbox.gateway.reviews import DEFAULT_SECONDS, open_review
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, now, number, required, shown, text, texts


def new_session(identity: Identity, connection: Connection, *, verb: str = "connect") -> Session:
    """A row for a session of this identity on this connection."""
    return Session(
        user_id=identity.subject,
        user=identity.email or identity.name,
        user_name=identity.name,
        connection=connection.name,
        start_date=now(),
        verb=verb,
        identity_type="machine" if identity.kind == "machine-identity" else "user",
        connection_type=connection.shown["type"],
        connection_subtype=connection.shown["subtype"],
    )


async def request_credentials(state: GatewayState, call: Call) -> Response:
    """202 with a review where a rule covers the connection; whose groups need approval plays no part here."""
    connection = _reached(state, call.caller, call.path["key"])
    seconds = number(call.body, "access_duration_seconds") or DEFAULT_SECONDS
    session = state.add_session(new_session(call.caller, connection))
    rule = rule_for(state, connection, "jit")
    if rule is not None:
        return _reviewed(state, session, gate_by_rule(rule), seconds)
    if gate_by_reviewers(connection):
        # The gateway looks into a rule that is not there and panics after it has saved the session.
        raise RefusalError(500, None)
    return _issued(connection, session, seconds)


async def provision_session(state: GatewayState, call: Call) -> Response:
    """202; any key may do it, for any user, and approves it itself when it names no approved reviewers."""
    if call.caller.kind not in ("key", "legacy-key"):
        raise RefusalError(403, "access denied")
    identity, connection = _named_user(state, call.body), state.connection(required(call.body, "connection"))
    if connection is None:
        raise RefusalError(400, "connection not found")
    session = state.add_session(new_session(identity, connection, verb="exec"))
    session.status, session.script = "ready", text(call.body, "script")
    session.correlation_id = text(call.body, "correlation_id") or None
    gate = gate_by_reviewers(connection)
    if gate:
        seconds = number(call.body, "access_duration_sec")
        review = open_review(state, session, gate, seconds)
        session.status = "open"
        _approve_beforehand(state, review, call, session)
    body = {"session_id": session.id, "user_email": identity.email, "has_review": gate is not None}
    return JSONResponse(body, 202)


def _reached(state: GatewayState, identity: Identity, name: str) -> Connection:
    connection = state.connection(name)
    if connection is None or not reaches(state, identity, connection):
        raise RefusalError(404, "connection not found")
    return connection


def _reviewed(state: GatewayState, session: Session, gate: Gate, seconds: int) -> Response:
    if seconds > gate.max_seconds:
        raise RefusalError(400, f"access duration exceeds the maximum of {gate.max_seconds} seconds")
    review = open_review(state, session, gate, seconds)
    return JSONResponse({"session_id": session.id, "review_id": review.id, "has_review": True}, 202)


def _issued(connection: Connection, session: Session, seconds: int) -> Response:
    """Credentials at once; the row is bookkeeping that looks like use: done, and never ended."""
    expires = shown(session.start_date + timedelta(seconds=seconds))
    session.status, session.metadata = "done", {"credentials_expire_at": expires}
    body = {
        "id": new_id(),
        "connection_name": connection.name,
        "connection_type": connection.shown["type"],
        "connection_subtype": connection.shown["subtype"],
        "connection_credentials": {"hostname": "127.0.0.1", "username": "hoop", "password": "noop"},
        "session_id": session.id,
        "has_review": False,
        "created_at": shown(session.start_date),
        "expire_at": expires,
    }
    return JSONResponse(body, 201)


def _named_user(state: GatewayState, body: Json) -> Identity:
    rows = state.users_by_email.get(required(body, "user_email"), [])
    identity = state.identity(rows[0].subject) if rows else None
    if identity is None:
        raise RefusalError(400, "user not found")
    return identity


def _approve_beforehand(state: GatewayState, review: Review, call: Call, session: Session) -> None:
    named = call.body.get("approved_reviewers")
    groups = (
        tuple(row.group for row in review.groups) if named is None else tuple(texts(call.body, "approved_reviewers"))
    )
    if not groups:
        return
    vote(state, review, Identity(call.caller.subject, call.caller.name, call.caller.email, groups), "APPROVED")
    if review.status == "APPROVED":
        session.status = "ready"


ROUTES = [
    Endpoint("POST", "/connections/{key}/credentials", Role.ANYBODY_BUT_AUDITORS, request_credentials),
    Endpoint("POST", "/sessions/provision", Role.ANYBODY_BUT_AUDITORS, provision_session),
]

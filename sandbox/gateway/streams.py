"""A client opening a stream: status, reach and approval are read from the database once, at that moment."""

from dataclasses import dataclass

from sandbox.gateway.access import Gate, gate_for, reaches, standing_approval
from sandbox.gateway.records import Connection, Identity, Json, Session, Stream
from sandbox.gateway.requests import new_session
from sandbox.gateway.reviews import DEFAULT_SECONDS, open_review
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import shown


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt to connect ended: live, waiting for a review, or refused with a reason."""

    session_id: str = ""
    review_id: str = ""
    refused: str = ""


def connect(state: GatewayState, subject: str, connection_name: str, seconds: float | None, *, wait: bool) -> Attempt:
    """Open a stream for a subject; where a review is missing, ask for one only if the client is willing to wait."""
    identity, connection = state.identity(subject), state.connection(connection_name)
    if identity is None or identity.status != "active":
        return _refuse(state, subject, connection_name, "identity is not active")
    if connection is None or not reaches(state, identity, connection):
        return _refuse(state, subject, connection_name, "connection not found")
    gate = gate_for(state, identity, connection)
    if gate is None:
        return _go_live(state, identity, connection, seconds)
    approval = standing_approval(state, identity, connection)
    if approval:
        limit = approval.access_duration_seconds
        return _go_live(state, identity, connection, limit if seconds is None else min(seconds, limit))
    if wait:
        return _ask(state, identity, connection, gate, seconds)
    return _refuse(state, subject, connection_name, "approval required")


def stream_json(stream: Stream) -> Json:
    """A stream as the control API shows it."""
    return {
        "session_id": stream.session_id,
        "subject": stream.subject,
        "user": stream.user,
        "connection": stream.connection,
        "identity_type": stream.identity_type,
        "opened_at": shown(stream.opened_at),
        "waiting": stream.waiting,
    }


def _go_live(state: GatewayState, identity: Identity, connection: Connection, seconds: float | None) -> Attempt:
    session = _recorded(state, identity, connection)
    state.open_stream(_stream(session, seconds))
    state.events.record("session-opened", identity.subject, connection.name, session_id=session.id)
    return Attempt(session.id)


def _ask(state: GatewayState, identity: Identity, connection: Connection, gate: Gate, seconds: float | None) -> Attempt:
    session = _recorded(state, identity, connection)
    duration = min(gate.max_seconds, connection.shown.get("jit_access_duration_sec") or DEFAULT_SECONDS)
    review = open_review(state, session, gate, duration)
    stream = _stream(session, duration if seconds is None else min(seconds, duration))
    stream.waiting = True
    state.open_stream(stream)
    return Attempt(session.id, review.id)


def _recorded(state: GatewayState, identity: Identity, connection: Connection) -> Session:
    session = new_session(identity, connection)
    session.recording = f"recording of {session.id}"
    return state.add_session(session)


def _stream(session: Session, seconds: float | None) -> Stream:
    user = session.user or session.user_id
    return Stream(
        session.id,
        session.user_id,
        user,
        session.connection,
        session.identity_type,
        session.start_date,
        seconds=seconds,
    )


def _refuse(state: GatewayState, subject: str, connection: str, reason: str) -> Attempt:
    state.events.record("session-refused", subject, connection, reason=reason)
    return Attempt(refused=reason)

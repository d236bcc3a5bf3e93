"""A client opening a stream: status, reach and approval are read from the database once, at that moment."""

from dataclasses import dataclass

from sandbox.gateway.access import Gate, gate_for, reaches, standing_approval
from sandbox.gateway.records import Connection, Identity, Json, Session, Stream
from sandbox.gateway.requests import new_session
from sandbox.gateway.reviews import DEFAULT_SECONDS, open_review
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import shown

NEEDS_ENTERPRISE = "commands on a connection with reviews require an Enterprise plan"
NO_WEBHOOKS = "FailedPrecondition: webhooks are on for this connection but not in the open source licence"


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt to connect ended: live, waiting for a review, or refused with a reason."""

    session_id: str = ""
    review_id: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """What a client runs, and how long it will take."""

    script: str
    seconds: float = 0


class NoEntryError(Exception):
    """The gateway does not let this client in, and says why."""


def connect(state: GatewayState, subject: str, connection_name: str, seconds: float | None, *, wait: bool) -> Attempt:
    """Open a stream for a subject; where a review is missing, ask for one only if the client is willing to wait."""
    try:
        identity, connection = _admitted(state, subject, connection_name)
        gate = gate_for(state, identity, connection, "jit")
        if gate is None:
            return _go_live(state, _recorded(state, identity, connection), seconds)
        approval = standing_approval(state, identity, connection)
        if approval:
            limit = approval.access_duration_seconds
            lasting = limit if seconds is None else min(seconds, limit)
            return _go_live(state, _recorded(state, identity, connection), lasting)
        if wait:
            return _ask(state, identity, connection, gate, seconds)
    except NoEntryError as refusal:
        return _refuse(state, subject, connection_name, str(refusal))
    return _refuse(state, subject, connection_name, "approval required")


def execute(state: GatewayState, subject: str, connection_name: str, command: Command, *, wait: bool) -> Attempt:
    """Run a command; where a review is missing, one is opened, and a client that waits runs it by itself."""
    try:
        identity, connection = _admitted(state, subject, connection_name)
    except NoEntryError as refusal:
        return _refuse(state, subject, connection_name, str(refusal))
    gate = gate_for(state, identity, connection, "command")
    if gate and state.switches.values["license"] == "oss":
        return _refuse(state, subject, connection_name, NEEDS_ENTERPRISE)
    session = _recorded(state, identity, connection, verb="exec")
    session.script = command.script
    if gate is None or standing_approval(state, identity, connection):
        return _go_live(state, session, command.seconds)
    review = open_review(state, session, gate, 0)
    if wait:
        _hold(state, session, command.seconds)
    state.announce_open(session)
    return Attempt(session.id, review.id)


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


def _admitted(state: GatewayState, subject: str, connection_name: str) -> tuple[Identity, Connection]:
    identity, connection = state.identity(subject), state.connection(connection_name)
    if identity is None or identity.status != "active":
        raise NoEntryError("identity is not active")
    if connection is None or not reaches(state, identity, connection):
        raise NoEntryError("connection not found")
    if state.announces(connection.name) and state.switches.values["license"] == "oss":
        raise NoEntryError(NO_WEBHOOKS)
    return identity, connection


def _go_live(state: GatewayState, session: Session, seconds: float | None) -> Attempt:
    state.open_stream(_stream(session, seconds))
    state.events.record("session-opened", session.user_id, session.connection, session_id=session.id)
    state.announce_open(session)
    return Attempt(session.id)


def _ask(state: GatewayState, identity: Identity, connection: Connection, gate: Gate, seconds: float | None) -> Attempt:
    session = _recorded(state, identity, connection)
    duration = min(gate.max_seconds, connection.shown.get("jit_access_duration_sec") or DEFAULT_SECONDS)
    review = open_review(state, session, gate, duration)
    _hold(state, session, duration if seconds is None else min(seconds, duration))
    state.announce_open(session)
    return Attempt(session.id, review.id)


def _hold(state: GatewayState, session: Session, seconds: float) -> None:
    stream = _stream(session, seconds)
    stream.waiting = True
    state.open_stream(stream)


def _recorded(state: GatewayState, identity: Identity, connection: Connection, *, verb: str = "connect") -> Session:
    session = new_session(identity, connection, verb=verb)
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

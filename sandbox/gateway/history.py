"""Sessions of the past: what a gateway would have in its log that has been there for longer than the sandbox."""

from datetime import datetime

from sandbox.gateway.records import Json, Session
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import RefusalError, required, text


def remember(state: GatewayState, rows: list[Json]) -> int:
    """How many ended sessions were put before all others; whose they were need not be here any more."""
    told = sorted((_session(state, row) for row in rows), key=lambda one: one.start_date)
    present = [*state.sessions.values()]
    state.sessions.clear()
    state.sessions_of.clear()
    for session in (*told, *present):
        state.add_session(session)
    return len(told)


def _session(state: GatewayState, row: Json) -> Session:
    subject = required(row, "subject")
    known = state.identity(subject)
    names = (known.email, known.name, known.kind) if known is not None else (subject, subject, "user")
    return Session(
        user_id=subject,
        user=names[0],
        user_name=names[1],
        connection=required(row, "connection"),
        start_date=_moment(row, "start_date"),
        status="done",
        verb=text(row, "verb") or "exec",
        identity_type=names[2],
        end_date=_moment(row, "end_date"),
        exit_code=0,
    )


def _moment(row: Json, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(required(row, name))
    except ValueError:
        raise RefusalError(400, f"{name} is a moment in ISO 8601") from None
    if moment.tzinfo is None:
        raise RefusalError(400, f"{name} needs a zone")
    return moment

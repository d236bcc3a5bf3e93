"""`/sessions`: rows that outlive and misreport their streams, and a kill that always says 204."""

from collections.abc import Iterable

from starlette.responses import JSONResponse, Response

from sandbox.gateway.auth import Endpoint, Role
from sandbox.gateway.records import ORG_ID, Identity, Json, Session
from sandbox.gateway.reviews import review_json
from sandbox.gateway.session_filter import newest_first, select_page
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, is_uuid, shown

PLACEHOLDER = "no log found on disk"
UNKNOWN_EXIT = -100


def session_json(state: GatewayState, session: Session) -> Json:
    """A session as the API shows it, with a trimmed review."""
    machine = session.identity_type == "machine"
    return {
        "id": session.id,
        "org_id": ORG_ID,
        "user_id": session.user_id,
        "user": session.user,
        "user_name": session.user_name,
        "connection": session.connection,
        "role_name": session.connection,
        "resource_name": session.connection,
        "type": session.connection_type,
        "connection_subtype": session.connection_subtype,
        "connection_tags": None,
        "verb": session.verb,
        "status": session.status,
        "identity_type": session.identity_type,
        "machine_identity_id": session.user_id if machine else None,
        "start_date": shown(session.start_date),
        "end_date": shown(session.end_date),
        "exit_code": session.exit_code,
        "event_size": len(session.recording),
        "script": {"data": session.script},
        "script_size": len(session.script),
        "correlation_id": session.correlation_id,
        "labels": None,
        "metadata": session.metadata,
        "metrics": None,
        "integrations_metadata": None,
        "review": _embedded_review(state, session),
    }


async def list_sessions(state: GatewayState, call: Call) -> Response:
    page = select_page(state, call.query, _visible(state, call.caller, newest_first(state, call.query.get("user"))))
    return JSONResponse(
        {
            "data": [session_json(state, session) for session in page.rows],
            "total": page.total,
            "total_is_capped": page.total_is_capped,
            "has_next_page": page.has_next_page,
        }
    )


async def get_session(state: GatewayState, call: Call) -> Response:
    session = _found(state, call)
    if not any(_visible(state, call.caller, [session])):
        raise RefusalError(404, "session not found")
    body = session_json(state, session)
    if "event_stream" in call.query:
        body["event_stream"] = [session.recording]
    return JSONResponse(body)


async def kill_session(state: GatewayState, call: Call) -> Response:
    """204 whenever the row exists; a row without a stream in this process loses its recording and is done."""
    session = _found(state, call)
    if session.user_id != call.caller.subject and not state.is_admin(call.caller):
        raise RefusalError(404, "session not found")
    elsewhere = state.switches.take("killDoesNothing")
    killed = not elsewhere and state.close_stream(session.id, "killed")
    detail = {"session_id": session.id, "stream_closed": killed, "status_before": session.status}
    if not killed:
        session.recording = PLACEHOLDER
        state.end_session(session.id, UNKNOWN_EXIT)
    state.events.record("session-killed", session.user_id, session.connection, **detail, by=call.caller.name)
    return Response(status_code=204)


async def execute_session(state: GatewayState, call: Call) -> Response:
    """Runs an approved one-time request, for its requester or an admin."""
    session = _found(state, call)
    review = state.review_of(session)
    if session.user_id != call.caller.subject and not state.is_admin(call.caller):
        raise RefusalError(404, "session not found")
    if review is None or review.status != "APPROVED":
        raise RefusalError(400, "the session is not approved")
    state.start_command(session)
    state.end_session(session.id, 0)
    state.end_command(session, None)
    state.events.record("session-executed", session.user_id, session.connection, session_id=session.id)
    body = {"session_id": session.id, "output": "", "output_status": "success", "exit_code": 0, "has_review": True}
    return JSONResponse(body)


def _found(state: GatewayState, call: Call) -> Session:
    session_id = call.path["id"]
    if not is_uuid(session_id):
        raise RefusalError(500, f'failed fetching session: invalid input syntax for type uuid: "{session_id}"')
    session = state.sessions.get(session_id)
    if session is None:
        raise RefusalError(404, "session not found")
    return session


def _visible(state: GatewayState, caller: Identity, sessions: Iterable[Session]) -> Iterable[Session]:
    if state.is_admin(caller) or state.is_auditor(caller):
        return sessions
    return (row for row in sessions if row.user_id == caller.subject or _reviews(state, caller, row))


def _reviews(state: GatewayState, caller: Identity, session: Session) -> bool:
    review = state.review_of(session)
    return review is not None and any(row.group in caller.groups for row in review.groups)


def _embedded_review(state: GatewayState, session: Session) -> Json | None:
    review = state.review_of(session)
    if review is None:
        return None
    body = review_json(review)
    del body["session"]
    missing = ("min_approvals", "access_request_rule_name", "force_approval_groups", "time_window")
    return {**body, **dict.fromkeys(missing)}


ROUTES = [
    Endpoint("GET", "/sessions", Role.READERS, list_sessions),
    Endpoint("GET", "/sessions/{id}", Role.READERS, get_session),
    Endpoint("POST", "/sessions/{id}/kill", Role.ANYBODY_BUT_AUDITORS, kill_session),
    Endpoint("POST", "/sessions/{id}/exec", Role.ANYBODY_BUT_AUDITORS, execute_session),
]

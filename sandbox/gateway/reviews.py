"""`/reviews`: listed without end, read by review or session id, and changed without any lock."""

import copy

from starlette.responses import JSONResponse, Response

from sandbox.gateway.access import Gate
from sandbox.gateway.auth import Endpoint, Role
from sandbox.gateway.decisions import force, vote
from sandbox.gateway.records import Connection, Identity, Json, Review, ReviewGroup, Session
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call, RefusalError, is_uuid, now, required, shown, text

NANOSECONDS = 1_000_000_000
DEFAULT_SECONDS = 1800


def review_json(review: Review) -> Json:
    """A review as the API shows it: nanoseconds, and no word of its owner or connection."""
    groups = [_group_json(row) for row in review.groups]
    body = {
        "id": review.id,
        "session": review.session_id,
        "type": review.type,
        "access_duration": review.access_duration_seconds * NANOSECONDS,
        "status": review.status,
        "revoke_at": shown(review.revoke_at),
        "created_at": shown(review.created_at),
        "time_window": review.time_window,
        "access_request_rule_name": review.rule_name,
        "min_approvals": review.min_approvals,
        "force_approval_groups": review.force_approval_groups,
        "review_groups_data": groups,
    }
    return body if review.rejection_reason is None else {**body, "rejection_reason": review.rejection_reason}


def open_review(state: GatewayState, session: Session, gate: Gate, seconds: int | None) -> Review:
    """A pending review of a session: just-in-time, or one-time when the duration is zero or not given."""
    review = Review(
        type="jit" if seconds else "onetime",
        session_id=session.id,
        owner=session.user_id,
        connection=session.connection,
        access_duration_seconds=DEFAULT_SECONDS if seconds is None else seconds,
        groups=[ReviewGroup(group) for group in gate.reviewers],
        created_at=now(),
        rule_name=gate.rule_name,
        min_approvals=gate.min_approvals,
        force_approval_groups=gate.force_groups,
    )
    state.reviews[review.id] = review
    session.review_id = review.id
    detail = {"review_id": review.id, "session_id": session.id, "type": review.type}
    state.events.record("review-created", review.owner, review.connection, **detail)
    return review


async def list_reviews(state: GatewayState, _call: Call) -> Response:
    rows = [{**review_json(review), "time_window": None} for review in state.reviews.values()]
    return JSONResponse(rows)


async def get_review(state: GatewayState, call: Call) -> Response:
    review_id = call.path["id"]
    if not is_uuid(review_id):
        raise RefusalError(500, f'failed fetching review: invalid input syntax for type uuid: "{review_id}"')
    review = state.review(review_id)
    if review is None:
        raise RefusalError(404, "resource not found")
    return JSONResponse(review_json(review))


async def put_review(state: GatewayState, call: Call) -> Response:
    """Reads, decides and saves the whole review; two at once overwrite each other when a pause lets them."""
    status, window = required(call.body, "status").upper(), _time_window(call.body)
    stored = _stored(state, call.path["id"])
    connection = state.connections.get(stored.connection)
    if connection is None:
        raise RefusalError(500, "failed fetching connection for review")
    review = copy.deepcopy(stored)
    await state.switches.wait("reviewPauseMs")
    if window is not None:
        _set_window(review, window, status)
    if call.body.get("force_review"):
        force(state, review, call.caller, status, _force_groups(review, connection))
    else:
        vote(state, review, call.caller, status)
    if review.status == "REJECTED":
        review.rejection_reason = text(call.body, "rejection_reason") or None
    answer = review_json(review)
    if state.switches.take("putIgnored"):
        state.events.record("put-ignored", review.owner, review.connection, review_id=review.id)
    else:
        _save(state, review, call.caller)
    return JSONResponse(answer)


def _save(state: GatewayState, review: Review, caller: Identity) -> None:
    before = state.reviews[review.id].status
    for row in review.groups:
        row.forced_review = False
    state.reviews[review.id] = review
    detail = {"review_id": review.id, "session_id": review.session_id, "before": before, "after": review.status}
    state.events.record("review-changed", review.owner, review.connection, **detail, by=caller.name)
    session = state.sessions[review.session_id]
    if review.status == "APPROVED":
        session.status = "ready"
        state.release_stream(session.id)
    elif review.status != "PENDING":
        session.status = "done"
    if review.status == "REJECTED":
        state.close_stream(session.id, "review rejected")


def _stored(state: GatewayState, review_id: str) -> Review:
    if not is_uuid(review_id):
        raise RefusalError(500, f'failed obtaining review, err=invalid input syntax for type uuid: "{review_id}"')
    review = state.review(review_id)
    if review is None:
        raise RefusalError(500, "failed updating review status: review not found")
    return review


def _force_groups(review: Review, connection: Connection) -> list[str]:
    if review.rule_name is not None and review.force_approval_groups is not None:
        return review.force_approval_groups
    return connection.names("force_approve_groups")


def _time_window(body: Json) -> Json | None:
    window = body.get("time_window")
    if window is None:
        return None
    clock = window.get("configuration") if isinstance(window, dict) else None
    if not isinstance(clock, dict) or not {"start_time", "end_time"} <= clock.keys():
        raise RefusalError(400, "invalid time window")
    return {"type": window.get("type", "time_range"), "configuration": clock}


def _set_window(review: Review, window: Json, status: str) -> None:
    if review.time_window is not None:
        raise RefusalError(500, "time window can only be set once")
    if status == "APPROVED":
        review.time_window = window


def _group_json(row: ReviewGroup) -> Json:
    return {
        "id": row.id,
        "group": row.group,
        "status": row.status,
        "review_date": shown(row.review_date),
        "forced_review": row.forced_review,
        "reviewed_by": row.reviewed_by,
    }


ROUTES = [
    Endpoint("GET", "/reviews", Role.READERS, list_reviews),
    Endpoint("GET", "/reviews/{id}", Role.READERS, get_review),
    Endpoint("PUT", "/reviews/{id}", Role.ANYBODY_BUT_AUDITORS, put_review),
    Endpoint("PUT", "/sessions/{id}/review", Role.ANYBODY_BUT_AUDITORS, put_review),
]

"""What webhooks say of a session: its opening, its end, and the ready-made card of its review. None has a review id."""

import base64

from sandbox.gateway.records import Connection, Json, Review, Session

SESSION_OPEN = "session.open"
SESSION_CLOSE = "session.close"
REVIEW_CREATE = "microsoftteams.review.create"
MOST_INPUT_BYTES = 10_000
LANGUAGES = {"database": "SQL", "custom": "Bash", "application": "Bash"}


def session_open(session: Session, connection: Connection, review: Review | None) -> Json:
    """A `session.open`: repeated, under another message id, when the client comes back after its review."""
    script = session.script.encode()
    return {
        "event_type": SESSION_OPEN,
        "id": session.id,
        "user_id": session.user_id,
        "user_email": session.user,
        "connection": connection.name,
        "connection_type": session.connection_type,
        "connection_envs": None,
        "input": base64.b64encode(script[:MOST_INPUT_BYTES]).decode(),
        "is_input_truncated": len(script) > MOST_INPUT_BYTES,
        "input_size": len(script),
        "input_envs": [],
        "has_input_args": False,
        "review": _review(session, review),
        "command": connection.names("command"),
        "verb": session.verb,
    }


def session_close(session: Session, error: str | None) -> Json:
    """A `session.close`."""
    return {"event_type": SESSION_CLOSE, "id": session.id, "exit_code": session.exit_code, "exit_err": error}


def review_create(session: Session, review: Review, api_url: str) -> Json:
    """A `microsoftteams.review.create`: the session's id is only in a link."""
    groups = " ".join(f'"{row.group}"' for row in review.groups)
    facts = {
        "Created By": f"{session.user_name} | {session.user}",
        "Approval Groups": f"[{groups}]",
        "Session Time": _go_duration(review.access_duration_seconds),
        "Connection": review.connection,
    }
    snippet = session.script.encode()[:MOST_INPUT_BYTES].decode(errors="replace")
    code = {
        "type": "CodeBlock",
        "codeSnippet": snippet,
        "language": LANGUAGES.get(session.connection_type, "PlainText"),
    }
    link = f"[{session.id}]({api_url}/sessions/{session.id})"
    body: list[Json] = [
        {"type": "TextBlock", "text": "Session Created", "size": "Large", "weight": "Bolder", "separator": True},
        {"type": "TextBlock", "text": link, "separator": False},
        {
            "type": "FactSet",
            "separator": True,
            "spacing": "ExtraLarge",
            "facts": [{"title": title, "value": value} for title, value in facts.items()],
        },
        {"type": "Container", "separator": True, "style": "default", "bleed": False, "items": [code]},
    ]
    card = {"type": "AdaptiveCard", "msteams": {"width": "full"}, "body": body}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _review(session: Session, review: Review | None) -> Json | None:
    if review is None:
        return None
    return {"type": review.type, "status": review.status, "owner_email": session.user}


def _go_duration(seconds: int) -> str:
    if not seconds:
        return "`-`"
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    words = f"{minutes}m{left}s" if hours or minutes else f"{left}s"
    return f"{hours}h{words}" if hours else words

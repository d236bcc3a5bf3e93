"""A real gateway, watched through its REST API: its events are the differences between two looks."""

import os
import time
from datetime import UTC, datetime
from typing import Any

from sandbox.door.events import GatewayEvent, Json
from sandbox.door.servers import Server, UnavailableError, json_of

LOOK_EVERY_SECONDS = 1.0
LIVE_STATUSES = ("open", "ready")
LISTS = {
    "users": "/api/users",
    "service_accounts": "/api/serviceaccounts",
    "ai_agents": "/api/ai-agents",
    "api_keys": "/api/api-keys",
    "machine_identities": "/api/machineidentities",
    "connections": "/api/connections",
    "reviews": "/api/reviews",
}


class HoopGateway:
    """Identities, connections, reviews and open sessions of one gateway, looked at once a second."""

    is_real = True

    def __init__(self, server: Server, api_key: str) -> None:
        self._server = server
        bearer = api_key.startswith("hpk_")
        self._headers = {"Authorization": f"Bearer {api_key}"} if bearer else {"Api-Key": api_key}
        self._seen: Json | None = None
        self._looked_at = 0.0

    async def new_events(self) -> list[GatewayEvent]:
        """See `Gateway.new_events`; the times are those of the look that showed a difference."""
        if self._seen is not None and time.monotonic() - self._looked_at < LOOK_EVERY_SECONDS:
            return []
        before, self._seen = self._seen, await self._look()
        self._looked_at = time.monotonic()
        return differences(before, self._seen, time.time())

    async def snapshot(self) -> Json:
        """See `Gateway.snapshot`."""
        if self._seen is None:
            self._seen = await self._look()
        return self._seen

    async def switches(self) -> Json:
        """A real gateway has none."""
        return {}

    async def set_switches(self, changes: Json) -> None:
        """A real gateway has none."""
        raise UnavailableError(f"A real gateway has no switch for {', '.join(changes)}.")

    async def open_session(self, subject: str, connection: str) -> None:
        """A real gateway's sessions are opened with its own client."""
        raise UnavailableError(f"Open the session of {subject} to {connection} with the gateway's own client.")

    async def ask(self, subject: str, connection: str, script: str = "") -> str:
        """A real gateway is asked with its own client."""
        wanted = "the command" if script else "the session"
        raise UnavailableError(f"Ask for {wanted} of {subject} on {connection} with the gateway's own client.")

    async def _look(self) -> Json:
        seen: Json = {name: await self._get(path) or [] for name, path in LISTS.items()}
        plugin = await self._server.ask("GET", "/api/plugins/access_control", headers=self._headers)
        sessions = await self._get("/api/sessions?count=none&limit=100")
        rows = sessions.get("data") or [] if isinstance(sessions, dict) else []
        of_session = {row["id"]: row for row in rows}
        seen["reviews"] = [_review(row, of_session.get(row["session"]) or {}) for row in seen["reviews"]]
        live = [row for row in rows if row["end_date"] is None and row["status"] in LIVE_STATUSES]
        return {
            **seen,
            "access_control": json_of(plugin) if plugin.status_code == 200 else None,
            "streams": [_stream(row) for row in live],
            "ended": {row["id"]: row["end_date"] for row in rows if row["end_date"]},
        }

    async def _get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON the path answers
        answer = await self._server.ask("GET", path, headers=self._headers)
        if answer.status_code >= 400:
            raise UnavailableError(f"The gateway answered {answer.status_code} to GET {path}.")
        return json_of(answer)


def differences(before: Json | None, after: Json, at: float) -> list[GatewayEvent]:
    """What happened between two looks, in the stand-in's words; at the first look everything is new."""
    events: list[GatewayEvent] = []
    for name, kind in (("users", "user"), ("service_accounts", "service-account")):
        key = "id" if name == "users" else "subject"
        old = {row[key]: _access(row) for row in (before or {}).get(name, ())}
        for row in after[name]:
            subject, access = row[key], _access(row)
            if old.get(subject) != access:
                verb = "updated" if subject in old else "created"
                events.append(GatewayEvent(0, at, f"{kind}-{verb}", subject, detail={"after": access}))
        gone = old.keys() - {row[key] for row in after[name]}
        events += [GatewayEvent(0, at, "user-deleted", subject) for subject in sorted(gone)]
    return events + _review_differences(before, after, at) + _session_differences(before, after, at)


def _review_differences(before: Json | None, after: Json, at: float) -> list[GatewayEvent]:
    """Reviews that are new and wait, and those whose status or votes changed."""
    old = {row["id"]: row for row in (before or {}).get("reviews", ())}
    events: list[GatewayEvent] = []
    for row in after.get("reviews", ()):
        detail = {"review_id": row["id"], "session_id": row["session"], "type": row["type"]}
        was = old.get(row["id"])
        is_new = was is None and (before is not None or row["status"] == "PENDING")
        if is_new:
            asked_at = _moment(row["created_at"], at)
            events.append(GatewayEvent(0, asked_at, "review-created", row["owner"], row["connection"], detail))
        status = was["status"] if was else "PENDING"
        if (was or is_new) and row["status"] != status:
            change = detail | {"before": status, "after": row["status"], "by": _voters(row)}
            events.append(GatewayEvent(0, at, "review-changed", row["owner"], row["connection"], change))
    return events


def _session_differences(before: Json | None, after: Json, at: float) -> list[GatewayEvent]:
    old = {row["session_id"]: row for row in (before or {}).get("streams", ())}
    new = {row["session_id"]: row for row in after["streams"]}
    opened = [
        GatewayEvent(0, at, "session-opened", row["subject"], row["connection"], {"session_id": session_id})
        for session_id, row in new.items()
        if session_id not in old
    ]
    closed = [
        GatewayEvent(
            0,
            _moment(after["ended"].get(session_id), at),
            "session-closed",
            row["subject"],
            row["connection"],
            {"session_id": session_id, "reason": "ended"},
        )
        for session_id, row in old.items()
        if session_id not in new
    ]
    return opened + closed


def _access(row: Json) -> Json:
    return {"status": row["status"], "groups": sorted(row.get("groups") or ())}


def _review(row: Json, session: Json) -> Json:
    """A review with what only its session tells; a session too old to be listed leaves that empty."""
    owner, connection = session.get("user_id") or "", session.get("connection") or ""
    return row | {"owner": owner, "connection": connection}


def _voters(row: Json) -> str:
    voters = (group.get("reviewed_by") or {} for group in row.get("review_groups_data") or ())
    return ", ".join(dict.fromkeys(str(one["name"]) for one in voters if one.get("name"))) or "somebody"


def _stream(row: Json) -> Json:
    return {
        "session_id": row["id"],
        "subject": row["user_id"],
        "connection": row["connection"],
        "opened_at": row["start_date"],
        "waiting": (row.get("review") or {}).get("status") == "PENDING",
    }


def _moment(text: str | None, otherwise: float) -> float:
    if not text:
        return otherwise
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def api_key() -> str:
    """The key of the real gateway, empty where none is set."""
    return os.environ.get("GATEWAY_API_KEY", "")

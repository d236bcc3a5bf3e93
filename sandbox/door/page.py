"""The one JSON that the page draws, made from what the servers said."""

import math
from collections.abc import Sequence

from sandbox.door.changes import Change, Changes, ChangeState
from sandbox.door.events import Json, seconds
from sandbox.door.picture import Picture, is_off
from sandbox.door.wording import duration, headline, outcome
from sandbox.tenant import TETHER_OBJECT_ID

MOST_SHOWN = 100
MOST_ROWS = 80
DELAY_MS, SLOW_MS, GATEWAY_LATENCY_MS = 5000, 2000, 500
_PEOPLE = frozenset({"user", "agentUser"})
_AGENTS = {"servicePrincipal": "Service principal", "agentIdentity": "Agent identity"}


def entra_json(directory: Json, switches: Json, picture: Picture) -> Json:
    """The left column: people, agents, blueprints and groups."""
    deleted = [row | {"deleted": True} for row in directory["deleted"]]
    people = [*directory["users"], *(row for row in deleted if _type(row) in _PEOPLE)]
    agents = [row for row in (*directory["servicePrincipals"], *deleted) if _type(row) in _AGENTS and not _is_own(row)]
    blueprints = [row for row in directory["applications"] if row["id"] in picture.agents_of]
    return {
        "people": [_principal(row, "Person", picture) for row in _by_name(people)],
        "agents": [_principal(row, _AGENTS[_type(row)], picture) for row in _by_name(agents)],
        "blueprints": [_principal(row, "Blueprint", picture) for row in _by_name(blueprints)],
        "groups": [_group(row, picture) for row in _by_name(directory["groups"])],
        "counts": {"people": len(people), "agents": len(agents), "groups": len(directory["groups"])},
        "switches": {
            "lose": bool(switches["drop"]),
            "delay": bool(switches["delayMs"]),
            "slow": bool(switches["latencyMs"]),
        },
    }


def gateway_json(snapshot: Json, switches: Json, picture: Picture, *, is_real: bool) -> Json:
    """The middle column: identities with what they hold, those of known principals first, and the reviews."""
    known = frozenset().union(*picture.subjects.values()) - {TETHER_OBJECT_ID}
    rows = [
        *(row | {"subject": row["id"], "kind": "Person"} for row in snapshot["users"]),
        *(row | {"kind": "Service account"} for row in snapshot["service_accounts"]),
        *(row | {"subject": row["id"], "kind": "AI agent"} for row in snapshot["ai_agents"]),
        *(row | {"subject": row["id"], "kind": "API key"} for row in snapshot["api_keys"]),
        *(row | {"subject": row["id"], "kind": "Machine identity"} for row in snapshot["machine_identities"]),
    ]
    rows = [row | {"linked": row["subject"] in known} for row in rows]
    rows.sort(key=lambda row: (not row["linked"], (row.get("name") or row["subject"]).casefold()))
    statuses = [review["status"] for review in snapshot["reviews"]]
    return {
        "identities": [_identity(row, snapshot, picture) for row in rows[:MOST_SHOWN]],
        "counts": {"identities": len(rows), "sessions": sum(not one["waiting"] for one in snapshot["streams"])},
        "reviews": {"pending": statuses.count("PENDING"), "approved": statuses.count("APPROVED")},
        "switches": {"down": bool(switches.get("down")), "latency": bool(switches.get("latencyMs"))},
        "real": is_real,
    }


def told(graph: Json, gateway: Json) -> list[str]:
    """A sentence for each fault that somebody switched on."""
    sentences = {
        "Switched on: Graph loses the next notification.": graph["drop"],
        "Switched on: Graph delays its notifications.": graph["delayMs"],
        "Switched on: Graph answers slowly.": graph["latencyMs"],
        "Switched on: the gateway is down.": gateway.get("down"),
        "Switched on: the gateway answers slowly.": gateway.get("latencyMs"),
    }
    return [sentence for sentence, on in sentences.items() if on]


def row_json(change: Change, now: float, picture: Picture) -> Json:
    """One row of the timeline."""
    state = change.state(now)
    latency = change.latency_ms
    return {
        "id": change.seq,
        "kind": "change",
        "at": change.at * 1000,
        "title": headline(change),
        "state": state,
        "taking": change.taking,
        "outcome": outcome(change, state, picture.label),
        "latencyMs": latency,
        "took": _took(change, latency) if latency is not None and state is ChangeState.DONE else "",
    }


def figures_json(changes: Changes, now: float) -> Json:
    """The footer: how many revocations so far, and how fast."""
    latencies = sorted(changes.latencies_ms())
    waiting = sum(one.taking and one.state(now) is ChangeState.OPEN for one in changes.all[-MOST_ROWS:])
    figures = {"revocations": len(latencies), "open": waiting}
    return figures | {f"p{share}": _percentile(latencies, share) for share in (50, 99)}


def percentile(ordered: Sequence[float], share: int) -> float:
    """The nearest-rank percentile of numbers in order."""
    return ordered[max(0, math.ceil(share / 100 * len(ordered)) - 1)]


def _percentile(ordered: Sequence[float], share: int) -> str | None:
    return duration(percentile(ordered, share)) if ordered else None


def _took(change: Change, latency: float) -> str:
    return duration(latency) if change.taking else f"back after {duration(latency)}"


def _principal(row: Json, kind: str, picture: Picture) -> Json:
    state = "deleted" if row.get("deleted") else "disabled" if is_off(row) else "enabled"
    return {
        "id": row["id"],
        "name": _name(row),
        "kind": kind,
        "address": row.get("mail") or row.get("userPrincipalName") or "",
        "state": state,
        "groups": sorted(group for group, members in picture.members.items() if row["id"] in members),
        "breakGlass": row["id"] in picture.break_glass,
    }


def _group(row: Json, picture: Picture) -> Json:
    members = [
        {"id": one, "displayName": picture.names.get(one, one), "nested": one in picture.members}
        for one in row["members"]
    ]
    shown = [{"id": one["id"], "name": one["displayName"], "nested": one["nested"]} for one in _by_name(members)]
    return {"id": row["id"], "name": _name(row), "members": shown, "count": len(members)}


def _identity(row: Json, snapshot: Json, picture: Picture) -> Json:
    groups = sorted(row.get("groups") or row.get("connection_names") or ())
    status = row.get("status") or ("active" if groups else "inactive")
    return {
        "subject": row["subject"],
        "name": row.get("name") or row.get("email") or row["subject"],
        "kind": "Tether itself" if row["subject"] == TETHER_OBJECT_ID else row["kind"],
        "status": status,
        "groups": [{"name": name, "label": picture.label(name)} for name in groups],
        "linked": row["linked"],
        "sessions": [_session(one) for one in snapshot["streams"] if one["subject"] == row["subject"]],
        "reachable": _reachable(row, groups, snapshot, picture) if row["linked"] and status == "active" else [],
    }


def _session(stream: Json) -> Json:
    return {
        "id": stream["session_id"],
        "connection": stream["connection"],
        "openedAt": seconds(stream["opened_at"]) * 1000,
        "waiting": stream["waiting"],
    }


def _reachable(row: Json, groups: list[str], snapshot: Json, picture: Picture) -> list[str]:
    names = sorted(connection["name"] for connection in snapshot["connections"])
    if row["kind"] == "Machine identity":
        return [name for name in names if name in groups]
    return [name for name in names if picture.reaches(frozenset(groups), name)]


def _by_name(rows: list[Json]) -> list[Json]:
    return sorted(rows, key=lambda row: _name(row).casefold())[:MOST_SHOWN]


def _name(row: Json) -> str:
    return str(row.get("displayName") or row["id"])


def _is_own(row: Json) -> bool:
    return bool(row["id"] == TETHER_OBJECT_ID)


def _type(row: Json) -> str:
    return str(row["@odata.type"]).rpartition(".")[2]

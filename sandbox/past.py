"""What happened in the tenant before the sandbox started: sessions of thirteen months, tokens, and two bad evenings."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sandbox import cast
from sandbox.seed import listed

Json = dict[str, Any]
MALLORY = "mallory@contoso.example"
UNPLANNED_KEY = "7e7e0000-0000-4000-8000-000000000c16"
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
OFFICE, ELSEWHERE = "10.20.0.4", "203.0.113.7"


async def plant_past(graph: httpx.AsyncClient, gateway: httpx.AsyncClient) -> str:
    """What was planted, in one line; of the agents two are in order, and one is not."""
    at = datetime.now(UTC)
    agents = {row["name"]: str(row["id"]) for row in await listed(gateway, "/api/ai-agents")}
    sessions = [*_sessions(at)]
    (await gateway.post("/sandbox/history", json={"sessions": sessions})).raise_for_status()
    for body in _tokens(at):
        (await graph.post("/sandbox/audit/sign-ins", json=body)).raise_for_status()
    evening = _shown(at - 3 * DAY)
    addition = {"groupId": cast.REPORT_AGENTS_ID, "memberId": cast.REPORT_BOT.id, "user": MALLORY, "at": evening}
    (await graph.post("/sandbox/audit/memberships", json=addition)).raise_for_status()
    secret = {"objectId": cast.REPORT_BOT.id, "keyId": UNPLANNED_KEY, "user": MALLORY, "at": evening}
    (await graph.post("/sandbox/audit/credentials", json=secret)).raise_for_status()
    return f"{len(sessions)} sessions of {len(agents) + 2} agents, and what {MALLORY} did three days ago"


def _sessions(at: datetime) -> Iterator[Json]:
    """The sync works every day, the ledger is closed at the end of every month, Ada looks at orders now and then."""
    for days in range(1, 400):
        yield _session(cast.SYNC_AGENT.subject, "records-api", at - days * DAY)
    for months in range(14):
        yield _session(cast.LEDGER_AGENT.subject, "ledger-db", at - (3 + 30 * months) * DAY)
    for weeks in range(1, 30):
        yield _session(cast.ADA.subject, "orders-db", at - weeks * 7 * DAY, verb="connect")


def _session(subject: str, connection: str, at: datetime, verb: str = "exec") -> Json:
    ended = at + 20 * MINUTE
    moments = {"start_date": at.isoformat(), "end_date": ended.isoformat()}
    return {"subject": subject, "connection": connection, "verb": verb, **moments}


def _tokens(at: datetime) -> Iterator[Json]:
    """A token before each session of the agents; the report bot has one without any."""
    for days in range(1, 20):
        yield _token(cast.SYNC_AGENT.id, cast.RECORDS_RESOURCE, at - days * DAY - MINUTE, OFFICE)
    yield _token(cast.LEDGER_AGENT.id, cast.LEDGER_RESOURCE, at - 3 * DAY - MINUTE, OFFICE)
    yield _token(cast.REPORT_BOT.id, cast.RECORDS_RESOURCE, at - 2 * DAY, ELSEWHERE)


def _token(principal_id: str, resource_id: str, at: datetime, source: str) -> Json:
    return {"servicePrincipalId": principal_id, "resourceId": resource_id, "at": _shown(at), "ipAddress": source}


def _shown(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")

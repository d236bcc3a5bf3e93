"""Which sessions a list query means: SQL LIKE on the user, clamped limits, and an `end_date` that needs a start."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from starlette.datastructures import QueryParams

from sandbox.gateway.records import Session
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import RefusalError, now

MAX_LIMIT, MAX_OFFSET, DEFAULT_LIMIT, COUNT_CAP = 100, 10_000, 20, 10_000


@dataclass(frozen=True, slots=True)
class SessionPage:
    """One page of a filtered list, newest first; `total` is none when nobody asked to count."""

    rows: list[Session]
    has_next_page: bool
    total: int | None
    total_is_capped: bool


def select_page(state: GatewayState, query: QueryParams, visible: Iterable[Session]) -> SessionPage:
    """The page a query asks for among the visible sessions."""
    limit = min(_number(query, "limit", DEFAULT_LIMIT, at_least=1), MAX_LIMIT)
    offset = _number(query, "offset", 0, at_least=0)
    if offset > MAX_OFFSET:
        raise _invalid("offset", f"must not be greater than {MAX_OFFSET}, got {offset}")
    count = query.get("count", "capped")
    if count not in ("none", "capped", "exact"):
        raise _invalid("count", f"unknown mode {count}")
    matching = _matching(state, query, visible)
    if count == "none":
        window = list(islice(matching, offset, offset + limit + 1))
        return SessionPage(window[:limit], len(window) > limit, None, total_is_capped=False)
    rows = list(matching)
    total = len(rows) if count == "exact" else min(len(rows), COUNT_CAP)
    return SessionPage(rows[offset : offset + limit], len(rows) > offset + limit, total, total < len(rows))


def newest_first(state: GatewayState, user_pattern: str | None) -> Iterator[Session]:
    """Sessions whose `user_id` matches a LIKE pattern, newest first."""
    if user_pattern is None:
        return iter(reversed(state.sessions.values()))
    if not re.search(r"[%_\\]", user_pattern):
        return iter(reversed(state.sessions_of.get(user_pattern, {}).values()))
    like = _like(user_pattern)
    users = [rows for user_id, rows in state.sessions_of.items() if like.fullmatch(user_id)]
    return iter(sorted((row for rows in users for row in rows.values()), key=_start, reverse=True))


def _matching(state: GatewayState, query: QueryParams, visible: Iterable[Session]) -> Iterator[Session]:
    start, end = _date(query, "start_date"), _date(query, "end_date")
    until = end or now()
    connection, status = query.get("connection"), query.get("review.status")
    kind, correlation = query.get("type"), query.get("correlation_id")
    for session in visible:
        review = state.review_of(session)
        if (
            (not connection or session.connection == connection)
            and (not status or (review is not None and review.status == status))
            and (not kind or session.connection_type == kind)
            and (not correlation or session.correlation_id == correlation)
            and (start is None or start <= session.start_date <= until)
        ):
            yield session


def _like(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|%|_|[^\\%_]+|\\", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile(
        "".join(wild.get(part) or re.escape(part.removeprefix("\\") or part) for part in parts), re.DOTALL
    )


def _start(session: Session) -> datetime:
    return session.start_date


def _number(query: QueryParams, key: str, default: int, *, at_least: int) -> int:
    try:
        value = int(query.get(key, default))
    except ValueError:
        raise _invalid(key, f'"{query[key]}" is not a number') from None
    if value < at_least:
        raise _invalid(key, f"must be at least {at_least}, got {value}")
    return value


def _date(query: QueryParams, key: str) -> datetime | None:
    if key not in query:
        return None
    try:
        moment = datetime.fromisoformat(query[key])
    except ValueError:
        raise _invalid(key, "start_date or end_date in wrong format") from None
    if moment.tzinfo is None:
        raise _invalid(key, "start_date or end_date in wrong format")
    return moment


def _invalid(option: str, reason: str) -> RefusalError:
    return RefusalError(422, f'failed listing sessions, invalid "{option}" option: {reason}')

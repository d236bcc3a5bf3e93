"""Everything one gateway knows: its tables, their indexes, its open streams, its switches and its event log."""

import asyncio
import copy
from collections import Counter
from typing import TypeVar
from uuid import NAMESPACE_URL, uuid5

from sandbox.gateway.announcements import (
    REVIEW_CREATE,
    SESSION_CLOSE,
    SESSION_OPEN,
    review_create,
    session_close,
    session_open,
)
from sandbox.gateway.deliveries import Deliveries, WebhookMessage
from sandbox.gateway.events import EventLog
from sandbox.gateway.records import (
    Connection,
    Identity,
    Json,
    Key,
    MachineIdentity,
    Review,
    ServiceAccount,
    Session,
    Stream,
    User,
)
from sandbox.gateway.switches import Switches
from sandbox.gateway.wire import now
from sandbox.tenant import TETHER_OBJECT_ID

LOCAL_ADMIN = "admin@sandbox.example"
TIME_IS_OVER, COMMAND_ENDED = "time is over", "command ended"
Row = TypeVar("Row")


class GatewayState:
    """One gateway process in memory; `reset` brings back how it started."""

    def __init__(self, *, api_key: str, admin_group: str, auditor_group: str, api_url: str) -> None:
        self.api_key = api_key
        self.api_url = api_url
        self.admin_group = admin_group
        self.auditor_group = auditor_group
        self.events = EventLog()
        self.switches = Switches()
        self.deliveries = Deliveries(self.switches)
        self.streams: dict[str, Stream] = {}
        self.reset()

    def reset(self) -> None:
        """Forget everything, close all streams, and seed the identities a fresh gateway has."""
        for stream in self.streams.values():
            _stop_timer(stream)
        self.streams.clear()
        self.users: dict[str, User] = {}
        self.users_by_email: dict[str, list[User]] = {}
        self.service_accounts: dict[str, ServiceAccount] = {}
        self.keys: dict[str, dict[str, Key]] = {"api-keys": {}, "ai-agents": {}}
        self.keys_by_secret: dict[str, Key] = {}
        self.machine_identities: dict[str, MachineIdentity] = {}
        self.connections: dict[str, Connection] = {}
        self.plugins: dict[str, Json] = {}
        self.attributes: dict[str, Json] = {}
        self.rules: dict[str, Json] = {}
        self.reviews: dict[str, Review] = {}
        self.sessions: dict[str, Session] = {}
        self.sessions_of: dict[str, dict[str, Session]] = {}
        self.requests: Counter[str] = Counter()
        self.deliveries.forget()
        self.switches.reset()
        self.events.forget()
        self.add_user(User(subject=LOCAL_ADMIN, email=LOCAL_ADMIN, name="Administrator", groups=[self.admin_group]))
        self.add_service_account(TETHER_OBJECT_ID, "tether", "active", [self.admin_group])

    def add_user(self, user: User) -> None:
        """Keep a person's row, found by subject and by exact e-mail."""
        self.users[user.subject] = user
        self.users_by_email.setdefault(user.email, []).append(user)

    def remove_user(self, subject: str) -> None:
        """Forget a person's row."""
        user = self.users.pop(subject)
        self.users_by_email[user.email].remove(user)

    def add_service_account(self, subject: str, name: str, status: str, groups: list[str]) -> ServiceAccount:
        """Keep a workload's row; its id follows from its subject."""
        account = ServiceAccount(str(uuid5(NAMESPACE_URL, subject)), subject, name, status, groups)
        self.service_accounts[subject] = account
        return account

    def add_session(self, session: Session) -> Session:
        """Keep a session row, found by id and by user."""
        self.sessions[session.id] = session
        self.sessions_of.setdefault(session.user_id, {})[session.id] = session
        return session

    def key_with_id(self, key_id: str) -> Key | None:
        """An API key or AI agent by its uuid."""
        return self.keys["api-keys"].get(key_id) or self.keys["ai-agents"].get(key_id)

    def machine_identity_with_id(self, identity_id: str) -> MachineIdentity | None:
        """A machine identity by its uuid."""
        return next((found for found in self.machine_identities.values() if found.id == identity_id), None)

    def connection(self, name_or_id: str) -> Connection | None:
        """A connection by name or uuid."""
        by_name = self.connections.get(name_or_id)
        return by_name or next((found for found in self.connections.values() if found.id == name_or_id), None)

    def review(self, review_or_session: str) -> Review | None:
        """A review by its own id or by its session's."""
        session = self.sessions.get(review_or_session)
        return self.reviews.get((session.review_id or "") if session else review_or_session)

    def review_of(self, session: Session) -> Review | None:
        """The review that gates a session, if any."""
        return self.reviews.get(session.review_id or "")

    def identity(self, subject: str) -> Identity | None:
        """Who a subject is at this gateway, whatever kind of row it has."""
        if user := self.users.get(subject):
            return Identity(
                user.subject,
                user.name,
                user.email,
                tuple(user.groups),
                user.status,
                slack_id=user.slack_id,
                picture=user.picture,
            )
        if account := self.service_accounts.get(subject):
            groups = tuple(account.groups)
            return Identity(subject, account.name, account.name, groups, account.status, "service-account")
        if key := self.key_with_id(subject):
            return Identity(key.id, key.name, key.name, tuple(key.groups), key.status, "key")
        if machine := self.machine_identity_with_id(subject):
            return Identity(machine.id, machine.name, machine.name, (), kind="machine-identity")
        return None

    def is_admin(self, identity: Identity) -> bool:
        """Whether an identity may do everything."""
        return self.admin_group in identity.groups

    def is_auditor(self, identity: Identity) -> bool:
        """Whether an identity may only look."""
        return self.auditor_group in identity.groups and not self.is_admin(identity)

    def to_change(self, row: Row) -> tuple[Row, bool]:
        """The row a PUT changes and whether that counts; a throw-away copy while PUTs are ignored."""
        if self.switches.take("putIgnored"):
            return copy.deepcopy(row), False
        return row, True

    def open_stream(self, stream: Stream) -> None:
        """Hold a client's stream open, until its time is over if it has one."""
        self.streams[stream.session_id] = stream
        if not stream.waiting:
            self._start_timer(stream)

    def release_stream(self, session_id: str) -> None:
        """Let a stream that waited for its review go live; its client opens the session once more."""
        stream = self.streams.get(session_id)
        if stream and stream.waiting:
            stream.waiting = False
            self.start_command(self.sessions[session_id])
            self._start_timer(stream)
            self.events.record(
                "session-opened", stream.subject, stream.connection, session_id=session_id, released=True
            )

    def start_command(self, session: Session) -> None:
        """Open a session that was approved: a one-time review is now in use, and cannot be used again."""
        review = self.review_of(session)
        if review and review.type == "onetime":
            self._use(review, "PROCESSING")
        self.announce_open(session)

    def close_stream(self, session_id: str, reason: str) -> bool:
        """Cut a stream if it is open in this process, and end its row; answers whether it was."""
        stream = self.streams.pop(session_id, None)
        if stream is None:
            return False
        _stop_timer(stream)
        ended_well = reason in (TIME_IS_OVER, COMMAND_ENDED)
        self.end_session(session_id, exit_code=0 if ended_well else 1)
        self.events.record("session-closed", stream.subject, stream.connection, session_id=session_id, reason=reason)
        if not stream.waiting:
            self.end_command(self.sessions[session_id], None if ended_well else reason)
        return True

    def end_session(self, session_id: str, exit_code: int) -> None:
        """Mark a session's row done, now."""
        session = self.sessions[session_id]
        session.status, session.end_date, session.exit_code = "done", now(), exit_code

    def end_command(self, session: Session, error: str | None) -> None:
        """Say that a session is over, and its one-time review used up."""
        review = self.review_of(session)
        if review and review.status == "PROCESSING":
            self._use(review, "EXECUTED")
        if self.announces(session.connection):
            self.deliveries.send(WebhookMessage(SESSION_CLOSE, session_close(session, error)))

    def announces(self, connection_name: str) -> bool:
        """Whether the webhooks plugin is on a connection."""
        rows = self.plugins.get("webhooks", {}).get("connections", [])
        return any(row["name"] == connection_name for row in rows)

    def announce_open(self, session: Session) -> None:
        """Say that a client opens a session, and that its review waits if it does; repeated where a switch says so."""
        connection, review = self.connections.get(session.connection), self.review_of(session)
        if connection is None or not self.announces(connection.name):
            return
        for _ in range(2 if self.switches.take("sessionOpenRepeats") else 1):
            self.deliveries.send(WebhookMessage(SESSION_OPEN, session_open(session, connection, review)))
            if review and review.status == "PENDING":
                self.deliveries.send(WebhookMessage(REVIEW_CREATE, review_create(session, review, self.api_url)))

    def _use(self, review: Review, status: str) -> None:
        detail = {"review_id": review.id, "session_id": review.session_id, "before": review.status, "after": status}
        review.status = status
        self.events.record("review-changed", review.owner, review.connection, **detail, by="gateway")

    def _start_timer(self, stream: Stream) -> None:
        if stream.seconds is None:
            return
        reason = COMMAND_ENDED if self.sessions[stream.session_id].verb == "exec" else TIME_IS_OVER
        loop = asyncio.get_running_loop()
        stream.timer = loop.call_later(stream.seconds, self.close_stream, stream.session_id, reason)


def _stop_timer(stream: Stream) -> None:
    if stream.timer:
        stream.timer.cancel()

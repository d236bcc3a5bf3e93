"""The gateway in memory, with the traps that matter to order: ended rows of live streams, kills that kill nothing."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from shared.domain.gateway import (
    GatewayIdentity,
    Holdings,
    IdentityKind,
    IdentityRef,
    Review,
    ReviewType,
    Roster,
    Session,
)
from shared.domain.reach import AccessPolicy
from shared.errors import RetryLaterError


@dataclass
class Stream:
    """A session's row (`shown_live`) and the stream behind it (`flows`), which need not agree."""

    session: Session
    user: str
    shown_live: bool = True
    flows: bool = True


@dataclass
class FakeGateway:
    """Identities, streams and reviews.

    `effects` lists every write in order; `deaf_kills` are kills that do nothing; `on_write` happens once, right before
    a write takes effect, `before_write` once before it is handled at all, `on_read` at every read of an identity.
    """

    policy: AccessPolicy = field(default_factory=lambda: AccessPolicy(enforced=True))
    identities: dict[IdentityRef, GatewayIdentity] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    reviews: dict[str, tuple[Review, str, str]] = field(default_factory=dict)
    closed_because: dict[str, str] = field(default_factory=dict)
    effects: list[tuple[str, str]] = field(default_factory=list)
    deaf_kills: int = 0
    closing_fails: bool = False
    idle_kills: list[str] = field(default_factory=list)
    unwritable: set[IdentityRef] = field(default_factory=set)
    own_subject: str = "tether-itself"
    on_write: Callable[[], object] | None = None
    before_write: Callable[[], Awaitable[object]] | None = None
    on_read: Callable[[], object] | None = None

    # --- what happens at the gateway ------------------------------------------------------------------------------

    def person(self, email: str, *groups: str, status: str = "active") -> IdentityRef:
        ref = IdentityRef(IdentityKind.USER, f"sub-{email}-{len(self.identities)}")
        return self._add(GatewayIdentity(ref, ref.key, email, status, frozenset(groups), email))

    def service_account(self, subject: str, *groups: str) -> IdentityRef:
        ref = IdentityRef(IdentityKind.SERVICE_ACCOUNT, subject)
        return self._add(GatewayIdentity(ref, subject, "bot", "active", frozenset(groups)))

    def key(self, kind: IdentityKind, key_id: str, *groups: str, created_by: str = "") -> IdentityRef:
        ref = IdentityRef(kind, key_id)
        return self._add(GatewayIdentity(ref, key_id, key_id, "active", frozenset(groups), created_by=created_by))

    def machine(self, name: str, *connections: str, attributes: frozenset[str] = frozenset()) -> IdentityRef:
        ref = IdentityRef(IdentityKind.MACHINE_IDENTITY, name)
        return self._add(
            GatewayIdentity(
                ref, f"mi-{name}", name, "active", connections=frozenset(connections), attributes=attributes
            )
        )

    def connect(self, ref: IdentityRef, connection: str) -> str:
        session_id = f"session-{len(self.streams) + 1}"
        self.streams[session_id] = Stream(Session(session_id, connection), self.identities[ref].session_user)
        return session_id

    def ask(
        self, ref: IdentityRef, session_id: str, review_type: ReviewType = ReviewType.JIT, *, pending: bool = True
    ) -> str:
        """A review of a session; approved when it is not pending."""
        review_id = f"review-{len(self.reviews) + 1}"
        connection = self.streams[session_id].session.connection
        review = Review(review_id, session_id, connection, review_type, pending)
        self.reviews[review_id] = (review, self.identities[ref].session_user, "PENDING" if pending else "APPROVED")
        return review_id

    def set_groups(self, ref: IdentityRef, *groups: str) -> None:
        self.identities[ref] = replace(self.identities[ref], groups=frozenset(groups))

    def set_status(self, ref: IdentityRef, status: str) -> None:
        self.identities[ref] = replace(self.identities[ref], status=status)

    def flowing(self, ref: IdentityRef) -> set[str]:
        """The streams that really flow, whatever their rows say."""
        user = self.identities[ref].session_user
        return {session_id for session_id, stream in self.streams.items() if stream.user == user and stream.flows}

    def open_reviews(self, ref: IdentityRef) -> set[str]:
        user = self.identities[ref].session_user
        return {
            review.review_id
            for review, owner, status in self.reviews.values()
            if owner == user and status in ("PENDING", "APPROVED")
        }

    def reaches(self, ref: IdentityRef, connection: str) -> bool:
        """Whether a new connection would be let through."""
        identity = self.identities[ref]
        if identity.ref.kind is IdentityKind.MACHINE_IDENTITY:
            return connection in identity.connections
        return identity.status == "active" and connection in self.policy.reachable(identity.groups)

    def done(self, what: str) -> Counter[str]:
        return Counter(subject for effect, subject in self.effects if effect == what)

    # --- the port ---------------------------------------------------------------------------------------------------

    async def roster(self) -> Roster:
        return Roster.of(self.identities.values(), self.own_subject)

    async def access_policy(self) -> AccessPolicy:
        return self.policy

    async def read_identity(self, ref: IdentityRef) -> GatewayIdentity | None:
        if self.on_read is not None:
            self.on_read()
        return self.identities.get(ref)

    async def write_identity(self, before: GatewayIdentity, after: GatewayIdentity) -> None:
        if before.ref in self.unwritable:
            raise RetryLaterError("gateway-500")
        if (meanwhile := self.before_write) is not None:
            await meanwhile()
        if (happening := self.on_write) is not None:
            self.on_write = None
            happening()
        now = self.identities.get(before.ref)
        if now is None:
            return
        written = replace(
            now,
            status=after.status if after.status != before.status else now.status,
            groups=now.groups - (before.groups - after.groups) | (after.groups - before.groups),
            connections=now.connections - (before.connections - after.connections)
            | (after.connections - before.connections),
            attributes=now.attributes - (before.attributes - after.attributes) | (after.attributes - before.attributes),
        )
        if written.ref.kind is IdentityKind.MACHINE_IDENTITY:
            # It has no status of its own: what it may use makes one.
            written = replace(written, status="active" if written.connections or written.attributes else "inactive")
        if written != now:
            self.effects.append(("write", str(before.ref)))
            self.identities[before.ref] = written

    async def holdings(self, identity: GatewayIdentity) -> Holdings:
        sessions = [s.session for s in self.streams.values() if s.user == identity.session_user and s.shown_live]
        reviews = [
            replace(review, pending=status == "PENDING")
            for review, user, status in self.reviews.values()
            if user == identity.session_user and status in ("PENDING", "APPROVED")
        ]
        return Holdings(tuple(sessions), tuple(reviews))

    async def close_review(self, review: Review, reason: str) -> None:
        """Its session's row is done from then on, whether its stream flows or not; a rejection ends the stream, too."""
        if self.closing_fails:
            raise RetryLaterError("review-still-open")
        known, user, status = self.reviews[review.review_id]
        if status not in ("PENDING", "APPROVED"):
            return
        revoked = known.type is ReviewType.JIT and status == "APPROVED"
        self.reviews[review.review_id] = (known, user, "REVOKED" if revoked else "REJECTED")
        self.effects.append(("close", review.review_id))
        self.closed_because[review.review_id] = "" if revoked else reason
        stream = self.streams[review.session_id]
        stream.shown_live = False
        stream.flows = stream.flows and revoked

    async def kill_session(self, session: Session) -> None:
        """A kill of what is not live destroys its recording: `idle_kills` has to stay empty."""
        stream = self.streams[session.session_id]
        if not stream.shown_live:
            self.idle_kills.append(session.session_id)
        self.effects.append(("kill", session.session_id))
        if self.deaf_kills > 0:
            self.deaf_kills -= 1
            return
        stream.shown_live = stream.flows = False

    def _add(self, identity: GatewayIdentity) -> IdentityRef:
        self.identities[identity.ref] = identity
        return identity.ref

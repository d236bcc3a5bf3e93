"""The hoop.dev gateway over REST, its traps absorbed: whole-object writes, `null` lists, LIKE filters, 500 for missing.

Paths and behaviour: the gateway's source, version 1.148.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from shared.adapters.fresh import Fresh
from shared.adapters.json_api import Answer, JsonApi
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
from shared.ports import Clock
from shared.wire import gateway as wire

PAGE = 100
LAST_OFFSET = 10_000
LONGEST_STREAM = timedelta(hours=49)
_KEY_PATHS = {IdentityKind.AI_AGENT: "ai-agents", IdentityKind.API_KEY: "api-keys"}


class HoopGateway:
    """Identities, sessions, reviews and access control of one gateway."""

    def __init__(self, api: JsonApi, clock: Clock, fresh_for: float) -> None:
        self._api = api
        self._clock = clock
        self._own_subject: str | None = None
        self._roster = Fresh(self._read_roster, fresh_for)
        self._policy = Fresh(self._read_policy, fresh_for)

    async def roster(self) -> Roster:
        """See `Gateway.roster`."""
        return await self._roster.value()

    async def access_policy(self) -> AccessPolicy:
        """See `Gateway.access_policy`."""
        return await self._policy.value()

    async def read_identity(self, ref: IdentityRef) -> GatewayIdentity | None:
        """See `Gateway.read_identity`."""
        raw = await self._read_raw(ref)
        return None if raw is None else _identity(ref.kind, raw)

    async def write_identity(self, before: GatewayIdentity, after: GatewayIdentity) -> None:
        """See `Gateway.write_identity`."""
        raw = await self._read_raw(before.ref)
        if raw is None:
            return
        if before.ref.kind.is_key:
            await self._write_key(raw, before, after)
        elif (merged := _merge(raw, before, after)) != raw:
            path = _write_path(before.ref)
            _expect(await self._api.request("PUT", path, json=merged))
        if (await self.access_policy()).admin_group in before.groups - after.groups:
            self._roster.forget()

    async def holdings(self, identity: GatewayIdentity) -> Holdings:
        """See `Gateway.holdings`. One request as a rule; more when the history is longer than a page."""
        rows, complete = await self._recent_sessions(identity.session_user)
        if not complete:
            pending, approved = await asyncio.gather(
                self._sessions(identity.session_user, 0, "PENDING"),
                self._sessions(identity.session_user, 0, "APPROVED"),
            )
            rows += pending + approved
        return wire.holdings(row for row in rows if row.belongs_to(identity.session_user))

    async def close_review(self, review: Review, reason: str) -> None:
        """See `Gateway.close_review`. An approved one-time review can only be cancelled by rejecting it."""
        status = "REVOKED" if review.type is ReviewType.JIT and not review.pending else "REJECTED"
        body = {"status": status, "rejection_reason": reason}
        answer = await self._api.request("PUT", f"/api/reviews/{quote(review.review_id)}", json=body)
        if answer.status < 400:
            return
        now = await self._api.get(f"/api/reviews/{quote(review.review_id)}")
        if now.status != 404 and str(_expect(now).get("status")) in ("PENDING", "APPROVED"):
            raise RetryLaterError("review-still-open", f"the gateway answered {answer.status}")

    async def kill_session(self, session: Session) -> None:
        """See `Gateway.kill_session`."""
        answer = await self._api.request("POST", f"/api/sessions/{quote(session.session_id)}/kill")
        if answer.status not in (204, 404):
            raise RetryLaterError(f"gateway-{answer.status}", "the session could not be killed")

    async def _read_roster(self) -> Roster:
        users, accounts, agents, keys, machines, own = await asyncio.gather(
            self._list("/api/users"),
            self._list("/api/serviceaccounts"),
            self._list("/api/ai-agents"),
            self._list("/api/api-keys"),
            self._list("/api/machineidentities"),
            self._read_own_subject(),
        )
        identities = (
            *map(wire.user, wire.parse_list(wire.UserBody, users)),
            *map(wire.service_account, wire.parse_list(wire.ServiceAccountBody, accounts)),
            *(wire.key(body, IdentityKind.AI_AGENT) for body in wire.parse_list(wire.KeyBody, agents)),
            *(wire.key(body, IdentityKind.API_KEY) for body in wire.parse_list(wire.KeyBody, keys)),
            *map(wire.machine_identity, wire.parse_list(wire.MachineIdentityBody, machines)),
        )
        return Roster.of(identities, own)

    async def _read_policy(self) -> AccessPolicy:
        connections, plugin, attributes, rules, auth = await asyncio.gather(
            self._list("/api/connections"),
            self._api.get("/api/plugins/access_control"),
            self._pages("/api/attributes"),
            self._pages("/api/access-requests/rules"),
            self._api.get("/api/serverconfig/auth"),
        )
        documents = {
            "connections": connections,
            "access_control": None if plugin.status == 404 else _expect(plugin),
            "attributes": attributes,
            "rules": rules,
            "auth": _expect(auth),
        }
        return wire.access_policy(wire.parse_one(wire.PolicyDocuments, documents))

    async def _read_own_subject(self) -> str:
        if self._own_subject is None:
            self._own_subject = str(_expect(await self._api.get("/api/userinfo")).get("id", ""))
        return self._own_subject

    async def _read_raw(self, ref: IdentityRef) -> dict[str, Any] | None:
        if ref.kind is IdentityKind.SERVICE_ACCOUNT:
            accounts = await self._list("/api/serviceaccounts")
            return next((account for account in accounts if account.get("subject") == ref.key), None)
        answer = await self._api.get(_read_path(ref))
        return None if answer.status == 404 else _expect(answer)

    async def _write_key(self, raw: Mapping[str, Any], before: GatewayIdentity, after: GatewayIdentity) -> None:
        path = _read_path(before.ref)
        if before.groups != after.groups:
            groups = _changed(raw.get("groups"), before.groups, after.groups)
            _expect(await self._api.request("PUT", path, json={"name": raw["name"], "groups": groups}))
        if before.status == after.status:
            return
        if after.status == "revoked":
            answer = await self._api.request("DELETE", path)
        else:
            answer = await self._api.request("POST", f"{path}/reactivate")
        if answer.status >= 400 and answer.status not in (404, 409, 422):
            raise RetryLaterError(f"gateway-{answer.status}", f"{before.ref} could not be written")

    async def _recent_sessions(self, session_user: str) -> tuple[list[wire.SessionBody], bool]:
        """Rows newest first, until no older stream can still be alive; and whether that was all there is."""
        oldest = self._clock.now() - LONGEST_STREAM
        rows: list[wire.SessionBody] = []
        for offset in range(0, LAST_OFFSET + 1, PAGE):
            page = await self._sessions(session_user, offset)
            rows += page
            if len(page) < PAGE:
                return rows, True
            if _all_older(page, oldest):
                return rows, False
        return rows, False

    async def _sessions(self, session_user: str, offset: int, review_status: str = "") -> list[wire.SessionBody]:
        params: dict[str, str | int] = {
            "user": _escape_like(session_user),
            "count": "none",
            "limit": PAGE,
            "offset": offset,
        }
        if review_status:
            params["review.status"] = review_status
        answer = await self._api.request("GET", "/api/sessions", params=params)
        return wire.parse_list(wire.SessionBody, _expect(answer).get("data"))

    async def _list(self, path: str) -> list[dict[str, Any]]:
        answer = await self._api.get(path)
        if answer.status >= 400:
            raise RetryLaterError(f"gateway-{answer.status}", f"{path} could not be listed")
        return answer.document if isinstance(answer.document, list) else []

    async def _pages(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        for page in range(1, LAST_OFFSET):
            data = _expect(await self._api.get(path, page=page, page_size=PAGE)).get("data") or []
            items += data
            if len(data) < PAGE:
                break
        return items


def _read_path(ref: IdentityRef) -> str:
    key = quote(ref.key, safe="")
    if ref.kind is IdentityKind.USER:
        return f"/api/users/{key}"
    if ref.kind is IdentityKind.MACHINE_IDENTITY:
        return f"/api/machineidentities/{key}"
    return f"/api/{_KEY_PATHS[ref.kind]}/{key}"


def _write_path(ref: IdentityRef) -> str:
    if ref.kind is IdentityKind.SERVICE_ACCOUNT:
        return f"/api/serviceaccounts/{quote(ref.key, safe='')}"
    return _read_path(ref)


def _identity(kind: IdentityKind, raw: Mapping[str, Any]) -> GatewayIdentity:
    if kind is IdentityKind.USER:
        return wire.user(wire.parse_one(wire.UserBody, raw))
    if kind is IdentityKind.SERVICE_ACCOUNT:
        return wire.service_account(wire.parse_one(wire.ServiceAccountBody, raw))
    if kind is IdentityKind.MACHINE_IDENTITY:
        return wire.machine_identity(wire.parse_one(wire.MachineIdentityBody, raw))
    return wire.key(wire.parse_one(wire.KeyBody, raw), kind)


def _merge(raw: dict[str, Any], before: GatewayIdentity, after: GatewayIdentity) -> dict[str, Any]:
    """The whole object with only the difference applied: a write replaces whatever it omits."""
    merged = dict(raw)
    if before.ref.kind is IdentityKind.MACHINE_IDENTITY:
        merged["connection_names"] = _changed(raw.get("connection_names"), before.connections, after.connections)
        merged["attributes"] = _changed(raw.get("attributes"), before.attributes, after.attributes)
        return merged
    merged["groups"] = _changed(raw.get("groups"), before.groups, after.groups)
    if before.status != after.status:
        merged["status"] = after.status
    return merged


def _changed(current: list[str] | None, before: frozenset[str], after: frozenset[str]) -> list[str]:
    """The current names, in their order and each once, less what goes and plus what comes."""
    kept = [name for name in dict.fromkeys(current or ()) if name not in before - after]
    return kept + sorted(after - before - set(kept))


def _all_older(page: list[wire.SessionBody], oldest: datetime) -> bool:
    return all(row.start_date is not None and row.start_date < oldest for row in page)


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _expect(answer: Answer) -> dict[str, Any]:
    if answer.status >= 400 or not isinstance(answer.document, dict):
        raise RetryLaterError(f"gateway-{answer.status}", "an answer that this call does not expect")
    return answer.document

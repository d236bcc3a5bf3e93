"""Reviews of the hoop.dev gateway over REST: read with their sessions, and answered so that one vote is one group's.

Paths and behaviour: the gateway's source, version 1.148. It marks *every* group of whoever votes, and is satisfied only
by the exact number of approvals: so a vote goes out under a credential that is in one asked group and in no other.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

from shared.adapters.json_api import Answer, JsonApi
from shared.domain.reviews import Question
from shared.errors import RejectedError, RetryLaterError, UnknownOutcomeError
from shared.wire import reviews as wire
from shared.wire.gateway import parse_list, parse_one

PAGE = 100
LAST_OFFSET = 10_000
# The gateway refuses a key that has lost its group, and says nothing of one that was given a second.
TRUSTED_SECONDS = 30.0
_BREAK_GLASS = "break-glass"


class HoopReviews:
    """Questions are read with `api`; answers go out under a key per reviewer group, or a person's own token.

    A person's token is used where the gateway would count it for exactly the wanted group; the group's key otherwise.
    """

    def __init__(
        self,
        api: JsonApi,
        voters: Mapping[str, JsonApi],
        break_glass: JsonApi | None,
        bearer: Callable[[str], JsonApi],
        trusted_for: float = TRUSTED_SECONDS,
    ) -> None:
        self._api = api
        self._voters = voters
        self._break_glass = break_glass
        self._bearer = bearer
        self._trusted_for = trusted_for
        self._right_until: dict[JsonApi, float] = {}

    async def pending(self) -> Sequence[str]:
        """See `Reviews.pending`. Newest first; beyond ten thousand the gateway shows none."""
        found: list[str] = []
        for offset in range(0, LAST_OFFSET + 1, PAGE):
            params: Mapping[str, str | int] = {
                "review.status": "PENDING",
                "count": "none",
                "limit": PAGE,
                "offset": offset,
            }
            answer = await self._api.request("GET", "/api/sessions", params=params)
            rows = parse_list(wire.SessionRow, _expect(answer).get("data"))
            found += [str(row.id) for row in rows if row.is_pending]
            if len(rows) < PAGE:
                break
        return list(dict.fromkeys(found))

    async def read(self, ref: str) -> Question | None:
        """See `Reviews.read`. A session without a review is none; a review without its session is for later."""
        if not _is_uuid(ref):
            return None
        review, session = await asyncio.gather(self._review(ref), self._session(ref))
        if review is None:
            if session is not None and session.review is not None:
                raise RetryLaterError("gateway-review-incomplete", "the session shows a review that is not there")
            return None
        if session is None or session.id != review.session:
            session = await self._session(str(review.session))
        if session is None:
            raise RetryLaterError("gateway-review-incomplete", "the review's session is not there")
        return wire.question(review, session, await self._min_approvals(review, session))

    async def approve(self, question: Question, group: str, token: str | None = None) -> None:
        """See `Reviews.approve`. Never repeated here: an approval of what is approved extends the grant."""
        await self._vote(question, group, {"status": "APPROVED"}, token)

    async def deny(self, question: Question, group: str, reason: str, token: str | None = None) -> None:
        """See `Reviews.deny`."""
        await self._vote(question, group, {"status": "REJECTED", "rejection_reason": reason}, token)

    async def force(self, question: Question, reason: str) -> None:  # noqa: ARG002 - the gateway has no place for it
        """See `Reviews.force`. The gateway keeps no reason beside an approval."""
        if self._break_glass is None:
            raise RejectedError("no-key", _BREAK_GLASS)
        await self._check_key(
            self._break_glass, _BREAK_GLASS, lambda info: bool(info.groups) and not info.is_privileged
        )
        await self._put(self._break_glass, question, {"status": "APPROVED", "force_review": True}, _BREAK_GLASS)

    async def _vote(self, question: Question, group: str, body: Mapping[str, Any], token: str | None) -> None:
        person = None if token is None else await self._person(question, group, token)
        if person is not None:
            await self._put(person, question, body, None)
            return
        key = self._voters.get(group)
        if key is None:
            raise RejectedError("no-key", group)
        await self._check_key(key, group, lambda info: info.holds_exactly(group))
        await self._put(key, question, body, group)

    async def _person(self, question: Question, group: str, token: str) -> JsonApi | None:
        """The approver's own access, if the gateway knows them and counts their vote for this group alone."""
        api = self._bearer(token)
        info = await _who(api)
        asked = {row.group for row in question.review.groups}
        return api if info is not None and info.votes_once(group, asked) else None

    async def _check_key(self, key: JsonApi, name: str, is_right: Callable[[wire.UserInfoBody], bool]) -> None:
        if self._right_until.get(key, -math.inf) > time.monotonic():
            return
        info = await _who(key)
        if info is None or not is_right(info):
            raise _wrong_key(name)
        self._right_until[key] = time.monotonic() + self._trusted_for

    async def _put(self, api: JsonApi, question: Question, body: Mapping[str, Any], key: str | None) -> None:
        """The gateway's word on one answer; `key` names the key that gave it, `None` stands for a person's token."""
        try:
            answer = await api.request("PUT", f"/api/reviews/{question.review.review_id}", json=body)
        except RetryLaterError as error:
            if not _is_refusal(error):
                raise
            self._right_until.pop(api, None)
            raise (_wrong_key(key) if key else RejectedError("token-refused")) from error
        message = _message(answer)
        if answer.status < 400 or (answer.status == 400 and "wrong state" in message):
            return
        if answer.status >= 500:
            raise UnknownOutcomeError(f"gateway-{answer.status}", message)
        if "self approve" in message:
            raise RejectedError("own-request", message)
        if "not eligible" in message and key:
            self._right_until.pop(api, None)
            raise _wrong_key(key)
        raise RejectedError("answer-refused", f"{answer.status} {message}")

    async def _review(self, ref: str) -> wire.ReviewBody | None:
        answer = await self._api.get(f"/api/reviews/{ref}")
        return None if answer.status == 404 else parse_one(wire.ReviewBody, _expect(answer))

    async def _session(self, ref: str) -> wire.SessionBody | None:
        answer = await self._api.get(f"/api/sessions/{ref}")
        return None if answer.status == 404 else parse_one(wire.SessionBody, _expect(answer))

    async def _min_approvals(self, review: wire.ReviewBody, session: wire.SessionBody) -> int | None:
        if not review.needs_connection:
            return review.min_approvals
        answer = await self._api.get(f"/api/connections/{quote(session.connection, safe='')}")
        if answer.status == 404:
            return None
        return parse_one(wire.ConnectionBody, _expect(answer)).min_review_approvals


async def _who(api: JsonApi) -> wire.UserInfoBody | None:
    """Who a credential is; `None` when the gateway does not accept it."""
    try:
        answer = await api.get("/api/userinfo")
    except RetryLaterError as error:
        if _is_refusal(error):
            return None
        raise
    return parse_one(wire.UserInfoBody, _expect(answer))


def _is_refusal(error: RetryLaterError) -> bool:
    return error.reason.endswith(("-401", "-403"))


def _wrong_key(name: str) -> RejectedError:
    return RejectedError("reviewer-key-wrong", f"the key for {name} has to be active and in exactly that group")


def _message(answer: Answer) -> str:
    return str(answer.document.get("message", "")) if isinstance(answer.document, dict) else ""


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _expect(answer: Answer) -> dict[str, Any]:
    if answer.status >= 400 or not isinstance(answer.document, dict):
        raise RetryLaterError(f"gateway-{answer.status}", "an answer that this call does not expect")
    return answer.document

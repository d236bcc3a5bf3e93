"""Microsoft Graph for long reads: below its limits, waiting as long as it asks, and never a storm."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from shared.adapters.inventory_pace import Pace
from shared.adapters.inventory_sources import Limit
from shared.adapters.json_api import Answer, JsonApi
from shared.domain.posture.scan import NO_LICENCE, PAGE_LOST
from shared.errors import RejectedError, RetryLaterError

BATCH = 20
BUSY_TRIES, OTHER_TRIES = 30, 4
LONGEST_PAUSE, LONGEST_WAIT = 60.0, 600.0
_WITHOUT_PREMIUM = "NonPremiumTenant"  # Authentication_RequestFromNonPremiumTenantOrB2CTenant
_LOST_TOKENS = frozenset(
    {"DirectoryPageTokenNotFoundException", "Directory_ExpiredPageToken", "Directory_PageTokenNotFound"}
)
Headers = Callable[[], Awaitable[Mapping[str, str]]]


class PatientGraph:
    """Requests to Graph; whoever shares one shares its limits.

    Raises `RejectedError` with what Graph said where asking again changes nothing, `RetryLaterError` when it gave up.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        headers: Headers,
        base_url: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._base_url = base_url
        self._sleep = sleep
        self._plain = JsonApi("graph", client, _with(headers))
        self._advanced = JsonApi("graph", client, _with(headers, ConsistencyLevel="eventual"))
        self._paces = {limit: Pace(*limit.value, clock, sleep) for limit in Limit}

    async def get(self, limit: Limit, path: str, *, advanced: bool = False) -> tuple[Answer, int]:
        """The answer to a read, and how many requests it took."""
        return await self._ask(self._advanced if advanced else self._plain, limit, "GET", self._ours(path))

    async def batch(self, paths: Mapping[str, str], version: str) -> tuple[dict[str, Answer], int]:
        """The answers to many reads by their names; what was refused for now is asked again, and only that."""
        answers: dict[str, Answer] = {}
        requests, tries = 0, 0
        while open_ones := [name for name in paths if name not in answers]:
            part = open_ones[:BATCH]
            items = [{"id": name, "method": "GET", "url": paths[name]} for name in part]
            answer, asked = await self._ask(
                self._plain, Limit.BATCH, "POST", f"/{version}/$batch", json={"requests": items}
            )
            requests += asked
            settled, wait = _settled(expect(answer))
            answers |= {name: one for name, one in settled.items() if name in part}
            tries = 0 if settled else tries + 1
            if tries >= BUSY_TRIES:
                raise RetryLaterError("graph-429", "a batch that never comes through")
            if wait is not None:
                self._paces[Limit.BATCH].shut(min(wait, LONGEST_WAIT))
        return answers, requests

    async def _ask(self, api: JsonApi, limit: Limit, method: str, path: str, json: object = None) -> tuple[Answer, int]:
        """A busy Graph is waited for, one that fails is asked again."""
        pace = self._paces[limit]
        busy = failed = 0
        while True:
            await pace.slot()
            try:
                return await api.request(method, path, json=json), busy + failed + 1
            except RetryLaterError as error:
                if error.reason in ("graph-401", "graph-403"):
                    reason = NO_LICENCE if _WITHOUT_PREMIUM in error.detail else error.reason
                    raise RejectedError(reason, error.detail) from error
                is_busy = error.reason in ("graph-429", "graph-503")
                busy, failed = busy + is_busy, failed + (not is_busy)
                pause = error.retry_after or min(2.0 ** (busy + failed - 1), LONGEST_PAUSE)
                if busy >= BUSY_TRIES or failed >= OTHER_TRIES or pause > LONGEST_WAIT:
                    raise
                if is_busy:
                    pace.shut(pause)
                else:
                    await self._sleep(pause)

    def _ours(self, link: str) -> str:
        """A link that leads elsewhere would carry our token there."""
        if urlsplit(link).netloc and not link.startswith(f"{self._base_url}/"):
            raise RejectedError("graph-answered-nonsense", "a link leads to another host")
        return link


def expect(answer: Answer, *, resumed: bool = False) -> dict[str, Any]:
    """The document. Refusals say why; one of a page token means that the source has to be read from its beginning."""
    if answer.status >= 400:
        code = _code(answer.document)
        if code in _LOST_TOKENS or (resumed and answer.status == 410):
            raise RejectedError(PAGE_LOST, code)
        raise RejectedError(f"graph-{answer.status}", code)
    if not isinstance(answer.document, dict):
        raise RetryLaterError("graph-answered-nonsense", "an answer is no object")
    return answer.document


def _with(headers: Headers, **more: str) -> Headers:
    """The same headers, and that everything else may go first."""

    async def all_headers() -> Mapping[str, str]:
        return {**await headers(), "x-ms-throttle-priority": "low", **more}

    return all_headers


def _code(document: object) -> str:
    error = document.get("error") if isinstance(document, dict) else None
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def _settled(document: Mapping[str, Any]) -> tuple[dict[str, Answer], float | None]:
    """The items that were answered, and how long to wait before the others are asked again."""
    answers: dict[str, Answer] = {}
    wait: float | None = None
    try:
        for item in document["responses"]:
            status = int(item["status"])
            if status == 429 or status >= 500:
                wait = max(wait or 0.0, _retry_after(item.get("headers") or {}))
            else:
                answers[str(item["id"])] = Answer(status, item.get("body"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RetryLaterError("graph-answered-nonsense", "a batch") from error
    return answers, wait


def _retry_after(headers: Mapping[str, Any]) -> float:
    after = {str(name).lower(): str(value) for name, value in headers.items()}.get("retry-after", "")
    return float(after) if after.isdigit() else 1.0

"""Entra's applications through Microsoft Graph: lists page by page, details in batches of twenty, never a storm."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from shared.adapters.inventory_details import DETAILS, Answers, Question
from shared.adapters.inventory_pace import Pace
from shared.adapters.inventory_sources import LISTINGS, RESOURCES, Limit
from shared.adapters.json_api import Answer, JsonApi
from shared.domain.posture.scan import NO_LICENCE, PAGE_LOST, Page, Row, Source
from shared.errors import RejectedError, RetryLaterError
from shared.wire.inventory_rows import trim_page, trim_role_definitions

BATCH = 20
BUSY_TRIES, OTHER_TRIES = 30, 4
LONGEST_PAUSE, LONGEST_WAIT = 60.0, 600.0
_WITHOUT_PREMIUM = "NonPremiumTenant"  # Authentication_RequestFromNonPremiumTenantOrB2CTenant
_LOST_TOKENS = frozenset(
    {"DirectoryPageTokenNotFoundException", "Directory_ExpiredPageToken", "Directory_PageTokenNotFound"}
)
Headers = Callable[[], Awaitable[Mapping[str, str]]]


class GraphInventory:
    """Reads of everything that posture is judged from; see `Inventory`."""

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

    async def page(self, source: Source, link: str | None) -> Page:
        """See `Inventory.page`."""
        if source is Source.APP_ROLES:
            return await self._app_roles(link or _of_resource(0))
        listing = LISTINGS[source]
        api = self._advanced if listing.advanced else self._plain
        answer, requests = await self._ask(api, listing.limit, "GET", self._ours(link or listing.path))
        document = _expect(answer, resumed=link is not None)
        counted = document.get("@odata.count")
        return Page(
            trim_page(source, document),
            document.get("@odata.nextLink"),
            requests,
            counted if isinstance(counted, int) else None,
        )

    async def count(self, source: Source) -> int | None:
        """See `Inventory.count`."""
        path = LISTINGS[source].count_path if source in LISTINGS else ""
        if not path:
            return None
        # The number comes as text, which `JsonApi` takes for no answer: a page of one row carries it as well.
        query = f"{path.removesuffix('/$count')}?$count=true&$top=1&$select=id"
        answer, _ = await self._ask(self._advanced, Limit.DIRECTORY, "GET", query)
        counted = _expect(answer).get("@odata.count")
        return counted if isinstance(counted, int) else None

    async def look_up(self, source: Source, keys: Sequence[str]) -> Page:
        """See `Inventory.look_up`."""
        detail = DETAILS[source]
        questions = {f"{number}": one for number, one in enumerate(q for key in keys for q in detail.questions(key))}
        if detail.is_alone:
            answers, requests = await self._one_by_one(questions)
        else:
            answers, requests = await self._batches(questions, detail.version)
        found: list[Row] = []
        for key in keys:
            mine = {q.name: answers[number] for number, q in questions.items() if q.key == key}
            found += detail.rows(key, mine)
        return Page(tuple(found), None, requests)

    async def _app_roles(self, link: str) -> Page:
        """What each resource offers, then who holds it, one resource after the other; links begin with its number."""
        number, _, path = link.partition(" ")
        resource = int(number)
        after = _of_resource(resource + 1) if resource + 1 < len(RESOURCES) else None
        answer, requests = await self._ask(self._plain, Limit.DIRECTORY, "GET", self._ours(path))
        if answer.status == 404:
            return Page((), after, requests)  # a resource that this tenant does not have
        document = _expect(answer, resumed="skiptoken" in path)
        if "value" not in document:
            assigned = f"{number} /v1.0/servicePrincipals(appId='{RESOURCES[resource]}')/appRoleAssignedTo?$top=999"
            return Page((trim_role_definitions(document),), assigned, requests)
        more = document.get("@odata.nextLink")
        return Page(trim_page(Source.APP_ROLES, document), f"{number} {more}" if more else after, requests)

    async def _batches(self, questions: Mapping[str, Question], version: str) -> tuple[Answers, int]:
        """Each item that was refused for now is asked again, and only that."""
        answers: dict[str, Answer] = {}
        requests, tries = 0, 0
        while open_ones := [number for number in questions if number not in answers]:
            part = open_ones[:BATCH]
            items = [{"id": number, "method": "GET", "url": questions[number].path} for number in part]
            answer, asked = await self._ask(
                self._plain, Limit.BATCH, "POST", f"/{version}/$batch", json={"requests": items}
            )
            requests += asked
            settled, wait = _settled(_expect(answer))
            answers |= {number: one for number, one in settled.items() if number in part}
            tries = 0 if settled else tries + 1
            if tries >= BUSY_TRIES:
                raise RetryLaterError("graph-429", "a batch that never comes through")
            if wait is not None:
                self._paces[Limit.BATCH].shut(min(wait, LONGEST_WAIT))
        return answers, requests

    async def _one_by_one(self, questions: Mapping[str, Question]) -> tuple[Answers, int]:
        answers: dict[str, Answer] = {}
        requests = 0
        for number, question in questions.items():
            answers[number], asked = await self._ask(self._plain, Limit.KEYS, "GET", f"/v1.0{question.path}")
            requests += asked
        return answers, requests

    async def _ask(self, api: JsonApi, limit: Limit, method: str, path: str, json: object = None) -> tuple[Answer, int]:
        """The answer, and how many requests it took; a busy Graph is waited for, one that fails is asked again."""
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


def _with(headers: Headers, **more: str) -> Headers:
    """The same headers, and that everything else may go first."""

    async def all_headers() -> Mapping[str, str]:
        return {**await headers(), "x-ms-throttle-priority": "low", **more}

    return all_headers


def _of_resource(number: int) -> str:
    return f"{number} /v1.0/servicePrincipals(appId='{RESOURCES[number]}')?$select=id,appId,appRoles"


def _expect(answer: Answer, *, resumed: bool = False) -> dict[str, Any]:
    """The document. Refusals say why; one of a page token means that the source has to be read from its beginning."""
    if answer.status >= 400:
        code = _code(answer.document)
        if code in _LOST_TOKENS or (resumed and answer.status == 410):
            raise RejectedError(PAGE_LOST, code)
        raise RejectedError(f"graph-{answer.status}", code)
    if not isinstance(answer.document, dict):
        raise RetryLaterError("graph-answered-nonsense", "an answer is no object")
    return answer.document


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

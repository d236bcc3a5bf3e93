"""Entra's applications through Microsoft Graph: lists page by page, details in batches of twenty, never a storm."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import httpx

from shared.adapters.inventory_details import DETAILS, Answers, Question
from shared.adapters.inventory_sources import LISTINGS, RESOURCES, Limit
from shared.adapters.json_api import Answer
from shared.adapters.patient_graph import Headers, PatientGraph, expect
from shared.domain.posture.scan import Page, Row, Source
from shared.wire.inventory_rows import trim_page, trim_role_definitions


class GraphInventory:
    """Reads of everything that posture is judged from; see `Inventory`. `graph` is what it shares its limits with."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        headers: Headers,
        base_url: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.graph = PatientGraph(client, headers, base_url, clock=clock, sleep=sleep)

    async def page(self, source: Source, link: str | None, at: datetime | None = None) -> Page:
        """See `Inventory.page`."""
        if source is Source.APP_ROLES:
            return await self._app_roles(link or _of_resource(0))
        listing = LISTINGS[source]
        answer, requests = await self.graph.get(
            listing.limit, link or listing.first_page(at), advanced=listing.advanced
        )
        document = expect(answer, resumed=link is not None)
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
        answer, _ = await self.graph.get(Limit.DIRECTORY, query, advanced=True)
        counted = expect(answer).get("@odata.count")
        return counted if isinstance(counted, int) else None

    async def look_up(self, source: Source, keys: Sequence[str]) -> Page:
        """See `Inventory.look_up`."""
        detail = DETAILS[source]
        questions = {f"{number}": one for number, one in enumerate(q for key in keys for q in detail.questions(key))}
        if detail.is_alone:
            answers, requests = await self._one_by_one(questions)
        else:
            paths = {number: question.path for number, question in questions.items()}
            answers, requests = await self.graph.batch(paths, detail.version)
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
        answer, requests = await self.graph.get(Limit.DIRECTORY, path)
        if answer.status == 404:
            return Page((), after, requests)  # a resource that this tenant does not have
        document = expect(answer, resumed="skiptoken" in path)
        if "value" not in document:
            assigned = f"{number} /v1.0/servicePrincipals(appId='{RESOURCES[resource]}')/appRoleAssignedTo?$top=999"
            return Page((trim_role_definitions(document),), assigned, requests)
        more = document.get("@odata.nextLink")
        return Page(trim_page(Source.APP_ROLES, document), f"{number} {more}" if more else after, requests)

    async def _one_by_one(self, questions: Mapping[str, Question]) -> tuple[Answers, int]:
        answers: dict[str, Answer] = {}
        requests = 0
        for number, question in questions.items():
            answers[number], asked = await self.graph.get(Limit.KEYS, f"/v1.0{question.path}")
            requests += asked
        return answers, requests


def _of_resource(number: int) -> str:
    return f"{number} /v1.0/servicePrincipals(appId='{RESOURCES[number]}')?$select=id,appId,appRoles"

"""Read sources: each from its last checkpoint to its end, page by page, or to the reason why it is not known."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from shared.domain.posture.coverage import SourceState
from shared.domain.posture.inventory import Unknown
from shared.domain.posture.scan import (
    COUNT_MISMATCH,
    EMPTY,
    LISTS,
    NEVER_EMPTY,
    OVER_LIMIT,
    PAGE_LOST,
    REPORTS,
    Checkpoint,
    Page,
    ScanClaim,
    Source,
)
from shared.errors import RejectedError, RetryLaterError
from shared.ports.posture import AppJoin, Inventory, ScanStore

STREAMS = 4
RESTARTS = 3
BATCH = 20
MOST_DETAILS = {Source.CERTIFICATES: 300}
MOST = 10_000
_PRINCIPALS = "servicePrincipals/"


class SourceReader:
    """All sources of one scan; `marks` says how far each was read."""

    def __init__(
        self,
        inventory: Inventory,
        store: ScanStore,
        join: AppJoin,
        claim: ScanClaim,
        show: Callable[[Checkpoint], None],
    ) -> None:
        self._inventory = inventory
        self._store = store
        self._join = join
        self._scan_id, self._at = claim.scan_id, claim.at
        self._show = show
        self.marks: dict[Source, Checkpoint] = {}

    @property
    def missing(self) -> dict[Source, Unknown]:
        """The sources that are not known, or only in part, and why."""
        return {
            source: Unknown(mark.reason)
            for source, mark in self.marks.items()
            if mark.state is not SourceState.COMPLETE
        }

    async def reports(self) -> None:
        """The slow ones, which share a limit."""
        await together(*(self._list(source) for source in REPORTS))

    async def directory(self) -> None:
        """The lists, a few at once, then what only single objects tell."""
        streams = asyncio.Semaphore(STREAMS)

        async def in_turn(source: Source) -> None:
            async with streams:
                await self._list(source)

        await together(*(in_turn(source) for source in LISTS))
        for source in (Source.FEDERATED_CREDENTIALS, Source.AGENTS, Source.OWNERS, Source.PEOPLE):
            await self.details(source)

    async def agent_sign_ins(self) -> None:
        """The log of agents at work, where there are agents; it shares the limit of the reports, and comes later."""
        if any(key.startswith(_PRINCIPALS) for key in self._join.keys(Source.AGENTS)):
            await self._list(Source.AGENT_SIGN_INS)

    async def details(self, source: Source) -> None:
        """What a source says about the objects that the join names, twenty at a time."""
        mark = await self._resume(source)
        everything, most = self._join.keys(source), MOST_DETAILS.get(source, MOST)
        keys = [key for key in everything[:most] if mark.link is None or key > mark.link]
        while keys and not mark.is_settled:
            part, keys = keys[:BATCH], keys[BATCH:]
            page = await _fetched(self._inventory.look_up(source, part))
            if isinstance(page, Unknown):
                await self._give_up(mark, page.reason)
                return
            mark = await self._advance(mark, replace(page, link=part[-1]))
        if not mark.is_settled:
            is_whole = len(everything) <= most
            await self._settle(mark, *((SourceState.COMPLETE, "") if is_whole else (SourceState.PARTIAL, OVER_LIMIT)))

    async def _list(self, source: Source) -> None:
        mark = await self._resume(source)
        counted: int | None = None
        while not mark.is_settled and not _is_read(mark):
            mark = await self._with_count(mark)
            page = await _fetched(self._inventory.page(source, mark.link, self._at))
            if isinstance(page, Page):
                mark, counted = await self._advance(mark, page), page.counted
            elif page.reason == PAGE_LOST and mark.generation < RESTARTS:
                mark = await self._restart(mark)
            else:
                mark = await self._give_up(mark, page.reason)
            if _is_read(mark) and not mark.generation and not await self._agrees(mark, counted):
                mark = await self._restart(mark)
        if not mark.is_settled:
            await self._finish(mark, counted)

    async def _finish(self, mark: Checkpoint, counted: int | None) -> None:
        if not mark.rows and mark.source in NEVER_EMPTY:
            await self._settle(mark, SourceState.UNKNOWN, EMPTY)
        elif await self._agrees(mark, counted):
            await self._settle(mark, SourceState.COMPLETE)
        else:
            await self._settle(mark, SourceState.PARTIAL, COUNT_MISMATCH)

    async def _agrees(self, mark: Checkpoint, counted: int | None) -> bool:
        """Whether as many rows were read as Entra counts; it may count otherwise by now, when objects come and go."""
        if mark.counted is None or mark.rows == mark.counted:
            return True
        now = counted if counted is not None else await self._count(mark.source)
        return now is not None and min(now, mark.counted) <= mark.rows <= max(now, mark.counted)

    async def _with_count(self, mark: Checkpoint) -> Checkpoint:
        if mark.pages or mark.counted is not None:
            return mark
        counted = await self._count(mark.source)
        return mark if counted is None else replace(mark, counted=counted, requests=mark.requests + 1)

    async def _count(self, source: Source) -> int | None:
        try:
            return await self._inventory.count(source)
        except (RejectedError, RetryLaterError):
            return None

    async def _resume(self, source: Source) -> Checkpoint:
        """Where this source stands, its rows so far in the join; at its beginning when some of them are gone."""
        mark = self.marks[source] = await self._store.checkpoint(self._scan_id, source)
        try:
            async for rows in self._store.pages(self._scan_id, mark):
                self._join.add(source, rows)
        except RejectedError:
            return await self._restart(mark)
        return mark

    async def _advance(self, mark: Checkpoint, page: Page) -> Checkpoint:
        """The page first, then the checkpoint that counts it: what was not counted is read again."""
        await self._store.put_page(self._scan_id, mark, page.rows)
        return await self._save(mark.after(page, self._join.add(mark.source, page.rows)))

    async def _restart(self, mark: Checkpoint) -> Checkpoint:
        self._join.forget(mark.source)
        return await self._save(mark.restarted())

    async def _give_up(self, mark: Checkpoint, reason: str) -> Checkpoint:
        return await self._settle(replace(mark, requests=mark.requests + 1), SourceState.UNKNOWN, reason)

    async def _settle(self, mark: Checkpoint, state: SourceState, reason: str = "") -> Checkpoint:
        return await self._save(mark.settled(state, reason))

    async def _save(self, mark: Checkpoint) -> Checkpoint:
        saved = self.marks[mark.source] = await self._store.save(self._scan_id, mark)
        self._show(saved)
        return saved


def _is_read(mark: Checkpoint) -> bool:
    return mark.pages > 0 and mark.link is None


async def _fetched(reading: Awaitable[Page]) -> Page | Unknown:
    """The page, or why there is none: one source that fails does not end the scan."""
    try:
        return await reading
    except (RejectedError, RetryLaterError) as error:
        return Unknown(error.reason)


async def together(*work: Awaitable[None]) -> None:
    """All at once; when one fails the others are stopped, and its error is what is raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

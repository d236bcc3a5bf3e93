"""A tenant that is read page by page, and a store of scans, both in memory; what goes wrong with them is planned."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.posture.scan import NOT_KEPT, PAGE_LOST, Checkpoint, Page, Row, ScanClaim, Source
from shared.errors import AlreadyDecidedError, RejectedError, TetherError

PAGE_SIZE = 2


class FakeInventory:
    """Rows by source, two on a page. `failures` are raised by source, `lost` counts page tokens that have expired."""

    def __init__(self, rows: Mapping[Source, Sequence[Row]]) -> None:
        self.rows = {source: [*some] for source, some in rows.items()}
        self.counts: dict[Source, list[int]] = {}
        self.failures: dict[Source, TetherError] = {}
        self.lost: Counter[Source] = Counter()
        self.asked: Counter[Source] = Counter()
        self.asked_at: dict[Source, datetime | None] = {}
        self.looked_up: list[tuple[Source, tuple[str, ...]]] = []

    async def page(self, source: Source, link: str | None, at: datetime | None = None) -> Page:
        await asyncio.sleep(0)
        self.asked[source] += 1
        self._fail(source)
        if link is not None and self.lost[source]:
            self.lost[source] -= 1
            raise RejectedError(PAGE_LOST)
        self.asked_at[source] = at
        rows, first = self.rows.get(source, ()), int(link or 0)
        after = first + PAGE_SIZE
        return Page(tuple(rows[first:after]), str(after) if after < len(rows) else None)

    async def count(self, source: Source) -> int | None:
        await asyncio.sleep(0)
        counts = self.counts.get(source)
        if not counts:
            return None
        return counts.pop(0) if len(counts) > 1 else counts[0]

    async def look_up(self, source: Source, keys: Sequence[str]) -> Page:
        await asyncio.sleep(0)
        self.looked_up.append((source, tuple(keys)))
        self._fail(source)
        ids = {key.rpartition("/")[2].lower() for key in keys} | {key.lower() for key in keys}
        return Page(tuple(row for row in self.rows.get(source, ()) if row.key in ids))

    def _fail(self, source: Source) -> None:
        if source in self.failures:
            raise self.failures[source]


class KilledError(BaseException):
    """The process was killed here."""


class FakeScanStore:
    """Blobs in memory; after `lives` writes `death` comes to whoever writes, until that is set again."""

    def __init__(self) -> None:
        self.claimed: ScanClaim | None = None
        self.marks: dict[tuple[str, Source], Checkpoint] = {}
        self.kept: dict[tuple[str, Source, int, int], tuple[Row, ...]] = {}
        self.lives: int | None = None
        self.death: BaseException = KilledError()
        self._versions = 0

    async def claim(self, wanted: ScanClaim, oldest: datetime) -> ScanClaim:
        return await self.save_claim(self.claimed.taken_by(wanted, oldest) if self.claimed else wanted)

    async def save_claim(self, claim: ScanClaim) -> ScanClaim:
        await self._write()
        if claim.version != (self.claimed.version if self.claimed else None):
            raise AlreadyDecidedError("storage-conflict")
        self.claimed = replace(claim, version=self._next())
        return self.claimed

    async def checkpoint(self, scan_id: str, source: Source) -> Checkpoint:
        return self.marks.get((scan_id, source), Checkpoint(source))

    async def save(self, scan_id: str, checkpoint: Checkpoint) -> Checkpoint:
        await self._write()
        stored = self.marks.get((scan_id, checkpoint.source))
        if checkpoint.version != (stored.version if stored else None):
            raise AlreadyDecidedError("storage-conflict")
        saved = self.marks[scan_id, checkpoint.source] = replace(checkpoint, version=self._next())
        return saved

    async def put_page(self, scan_id: str, checkpoint: Checkpoint, rows: Sequence[Row]) -> None:
        await self._write()
        self.kept[scan_id, checkpoint.source, checkpoint.generation, checkpoint.pages] = tuple(rows)

    async def pages(self, scan_id: str, checkpoint: Checkpoint) -> AsyncIterator[Sequence[Row]]:
        for number in range(checkpoint.pages):
            key = (scan_id, checkpoint.source, checkpoint.generation, number)
            if key not in self.kept:
                raise RejectedError(NOT_KEPT)
            yield self.kept[key]

    async def forget_others(self, scan_id: str) -> None:
        self.marks = {key: mark for key, mark in self.marks.items() if key[0] == scan_id}
        self.kept = {key: rows for key, rows in self.kept.items() if key[0] == scan_id}

    async def _write(self) -> None:
        await asyncio.sleep(0)
        if self.lives is not None:
            if not self.lives:
                raise self.death
            self.lives -= 1

    def _next(self) -> str:
        self._versions += 1
        return str(self._versions)


class Ticks:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds
        await asyncio.sleep(0)

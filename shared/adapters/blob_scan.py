"""Scans in Blob Storage: whose turn it is, how far each source was read, and the rows so far."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from shared.adapters.storage_errors import storage_errors
from shared.domain.posture.scan import NOT_KEPT, Checkpoint, Row, ScanClaim, Source
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.wire.scan import (
    checkpoint_document,
    claim_document,
    pack_rows,
    parse_checkpoint,
    parse_claim,
    unpack_rows,
)

CLAIM = "scan.json"
SCANS = "scans/"


class BlobScanStore:
    """See `ScanStore`."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    async def claim(self, wanted: ScanClaim, oldest: datetime) -> ScanClaim:
        """See `ScanStore.claim`."""
        stored = await self._read(CLAIM)
        return await self.save_claim(wanted if stored is None else parse_claim(*stored).taken_by(wanted, oldest))

    async def save_claim(self, claim: ScanClaim) -> ScanClaim:
        """See `ScanStore.save_claim`."""
        return replace(claim, version=await self._write(CLAIM, claim_document(claim), claim.version))

    async def checkpoint(self, scan_id: str, source: Source) -> Checkpoint:
        """See `ScanStore.checkpoint`."""
        known = await self._read(_checkpoint_name(scan_id, source))
        return Checkpoint(source) if known is None else parse_checkpoint(*known)

    async def save(self, scan_id: str, checkpoint: Checkpoint) -> Checkpoint:
        """See `ScanStore.save`."""
        name = _checkpoint_name(scan_id, checkpoint.source)
        version = await self._write(name, checkpoint_document(checkpoint), checkpoint.version)
        return replace(checkpoint, version=version)

    async def put_page(self, scan_id: str, checkpoint: Checkpoint, rows: Sequence[Row]) -> None:
        """See `ScanStore.put_page`."""
        name = _page_name(scan_id, checkpoint, checkpoint.pages)
        with _errors():
            await self._container.upload_blob(name, pack_rows(rows), overwrite=True)

    async def pages(self, scan_id: str, checkpoint: Checkpoint) -> AsyncIterator[Sequence[Row]]:
        """See `ScanStore.pages`."""
        for number in range(checkpoint.pages):
            name = _page_name(scan_id, checkpoint, number)
            stored = await self._read(name)
            if stored is None:
                raise RejectedError(NOT_KEPT, name)
            yield unpack_rows(stored[0])

    async def forget_others(self, scan_id: str) -> None:
        """See `ScanStore.forget_others`."""
        with _errors():
            names = [name async for name in self._container.list_blob_names(name_starts_with=SCANS)]
        for name in names:
            if not name.startswith(f"{SCANS}{scan_id}/"):
                await self._delete(name)

    async def _delete(self, name: str) -> None:
        try:
            with storage_errors():
                await self._container.delete_blob(name)
        except ResourceNotFoundError:
            return

    async def _read(self, name: str) -> tuple[bytes, str] | None:
        try:
            with storage_errors():
                download = await self._container.download_blob(name)
                return await download.readall(), download.properties.etag
        except ResourceNotFoundError:
            return None

    async def _write(self, name: str, document: bytes, version: str | None) -> str:
        blob = self._container.get_blob_client(name)
        try:
            with storage_errors():
                if version is None:
                    answer = await blob.upload_blob(document, overwrite=False)
                else:
                    answer = await blob.upload_blob(
                        document, overwrite=True, etag=version, match_condition=MatchConditions.IfNotModified
                    )
        except ResourceNotFoundError as error:
            raise AlreadyDecidedError("storage-conflict", name) from error
        return str(answer["etag"])


@contextmanager
def _errors() -> Iterator[None]:
    """As storage says it; where no blob has to be there, the missing one is the container."""
    try:
        with storage_errors():
            yield
    except ResourceNotFoundError as error:
        raise RetryLaterError("storage-unreachable", "there is no container for scans") from error


def _checkpoint_name(scan_id: str, source: Source) -> str:
    return f"{SCANS}{scan_id}/{source}/checkpoint.json"


def _page_name(scan_id: str, checkpoint: Checkpoint, number: int) -> str:
    return f"{SCANS}{scan_id}/{checkpoint.source}/{checkpoint.generation:03d}-{number:05d}.jsonl.gz"

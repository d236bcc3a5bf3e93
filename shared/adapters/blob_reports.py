"""Reports in Blob Storage: a folder each, and a mark that is written last."""

from collections.abc import Mapping, Sequence

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from shared.adapters.storage_errors import storage_errors

WHOLE = "whole/"


class BlobReports:
    """See `Reports`. A report without its mark is one that was interrupted, and is written again under another id."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    async def put(self, report_id: str, files: Mapping[str, bytes]) -> None:
        """See `Reports.put`."""
        with storage_errors():
            for name, content in files.items():
                await self._container.upload_blob(f"reports/{report_id}/{name}", content, overwrite=True)
            await self._container.upload_blob(f"{WHOLE}{report_id}", b"", overwrite=True)

    async def newest(self) -> str | None:
        """See `Reports.newest`."""
        return next(iter(await self.list_ids()), None)

    async def read(self, report_id: str, name: str) -> bytes | None:
        """See `Reports.read`."""
        try:
            with storage_errors():
                download = await self._container.download_blob(f"reports/{report_id}/{name}")
                return await download.readall()
        except ResourceNotFoundError:
            return None

    async def list_ids(self) -> Sequence[str]:
        """See `Reports.list_ids`."""
        with storage_errors():
            names = [name async for name in self._container.list_blob_names(name_starts_with=WHOLE)]
        return sorted((name.removeprefix(WHOLE) for name in names), reverse=True)

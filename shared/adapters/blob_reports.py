"""Reports in Blob Storage: a folder each, and a mark that is written last."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from shared.adapters.storage_errors import storage_errors
from shared.errors import RetryLaterError

WHOLE = "whole/"


class BlobReports:
    """See `Reports`. A report without its mark is one that was interrupted: nobody is shown it."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    async def put(self, report_id: str, files: Mapping[str, bytes]) -> None:
        """See `Reports.put`."""
        with _container_errors():
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
        with _container_errors():
            names = [name async for name in self._container.list_blob_names(name_starts_with=WHOLE)]
        return sorted((name.removeprefix(WHOLE) for name in names), reverse=True)


@contextmanager
def _container_errors() -> Iterator[None]:
    """What is missing where no blob has to be there is the container, which the next start creates."""
    try:
        with storage_errors():
            yield
    except ResourceNotFoundError as error:
        raise RetryLaterError("storage-unreachable", "the container is missing") from error

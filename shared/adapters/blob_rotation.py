"""The rotation ledger in Blob Storage: one blob that is replaced as a whole, and only by whoever read it."""

from typing import BinaryIO

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from shared.adapters.storage_errors import storage_errors
from shared.errors import AlreadyDecidedError, RetryLaterError

LEDGER = "rotation/ledger.jsonl.gz"


class BlobRotationLedger:
    """See `RotationLedger`."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    async def read(self, into: BinaryIO) -> str | None:
        """See `RotationLedger.read`."""
        try:
            with storage_errors():
                download = await self._container.download_blob(LEDGER)
                await download.readinto(into)
                return str(download.properties.etag)
        except ResourceNotFoundError:
            return None

    async def save(self, ledger: BinaryIO, version: str | None) -> None:
        """See `RotationLedger.save`."""
        ledger.seek(0)
        blob = self._container.get_blob_client(LEDGER)
        try:
            with storage_errors():
                if version is None:
                    await blob.upload_blob(ledger, overwrite=False)
                else:
                    await blob.upload_blob(
                        ledger, overwrite=True, etag=version, match_condition=MatchConditions.IfNotModified
                    )
        except ResourceNotFoundError as error:
            if version is None:
                raise RetryLaterError("storage-unreachable", "the container is missing") from error
            raise AlreadyDecidedError("storage-conflict", LEDGER) from error

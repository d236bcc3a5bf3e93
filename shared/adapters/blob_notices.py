"""Notices in Blob Storage: one blob each, written once."""

from contextlib import suppress

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from shared.adapters.storage_errors import storage_errors
from shared.domain.card_copy import Face
from shared.errors import AlreadyDecidedError, RetryLaterError


class BlobNotices:
    """See `Notices`. What was put first stays: somebody may be looking at it in Teams."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    async def put(self, notice_id: str, face: Face) -> None:
        """See `Notices.put`."""
        try:
            with suppress(AlreadyDecidedError), storage_errors():
                await self._container.upload_blob(f"{notice_id}.json", face.activity.encode())
        except ResourceNotFoundError as error:
            raise RetryLaterError("storage-unreachable", "the container is missing") from error

    async def read(self, notice_id: str) -> Face | None:
        """See `Notices.read`."""
        try:
            with storage_errors():
                body = await (await self._container.download_blob(f"{notice_id}.json")).readall()
        except ResourceNotFoundError:
            return None
        return Face(body.decode())

"""Sweeps that wait for a person, as blobs."""

from collections.abc import Sequence

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient
from pydantic import TypeAdapter

from shared.adapters.storage_errors import storage_errors
from shared.domain.sweep import Hold

_HOLD = TypeAdapter(Hold)


class BlobHolds:
    """One blob per hold."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    async def put(self, hold: Hold) -> None:
        """See `Holds.put`."""
        with storage_errors():
            await self._container.upload_blob(f"{hold.hold_id}.json", _HOLD.dump_json(hold), overwrite=True)

    async def read(self, hold_id: str) -> Hold | None:
        """See `Holds.read`."""
        try:
            with storage_errors():
                body = await (await self._container.download_blob(f"{hold_id}.json")).readall()
        except ResourceNotFoundError:
            return None
        return _HOLD.validate_json(body)

    async def delete(self, hold_id: str) -> None:
        """See `Holds.delete`."""
        try:
            with storage_errors():
                await self._container.delete_blob(f"{hold_id}.json")
        except ResourceNotFoundError:
            return

    async def list_ids(self) -> Sequence[str]:
        """See `Holds.list_ids`."""
        with storage_errors():
            return [name.removesuffix(".json") async for name in self._container.list_blob_names()]

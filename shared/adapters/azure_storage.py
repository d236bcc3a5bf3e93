"""The storage account: its tables and containers, which exist once it has answered."""

import asyncio
from collections.abc import Awaitable

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient

from shared.adapters.storage_errors import storage_errors
from shared.errors import AlreadyDecidedError, RetryLaterError

PRINCIPALS, SWEEPS = "principals", "sweeps"
APPROVALS, CONVERSATIONS, ATTESTATIONS = "approvals", "conversations", "attestations"
TABLES = (PRINCIPALS, SWEEPS, APPROVALS, CONVERSATIONS, ATTESTATIONS)
CONTAINERS = ("evidence", "holds", "scans", "reports", "notices")


class AzureStorage:
    """Both clients of one account."""

    def __init__(self, tables: TableServiceClient, blobs: BlobServiceClient) -> None:
        self.tables = tables
        self.blobs = blobs
        self._is_ready = False

    async def prepare(self) -> None:
        """Create what is missing, once. A storage that does not answer is tried again by the next caller."""
        if self._is_ready:
            return
        self._is_ready = all(
            await asyncio.gather(
                *(_exists(self.tables.create_table_if_not_exists(name)) for name in TABLES),
                *(_exists(self.blobs.create_container(name)) for name in CONTAINERS),
            )
        )


async def _exists(creation: Awaitable[object]) -> bool:
    try:
        with storage_errors():
            await creation
    except AlreadyDecidedError:
        return True
    except (RetryLaterError, ResourceNotFoundError):
        return False
    return True

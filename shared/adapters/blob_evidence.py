"""Evidence in append blobs, one chain per principal, review and attestation, with a daily anchor over all of them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobClient, ContainerClient

from shared.adapters.storage_errors import storage_errors
from shared.domain.evidence import GENESIS, START, ChainHead, EvidenceEntry, anchor, append, tail
from shared.errors import AlreadyDecidedError, RetryLaterError

CHAINS, REVIEWS, ATTESTATIONS, ANCHORS = "principals/", "reviews/", "attestations/", "anchors/"
ATTEMPTS = 4


class BlobEvidence:
    """Hash-chained evidence. The append position makes a fork impossible, whoever still holds an old head."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    async def append(self, chain: str, head: ChainHead, entries: Sequence[EvidenceEntry]) -> ChainHead:
        """See `Evidence.append`."""
        for _ in range(ATTEMPTS):
            try:
                return await self._append(chain, head, entries)
            except (AlreadyDecidedError, ResourceNotFoundError):
                head = tail(await self.read(chain))
        raise RetryLaterError("evidence-contended", chain)

    async def read(self, chain: str) -> bytes:
        """See `Evidence.read`."""
        return await self._download(_path(chain)) or b""

    async def anchor(self, day: str, heads: Mapping[str, ChainHead]) -> Mapping[str, Any]:
        """See `Evidence.anchor`."""
        name = f"{ANCHORS}{day}.json"
        stored = await self._download(name)
        if stored is None:
            document = anchor(day, await self._last_anchor(before=name), heads)
            stored = json.dumps(document, sort_keys=True).encode()
            with storage_errors():
                await self._container.upload_blob(name, stored, overwrite=False)
        anchored: Mapping[str, Any] = json.loads(stored)
        return anchored

    async def _append(self, chain: str, head: ChainHead, entries: Sequence[EvidenceEntry]) -> ChainHead:
        new_head, lines = append(head, entries)
        blob = self._container.get_blob_client(_path(chain))
        if head == START:
            await self._create(blob)
        with storage_errors():
            await blob.append_block(lines, appendpos_condition=head.size)
        return new_head

    async def _create(self, blob: BlobClient) -> None:
        """The blob is there; it may be there already, and even be empty, when whoever made it got no further."""
        try:
            with storage_errors():
                await blob.create_append_blob(match_condition=MatchConditions.IfMissing)
        except AlreadyDecidedError:
            return

    async def _last_anchor(self, before: str) -> str:
        with storage_errors():
            names = [name async for name in self._container.list_blob_names(name_starts_with=ANCHORS)]
        earlier = max((name for name in names if name < before), default=None)
        if earlier is None:
            return GENESIS
        return str(json.loads(await self._download(earlier) or b"{}").get("hash", GENESIS))

    async def _download(self, name: str) -> bytes | None:
        try:
            with storage_errors():
                download = await self._container.download_blob(name)
                return await download.readall()
        except ResourceNotFoundError:
            return None


def _path(chain: str) -> str:
    """Where a chain is stored: a principal's by its id alone, a review's or attestation's by an id that says so."""
    return f"{chain}.jsonl" if chain.startswith((REVIEWS, ATTESTATIONS)) else f"{CHAINS}{chain}.jsonl"

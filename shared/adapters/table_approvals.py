"""Approvals, their cards' copies and conversations, in Azure Table Storage: one partition per review."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from shared.adapters.storage_errors import storage_errors
from shared.domain.approval import Approval, PastDecision
from shared.domain.card_copy import CardCopy, Conversation, CopySpec
from shared.errors import AlreadyDecidedError, ClaimedElsewhereError, RetryLaterError
from shared.wire import approval_rows as rows


class TableApprovals:
    """Every review that Tether has seen; an index of the open ones, and a history by requester, beside them.

    The index is written before the approval and removed after its end: it may name too many, never too few.
    """

    def __init__(self, table: TableClient) -> None:
        self._table = table

    async def read(self, review_id: str) -> Approval | None:
        """See `Approvals.read`."""
        row = await _get(self._table, review_id, rows.APPROVAL)
        return None if row is None else rows.parse_approval(row, row.metadata["etag"])

    async def create(self, approval: Approval) -> Approval:
        """See `Approvals.create`."""
        await _put(self._table, rows.open_row(approval))
        try:
            return await self._save(replace(approval, version=None))
        except ClaimedElsewhereError:
            await self._forget_ended(approval.review_id)
            raise

    async def save(self, approval: Approval) -> Approval:
        """See `Approvals.save`. An end that is saved again has its history and index put right again."""
        if approval.version is None:
            raise ClaimedElsewhereError(approval.review_id)
        return await self._save(approval)

    async def open_ones(self) -> Mapping[str, str]:
        """See `Approvals.open_ones`."""
        with storage_errors():
            found = self._table.query_entities("PartitionKey eq @open", parameters={"open": rows.OPEN})
            return {row["RowKey"]: row["SessionId"] async for row in found}

    async def recent(self, subject: str, most: int) -> Sequence[PastDecision]:
        """See `Approvals.recent`."""
        if most < 1:
            return []
        with storage_errors():
            condition = {"subject": rows.past_partition(subject)}
            found = self._table.query_entities(
                "PartitionKey eq @subject", parameters=condition, results_per_page=min(most, 1000)
            )
            past: list[PastDecision] = []
            async for row in found:
                past.append(rows.parse_past(row))
                if len(past) == most:
                    break
            return past

    async def all(self) -> AsyncIterator[Approval]:
        """See `Approvals.all`."""
        with storage_errors():
            condition = {"approval": rows.APPROVAL}
            async for row in self._table.query_entities("RowKey eq @approval", parameters=condition):
                yield rows.parse_approval(row, row.metadata["etag"])

    async def _save(self, approval: Approval) -> Approval:
        try:
            version = await _swap(self._table, rows.approval_row(approval), approval.version)
        except AlreadyDecidedError as error:
            raise ClaimedElsewhereError(approval.review_id) from error
        if not approval.is_open:
            await _put(self._table, rows.past_row(approval))
            await self._close(approval.review_id)
        return replace(approval, version=version)

    async def _forget_ended(self, review_id: str) -> None:
        """Whoever comes too late to create it may have put back the index of one that has ended."""
        stored = await self.read(review_id)
        if stored is not None and not stored.is_open:
            await self._close(review_id)

    async def _close(self, review_id: str) -> None:
        await _delete(self._table, rows.OPEN, review_id)


class TableCardCopies:
    """The copies of each review's card, in the same partition as its approval."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    async def read(self, review_id: str, spec: CopySpec) -> CardCopy:
        """See `CardCopies.read`."""
        return await self.find(review_id, spec.copy_id) or CardCopy(review_id, spec)

    async def find(self, review_id: str, copy_id: str) -> CardCopy | None:
        """See `CardCopies.find`."""
        row = await _get(self._table, review_id, rows.copy_key(copy_id))
        return None if row is None else rows.parse_copy(row, row.metadata["etag"])

    async def all(self, review_id: str) -> Sequence[CardCopy]:
        """See `CardCopies.all`."""
        with storage_errors():
            found = self._table.query_entities(
                "PartitionKey eq @id and RowKey ge @first and RowKey lt @end",
                parameters={"id": review_id, "first": rows.COPY, "end": rows.COPIES_END},
            )
            return [rows.parse_copy(row, row.metadata["etag"]) async for row in found]

    async def save(self, copy: CardCopy) -> CardCopy:
        """See `CardCopies.save`."""
        return replace(copy, version=await _swap(self._table, rows.copy_row(copy), copy.version))


class TableConversations:
    """One row per channel or person."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    async def read(self, place_id: str) -> Conversation | None:
        """See `Conversations.read`."""
        row = await _get(self._table, rows.place_partition(place_id), rows.CONVERSATION)
        return None if row is None else rows.parse_conversation(row)

    async def save(self, place_id: str, conversation: Conversation) -> None:
        """See `Conversations.save`."""
        await _put(self._table, rows.conversation_row(place_id, conversation))

    async def forget(self, place_id: str) -> None:
        """See `Conversations.forget`."""
        await _delete(self._table, rows.place_partition(place_id), rows.CONVERSATION)


async def _get(table: TableClient, partition: str, row: str) -> Any:  # noqa: ANN401 - a row, with its metadata
    try:
        with storage_errors():
            return await table.get_entity(partition, row)
    except ResourceNotFoundError:
        return None


async def _put(table: TableClient, row: dict[str, Any]) -> None:
    try:
        with storage_errors():
            await table.upsert_entity(row, mode=UpdateMode.REPLACE)
    except ResourceNotFoundError as error:
        raise _no_table() from error
    except AlreadyDecidedError as error:
        # Somebody writes the same row at this moment, which decides nothing.
        raise RetryLaterError("storage-busy", error.detail) from error


async def _swap(table: TableClient, row: dict[str, Any], version: str | None) -> str:
    """The row's new version. Raises `AlreadyDecidedError` unless the stored one is this (`None`: there is none)."""
    try:
        with storage_errors():
            if version is None:
                answer = await table.create_entity(row)
            else:
                answer = await table.update_entity(
                    row, mode=UpdateMode.REPLACE, etag=version, match_condition=MatchConditions.IfNotModified
                )
    except ResourceNotFoundError as error:
        if version is None:
            raise _no_table() from error
        raise AlreadyDecidedError("storage-conflict", "the row is gone") from error
    return str(answer["etag"])


async def _delete(table: TableClient, partition: str, row: str) -> None:
    """Deleting what is gone is no error."""
    with storage_errors():
        await table.delete_entity(partition, row)


def _no_table() -> RetryLaterError:
    return RetryLaterError("storage-unreachable", "the table is not there yet")

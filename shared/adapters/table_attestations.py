"""Attestations and exemptions in one table of Azure Table Storage."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from shared.adapters.storage_errors import storage_errors
from shared.domain.posture.attestation import Attestation
from shared.domain.posture.exceptions import Exemption
from shared.errors import AlreadyDecidedError, RetryLaterError
from shared.ports import Clock
from shared.wire import attestation_rows as rows

KEPT_AFTER_END = timedelta(days=400)


class TableAttestations:
    """One row per identity that was ever asked about, saved by compare-and-swap."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    async def read(self, attestation_id: str) -> Attestation | None:
        """See `Attestations.read`."""
        try:
            with storage_errors():
                row: Any = await self._table.get_entity(rows.ATTESTATION, attestation_id)
        except ResourceNotFoundError:
            return None
        return rows.parse_attestation(row, row.metadata["etag"])

    async def save(self, attestation: Attestation) -> Attestation:
        """See `Attestations.save`. Evidence for which a row has no room is left out of what is returned, too."""
        kept = rows.fitted(attestation)
        row, version = rows.attestation_row(kept), attestation.version
        try:
            with storage_errors():
                if version is None:
                    answer = await self._table.create_entity(row)
                else:
                    answer = await self._table.update_entity(
                        row, mode=UpdateMode.REPLACE, etag=version, match_condition=MatchConditions.IfNotModified
                    )
        except ResourceNotFoundError as error:
            if version is None:
                raise RetryLaterError("storage-unreachable", "the table is not there yet") from error
            raise AlreadyDecidedError("storage-conflict", "the row is gone") from error
        return replace(kept, version=str(answer["etag"]))

    async def open_ones(self) -> AsyncIterator[Attestation]:
        """See `Attestations.open_ones`."""
        async for attestation in self._found("PartitionKey eq @kind and IsOpen eq true"):
            yield attestation

    async def all(self) -> AsyncIterator[Attestation]:
        """See `Attestations.all`."""
        async for attestation in self._found("PartitionKey eq @kind"):
            yield attestation

    async def _found(self, condition: str) -> AsyncIterator[Attestation]:
        with storage_errors():
            found: Any = self._table.query_entities(condition, parameters={"kind": rows.ATTESTATION})
            async for row in found:
                yield rows.parse_attestation(row, row.metadata["etag"])


class TableExemptions:
    """One row per finding that somebody answers for; a year after its end it is forgotten."""

    def __init__(self, table: TableClient, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    async def put(self, exemptions: Iterable[Exemption]) -> None:
        """See `Exemptions.put`."""
        try:
            for exemption in exemptions:
                with storage_errors():
                    await self._table.upsert_entity(rows.exemption_row(exemption), mode=UpdateMode.REPLACE)
        except ResourceNotFoundError as error:
            raise RetryLaterError("storage-unreachable", "the table is not there yet") from error
        except AlreadyDecidedError as error:
            # Somebody writes the same row at this moment, which decides nothing.
            raise RetryLaterError("storage-busy", error.detail) from error

    async def all(self) -> Sequence[Exemption]:
        """See `Exemptions.all`. What ended too long ago to matter is deleted meanwhile."""
        oldest = self._clock.now() - KEPT_AFTER_END
        kept: list[Exemption] = []
        with storage_errors():
            found: Any = self._table.query_entities("PartitionKey eq @kind", parameters={"kind": rows.EXEMPTION})
            async for row in found:
                exemption = rows.parse_exemption(row)
                if rows.last_end(exemption) >= oldest:
                    kept.append(exemption)
                else:
                    await self._forget(row)
        return kept

    async def _forget(self, row: Any) -> None:  # noqa: ANN401 - a row, with its metadata
        """Unless somebody has excepted the finding anew since it was read."""
        try:
            with storage_errors():
                await self._table.delete_entity(
                    row["PartitionKey"],
                    row["RowKey"],
                    etag=row.metadata["etag"],
                    match_condition=MatchConditions.IfNotModified,
                )
        except AlreadyDecidedError:
            return

"""What Tether remembers, in Azure Table Storage: one partition per principal, every state saved by compare-and-swap."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from shared.adapters.storage_errors import storage_errors
from shared.domain.principals import Principal
from shared.domain.records import Claim, PrincipalRecord, PrincipalState
from shared.errors import AlreadyDecidedError, ClaimedElsewhereError
from shared.wire.records import FACTS, STATE, facts_row, parse_facts, parse_state, state_row


class TablePrincipalRecords:
    """Facts and state of every principal that Tether has met at the gateway."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    async def read(self, principal_id: str) -> PrincipalRecord:
        """See `PrincipalRecords.read`."""
        with storage_errors():
            rows = self._table.query_entities("PartitionKey eq @id", parameters={"id": principal_id})
            return _record([row async for row in rows])

    async def all(self) -> AsyncIterator[PrincipalRecord]:
        """See `PrincipalRecords.all`."""
        with storage_errors():
            partition: list[Any] = []
            async for row in self._table.list_entities():
                if partition and partition[0]["PartitionKey"] != row["PartitionKey"]:
                    yield _record(partition)
                    partition = []
                partition.append(row)
            if partition:
                yield _record(partition)

    async def by_app(self, app_id: str) -> Sequence[Principal]:
        """See `PrincipalRecords.by_app`."""
        with storage_errors():
            condition = "RowKey eq @facts and AppId eq @app or RowKey eq @facts and BlueprintId eq @app"
            rows = self._table.query_entities(condition, parameters={"facts": FACTS, "app": app_id})
            return [parse_facts(row) async for row in rows]

    async def remember(self, principal: Principal) -> None:
        """See `PrincipalRecords.remember`."""
        with storage_errors():
            await self._table.upsert_entity(facts_row(principal), mode=UpdateMode.REPLACE)

    async def claim(self, principal_id: str, owner: str, now: datetime, expires_at: datetime) -> PrincipalState:
        """See `PrincipalRecords.claim`."""
        state = await self._read_state(principal_id)
        if state.claim is not None and state.claim.is_held(now):
            raise ClaimedElsewhereError(principal_id)
        return await self.save(replace(state, claim=Claim(owner, expires_at)))

    async def _read_state(self, principal_id: str) -> PrincipalState:
        try:
            with storage_errors():
                row = await self._table.get_entity(principal_id, STATE)
        except ResourceNotFoundError:
            return PrincipalState(principal_id)
        return parse_state(row, row.metadata["etag"])

    async def save(self, state: PrincipalState) -> PrincipalState:
        """See `PrincipalRecords.save`."""
        row = state_row(state)
        try:
            with storage_errors():
                if state.version is None:
                    answer = await self._table.create_entity(row)
                else:
                    answer = await self._table.update_entity(
                        row, mode=UpdateMode.REPLACE, etag=state.version, match_condition=MatchConditions.IfNotModified
                    )
        except AlreadyDecidedError as error:
            raise ClaimedElsewhereError(state.principal_id) from error
        return replace(state, version=answer["etag"])


def _record(rows: Sequence[Any]) -> PrincipalRecord:
    by_key = {row["RowKey"]: row for row in rows}
    facts, state = by_key.get(FACTS), by_key.get(STATE)
    return PrincipalRecord(
        parse_facts(facts) if facts else None, parse_state(state, state.metadata["etag"]) if state else None
    )


class TableDeltaLinks:
    """Where each sweep goes on. Long links are stored in parts, because a property holds 32,000 characters."""

    PART = 30_000

    def __init__(self, table: TableClient) -> None:
        self._table = table

    async def read(self, resource: str) -> tuple[str | None, str | None]:
        """See `DeltaLinks.read`."""
        try:
            with storage_errors():
                row = await self._table.get_entity("delta-links", resource)
        except ResourceNotFoundError:
            return None, None
        parts = (row.get(f"Link{number}", "") for number in range(8))
        return "".join(parts), row.metadata["etag"]

    async def save(self, resource: str, link: str, version: str | None) -> None:
        """See `DeltaLinks.save`."""
        row = {"PartitionKey": "delta-links", "RowKey": resource}
        row |= {f"Link{n}": link[n * self.PART : (n + 1) * self.PART] for n in range(len(link) // self.PART + 1)}
        with storage_errors():
            if version is None:
                await self._table.create_entity(row)
            else:
                await self._table.update_entity(
                    row, mode=UpdateMode.REPLACE, etag=version, match_condition=MatchConditions.IfNotModified
                )

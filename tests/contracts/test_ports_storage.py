"""What Tether remembers: the promises of storage's ports, kept in memory and by Azurite alike."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from shared.adapters.blob_evidence import BlobEvidence
from shared.adapters.blob_holds import BlobHolds
from shared.adapters.table_records import TableDeltaLinks, TablePrincipalRecords
from shared.domain.evidence import GENESIS, START, ChainHead, EvidenceEntry, verify, verify_anchor
from shared.domain.gateway import IdentityKind, IdentityRef
from shared.domain.ledger import Taken, TakenKind
from shared.domain.principals import AccountState, Hint, Principal, PrincipalChange, PrincipalKind, Source
from shared.domain.records import PrincipalRecord, PrincipalState
from shared.domain.sweep import Hold
from shared.errors import AlreadyDecidedError, ClaimedElsewhereError, RejectedError, RetryLaterError
from shared.ports import DeltaLinks, Evidence, Holds, PrincipalRecords
from tests.fakes.storage import FakeDeltaLinks, FakeEvidence, FakeHolds, FakeRecords
from tests.sandbox.azurite_under_test import ACCOUNT, KEY, needs_azurite, running_azurite
from tests.sandbox.host_process import free_port

NOW = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=120)
IMPLEMENTATIONS = ["in memory", pytest.param("azurite", marks=needs_azurite)]


@dataclass(frozen=True)
class Storage:
    """One implementation of all four ports; `chains` is where the real evidence lies."""

    records: PrincipalRecords
    evidence: Evidence
    delta_links: DeltaLinks
    holds: Holds
    chains: ContainerClient | None = None


@pytest.fixture(scope="module")
def azurite() -> Iterator[str]:
    with running_azurite("blob", "table") as connection:
        yield connection


@pytest.fixture(params=IMPLEMENTATIONS)
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    if request.param == "in memory":
        yield Storage(FakeRecords(), FakeEvidence(), FakeDeltaLinks(), FakeHolds())
        return
    connection = request.getfixturevalue("azurite")
    async with (
        TableServiceClient.from_connection_string(connection) as tables,
        BlobServiceClient.from_connection_string(connection) as blobs,
    ):
        name = f"t{uuid.uuid4().hex}"
        table = await tables.create_table(name)
        sweeps = await tables.create_table(f"{name}s")
        evidence = await blobs.create_container(f"{name}e")
        holds = await blobs.create_container(f"{name}h")
        yield Storage(
            TablePrincipalRecords(table), BlobEvidence(evidence), TableDeltaLinks(sweeps), BlobHolds(holds), evidence
        )


def a_principal(name: str = "alice", **values: object) -> Principal:
    known = Principal(
        name,
        PrincipalKind.USER,
        AccountState.ENABLED,
        "Alice ♥ O'Hara",
        frozenset({"alice@tether.example", "a.o'hara@tether.example"}),
    )
    return replace(known, **values)  # type: ignore[arg-type]


def an_entry(what: str, **details: object) -> EvidenceEntry:
    return EvidenceEntry(NOW, what, "alice", "c-1", details)


class TestRecords:
    async def test_unknown_principal_is_an_empty_record(self, storage: Storage) -> None:
        assert await storage.records.read("nobody") == PrincipalRecord()

    async def test_remembered_principal_is_read_as_it_was(self, storage: Storage) -> None:
        await storage.records.remember(a_principal())
        await storage.records.remember(changed := a_principal(state=AccountState.DISABLED, app_id="app"))

        assert (await storage.records.read("alice")).facts == changed

    async def test_state_is_read_as_it_was_saved(self, storage: Storage) -> None:
        ref = IdentityRef(IdentityKind.USER, "sub-1")
        needs = frozenset({frozenset({"g1", "g2"})})
        taken = tuple(Taken(ref, TakenKind.GROUP, f"group {n}", NOW, needs, confirmed=True) for n in range(400))
        claimed = await storage.records.claim("alice", "me", NOW, LATER)

        saved = await storage.records.save(
            replace(
                claimed, ledger=taken, chain=ChainHead("a" * 64, 3, 900), follow_up_at=LATER, unproven_since=NOW
            ).released()
        )

        assert (await storage.records.read("alice")).state == saved
        assert saved.ledger == taken

    async def test_claim_keeps_others_away_until_it_expires(self, storage: Storage) -> None:
        await storage.records.claim("alice", "me", NOW, LATER)

        with pytest.raises(ClaimedElsewhereError):
            await storage.records.claim("alice", "you", LATER - timedelta(seconds=1), LATER)
        state = await storage.records.claim("alice", "you", LATER, LATER + timedelta(seconds=120))

        assert state.claim is not None
        assert state.claim.owner == "you"

    async def test_claim_keeps_others_away_from_nobody_else(self, storage: Storage) -> None:
        await storage.records.claim("alice", "me", NOW, LATER)

        state = await storage.records.claim("bob", "you", NOW, LATER)

        assert state.principal_id == "bob"

    async def test_released_claim_is_free_at_once(self, storage: Storage) -> None:
        mine = await storage.records.claim("alice", "me", NOW, LATER)
        await storage.records.save(mine.released())

        state = await storage.records.claim("alice", "you", NOW, LATER)

        assert state.claim is not None

    async def test_late_owner_is_refused_after_somebody_took_over(self, storage: Storage) -> None:
        mine = await storage.records.claim("alice", "me", NOW, LATER)
        yours = await storage.records.claim("alice", "you", LATER, LATER + timedelta(seconds=120))

        with pytest.raises(ClaimedElsewhereError):
            await storage.records.save(mine.released())

        assert (await storage.records.read("alice")).state == yours

    async def test_of_many_claims_at_once_one_succeeds(self, storage: Storage) -> None:
        claims = [storage.records.claim("alice", f"worker {n}", NOW, LATER) for n in range(8)]

        outcomes = await asyncio.gather(*claims, return_exceptions=True)

        assert sum(isinstance(outcome, PrincipalState) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, ClaimedElsewhereError) for outcome in outcomes) == 7

    async def test_everything_stored_is_listed_once(self, storage: Storage) -> None:
        for name in ("alice", "bob", "carol"):
            await storage.records.remember(a_principal(name))
        state = await storage.records.claim("bob", "me", NOW, LATER)
        await storage.records.claim("stateful", "me", NOW, LATER)

        found = [record async for record in storage.records.all()]

        assert sorted(r.facts.principal_id for r in found if r.facts) == ["alice", "bob", "carol"]
        assert next(r.state for r in found if r.facts and r.facts.principal_id == "bob") == state
        assert len(found) == 4

    async def test_nothing_stored_lists_nothing(self, storage: Storage) -> None:
        assert [record async for record in storage.records.all()] == []

    async def test_principals_of_an_application_and_agents_of_a_blueprint_are_found(self, storage: Storage) -> None:
        service = PrincipalKind.SERVICE_PRINCIPAL
        ours = a_principal("sp", kind=service, app_id="app-1")
        agent = a_principal("agent", kind=service, app_id="agent-app", blueprint_id="app-1")
        for one in (ours, agent, a_principal("other", kind=service, app_id="app-2"), a_principal("user")):
            await storage.records.remember(one)
        await storage.records.claim("sp", "me", NOW, LATER)

        found = await storage.records.by_app("app-1")

        assert sorted(found, key=lambda one: one.principal_id) == [agent, ours]


class TestEvidence:
    async def test_chain_that_was_appended_to_verifies(self, storage: Storage) -> None:
        head = await storage.evidence.append("alice", START, [an_entry("one"), an_entry("two", who="♥")])
        head = await storage.evidence.append("alice", head, [an_entry("three")])

        assert verify(await storage.evidence.read("alice")) == head
        assert head.entries == 3

    async def test_chain_that_nobody_wrote_is_empty(self, storage: Storage) -> None:
        assert await storage.evidence.read("nobody") == b""

    @pytest.mark.parametrize("known", ["start", "older", "other"])
    async def test_head_that_lags_behind_is_put_right(self, storage: Storage, known: str) -> None:
        first = await storage.evidence.append("alice", START, [an_entry("one")])
        await storage.evidence.append("alice", first, [an_entry("two")])
        lagging = {"start": START, "older": first, "other": ChainHead("b" * 64, 9, 9999)}[known]

        head = await storage.evidence.append("alice", lagging, [an_entry("three")])

        assert verify(await storage.evidence.read("alice")) == head
        assert head.entries == 3

    async def test_head_of_a_chain_that_is_not_there_starts_a_new_one(self, storage: Storage) -> None:
        head = await storage.evidence.append("alice", ChainHead("b" * 64, 9, 9999), [an_entry("one")])

        assert verify(await storage.evidence.read("alice")) == head

    async def test_many_writers_at_once_leave_one_whole_chain(self, storage: Storage) -> None:
        writers = [storage.evidence.append("alice", START, [an_entry(f"entry {n}")]) for n in range(3)]

        await asyncio.gather(*writers)

        assert verify(await storage.evidence.read("alice")).entries == 3

    async def test_chain_whose_maker_died_before_its_first_entry_can_be_written(self, storage: Storage) -> None:
        if storage.chains is not None:
            await storage.chains.get_blob_client("principals/alice.jsonl").create_append_blob()

        head = await storage.evidence.append("alice", START, [an_entry("one")])

        assert verify(await storage.evidence.read("alice")) == head

    async def test_day_is_anchored_once_and_days_are_chained(self, storage: Storage) -> None:
        head = await storage.evidence.append("alice", START, [an_entry("one")])
        first = await storage.evidence.anchor("2027-01-04", {"alice": head})
        again = await storage.evidence.anchor("2027-01-04", {})
        head = await storage.evidence.append("alice", head, [an_entry("two")])
        second = await storage.evidence.anchor("2027-01-05", {"alice": head})
        chains = {"alice": await storage.evidence.read("alice")}

        verify_anchor(first, chains, GENESIS)
        verify_anchor(second, chains, first["hash"])
        assert again == first
        with pytest.raises(RejectedError):
            verify_anchor(second, {"alice": b""}, first["hash"])


class TestDeltaLinks:
    async def test_first_sweep_has_no_link(self, storage: Storage) -> None:
        assert await storage.delta_links.read("users") == (None, None)

    @pytest.mark.parametrize("length", [1, 29_999, 30_000, 30_001, 70_000])
    async def test_link_of_any_length_is_read_as_it_was_saved(self, storage: Storage, length: int) -> None:
        link = "".join(itertools.islice(itertools.cycle("abc/?$=&"), length))
        await storage.delta_links.save("users", link, None)

        assert (await storage.delta_links.read("users"))[0] == link

    async def test_shorter_link_leaves_nothing_of_the_longer_one(self, storage: Storage) -> None:
        await storage.delta_links.save("users", "x" * 70_000, None)
        _, version = await storage.delta_links.read("users")
        await storage.delta_links.save("users", "short", version)

        assert (await storage.delta_links.read("users"))[0] == "short"

    async def test_of_two_sweeps_one_advances(self, storage: Storage) -> None:
        await storage.delta_links.save("users", "zero", None)
        _, version = await storage.delta_links.read("users")
        await storage.delta_links.save("users", "one", version)

        with pytest.raises(AlreadyDecidedError):
            await storage.delta_links.save("users", "two", version)
        with pytest.raises(AlreadyDecidedError):
            await storage.delta_links.save("users", "three", None)

        assert (await storage.delta_links.read("users"))[0] == "one"

    async def test_resources_do_not_share_a_link(self, storage: Storage) -> None:
        await storage.delta_links.save("users", "one", None)

        assert await storage.delta_links.read("groups") == (None, None)


class TestHolds:
    async def test_hold_is_read_listed_replaced_and_forgotten(self, storage: Storage) -> None:
        change = PrincipalChange("alice", Source.SWEEP, NOW, "c-1", PrincipalKind.USER, Hint.DISABLED)
        hold = Hold("sweep-users-1", 10, (change,))
        await storage.holds.put(hold)
        await storage.holds.put(replace(hold, roster=11))

        assert await storage.holds.list_ids() == ["sweep-users-1"]
        read = await storage.holds.read("sweep-users-1")
        assert read is not None
        assert replace(read, changes=tuple(read.changes)) == replace(hold, roster=11)

        await storage.holds.delete("sweep-users-1")
        await storage.holds.delete("sweep-users-1")

        assert await storage.holds.list_ids() == []
        assert await storage.holds.read("sweep-users-1") is None


async def test_storage_that_is_gone_is_a_reason_to_try_later() -> None:
    port = free_port()
    async with (
        TableServiceClient(
            f"http://127.0.0.1:{port}/{ACCOUNT}", credential=AzureNamedKeyCredential(ACCOUNT, KEY), retry_total=0
        ) as tables,
        BlobServiceClient(f"http://127.0.0.1:{port}/{ACCOUNT}", credential=KEY, retry_total=0) as blobs,
    ):
        table, container = tables.get_table_client("t"), blobs.get_container_client("c")
        records, links = TablePrincipalRecords(table), TableDeltaLinks(table)
        evidence, holds = BlobEvidence(container), BlobHolds(container)

        for work in (
            records.read("alice"),
            records.remember(a_principal()),
            records.by_app("app"),
            records.claim("alice", "me", NOW, LATER),
            anext(records.all()),
            links.read("users"),
            links.save("users", "link", None),
            evidence.append("alice", START, [an_entry("one")]),
            evidence.read("alice"),
            evidence.anchor("2027-01-04", {}),
            holds.list_ids(),
            holds.read("hold"),
            holds.delete("hold"),
        ):
            with pytest.raises(RetryLaterError, match="storage-unreachable"):
                await work

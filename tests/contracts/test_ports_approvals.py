"""What Tether remembers about approvals: the promises of these ports, kept in memory and by Azurite alike."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.adapters.table_approvals import TableApprovals, TableCardCopies, TableConversations
from shared.domain.approval import Approval, ApprovalState, Choice, Outcome, PastDecision, Person, Requester, Vote
from shared.domain.card_copy import Audience, CardCopy, Conversation, CopySpec, CopyState, Place, PlaceKind
from shared.domain.evidence import ChainHead
from shared.domain.gateway import ReviewType
from shared.domain.principals import AccountState, PrincipalKind
from shared.domain.records import Claim
from shared.errors import AlreadyDecidedError, ClaimedElsewhereError, RetryLaterError
from shared.ports import Approvals, CardCopies, Conversations
from tests.fakes.approvals import FakeApprovals, FakeCardCopies, FakeConversations
from tests.sandbox.azurite_under_test import ACCOUNT, KEY, needs_azurite, running_azurite
from tests.sandbox.host_process import free_port

NOW = datetime(2027, 1, 4, 9, 0, 0, 123456, tzinfo=UTC)
REVIEW = "6d1c0000-0000-4000-8000-000000000001"
OTHER = "6d1c0000-0000-4000-8000-000000000002"
CHANNEL = "19:3f2c@thread.tacv2"
SPEC = CopySpec(Audience.APPROVERS, Place(PlaceKind.CHANNEL, CHANNEL))
VALVE = Person("oid-valve", "Valéry ♥")
CONVERSATION = Conversation(CHANNEL, "https://smba.trafficmanager.net/emea/")


@dataclass(frozen=True)
class Storage:
    """One implementation of all three ports; `table` is where the real approvals lie."""

    approvals: Approvals
    copies: CardCopies
    conversations: Conversations
    table: TableClient | None = None


@pytest.fixture(scope="module")
def azurite() -> Iterator[str]:
    with running_azurite("table") as connection:
        yield connection


@pytest.fixture
async def real(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    connection = request.getfixturevalue("azurite")
    async with TableServiceClient.from_connection_string(connection) as tables:
        name = f"t{uuid.uuid4().hex}"
        approvals, conversations = await tables.create_table(name), await tables.create_table(f"{name}c")
        yield Storage(
            TableApprovals(approvals), TableCardCopies(approvals), TableConversations(conversations), approvals
        )


@pytest.fixture(params=["in memory", pytest.param("azurite", marks=needs_azurite)])
def storage(request: pytest.FixtureRequest) -> Storage:
    if request.param == "azurite":
        found: Storage = request.getfixturevalue("real")
        return found
    return Storage(FakeApprovals(), FakeCardCopies(), FakeConversations())


def an_approval(review_id: str = REVIEW, **changes: object) -> Approval:
    approval = Approval(
        review_id=review_id,
        session_id=f"session of {review_id}",
        type=ReviewType.JIT,
        connection="pg-prod",
        duration=timedelta(minutes=30, microseconds=1),
        requester=Requester("sub-1", "Ada O'Hara", sponsors=(VALVE,)),
        groups=("sre", "sec"),
        needed=2,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=4),
    )
    return replace(approval, **changes)  # type: ignore[arg-type]


def a_full_approval() -> Approval:
    past = PastDecision(NOW, "pg1", ApprovalState.DENIED)
    requester = Requester(
        "sub-1", "Ada", "ada@x", "oid-ada", PrincipalKind.USER, AccountState.ENABLED, recent=(past,), owners=(VALVE,)
    )
    vote = Vote(VALVE, Choice.APPROVE, NOW, ("sre", "sec"), "because", "sre", applied=True)
    return an_approval(
        requester=requester,
        excerpt="select '♥' from \"t\" -- \u202e" * 50,
        input_size=10**7,
        input_digest="a" * 64,
        answered=("sre",),
        personal=("oid-valve",),
        votes=(vote,),
        unconfirmed=(vote,),
        reminders=2,
        escalated=True,
        stuck=True,
        look_at=NOW,
        ended_at=NOW,
        sessions_ended=3,
        claim=Claim("me", NOW),
        chain=ChainHead("b" * 64, 3, 900),
    )


def ended(approval: Approval, state: ApprovalState = ApprovalState.APPROVED, *, after: float = 60) -> Approval:
    return approval.closed(Outcome(state, approval.created_at + timedelta(seconds=after), ("Valéry",), "fine"))


class TestApprovals:
    async def test_review_that_was_never_seen_is_none(self, storage: Storage) -> None:
        assert await storage.approvals.read(REVIEW) is None

    @pytest.mark.parametrize("approval", [an_approval(), a_full_approval()], ids=["small", "full"])
    async def test_approval_is_read_as_it_was_created_and_saved(self, storage: Storage, approval: Approval) -> None:
        created = await storage.approvals.create(approval)
        read = await storage.approvals.read(REVIEW)
        saved = await storage.approvals.save(replace(created, reminders=9).released())

        assert read == created
        assert replace(created, version=None) == approval
        assert await storage.approvals.read(REVIEW) == saved
        assert saved.version != created.version

    async def test_approval_of_any_size_is_read_as_it_was_created(self, storage: Storage) -> None:
        incompressible = tuple(f"{uuid.uuid4()}" for _ in range(6000))

        created = await storage.approvals.create(an_approval(personal=incompressible))
        smaller = await storage.approvals.save(replace(created, personal=()))

        assert created.personal == incompressible
        assert await storage.approvals.read(REVIEW) == smaller

    async def test_of_many_who_create_it_at_once_one_succeeds(self, storage: Storage) -> None:
        claims = [an_approval(claim=Claim(f"worker {number}", NOW)) for number in range(8)]

        outcomes = await asyncio.gather(*map(storage.approvals.create, claims), return_exceptions=True)

        assert sum(isinstance(outcome, Approval) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, ClaimedElsewhereError) for outcome in outcomes) == 7

    async def test_of_many_who_save_at_once_one_succeeds(self, storage: Storage) -> None:
        created = await storage.approvals.create(an_approval())
        claims = [replace(created, claim=Claim(f"worker {number}", NOW)) for number in range(8)]

        outcomes = await asyncio.gather(*map(storage.approvals.save, claims), return_exceptions=True)

        winners = [outcome for outcome in outcomes if isinstance(outcome, Approval)]
        assert winners == [await storage.approvals.read(REVIEW)]
        assert sum(isinstance(outcome, ClaimedElsewhereError) for outcome in outcomes) == 7

    async def test_approval_that_was_never_created_is_not_saved(self, storage: Storage) -> None:
        with pytest.raises(ClaimedElsewhereError):
            await storage.approvals.save(an_approval())

        assert await storage.approvals.read(REVIEW) is None

    async def test_open_ones_are_listed_with_their_sessions_until_they_end(self, storage: Storage) -> None:
        first = await storage.approvals.create(an_approval())
        await storage.approvals.create(an_approval(OTHER))
        await storage.approvals.save(ended(first))

        assert await storage.approvals.open_ones() == {OTHER: f"session of {OTHER}"}

    async def test_whoever_creates_it_after_its_end_does_not_open_it_again(self, storage: Storage) -> None:
        saved = await storage.approvals.save(ended(await storage.approvals.create(an_approval())))

        with pytest.raises(ClaimedElsewhereError):
            await storage.approvals.create(an_approval())

        assert await storage.approvals.open_ones() == {}
        assert await storage.approvals.read(REVIEW) == saved

    async def test_recent_decisions_of_a_requester_come_newest_first(self, storage: Storage) -> None:
        states = [ApprovalState.DENIED, ApprovalState.APPROVED, ApprovalState.EXPIRED]
        approvals = [
            an_approval(str(uuid.uuid4()), created_at=NOW + timedelta(days=number), connection=f"pg{number}")
            for number in range(3)
        ]
        for approval, state in zip(approvals, states, strict=True):
            await storage.approvals.save(ended(await storage.approvals.create(approval), state))
        await storage.approvals.create(an_approval())

        recent = await storage.approvals.recent("sub-1", 2)

        assert [(past.connection, past.state) for past in recent] == [
            ("pg2", ApprovalState.EXPIRED),
            ("pg1", ApprovalState.APPROVED),
        ]
        assert recent[0].at == NOW + timedelta(days=2, seconds=60)
        assert await storage.approvals.recent("sub-1", 0) == []
        assert await storage.approvals.recent("SUB-1", 5) == []

    async def test_end_that_is_saved_again_is_one_decision(self, storage: Storage) -> None:
        saved = await storage.approvals.save(ended(await storage.approvals.create(an_approval())))
        await storage.approvals.save(replace(saved, ended_at=NOW, sessions_ended=1))

        recent = await storage.approvals.recent("sub-1", 5)

        assert recent == [PastDecision(NOW + timedelta(seconds=60), "pg-prod", ApprovalState.APPROVED)]

    async def test_everything_stored_is_listed_once(self, storage: Storage) -> None:
        first = await storage.approvals.save(ended(await storage.approvals.create(an_approval())))
        second = await storage.approvals.create(an_approval(OTHER))
        await storage.copies.save(CardCopy(REVIEW, SPEC))

        found = [approval async for approval in storage.approvals.all()]

        assert sorted(found, key=lambda approval: approval.review_id) == [first, second]


class TestCardCopies:
    async def test_copy_that_was_never_saved_is_wanted_and_not_found(self, storage: Storage) -> None:
        assert await storage.copies.read(REVIEW, SPEC) == CardCopy(REVIEW, SPEC)
        assert await storage.copies.find(REVIEW, SPEC.copy_id) is None
        assert await storage.copies.all(REVIEW) == []

    async def test_copy_is_read_and_found_as_it_was_saved(self, storage: Storage) -> None:
        copy = CardCopy(
            REVIEW,
            SPEC,
            CopyState.POSTED,
            f"{CHANNEL};messageid=17",
            "17",
            "https://smba",
            "d" * 64,
            NOW,
            2,
            ("15", "16"),
        )

        saved = await storage.copies.save(copy)

        assert replace(saved, version=None) == copy
        assert await storage.copies.read(REVIEW, SPEC) == saved
        assert await storage.copies.find(REVIEW, SPEC.copy_id) == saved

    async def test_all_are_the_copies_of_one_review(self, storage: Storage) -> None:
        await storage.approvals.create(an_approval())
        specs = [SPEC, replace(SPEC, audience=Audience.REMINDER, number=1), replace(SPEC, audience=Audience.SECURITY)]
        saved = [await storage.copies.save(CardCopy(REVIEW, spec)) for spec in specs]
        await storage.copies.save(CardCopy(OTHER, SPEC))

        found = await storage.copies.all(REVIEW)

        assert sorted(found, key=lambda copy: copy.copy_id) == sorted(saved, key=lambda copy: copy.copy_id)

    async def test_of_two_who_save_one_is_too_late(self, storage: Storage) -> None:
        first = await storage.copies.save(CardCopy(REVIEW, SPEC))
        with pytest.raises(AlreadyDecidedError):
            await storage.copies.save(CardCopy(REVIEW, SPEC))
        second = await storage.copies.save(replace(first, state=CopyState.POSTING))

        with pytest.raises(AlreadyDecidedError):
            await storage.copies.save(replace(first, state=CopyState.LOST))

        assert await storage.copies.read(REVIEW, SPEC) == second


class TestConversations:
    @pytest.mark.parametrize("place_id", [CHANNEL, "*", "6d1c0000-0000-4000-8000-0000000000aa", "a/b\\c#d?e'f%"])
    async def test_newest_conversation_of_a_place_is_read(self, storage: Storage, place_id: str) -> None:
        assert await storage.conversations.read(place_id) is None

        await storage.conversations.save(place_id, CONVERSATION)
        await storage.conversations.save(place_id, newest := replace(CONVERSATION, service_url="https://smba/amer/"))

        assert await storage.conversations.read(place_id) == newest
        assert await storage.conversations.read("elsewhere") is None

    async def test_conversation_that_was_forgotten_is_gone(self, storage: Storage) -> None:
        await storage.conversations.save(CHANNEL, CONVERSATION)
        await storage.conversations.save("*", CONVERSATION)

        await storage.conversations.forget(CHANNEL)
        await storage.conversations.forget(CHANNEL)

        assert await storage.conversations.read(CHANNEL) is None
        assert await storage.conversations.read("*") == CONVERSATION


@needs_azurite
class TestTables:
    """What only the real adapters can get wrong."""

    async def test_approval_is_in_the_index_before_it_is_there(self, real: Storage) -> None:
        order: list[str] = []
        table = _Recording(real.table, order)

        created = await TableApprovals(table).create(an_approval())  # type: ignore[arg-type]
        await TableApprovals(table).save(ended(created))  # type: ignore[arg-type]

        assert order == ["upsert open", "create approval", "update approval", "upsert past", "delete open"]

    async def test_crash_between_end_and_index_is_put_right_by_the_next_save(self, real: Storage) -> None:
        created = await real.approvals.create(an_approval())
        saved = await real.approvals.save(ended(created))
        assert real.table is not None
        await real.table.upsert_entity({"PartitionKey": "open", "RowKey": REVIEW, "SessionId": "s"})

        await real.approvals.save(replace(saved, claim=Claim("me", NOW)))

        assert await real.approvals.open_ones() == {}

    async def test_plain_columns_say_what_people_look_for(self, real: Storage) -> None:
        await real.approvals.create(an_approval(claim=Claim("me", NOW)))
        assert real.table is not None

        row = await real.table.get_entity(REVIEW, "approval")

        assert (row["State"], row["Connection"], row["ClaimOwner"]) == ("pending", "pg-prod", "me")
        assert row["ClaimExpiresAt"] == NOW.isoformat()

    async def test_row_that_somebody_deleted_is_not_saved(self, real: Storage) -> None:
        created = await real.approvals.create(an_approval())
        copy = await real.copies.save(CardCopy(REVIEW, SPEC))
        assert real.table is not None
        await real.table.delete_entity(REVIEW, "approval")
        await real.table.delete_entity(REVIEW, f"copy:{SPEC.copy_id}")

        with pytest.raises(ClaimedElsewhereError):
            await real.approvals.save(created)
        with pytest.raises(AlreadyDecidedError):
            await real.copies.save(copy)

    async def test_table_that_is_missing_is_a_reason_to_try_later(self, azurite: str) -> None:
        async with TableServiceClient.from_connection_string(azurite) as tables:
            table = tables.get_table_client("missing")
            for work in (
                TableApprovals(table).create(an_approval()),
                TableCardCopies(table).save(CardCopy(REVIEW, SPEC)),
                TableConversations(table).save("*", CONVERSATION),
            ):
                with pytest.raises(RetryLaterError, match="storage-unreachable"):
                    await work


async def test_storage_that_is_gone_is_a_reason_to_try_later() -> None:
    async with TableServiceClient(
        f"http://127.0.0.1:{free_port()}/{ACCOUNT}", credential=AzureNamedKeyCredential(ACCOUNT, KEY), retry_total=0
    ) as tables:
        table = tables.get_table_client("t")
        approvals, copies, conversations = TableApprovals(table), TableCardCopies(table), TableConversations(table)

        for work in (
            approvals.read(REVIEW),
            approvals.create(an_approval()),
            approvals.save(an_approval(version="1")),
            approvals.open_ones(),
            approvals.recent("sub-1", 3),
            anext(approvals.all()),
            copies.read(REVIEW, SPEC),
            copies.all(REVIEW),
            copies.save(CardCopy(REVIEW, SPEC)),
            conversations.read("*"),
            conversations.save("*", CONVERSATION),
            conversations.forget("*"),
        ):
            with pytest.raises(RetryLaterError, match="storage-unreachable"):
                await work


async def test_row_that_somebody_writes_at_the_same_moment_is_a_reason_to_try_later() -> None:
    conversations = TableConversations(_Contended())  # type: ignore[arg-type]  # as far as it is written to

    with pytest.raises(RetryLaterError, match="storage-busy"):
        await conversations.save("*", CONVERSATION)


class _Contended:
    """A table in which every row is being written by somebody else."""

    async def upsert_entity(self, row: dict[str, object], **_: object) -> None:
        error = HttpResponseError(str(row["RowKey"]))
        error.status_code, error.reason = 409, "Conflict"
        raise error


class _Recording:
    """A table that writes down in which order it was written to."""

    def __init__(self, table: TableClient | None, order: list[str]) -> None:
        self._table, self._order = table, order

    async def upsert_entity(self, row: dict[str, object], **_: object) -> None:
        self._order.append(f"upsert {'open' if row['PartitionKey'] == 'open' else 'past'}")

    async def delete_entity(self, partition: str, _: str) -> None:
        self._order.append(f"delete {partition}")

    async def create_entity(self, row: dict[str, object]) -> dict[str, str]:
        self._order.append(f"create {row['RowKey']}")
        return {"etag": "1"}

    async def update_entity(self, row: dict[str, object], **_: object) -> dict[str, str]:
        self._order.append(f"update {row['RowKey']}")
        return {"etag": "2"}

"""What Tether remembers about owners' answers: the promises of these ports, kept in memory and by Azurite alike."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables.aio import TableServiceClient

from shared.adapters.table_attestations import TableAttestations, TableExemptions
from shared.domain.approval import Person
from shared.domain.evidence import ChainHead
from shared.domain.posture.attestation import Answered, Attestation, Question, Reply, Role, Stage, UnusedGrant
from shared.domain.posture.exceptions import Acceptance, Class, Classification
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity
from shared.errors import AlreadyDecidedError, RetryLaterError
from shared.ports import Attestations, Exemptions
from tests.fakes.attestations import FakeAttestations, FakeExemptions
from tests.fakes.clock import FakeClock
from tests.sandbox.azurite_under_test import needs_azurite, running_azurite
from tests.sandbox.host_process import free_port

NOW = datetime(2027, 1, 4, 9, 0, 0, 123456, tzinfo=UTC)
HOSTILE = "</script>\u202e=cmd|'/c calc'!A0 \"' 日本 \x00\n♥ / \\ # ? %"
MARY = Person("oid-mary", HOSTILE)


@dataclass(frozen=True)
class Storage:
    """One implementation of both ports, and the clock of what is forgotten."""

    attestations: Attestations
    exemptions: Exemptions
    clock: FakeClock


@pytest.fixture(scope="module")
def azurite() -> Iterator[str]:
    with running_azurite("table") as connection:
        yield connection


@pytest.fixture
async def real(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    connection = request.getfixturevalue("azurite")
    async with TableServiceClient.from_connection_string(connection) as tables:
        table, clock = await tables.create_table(f"t{uuid.uuid4().hex}"), FakeClock()
        yield Storage(TableAttestations(table), TableExemptions(table, clock), clock)


@pytest.fixture(params=["in memory", pytest.param("azurite", marks=needs_azurite)])
def storage(request: pytest.FixtureRequest) -> Storage:
    if request.param == "azurite":
        found: Storage = request.getfixturevalue("real")
        return found
    clock = FakeClock()
    return Storage(FakeAttestations(), FakeExemptions(clock), clock)


def finding(number: int = 0, *, facts: int = 1) -> Finding:
    about = About(ObjectKind.APPLICATION, "object/1", HOSTILE, f"key-{number}", "app-1")
    said = tuple((f"label {one}", "".join(uuid.uuid4().hex for _ in range(8))) for one in range(facts))
    return Finding("G3", about, Severity.HIGH, "It was never opened.", facts=said, fix="DELETE /x")


def an_attestation(**changes: object) -> Attestation:
    question = Question(finding().about, (finding(),))
    attestation = Attestation(question.attestation_id, question, NOW, "report-1")
    return replace(attestation, **changes)  # type: ignore[arg-type]


def a_full_attestation() -> Attestation:
    grant = UnusedGrant("user/s-1", HOSTILE, ("pg",), NOW, "oid-1", ("group-1",), 3)
    question = Question(
        finding().about,
        (finding(1), finding(2)),
        (MARY,),
        is_tier_0=True,
        unused=(grant,),
        owners=frozenset({"oid-mary", "group-2"}),
        owner_groups=frozenset({"group-2"}),
        left_out=7,
        seen_until=NOW,
    )
    said = Answered(Reply.KEEP, MARY, NOW, HOSTILE, NOW + timedelta(days=3), Role.APPROVER)
    return an_attestation(
        question=question,
        round=4,
        stage=Stage.PROPOSED,
        answers=(said,),
        reminded_at=NOW,
        escalated_at=NOW,
        underway=replace(said, until=None),
        taken=(grant,),
        chain=ChainHead("b" * 64, 3, 900),
    )


def acceptance(finding_id: str = "0123456789abcdef", ends: float = 30) -> Acceptance:
    return Acceptance(finding_id, Severity.HIGH, HOSTILE, MARY, NOW, NOW + timedelta(days=ends))


class TestAttestations:
    async def test_identity_that_nobody_asked_about_is_none(self, storage: Storage) -> None:
        assert await storage.attestations.read("nobody") is None

    @pytest.mark.parametrize("attestation", [an_attestation(), a_full_attestation()], ids=["small", "full"])
    async def test_attestation_is_read_as_it_was_saved(self, storage: Storage, attestation: Attestation) -> None:
        created = await storage.attestations.save(attestation)
        saved = await storage.attestations.save(replace(created, round=9))

        assert replace(created, version=None) == attestation
        assert await storage.attestations.read(attestation.attestation_id) == saved
        assert saved.version != created.version

    async def test_of_many_who_open_it_at_once_one_succeeds(self, storage: Storage) -> None:
        wanted = [an_attestation(report_id=f"report-{number}") for number in range(8)]

        outcomes = await asyncio.gather(*map(storage.attestations.save, wanted), return_exceptions=True)

        assert sum(isinstance(outcome, Attestation) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, AlreadyDecidedError) for outcome in outcomes) == 7

    async def test_of_many_who_save_at_once_one_succeeds(self, storage: Storage) -> None:
        created = await storage.attestations.save(an_attestation())
        wanted = [replace(created, report_id=f"report-{number}") for number in range(8)]

        outcomes = await asyncio.gather(*map(storage.attestations.save, wanted), return_exceptions=True)

        assert sum(isinstance(outcome, Attestation) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, AlreadyDecidedError) for outcome in outcomes) == 7

    async def test_save_of_what_is_gone_is_too_late(self, storage: Storage) -> None:
        with pytest.raises(AlreadyDecidedError):
            await storage.attestations.save(an_attestation(version="W/\"datetime'2027-01-04T09%3A00%3A00.0000000Z'\""))

    async def test_open_ones_are_those_that_wait_for_an_answer(self, storage: Storage) -> None:
        for number, stage in enumerate(Stage):
            await storage.attestations.save(an_attestation(attestation_id=f"id-{number}", stage=stage))
        await storage.exemptions.put([acceptance()])

        found = [one.stage async for one in storage.attestations.open_ones()]

        assert sorted(found) == [Stage.ASKED, Stage.PROPOSED]
        assert len([one async for one in storage.attestations.all()]) == len(Stage)


class TestExemptions:
    async def test_exemptions_are_read_as_they_were_put(self, storage: Storage) -> None:
        classified = Classification("fedcba9876543210", Class.NOT_OURS, MARY, NOW)

        await storage.exemptions.put([acceptance(), classified])

        assert set(await storage.exemptions.all()) == {acceptance(), classified}

    async def test_newest_of_a_finding_wins(self, storage: Storage) -> None:
        await storage.exemptions.put([acceptance(ends=30)])
        await storage.exemptions.put([acceptance(ends=10)])

        assert list(await storage.exemptions.all()) == [acceptance(ends=10)]

    async def test_same_again_changes_nothing(self, storage: Storage) -> None:
        await asyncio.gather(*(storage.exemptions.put([acceptance()]) for _ in range(3)), return_exceptions=True)

        assert list(await storage.exemptions.all()) == [acceptance()]

    async def test_ended_one_is_kept_for_400_days_and_then_forgotten(self, storage: Storage) -> None:
        await storage.exemptions.put([acceptance(), acceptance("fedcba9876543210", ends=31)])
        storage.clock.time = NOW + timedelta(days=430)
        assert len(await storage.exemptions.all()) == 2

        storage.clock.time = NOW + timedelta(days=430, seconds=1)

        assert [one.finding_id for one in await storage.exemptions.all()] == ["fedcba9876543210"]
        storage.clock.time = NOW
        assert [one.finding_id for one in await storage.exemptions.all()] == ["fedcba9876543210"]


class TestTables:
    """What only a table can get wrong."""

    @needs_azurite
    async def test_question_with_more_evidence_than_a_row_holds_is_cut_and_says_so(self, real: Storage) -> None:
        evidence = tuple(finding(number, facts=60) for number in range(200))
        question = replace(an_attestation().question, evidence=evidence, left_out=1)

        saved = await real.attestations.save(an_attestation(question=question))

        kept = saved.question.evidence
        assert 0 < len(kept) < 200
        assert kept == evidence[: len(kept)]
        assert saved.question.left_out == 1 + 200 - len(kept)
        assert await real.attestations.read(saved.attestation_id) == saved

    @needs_azurite
    async def test_half_a_character_is_kept_as_a_question_mark(self, real: Storage) -> None:
        halved = replace(finding(), says="It is \ud83d unused.")
        question = replace(an_attestation().question, evidence=(halved,), people=(Person("oid", "A\udc00da"),))

        saved = await real.attestations.save(an_attestation(question=question))
        await real.exemptions.put([replace(acceptance(), by=Person("oid", "A\udc00da"))])

        assert saved.question.evidence[0].says == "It is ? unused."
        assert await real.attestations.read(saved.attestation_id) == saved
        assert [one.by.name for one in await real.exemptions.all()] == ["A?da"]

    @needs_azurite
    async def test_smaller_question_leaves_nothing_of_a_bigger_one(self, real: Storage) -> None:
        evidence = tuple(finding(number, facts=60) for number in range(40))
        big = await real.attestations.save(
            an_attestation(question=replace(an_attestation().question, evidence=evidence))
        )

        small = await real.attestations.save(replace(an_attestation(), version=big.version))

        assert await real.attestations.read(small.attestation_id) == small

    async def test_storage_that_does_not_answer_is_for_later(self) -> None:
        nobody = (
            "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;"
            f"TableEndpoint=http://127.0.0.1:{free_port()}/devstoreaccount1"
        )
        async with TableServiceClient.from_connection_string(nobody, retry_total=0) as tables:
            table = tables.get_table_client("attestations")
            with pytest.raises(RetryLaterError):
                await TableAttestations(table).read("id")
            with pytest.raises(RetryLaterError):
                await TableAttestations(table).save(an_attestation())
            with pytest.raises(RetryLaterError):
                await TableExemptions(table, FakeClock()).put([acceptance()])
            with pytest.raises(RetryLaterError):
                await TableExemptions(table, FakeClock()).all()

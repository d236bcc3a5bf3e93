"""Kept reports: the promises of the port, kept in memory and by Azurite alike."""

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ServiceRequestError
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from shared.adapters.blob_reports import BlobReports
from shared.errors import RetryLaterError
from shared.ports.reports import Reports
from tests.fakes.reports import FakeReports
from tests.sandbox.azurite_under_test import ACCOUNT, KEY, needs_azurite, running_azurite
from tests.sandbox.host_process import free_port

OLD, NEW, NEWER = "20270104T090000Z", "20270111T090000Z", "20270118T090000Z"
FILES = {"report.html": "<p>Ada ♥</p>".encode(), "findings.csv": b"", "snapshot.json": b"\0\xff" * 100_000}


@pytest.fixture(scope="module")
def azurite() -> Iterator[str]:
    with running_azurite("blob") as connection:
        yield connection


@pytest.fixture
async def container(azurite: str) -> AsyncIterator[ContainerClient]:
    async with BlobServiceClient.from_connection_string(azurite) as blobs:
        yield await blobs.create_container(f"r{uuid.uuid4().hex}")


@pytest.fixture
async def real(container: ContainerClient) -> BlobReports:
    return BlobReports(container)


@pytest.fixture(params=["in memory", pytest.param("azurite", marks=needs_azurite)])
def reports(request: pytest.FixtureRequest) -> Reports:
    if request.param == "azurite":
        found: Reports = request.getfixturevalue("real")
        return found
    return FakeReports()


class TestReports:
    async def test_there_is_no_newest_before_the_first(self, reports: Reports) -> None:
        assert await reports.newest() is None
        assert await reports.list_ids() == []
        assert await reports.read(NEW, "report.html") is None

    async def test_every_file_is_read_as_it_was_put(self, reports: Reports) -> None:
        await reports.put(NEW, FILES)

        assert {name: await reports.read(NEW, name) for name in FILES} == FILES

    async def test_file_of_another_name_or_report_is_none(self, reports: Reports) -> None:
        await reports.put(NEW, FILES)

        assert await reports.read(NEW, "report.htm") is None
        assert await reports.read(OLD, "report.html") is None

    async def test_reports_are_listed_newest_first_in_whichever_order_they_were_put(self, reports: Reports) -> None:
        for report_id in (NEW, NEWER, OLD):
            await reports.put(report_id, FILES)

        assert await reports.newest() == NEWER
        assert await reports.list_ids() == [NEWER, NEW, OLD]

    async def test_report_that_is_put_again_is_one_report_with_its_new_files(self, reports: Reports) -> None:
        await reports.put(NEW, FILES)
        await reports.put(NEW, FILES | {"report.html": b"again"})

        assert await reports.list_ids() == [NEW]
        assert await reports.read(NEW, "report.html") == b"again"
        assert await reports.read(NEW, "snapshot.json") == FILES["snapshot.json"]


async def test_interrupted_put_in_memory_leaves_the_last_whole_report_the_newest() -> None:
    reports = FakeReports()
    await reports.put(OLD, FILES)
    reports.faults.plan("mark", RetryLaterError("storage-unreachable"))

    with pytest.raises(RetryLaterError):
        await reports.put(NEW, FILES)

    assert await reports.list_ids() == [OLD]


@needs_azurite
class TestBlobs:
    """What only the real adapter can get wrong."""

    @pytest.mark.parametrize("uploads", range(len(FILES) + 1))
    async def test_put_that_is_interrupted_leaves_the_last_whole_report_the_newest(
        self, container: ContainerClient, uploads: int
    ) -> None:
        reports = BlobReports(container)
        await reports.put(OLD, FILES)

        with pytest.raises(RetryLaterError, match="storage-unreachable"):
            await BlobReports(_Interrupted(container, uploads)).put(NEW, FILES)  # type: ignore[arg-type]

        assert (await reports.newest(), await reports.list_ids()) == (OLD, [OLD])

    async def test_report_counts_once_everything_was_uploaded(self, container: ContainerClient) -> None:
        await BlobReports(_Interrupted(container, len(FILES) + 1)).put(NEW, FILES)  # type: ignore[arg-type]

        assert await BlobReports(container).newest() == NEW

    async def test_reports_of_many_years_are_all_listed(self, container: ContainerClient) -> None:
        ids = [f"{2027 + number}0104T090000Z" for number in range(30)]
        for report_id in ids:
            await container.upload_blob(f"whole/{report_id}", b"")

        assert await BlobReports(container).list_ids() == ids[::-1]

    async def test_container_that_is_missing_is_no_report_or_a_reason_to_try_later(self, azurite: str) -> None:
        async with BlobServiceClient.from_connection_string(azurite) as blobs:
            reports = BlobReports(blobs.get_container_client("missing"))

            for work in (reports.newest(), reports.list_ids(), reports.put(NEW, FILES)):
                with pytest.raises(RetryLaterError, match="storage-unreachable"):
                    await work
            assert await reports.read(NEW, "report.html") is None


async def test_storage_that_is_gone_is_a_reason_to_try_later() -> None:
    async with BlobServiceClient(
        f"http://127.0.0.1:{free_port()}/{ACCOUNT}", credential=AzureNamedKeyCredential(ACCOUNT, KEY), retry_total=0
    ) as blobs:
        reports = BlobReports(blobs.get_container_client("r"))

        for work in (reports.newest(), reports.list_ids(), reports.read(NEW, "a"), reports.put(NEW, FILES)):
            with pytest.raises(RetryLaterError, match="storage-unreachable"):
                await work


class _Interrupted:
    """A container that is gone after so many uploads."""

    def __init__(self, container: ContainerClient, uploads: int) -> None:
        self._container, self._left = container, uploads

    async def upload_blob(self, name: str, content: bytes, *, overwrite: bool) -> None:
        if not self._left:
            raise ServiceRequestError(name)
        self._left -= 1
        await self._container.upload_blob(name, content, overwrite=overwrite)

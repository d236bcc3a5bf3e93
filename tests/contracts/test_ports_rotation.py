"""The kept ledger of rotation: the promises of the port, kept in memory and by Azurite alike."""

import asyncio
import io
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from shared.adapters.blob_rotation import BlobRotationLedger
from shared.errors import AlreadyDecidedError, RetryLaterError
from shared.ports import RotationLedger
from tests.fakes.rotation import FakeRotationLedger
from tests.sandbox.azurite_under_test import ACCOUNT, KEY, needs_azurite, running_azurite
from tests.sandbox.host_process import free_port

LONG = bytes(range(256)) * 40_000


@pytest.fixture(scope="module")
def azurite() -> Iterator[str]:
    with running_azurite("blob") as connection:
        yield connection


@pytest.fixture
async def container(azurite: str) -> AsyncIterator[ContainerClient]:
    async with BlobServiceClient.from_connection_string(azurite) as blobs:
        yield await blobs.create_container(f"r{uuid.uuid4().hex}")


@pytest.fixture
async def real(container: ContainerClient) -> BlobRotationLedger:
    return BlobRotationLedger(container)


@pytest.fixture(params=["in memory", pytest.param("azurite", marks=needs_azurite)])
def ledger(request: pytest.FixtureRequest) -> RotationLedger:
    if request.param == "azurite":
        found: RotationLedger = request.getfixturevalue("real")
        return found
    return FakeRotationLedger()


async def read(ledger: RotationLedger) -> tuple[bytes, str | None]:
    into = io.BytesIO()
    version = await ledger.read(into)
    return into.getvalue(), version


class TestRotationLedger:
    async def test_there_is_none_before_the_first(self, ledger: RotationLedger) -> None:
        assert await read(ledger) == (b"", None)

    @pytest.mark.parametrize("content", [b"", b"short", LONG], ids=["empty", "short", "long"])
    async def test_it_is_read_as_it_was_saved_from_its_beginning(self, ledger: RotationLedger, content: bytes) -> None:
        file = io.BytesIO(content)
        file.read()
        await ledger.save(file, None)

        stored, version = await read(ledger)

        assert stored == content
        assert version is not None

    async def test_it_is_replaced_by_whoever_read_it(self, ledger: RotationLedger) -> None:
        await ledger.save(io.BytesIO(b"first"), None)
        _, version = await read(ledger)

        await ledger.save(io.BytesIO(b"second"), version)

        assert (await read(ledger))[0] == b"second"

    async def test_it_is_not_replaced_by_whoever_read_an_older_one(self, ledger: RotationLedger) -> None:
        await ledger.save(io.BytesIO(b"first"), None)
        _, version = await read(ledger)
        await ledger.save(io.BytesIO(b"second"), version)

        for old in (version, None):
            with pytest.raises(AlreadyDecidedError):
                await ledger.save(io.BytesIO(b"third"), old)

        assert (await read(ledger))[0] == b"second"

    async def test_of_many_at_once_one_is_first(self, ledger: RotationLedger) -> None:
        saves = (ledger.save(io.BytesIO(str(number).encode()), None) for number in range(5))

        outcomes = await asyncio.gather(*saves, return_exceptions=True)

        assert outcomes.count(None) == 1


@needs_azurite
async def test_container_that_is_missing_is_no_ledger_and_a_reason_to_try_later(azurite: str) -> None:
    async with BlobServiceClient.from_connection_string(azurite) as blobs:
        ledger = BlobRotationLedger(blobs.get_container_client("missing"))

        assert await read(ledger) == (b"", None)
        with pytest.raises(RetryLaterError, match="storage-unreachable"):
            await ledger.save(io.BytesIO(b"first"), None)
        with pytest.raises(AlreadyDecidedError):
            await ledger.save(io.BytesIO(b"second"), '"0x1"')


async def test_storage_that_is_gone_is_a_reason_to_try_later() -> None:
    async with BlobServiceClient(
        f"http://127.0.0.1:{free_port()}/{ACCOUNT}", credential=AzureNamedKeyCredential(ACCOUNT, KEY), retry_total=0
    ) as blobs:
        ledger = BlobRotationLedger(blobs.get_container_client("r"))

        for work in (ledger.read(io.BytesIO()), ledger.save(io.BytesIO(b"x"), None)):
            with pytest.raises(RetryLaterError, match="storage-unreachable"):
                await work

"""Notices: the promises of the port, kept in memory and by Azurite alike."""

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from shared.adapters.blob_notices import BlobNotices
from shared.domain.card_copy import Face
from shared.errors import RetryLaterError
from shared.ports import Notices
from tests.fakes.notices import FakeNotices
from tests.sandbox.azurite_under_test import ACCOUNT, KEY, needs_azurite, running_azurite
from tests.sandbox.host_process import free_port

FIRST, SECOND = Face('{"type": "message", "text": "Ada ♥"}'), Face("{}")


@pytest.fixture(scope="module")
def azurite() -> Iterator[str]:
    with running_azurite("blob") as connection:
        yield connection


@pytest.fixture
async def container(azurite: str) -> AsyncIterator[ContainerClient]:
    async with BlobServiceClient.from_connection_string(azurite) as blobs:
        yield await blobs.create_container(f"n{uuid.uuid4().hex}")


@pytest.fixture
async def real(container: ContainerClient) -> BlobNotices:
    return BlobNotices(container)


@pytest.fixture(params=["in memory", pytest.param("azurite", marks=needs_azurite)])
def notices(request: pytest.FixtureRequest) -> Notices:
    if request.param == "azurite":
        found: Notices = request.getfixturevalue("real")
        return found
    return FakeNotices()


async def test_notice_is_read_as_it_was_put(notices: Notices) -> None:
    await notices.put("one", FIRST)

    assert await notices.read("one") == FIRST
    assert await notices.read("another") is None


async def test_what_was_put_first_stays(notices: Notices) -> None:
    await notices.put("one", FIRST)

    await notices.put("one", SECOND)

    assert await notices.read("one") == FIRST


@needs_azurite
async def test_missing_container_is_waited_for(azurite: str) -> None:
    async with BlobServiceClient.from_connection_string(azurite) as blobs:
        with pytest.raises(RetryLaterError, match="storage-unreachable"):
            await BlobNotices(blobs.get_container_client("nowhere")).put("one", FIRST)


async def test_storage_that_does_not_answer_is_waited_for() -> None:
    url = f"http://127.0.0.1:{free_port()}/{ACCOUNT}"
    credential = AzureNamedKeyCredential(ACCOUNT, KEY)
    async with BlobServiceClient(url, credential, retry_total=0) as blobs:
        with pytest.raises(RetryLaterError, match="storage-unreachable"):
            await BlobNotices(blobs.get_container_client("nowhere")).read("one")

"""A crowd for each test, a cast that must not notice, and servers that behave again afterwards."""

from collections.abc import AsyncIterator

import pytest

from sandbox import cast
from sandbox.bench.crowd import Crowd, gather_crowd
from sandbox.supervisor import Sandbox
from tests.end_to_end.approvals import Stage


@pytest.fixture
async def crowd(sandbox: Sandbox) -> AsyncIterator[Crowd]:
    """Three people in one group with a live session each, whom the app has met."""
    before = await access_of_cast(sandbox)
    yield await gather_crowd(sandbox, 3)
    await sandbox.graph.put("/sandbox/switches?reset=1", json={})
    await sandbox.gateway.put("/sandbox/switches?reset=1", json={})
    await sandbox.graph.put(f"{sandbox.broker_control_url}/sandbox/switches", json={"refuse": False})
    assert await access_of_cast(sandbox) == before


@pytest.fixture
async def stage(sandbox: Sandbox) -> AsyncIterator[Stage]:
    """Where people ask and answer; afterwards nothing waits and nothing is granted."""
    before = await access_of_cast(sandbox)
    stage = Stage(sandbox)
    yield stage
    await stage.put_back()
    assert await access_of_cast(sandbox) == before


async def access_of_cast(sandbox: Sandbox) -> dict[str, tuple[str, list[str]]]:
    """The status and groups of everybody in the cast: nothing of what a test does is about them."""
    shown = (await sandbox.gateway.get("/sandbox/snapshot")).json()
    people = {person.subject for person in cast.PEOPLE}
    rows = [row for row in shown["users"] if row["id"] in people]
    rows += (await sandbox.gateway.get("/api/serviceaccounts")).json()
    rows += (await sandbox.gateway.get("/api/ai-agents")).json()
    return {row["name"]: (row["status"], sorted(row["groups"] or ())) for row in rows}

"""A crowd for each test, and servers that behave again afterwards."""

from collections.abc import AsyncIterator

import pytest

from sandbox.bench.crowd import Crowd, gather_crowd
from sandbox.supervisor import Sandbox


@pytest.fixture
async def crowd(sandbox: Sandbox) -> AsyncIterator[Crowd]:
    """Three people in one group with a live session each, whom the app has met."""
    yield await gather_crowd(sandbox, 3)
    await sandbox.graph.put("/sandbox/switches?reset=1", json={})
    await sandbox.gateway.put("/sandbox/switches?reset=1", json={})
    await sandbox.graph.put(f"{sandbox.broker_control_url}/sandbox/switches", json={"refuse": False})

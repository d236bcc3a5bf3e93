"""The app as its triggers get it: real handlers, and a world in memory instead of the vendors'."""

from contextlib import AsyncExitStack

import pytest

from shared import bootstrap
from shared.bootstrap import Tether
from tests.fakes.world import World
from tests.wire.samples import KEYS


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()

    async def tether() -> Tether:
        return Tether(world.worker(), world.rules, KEYS, world.plan, world_is_there, AsyncExitStack())

    monkeypatch.setattr(bootstrap, "tether", tether)
    return world


async def world_is_there() -> None:
    """Nothing has to be prepared in memory."""

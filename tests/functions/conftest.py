"""The app as its triggers get it: real handlers, and a world in memory instead of the vendors'."""

from contextlib import AsyncExitStack

import pytest

from shared import bootstrap
from shared.bootstrap import Tether
from shared.bootstrap.approvals import Asking
from tests.adapters.issuer import Door
from tests.fakes.world import World
from tests.handlers.approvals.scene import Scene, set_scene
from tests.wire.samples import KEYS

WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_WEBHOOK_SECRET = "whsec_b2xkLW1hZGUtdXAtc2VjcmV0LTI0Yg=="


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()

    async def tether() -> Tether:
        return Tether(world.worker(), world.rules, KEYS, world.plan, world_is_there, AsyncExitStack())

    monkeypatch.setattr(bootstrap, "tether", tether)
    return world


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def scene(door: Door, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Approvals are set up; `door` lets in what is authentic."""
    scene = await set_scene()
    world = scene.world

    async def tether() -> Tether:
        asking = Asking(door.tokens, scene.rules, (WEBHOOK_SECRET, OLD_WEBHOOK_SECRET))
        return Tether(world.worker(), world.rules, KEYS, world.plan, world_is_there, AsyncExitStack(), asking)

    monkeypatch.setattr(bootstrap, "tether", tether)
    return scene


async def world_is_there() -> None:
    """Nothing has to be prepared in memory."""

"""The app as its triggers get it: real handlers, and a world in memory instead of the vendors'."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from shared import bootstrap
from shared.bootstrap import Tether
from shared.bootstrap.approvals import Asking
from shared.bootstrap.posture import Posture
from shared.handlers.ask_for_posture import Desk as AskingDesk
from shared.handlers.show_report import Readers
from tests.adapters.issuer import Door
from tests.fakes.entra import guid
from tests.fakes.world import World
from tests.handlers.approvals.scene import Scene, set_scene
from tests.handlers.posture.desk import RULES, Desk
from tests.wire.samples import KEYS

WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_WEBHOOK_SECRET = "whsec_b2xkLW1hZGUtdXAtc2VjcmV0LTI0Yg=="


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def world(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> World:
    """Reports are made at the `desk`, and shown to the group named `report readers`."""
    world = World()

    def posture() -> Posture:
        counter = AskingDesk(desk.reports, world.worker().queue, world.clock)
        return Posture(desk.ports, desk.rotation, RULES, Readers(guid("report readers")), counter)

    async def tether() -> Tether:
        resources = AsyncExitStack()
        return Tether(world.worker(), world.rules, KEYS, world.plan, world_is_there, resources, posture=posture)

    monkeypatch.setattr(bootstrap, "tether", tether)
    return world


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def scene(door: Door, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Approvals are set up; `door` lets in what is authentic."""
    scene = await set_scene()
    monkeypatch.setattr(bootstrap, "tether", app_of(scene, door))
    return scene


def app_of(scene: Scene, door: Door) -> Callable[[], Awaitable[Tether]]:
    """The app of a world in which approvals are set up."""
    world = scene.world

    async def tether() -> Tether:
        asking = Asking(door.tokens, scene.rules, (WEBHOOK_SECRET, OLD_WEBHOOK_SECRET))
        return Tether(world.worker(), world.rules, KEYS, world.plan, world_is_there, AsyncExitStack(), asking)

    return tether


async def world_is_there() -> None:
    """Nothing has to be prepared in memory."""

"""Whom an identity's reach is shown to, whose there is, and what happens while the gateway does not answer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.reach import AccessPolicy
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.show_reach import show_reach
from shared.handlers.show_report import Readers
from shared.ports import SessionLog
from tests.fakes.entra import guid
from tests.fakes.session_log import FakeSessionLog
from tests.fakes.worker import unreachable
from tests.handlers.posture.desk import Desk
from tests.handlers.posture.test_read_estate import POLICY, met

HOSTILE = '<img src=x onerror="alert(1)">'


class Room:
    """A gateway, a reader, and a session log that a test may replace."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.world = self.desk.around
        self.world.gateway.policy = POLICY
        self.log: SessionLog = FakeSessionLog()
        self.reader = self.world.entra.user("reader")
        self.group = self.world.entra.group("readers", self.reader)

    async def show(self, object_id: str, reader_id: str | None = None) -> str:
        ports = replace(self.desk.ports, log=self.log, around=self.world.worker())
        asked = show_reach(object_id, reader_id or self.reader, Readers(self.group), ports, self.world.rules)
        return (await asked).decode()


@pytest.fixture
def room() -> Room:
    return Room()


async def test_page_shows_groups_connections_approvals_and_what_was_opened_last(room: Room) -> None:
    bot = room.world.entra.service_principal("bot")
    ref = room.world.gateway.service_account(bot, guid("finance"))
    met(room.world, bot)
    log = FakeSessionLog()
    log.opened(ref.key, "orders", timedelta(days=3))
    room.log = log

    page = await room.show(bot.upper())

    assert "2 connections within reach, 1 of them opened in 90 days. It opens 1 of them without asking anybody." in page
    assert page.index("orders</bdi>") < page.index("billing</bdi>")
    assert "Service principal" in page
    assert "by <bdi>somebody</bdi>" in page


@pytest.mark.parametrize("object_id", ["machine-identity/ci", "MACHINE-IDENTITY/ci"])
async def test_gateway_identity_that_is_nobodys_in_entra_has_a_page(room: Room, object_id: str) -> None:
    room.world.gateway.machine("ci", "lonely")

    page = await room.show(object_id)

    assert "<h1><bdi>ci</bdi></h1>" in page
    assert "1 connection within reach" in page


async def test_group_that_the_gateway_knows_by_object_id_is_called_what_entra_calls_it(room: Room) -> None:
    finance = room.world.entra.group("finance")
    ref = room.world.gateway.person("ada@tether.example", finance)

    page = await room.show(str(ref))

    assert "<bdi>finance</bdi>" in page
    assert f"<bdi>{finance}</bdi>" not in page


async def test_person_is_called_one_and_a_connection_unused_only_after_a_month_of_watching(room: Room) -> None:
    ada = room.world.entra.user("ada")
    room.world.gateway.person("ada@tether.example", guid("finance"))
    met(room.world, ada)
    log = FakeSessionLog()
    log.opened("somebody", "billing", timedelta(days=10))
    room.log = log

    young = await room.show(ada)
    log.opened("somebody", "billing", timedelta(days=40))
    old = await room.show(ada)

    assert "Person · " in young
    assert (young.count('<tr class="bad">'), old.count('<tr class="bad">')) == (0, 2)


async def test_names_that_attack_the_page_are_shown_as_they_are(room: Room) -> None:
    ref = room.world.gateway.machine(HOSTILE, HOSTILE)
    room.world.gateway.policy = AccessPolicy(enforced=True, connections=frozenset({HOSTILE}))

    page = await room.show(str(ref))

    assert "<img" not in page
    assert "&lt;img src=x" in page


async def test_whoever_reaches_nothing_has_a_page_that_says_so(room: Room) -> None:
    ref = room.world.gateway.person("ada@tether.example")

    assert "It reaches nothing at the gateway now." in await room.show(str(ref))


async def test_what_nobody_could_read_is_called_unknown_and_not_unused(room: Room) -> None:
    ref = room.world.gateway.machine("ci", "lonely")
    room.log = FakeSessionLog(fails_after=0)

    page = await room.show(str(ref))

    assert "What was opened is not known." in page
    assert "gateway-500" in page
    assert "<span>not known</span>" in page


@pytest.mark.parametrize("object_id", ["", "somebody", "machine-identity/", guid("stranger"), "../reports"])
async def test_identity_that_is_not_there_is_unknown(room: Room, object_id: str) -> None:
    with pytest.raises(RejectedError, match="unknown-identity"):
        await room.show(object_id)


async def test_nobody_outside_the_group_learns_who_is_there(room: Room) -> None:
    stranger = room.world.entra.user("stranger")

    for object_id in ("user/somebody@contoso.example", "nobody"):
        with pytest.raises(RejectedError, match="forbidden"):
            await room.show(object_id, stranger)


async def test_reader_is_told_to_come_again_while_the_gateway_is_down(room: Room) -> None:
    room.world.fault = unreachable("gateway")

    with pytest.raises(RetryLaterError):
        await room.show("user/somebody@contoso.example")


async def test_gateway_that_lists_nobody_is_its_own_fault_and_not_the_readers(room: Room) -> None:
    room.world.gateway.identities.clear()

    with pytest.raises(RetryLaterError, match="empty-roster"):
        await room.show("user/ada")

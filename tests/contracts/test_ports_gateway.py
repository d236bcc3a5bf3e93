"""The gateway's port: what the handlers rely on, kept in memory and by the REST adapter on the stand-in alike."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import httpx
import pytest

from sandbox.tenant import GATEWAY_CLIENT_ID, TETHER_OBJECT_ID
from sandbox.tokens import issue_token
from shared.adapters.hoop_gateway import HoopGateway
from shared.adapters.json_api import JsonApi
from shared.adapters.system_clock import SystemClock
from shared.adapters.tokens import api_key
from shared.domain.gateway import GatewayIdentity, IdentityKind, IdentityRef
from shared.domain.reach import AccessPolicy
from shared.errors import RetryLaterError
from shared.ports import Gateway
from tests.fakes.gateway import FakeGateway
from tests.sandbox.gateway_under_test import LEGACY_KEY, running_gateway
from tests.sandbox.gateway_under_test import Gateway as Server

DEV = IdentityRef(IdentityKind.USER, "dev")
BOT_ID = "6d1c0000-0000-4000-8000-000000000001"
BOT = IdentityRef(IdentityKind.SERVICE_ACCOUNT, BOT_ID)


class Stage(Protocol):
    """One implementation with the cast in place: a developer and a bot, each with groups dev and ops."""

    @property
    def port(self) -> Gateway: ...
    @property
    def key(self) -> IdentityRef: ...
    @property
    def machine(self) -> IdentityRef: ...

    async def connect(self, subject: str, connection: str) -> str: ...
    async def flowing(self) -> Sequence[str]: ...


@dataclass
class InMemory:
    """The fake."""

    port: FakeGateway
    key: IdentityRef
    machine: IdentityRef

    async def connect(self, subject: str, connection: str) -> str:
        ref = next(ref for ref in self.port.identities if ref.key == subject)
        return self.port.connect(ref, connection)

    async def flowing(self) -> Sequence[str]:
        return [session_id for session_id, stream in self.port.streams.items() if stream.flows]


@dataclass
class OverRest:
    """The adapter on a stand-in process."""

    port: HoopGateway
    key: IdentityRef
    machine: IdentityRef
    server: Server

    async def connect(self, subject: str, connection: str) -> str:
        return await self.server.live(subject, connection)

    async def flowing(self) -> Sequence[str]:
        return await self.server.streams()


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Server]:
    async with running_gateway() as server:
        yield server


async def own_headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {issue_token(audience=GATEWAY_CLIENT_ID, object_id=TETHER_OBJECT_ID)}"}


@pytest.fixture
async def real(process: Server) -> OverRest:
    await process.switched(
        latencyMs=0, status=None, emptyBody=0, html=0, down=False, hang=False, killDoesNothing=0, putIgnored=0
    )
    await process.control("POST", "/reset")
    connections = {name: await process.connection(name) for name in ("pg1", "pg2")}
    rows = [
        {"id": connections["pg1"]["id"], "config": ["dev"]},
        {"id": connections["pg2"]["id"], "config": ["ops"]},
    ]
    await process.made("/plugins", {"name": "access_control", "connections": rows})
    await process.logged_in("dev", "dev", "ops", email="Dev@tether.example")
    await process.made(
        "/serviceaccounts", {"subject": BOT_ID, "name": "bot", "status": "active", "groups": ["dev", "ops"]}
    )
    key = await process.key("agent", "dev", "ops", table="ai-agents")
    await process.made("/machineidentities", {"name": "robot", "connection_names": ["pg1", "pg2"]})
    port = HoopGateway(JsonApi("gateway", process.client, own_headers), SystemClock(), 0)
    return OverRest(
        port,
        IdentityRef(IdentityKind.AI_AGENT, key["id"]),
        IdentityRef(IdentityKind.MACHINE_IDENTITY, "robot"),
        process,
    )


@pytest.fixture(params=["in memory", "over REST"])
def stage(request: pytest.FixtureRequest) -> Stage:
    if request.param == "over REST":
        found: Stage = request.getfixturevalue("real")
        return found
    fake = FakeGateway(
        AccessPolicy(
            enforced=True,
            connections=frozenset({"pg1", "pg2"}),
            groups_of_connection={"pg1": frozenset({"dev"}), "pg2": frozenset({"ops"})},
        )
    )
    fake.identities[DEV] = GatewayIdentity(
        DEV, "dev", "dev", "active", frozenset({"dev", "ops"}), email="Dev@tether.example"
    )
    fake.service_account(BOT_ID, "dev", "ops")
    key = fake.key(IdentityKind.AI_AGENT, "agent", "dev", "ops")
    return InMemory(fake, key, fake.machine("robot", "pg1", "pg2"))


async def read(stage: Stage, ref: IdentityRef) -> GatewayIdentity:
    found = await stage.port.read_identity(ref)
    assert found is not None
    return found


async def test_roster_holds_everybody_and_finds_them_by_reference_and_address(stage: Stage) -> None:
    roster = await stage.port.roster()

    for ref in (DEV, BOT, stage.key, stage.machine):
        assert [one.ref for one in roster.by_ref[ref]] == [ref]
    assert [one.ref for one in roster.users_by_email["dev@tether.example"]] == [DEV]


async def test_policy_says_who_reaches_what(stage: Stage) -> None:
    policy = await stage.port.access_policy()

    assert policy.enforced
    assert policy.reachable(["dev"]) == {"pg1"}
    assert policy.reachable(["dev", "ops"]) == {"pg1", "pg2"}
    assert policy.reachable([policy.admin_group]) == {"pg1", "pg2"}


@pytest.mark.parametrize("kind", [IdentityKind.USER, IdentityKind.SERVICE_ACCOUNT, IdentityKind.MACHINE_IDENTITY])
async def test_identity_that_the_gateway_does_not_have_is_none(stage: Stage, kind: IdentityKind) -> None:
    assert await stage.port.read_identity(IdentityRef(kind, "nobody")) is None


@pytest.mark.parametrize("ref", [DEV, BOT], ids=["user", "service account"])
async def test_written_account_has_what_was_written_and_writing_again_changes_nothing(
    stage: Stage, ref: IdentityRef
) -> None:
    before = await read(stage, ref)
    closed = replace(before, status="inactive", groups=frozenset())

    await stage.port.write_identity(before, closed)
    await stage.port.write_identity(before, closed)

    assert await read(stage, ref) == closed

    await stage.port.write_identity(closed, before)

    assert await read(stage, ref) == before


@pytest.mark.parametrize("ref", [DEV, BOT], ids=["user", "service account"])
async def test_write_applies_the_difference_to_what_is_there_now(stage: Stage, ref: IdentityRef) -> None:
    before = await read(stage, ref)
    await stage.port.write_identity(before, replace(before, groups=before.groups | {"given-meanwhile"}))

    await stage.port.write_identity(before, replace(before, groups=before.groups - {"dev"}))

    assert (await read(stage, ref)).groups == {"ops", "given-meanwhile"}


async def test_key_is_revoked_loses_groups_and_is_reactivated(stage: Stage) -> None:
    before = await read(stage, stage.key)

    await stage.port.write_identity(before, replace(before, status="revoked"))
    await stage.port.write_identity(before, replace(before, status="revoked"))

    revoked = await read(stage, stage.key)
    assert not revoked.is_open

    await stage.port.write_identity(revoked, replace(revoked, status="active", groups=frozenset({"ops"})))

    assert await read(stage, stage.key) == replace(before, groups=frozenset({"ops"}))


async def test_machine_identity_loses_connections_and_gets_them_back(stage: Stage) -> None:
    before = await read(stage, stage.machine)

    await stage.port.write_identity(before, replace(before, connections=frozenset(), status="inactive"))

    emptied = await read(stage, stage.machine)
    assert not emptied.is_open

    await stage.port.write_identity(emptied, replace(emptied, connections=before.connections))

    assert await read(stage, stage.machine) == before


async def test_writing_to_somebody_who_is_gone_is_no_error(stage: Stage) -> None:
    gone = replace(await read(stage, DEV), ref=IdentityRef(IdentityKind.USER, "nobody"))

    await stage.port.write_identity(gone, replace(gone, status="inactive"))

    assert await stage.port.read_identity(gone.ref) is None


async def test_holdings_are_the_live_sessions_of_this_identity_only(stage: Stage) -> None:
    first = await stage.connect("dev", "pg1")
    second = await stage.connect("dev", "pg2")
    await stage.connect(BOT_ID, "pg1")

    holdings = await stage.port.holdings(await read(stage, DEV))

    assert {(one.session_id, one.connection) for one in holdings.sessions} == {(first, "pg1"), (second, "pg2")}


async def test_killed_session_is_gone_and_the_others_are_not(stage: Stage) -> None:
    await stage.connect("dev", "pg1")
    kept = await stage.connect(BOT_ID, "pg1")
    (session,) = (await stage.port.holdings(await read(stage, DEV))).sessions

    await stage.port.kill_session(session)

    assert not (await stage.port.holdings(await read(stage, DEV))).sessions
    assert await stage.flowing() == [kept]


class TestRest:
    """What only the real adapter can get wrong."""

    async def test_groups_beyond_the_page_and_the_rest_of_the_object_survive_a_write(self, real: OverRest) -> None:
        before = await read(real, DEV)
        shown = await real.server.shown("/users/dev")

        await real.port.write_identity(before, replace(before, groups=frozenset({"ops"})))

        now = await real.server.shown("/users/dev")
        assert {**shown, "groups": ["ops"]} == {**now, "groups": now["groups"]}

    async def test_user_filter_is_not_taken_for_a_pattern(self, real: OverRest) -> None:
        await real.server.logged_in("d_v", "dev")
        await real.connect("dev", "pg1")
        await real.connect("d_v", "pg1")

        holdings = await real.port.holdings(await read(real, IdentityRef(IdentityKind.USER, "d_v")))

        assert len(holdings.sessions) == 1

    async def test_holdings_go_past_the_first_page(self, real: OverRest) -> None:
        sessions = {await real.connect("dev", "pg1") for _ in range(105)}

        holdings = await real.port.holdings(await read(real, DEV))

        assert {one.session_id for one in holdings.sessions} == sessions

    async def test_reviews_are_closed_by_their_kind_and_state(self, real: OverRest) -> None:
        await real.server.rule("sre")
        await real.server.logged_in("sre-1", "sre")
        pending = await real.server.asked("dev")
        approved = await real.server.asked("dev")
        await real.server.decided("sre-1", approved["id"], "APPROVED")
        reviews = {one.review_id: one for one in (await real.port.holdings(await read(real, DEV))).reviews}
        assert {one.pending for one in reviews.values()} == {True, False}

        for review in reviews.values():
            await real.port.close_review(review, "Tether: gone")
            await real.port.close_review(review, "Tether: gone")

        assert (await real.server.shown(f"/reviews/{pending['id']}"))["status"] == "REJECTED"
        assert (await real.server.shown(f"/reviews/{approved['id']}"))["status"] == "REVOKED"
        assert not (await real.port.holdings(await read(real, DEV))).reviews

    async def test_approved_one_time_review_is_cancelled_by_rejecting_it(self, real: OverRest) -> None:
        await real.server.connection("pg3", reviewers=["sre"])
        review = await real.server.provisioned("dev@tether.example", connection="pg3")
        found = (await real.port.holdings(await read(real, DEV))).reviews
        assert [one.review_id for one in found] == [review["id"]]

        await real.port.close_review(found[0], "Tether: gone")

        assert (await real.server.shown(f"/reviews/{review['id']}"))["status"] == "REJECTED"

    async def test_review_of_a_deleted_connection_stays_open_and_is_for_later(self, real: OverRest) -> None:
        await real.server.rule("sre")
        await real.server.asked("dev")
        (review,) = (await real.port.holdings(await read(real, DEV))).reviews
        await real.server.admin("DELETE", "/connections/pg1")

        with pytest.raises(RetryLaterError, match="review-still-open"):
            await real.port.close_review(review, "Tether: gone")

    async def test_kill_of_a_session_that_is_unknown_is_no_error(self, real: OverRest) -> None:
        await real.connect("dev", "pg1")
        (session,) = (await real.port.holdings(await read(real, DEV))).sessions

        await real.port.kill_session(replace(session, session_id=BOT_ID))

        assert len(await real.flowing()) == 1

    async def test_access_control_that_is_not_installed_lets_everybody_everywhere(self, real: OverRest) -> None:
        await real.server.admin("DELETE", "/plugins/access_control")
        await real.server.control("POST", "/reset")
        await real.server.connection("pg1")

        policy = await real.port.access_policy()

        assert not policy.enforced
        assert policy.reachable([]) == {"pg1"}

    async def test_fresh_roster_is_read_once_for_many_and_again_when_it_is_old(self, real: OverRest) -> None:
        patient = HoopGateway(JsonApi("gateway", real.server.client, own_headers), SystemClock(), 60)

        first, second = await patient.roster(), await patient.roster()
        impatient = await real.port.roster(), await real.port.roster()

        assert first is second
        assert impatient[0] is not impatient[1]

    @pytest.mark.parametrize(
        ("switches", "reason"),
        [
            ({"status": {"code": 401}}, "gateway-401"),
            ({"status": {"code": 403}}, "gateway-403"),
            ({"status": {"code": 500}}, "gateway-500"),
            ({"status": {"code": 503}}, "gateway-503"),
            ({"emptyBody": True}, "gateway-500"),
            ({"html": True}, "gateway-not-json"),
            ({"down": True}, "gateway-unreachable"),
            ({"latencyMs": 3000}, "gateway-unreachable"),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("call", ["roster", "access_policy", "read_identity", "holdings", "write_identity"])
    async def test_wrong_answer_is_a_reason_to_try_later(
        self, real: OverRest, switches: dict[str, Any], reason: str, call: str
    ) -> None:
        dev = await read(real, DEV)
        await real.server.switched(**switches)
        async with httpx.AsyncClient(base_url=real.server.client.base_url, timeout=0.3) as client:
            port = HoopGateway(JsonApi("gateway", client, own_headers), SystemClock(), 0)
            work: Callable[[], Awaitable[object]] = {
                "roster": port.roster,
                "access_policy": port.access_policy,
                "read_identity": lambda: port.read_identity(DEV),
                "holdings": lambda: port.holdings(dev),
                "write_identity": lambda: port.write_identity(dev, replace(dev, status="inactive")),
            }[call]

            with pytest.raises(RetryLaterError, match=reason):
                await work()

    async def test_api_keys_of_both_kinds_are_accepted(self, real: OverRest) -> None:
        made = await real.server.key("tether", "admin")
        async with running_gateway("--api-key", LEGACY_KEY) as with_legacy_key:
            for value, server in ((made["key"], real.server), (LEGACY_KEY, with_legacy_key)):
                port = HoopGateway(JsonApi("gateway", server.client, api_key(value)), SystemClock(), 0)

                assert (await port.roster()).own_subject

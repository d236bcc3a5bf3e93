"""Teams' port: what the handlers rely on, kept in memory and by the connector's adapter on the stand-in alike."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

from sandbox import cast
from sandbox.teams.connector import AUDIENCE
from sandbox.teams.world import APPROVALS_CHANNEL, SECURITY_CHANNEL
from sandbox.tenant import BOT_APP_ID, TENANT_ID, TETHER_OBJECT_ID
from sandbox.tokens import issue_token
from shared.adapters.teams_connector import TeamsConnector
from shared.adapters.thread_limits import ThreadLimits
from shared.domain.activities import Bot
from shared.domain.card_copy import Conversation, Face, Posted
from shared.domain.card_token import thread_of
from shared.errors import RejectedError, RetryLaterError, UnknownOutcomeError
from shared.ports import Teams
from tests.fakes.teams import SERVICE_URL, FakeTeams
from tests.sandbox.host_process import free_port
from tests.sandbox.teams_under_test import Teams as Server
from tests.sandbox.teams_under_test import card, running_teams, with_card

BOT = Bot(BOT_APP_ID, TENANT_ID, frozenset({"127.0.0.1"}))


def face(text: str) -> Face:
    return Face(json.dumps(with_card(card(text, "approve"))))


class Stage(Protocol):
    """One implementation: what is in a place, and what goes wrong there."""

    @property
    def port(self) -> Teams: ...
    @property
    def service_url(self) -> str: ...

    async def shown(self, place: str) -> Sequence[str]: ...
    async def remove_app(self, place: str) -> None: ...
    async def lose_next_answer(self) -> None: ...
    async def refuse_next(self, method: str) -> None: ...


@dataclass
class InMemory:
    """The fake."""

    port: FakeTeams
    service_url: str = SERVICE_URL

    async def shown(self, place: str) -> Sequence[str]:
        return [_line(json.loads(message.shows)) for message in self.port.in_place(place)]

    async def remove_app(self, place: str) -> None:
        self.port.gone.add(place)

    async def lose_next_answer(self) -> None:
        self.port.unheard = 1

    async def refuse_next(self, method: str) -> None:
        self.port.faults.plan(method, RetryLaterError("teams-429", retry_after=7.0))


@dataclass
class OverHttp:
    """The adapter on a stand-in process."""

    port: TeamsConnector
    server: Server

    @property
    def service_url(self) -> str:
        return f"{self.server.url}/teams/"

    async def shown(self, place: str) -> Sequence[str]:
        return [_line(message) for message in await self.server.seen(place, cast.ADA)]

    async def remove_app(self, place: str) -> None:
        key = "channel" if place.startswith("19:") else "person"
        await self.server.done("POST", "/install", {key: place, "installed": False})

    async def lose_next_answer(self) -> None:
        await self.server.switched(answerLost=1)

    async def refuse_next(self, method: str) -> None:  # noqa: ARG002 - whichever comes next
        await self.server.switched(status={"code": 429, "retryAfter": 7, "count": 1})


def _line(message: Mapping[str, Any]) -> str:
    content = message["attachments"][0]["content"] if "attachments" in message else message["card"]
    return str(content["body"][0]["text"])


async def headers() -> Mapping[str, str]:
    return {"Authorization": f"Bearer {issue_token(audience=AUDIENCE, object_id=TETHER_OBJECT_ID)}"}


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Server]:
    async with running_teams("http://127.0.0.1:9/api/teams/messages") as server:
        yield server


@pytest.fixture
async def real(process: Server) -> AsyncIterator[OverHttp]:
    await process.begin()
    async with httpx.AsyncClient(timeout=10, transport=AiohttpTransport()) as client:
        yield OverHttp(TeamsConnector(client, headers, BOT), process)


@pytest.fixture(params=["in memory", "over HTTP"])
def stage(request: pytest.FixtureRequest) -> Stage:
    if request.param == "over HTTP":
        found: Stage = request.getfixturevalue("real")
        return found
    return InMemory(FakeTeams())


def channel(stage: Stage, channel_id: str = APPROVALS_CHANNEL) -> Conversation:
    return Conversation(channel_id, stage.service_url)


async def test_thread_is_started_answered_and_updated(stage: Stage) -> None:
    root = await stage.port.start_thread(channel(stage), face("asked"))
    reply = await stage.port.post(Conversation(root.conversation_id, stage.service_url), face("reminded"))
    await stage.port.update(root, stage.service_url, face("decided"))
    await stage.port.update(root, stage.service_url, face("decided"))

    assert thread_of(root.conversation_id) == APPROVALS_CHANNEL
    assert root.conversation_id.endswith(f";messageid={root.activity_id}")
    assert reply.conversation_id == root.conversation_id
    assert reply.activity_id != root.activity_id
    assert await stage.shown(APPROVALS_CHANNEL) == ["decided", "reminded"]


async def test_thread_is_started_in_the_channel_of_another_thread(stage: Stage) -> None:
    root = await stage.port.start_thread(channel(stage), face("one"))

    other = await stage.port.start_thread(Conversation(root.conversation_id, stage.service_url), face("two"))

    assert thread_of(other.conversation_id) == APPROVALS_CHANNEL
    assert other.conversation_id != root.conversation_id


async def test_chat_with_a_person_is_the_same_every_time(stage: Stage) -> None:
    chat = await stage.port.open_chat(cast.ADA.id, stage.service_url)
    again = await stage.port.open_chat(cast.ADA.id, stage.service_url)
    posted = await stage.port.post(chat, face("asked"))
    await stage.port.update(posted, stage.service_url, face("decided"))

    assert chat == again
    assert posted.conversation_id == chat.conversation_id
    assert await stage.shown(chat.conversation_id) == ["decided"]


async def test_person_without_the_app_cannot_be_spoken_to(stage: Stage) -> None:
    await stage.remove_app(cast.ADA.id)

    with pytest.raises(RejectedError) as refused:
        await stage.port.open_chat(cast.ADA.id, stage.service_url)

    assert refused.value.reason == "conversation-gone"


async def test_channel_without_the_app_is_gone(stage: Stage) -> None:
    root = await stage.port.start_thread(channel(stage), face("asked"))
    await stage.remove_app(APPROVALS_CHANNEL)

    for work in (
        stage.port.start_thread(channel(stage), face("again")),
        stage.port.post(Conversation(root.conversation_id, stage.service_url), face("again")),
        stage.port.update(root, stage.service_url, face("again")),
    ):
        with pytest.raises(RejectedError) as refused:
            await work
        assert refused.value.reason == "conversation-gone"


async def test_message_that_is_too_large_is_refused(stage: Stage) -> None:
    root = await stage.port.start_thread(channel(stage), face("asked"))
    large = face("x" * 60_000)

    for work in (
        stage.port.start_thread(channel(stage), large),
        stage.port.update(root, stage.service_url, large),
    ):
        with pytest.raises(RejectedError) as refused:
            await work
        assert refused.value.reason == "message-refused"


async def test_update_of_a_message_that_is_not_there_is_refused(stage: Stage) -> None:
    root = await stage.port.start_thread(channel(stage), face("asked"))

    with pytest.raises(RejectedError):
        await stage.port.update(Posted(root.conversation_id, "1"), stage.service_url, face("decided"))


async def test_message_whose_answer_was_lost_is_there_once_and_its_outcome_unknown(stage: Stage) -> None:
    await stage.lose_next_answer()

    with pytest.raises(UnknownOutcomeError):
        await stage.port.start_thread(channel(stage), face("asked"))

    assert await stage.shown(APPROVALS_CHANNEL) == ["asked"]


@pytest.mark.parametrize("method", ["start_thread", "post", "update", "open_chat"])
async def test_refusal_for_now_says_how_long_to_wait_and_nothing_is_there(stage: Stage, method: str) -> None:
    root = await stage.port.start_thread(channel(stage, SECURITY_CHANNEL), face("asked"))
    await stage.refuse_next(method)
    calls: Mapping[str, Callable[[], Any]] = {
        "start_thread": lambda: stage.port.start_thread(channel(stage), face("more")),
        "post": lambda: stage.port.post(Conversation(root.conversation_id, stage.service_url), face("more")),
        "update": lambda: stage.port.update(root, stage.service_url, face("more")),
        "open_chat": lambda: stage.port.open_chat(cast.ADA.id, stage.service_url),
    }

    with pytest.raises(RetryLaterError) as refused:
        await calls[method]()

    assert not isinstance(refused.value, UnknownOutcomeError)
    assert refused.value.retry_after == 7
    assert await stage.shown(SECURITY_CHANNEL) == ["asked"]
    assert await stage.shown(APPROVALS_CHANNEL) == []


class TestConnector:
    """What only the real adapter can get wrong."""

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/teams/",
            "http://127.0.0.1.evil.example/teams/",
            "http://127.0.0.1@evil.example/",
            "http://127.0.0.1/teams/../x",
            "",
        ],
    )
    async def test_token_goes_to_no_other_host(self, real: OverHttp, url: str) -> None:
        elsewhere = Conversation(APPROVALS_CHANNEL, url)

        for work in (
            real.port.start_thread(elsewhere, face("asked")),
            real.port.post(elsewhere, face("asked")),
            real.port.update(Posted("19:a", "1"), url, face("asked")),
            real.port.open_chat(cast.ADA.id, url),
        ):
            with pytest.raises(RejectedError) as refused:
                await work
            assert refused.value.reason == "service-url-not-allowed"

    async def test_burst_is_spread_out_so_that_teams_refuses_none(self, real: OverHttp) -> None:
        posts = [real.port.start_thread(channel(real), face(f"card {number}")) for number in range(9)]

        await asyncio.gather(*posts)

        requests = (await real.server.done("GET", "/counters"))["requests"]
        assert requests == {"create 201": 9}

    async def test_longer_wait_is_for_later_and_nothing_is_sent(self, real: OverHttp) -> None:
        async with httpx.AsyncClient() as client:
            port = TeamsConnector(client, headers, BOT, ThreadLimits(((1, 30),)))
            await port.start_thread(channel(real), face("first"))

            with pytest.raises(RetryLaterError, match="teams-busy") as refused:
                await port.start_thread(channel(real), face("second"))

        assert refused.value.retry_after > 25
        assert await real.shown(APPROVALS_CHANNEL) == ["first"]

    async def test_place_that_refused_is_not_asked_again_before_its_time(self, real: OverHttp) -> None:
        await real.refuse_next("start_thread")

        for reason in ("teams-429", "teams-busy"):
            with pytest.raises(RetryLaterError, match=reason):
                await real.port.start_thread(channel(real), face("asked"))
        await real.port.start_thread(channel(real, SECURITY_CHANNEL), face("asked"))

        assert (await real.server.done("GET", "/counters"))["requests"] == {"create 429": 1, "create 201": 1}

    @pytest.mark.parametrize("code", [408, 412, 500, 502, 503, 504])
    async def test_outcome_of_a_message_is_unknown_where_an_update_is_repeated(self, real: OverHttp, code: int) -> None:
        root = await real.port.start_thread(channel(real), face("asked"))
        await real.server.switched(status={"code": code})

        for work in (
            real.port.start_thread(channel(real), face("more")),
            real.port.post(Conversation(root.conversation_id, real.service_url), face("more")),
        ):
            with pytest.raises(UnknownOutcomeError, match=f"teams-{code}"):
                await work
        for again in (
            real.port.update(root, real.service_url, face("more")),
            real.port.open_chat(cast.ADA.id, real.service_url),
        ):
            with pytest.raises(RetryLaterError, match=f"teams-{code}") as refused:
                await again
            assert not isinstance(refused.value, UnknownOutcomeError)

    async def test_refused_token_is_a_reason_to_try_later(self, real: OverHttp) -> None:
        async def no_token() -> Mapping[str, str]:
            return {}

        async with httpx.AsyncClient() as client:
            with pytest.raises(RetryLaterError, match="teams-401") as refused:
                await TeamsConnector(client, no_token, BOT).start_thread(channel(real), face("asked"))

        assert not isinstance(refused.value, UnknownOutcomeError)

    @pytest.mark.parametrize(
        ("code", "error", "reason"),
        [
            (403, "MessageWritesBlocked", "conversation-gone"),
            (403, "Forbidden", "message-refused"),
            (400, "BadArgument", "message-refused"),
        ],
    )
    async def test_refusal_for_good_says_whether_the_place_is_gone(
        self, real: OverHttp, code: int, error: str, reason: str
    ) -> None:
        await real.server.switched(status={"code": code, "error": error})

        with pytest.raises(RejectedError) as refused:
            await real.port.start_thread(channel(real), face("asked"))

        assert refused.value.reason == reason

    async def test_update_that_is_forbidden_now_may_be_allowed_later(self, real: OverHttp) -> None:
        posted = await real.port.start_thread(channel(real), face("asked"))
        await real.server.switched(status={"code": 403, "error": "Forbidden"})

        with pytest.raises(RetryLaterError, match="teams-403"):
            await real.port.update(posted, real.service_url, face("more"))

    async def test_message_without_an_answer_in_time_is_not_sent_again(self, real: OverHttp) -> None:
        await real.server.switched(latencyMs=1500)
        async with httpx.AsyncClient(timeout=0.3, transport=AiohttpTransport()) as client:
            with pytest.raises(UnknownOutcomeError, match="teams-unreachable"):
                await TeamsConnector(client, headers, BOT).start_thread(channel(real), face("asked"))
        await real.server.switched(latencyMs=0)

    async def test_connector_that_is_not_there_got_nothing(self) -> None:
        nowhere = Conversation(APPROVALS_CHANNEL, f"http://127.0.0.1:{free_port()}/teams/")
        async with httpx.AsyncClient(transport=AiohttpTransport()) as client:
            port = TeamsConnector(client, headers, BOT)

            with pytest.raises(RetryLaterError, match="teams-unreachable") as refused:
                await port.start_thread(nowhere, face("asked"))

        assert not isinstance(refused.value, UnknownOutcomeError)

    @pytest.mark.parametrize("answer", [{}, {"id": 7}, [], None], ids=str)
    async def test_answer_without_an_id_leaves_the_outcome_unknown(self, answer: object) -> None:
        def answering(_: httpx.Request) -> httpx.Response:
            return httpx.Response(201, json=answer)

        async with httpx.AsyncClient(transport=httpx.MockTransport(answering)) as client:
            port = TeamsConnector(client, headers, BOT)
            nearby = Conversation(APPROVALS_CHANNEL, "http://127.0.0.1/teams")

            for work in (port.start_thread(nearby, face("asked")), port.post(nearby, face("asked"))):
                with pytest.raises(UnknownOutcomeError, match="teams-answered-nonsense"):
                    await work
            with pytest.raises(RetryLaterError, match="teams-answered-nonsense"):
                await port.open_chat(cast.ADA.id, "http://127.0.0.1/teams")

    async def test_ids_are_escaped_in_the_path(self) -> None:
        paths: list[str] = []

        def answering(request: httpx.Request) -> httpx.Response:
            paths.append(request.url.raw_path.decode())
            return httpx.Response(200, json={"id": "1"})

        async with httpx.AsyncClient(transport=httpx.MockTransport(answering)) as client:
            port = TeamsConnector(client, headers, BOT)
            await port.update(Posted("19:a@t/..;messageid=1?x#y", "1/2"), "http://127.0.0.1/teams/", face("asked"))

        assert paths == ["/teams/v3/conversations/19%3Aa%40t%2F..%3Bmessageid%3D1%3Fx%23y/activities/1%2F2"]

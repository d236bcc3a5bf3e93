"""How the Teams stand-in delivers: repeated invokes, silence after failures, sign-in, system events, forgeries."""

import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import jwt
import pytest
import trustme
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox import cast
from sandbox.teams.ids import BOT_ID, chat_id
from sandbox.teams.world import APPROVALS_CHANNEL, TEAM_ID
from sandbox.tenant import BOT_APP_ID, HOST
from tests.sandbox.teams_under_test import (
    Bot,
    Json,
    Teams,
    card,
    refreshing,
    replaced_by,
    running_bot,
    running_teams,
    told,
    with_card,
)


@pytest.fixture(scope="module")
def listening() -> Iterator[Bot]:
    with running_bot() as bot:
        yield bot


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A login server over TLS that the stand-in started after it trusts and finds by its environment."""
    folder: Path = tmp_path_factory.mktemp("login")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert(HOST)
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "login.pem")

    async def token(request: Request) -> Response:
        return JSONResponse({"token": f"a token of {(await request.json())['object_id']}"})

    app = Starlette(routes=[Route("/sandbox/sso-token", token, methods=["POST"])])
    pem = folder / "login.pem"
    config = uvicorn.Config(app, HOST, 0, ssl_certfile=pem, ssl_keyfile=pem, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.005)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
        environment.setenv("SANDBOX_LOGIN_PORT", str(server.servers[0].sockets[0].getsockname()[1]))
        yield
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
async def process(listening: Bot, login: None) -> AsyncIterator[Teams]:
    async with running_teams(listening.url) as teams:
        yield teams


@pytest.fixture
async def teams(process: Teams) -> Teams:
    await process.begin()
    return process


@pytest.fixture
def bot(listening: Bot, teams: Teams) -> Bot:
    listening.begin()
    return listening


@pytest.fixture
async def asked(teams: Teams) -> tuple[str, str]:
    return await teams.thread(with_card(card("please", "approve", "deny")))


def broken(_: Json) -> Response:
    return Response(status_code=500)


def login_request(**more: object) -> Response:
    card_of_login = {"text": "Sign in", "connectionName": "step-up", "buttons": [], **more}
    kind = "application/vnd.microsoft.activity.loginRequest"
    return JSONResponse({"statusCode": 401, "type": kind, "value": card_of_login})


def offers_exchange(_: Json) -> Response:
    return login_request(tokenExchangeResource={"id": "e-1", "uri": f"api://botid-{BOT_APP_ID}"})


def lacks_consent(_: Json) -> Response:
    value = {"code": "412", "message": "consent is missing"}
    return JSONResponse(
        {"statusCode": 412, "type": "application/vnd.microsoft.error.preconditionFailed", "value": value}
    )


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=500),
        Response(status_code=200),
        JSONResponse(None),
        PlainTextResponse("ok"),
        JSONResponse({"statusCode": 200}),
        JSONResponse({"statusCode": 200, "type": "application/vnd.microsoft.card.adaptive", "value": "text"}),
        JSONResponse({"statusCode": 200, "type": "adaptive.card", "value": {}}),
        JSONResponse({"statusCode": 500, "type": "application/vnd.microsoft.card.adaptive", "value": {}}),
    ],
    ids=["500", "empty", "null", "text", "no type", "card is text", "unknown type", "card with another status"],
)
async def test_invoke_without_a_proper_answer_comes_again_and_then_under_a_new_id(
    teams: Teams, bot: Bot, asked: tuple[str, str], answer: Response
) -> None:
    bot.answers += [lambda _: answer, lambda _: answer, lambda _: told("third time lucky")]

    clicked = await teams.click(asked, cast.ADA, "approve")

    first, second, third = (invoke["id"] for invoke in bot.received)
    assert first == second != third
    assert clicked["shown"] == {"message": "third time lucky"}


async def test_invoke_unanswered_in_time_comes_again_while_the_first_is_still_being_worked_on(
    teams: Teams, bot: Bot, asked: tuple[str, str]
) -> None:
    released = threading.Event()

    def too_late(_: Json) -> Response:
        released.wait(10)
        return told("too late")

    def at_once(_: Json) -> Response:
        released.set()
        return told("second")

    await teams.switched(retryMs=200)
    bot.answers += [too_late, at_once]

    clicked = await teams.click(asked, cast.ADA, "approve")

    assert len({invoke["id"] for invoke in bot.received}) == 1
    assert clicked["shown"] == {"message": "second"}


async def test_bot_that_never_answers_leaves_an_error_with_the_clicker(
    teams: Teams, bot: Bot, asked: tuple[str, str]
) -> None:
    bot.answers += [broken] * 3

    clicked = await teams.click(asked, cast.ADA, "approve")

    assert (len(bot.received), clicked["status"], list(clicked["shown"])) == (3, 500, ["error"])
    assert [event["attempt"] for event in await teams.events("delivered")] == [1, 2, 3]


async def test_retries_can_be_switched_off(teams: Teams, bot: Bot, asked: tuple[str, str]) -> None:
    await teams.switched(noRetry=True)
    bot.answers.append(broken)

    await teams.click(asked, cast.ADA, "approve")

    assert len(bot.received) == 1


async def test_refused_invoke_is_not_repeated(teams: Teams, bot: Bot, asked: tuple[str, str]) -> None:
    bot.answers.append(lambda _: Response(status_code=403))

    clicked = await teams.click(asked, cast.ADA, "approve")

    assert (len(bot.received), clicked["status"], list(clicked["shown"])) == (1, 403, ["error"])


async def test_login_request_brings_the_persons_token_under_a_new_id(
    teams: Teams, bot: Bot, asked: tuple[str, str]
) -> None:
    bot.answers += [offers_exchange, lambda _: replaced_by(card("approved by Ada"))]

    clicked = await teams.click(asked, cast.ADA, "approve")

    first, second = bot.received
    proof = {"id": "e-1", "connectionName": "step-up", "token": f"a token of {cast.ADA.id}"}
    assert "authentication" not in first["value"]
    assert second["value"] == first["value"] | {"authentication": proof}
    assert first["id"] != second["id"]
    assert clicked["shown"] == {"card": card("approved by Ada")}


async def test_missing_consent_is_given_and_the_click_comes_again(
    teams: Teams, bot: Bot, asked: tuple[str, str]
) -> None:
    bot.answers += [offers_exchange, lacks_consent]

    clicked = await teams.click(asked, cast.ADA, "approve")

    assert ["authentication" in invoke["value"] for invoke in bot.received] == [False, True, True]
    assert clicked["shown"] == {"message": "noted"}


async def test_consent_missing_for_ever_ends_with_an_error(teams: Teams, bot: Bot, asked: tuple[str, str]) -> None:
    bot.answers += [offers_exchange, lacks_consent, lacks_consent]

    clicked = await teams.click(asked, cast.ADA, "approve")

    assert (len(bot.received), clicked["shown"]["error"]["message"]) == (3, "consent is missing")


async def test_login_request_without_an_exchange_is_a_sign_in_button(
    teams: Teams, bot: Bot, asked: tuple[str, str]
) -> None:
    bot.answers.append(lambda _: login_request())

    clicked = await teams.click(asked, cast.ADA, "approve")

    assert (len(bot.received), list(clicked["shown"])) == (1, ["signIn"])


async def test_fifth_failure_in_a_row_silences_teams_until_it_resumes(
    teams: Teams, bot: Bot, asked: tuple[str, str]
) -> None:
    bot.answers += [broken, broken, lambda _: Response(status_code=200), *[broken] * 5]

    for _ in range(9):
        await teams.done("POST", "/event", {"activity": {"type": "somethingNew"}})
    silent = await teams.done("GET", "/snapshot")
    clicked = await teams.click(asked, cast.ADA, "approve")
    await teams.done("POST", "/deliveries/resume")
    again = await teams.click(asked, cast.ADA, "approve")

    assert silent["deliveries"] == {"stopped": True, "failures": 5}
    assert (clicked["status"], again["status"]) == (0, 200)
    assert [activity["type"] for activity in bot.received] == ["somethingNew"] * 8 + ["invoke"]


async def test_installation_for_a_person_tells_the_bot_where_to_write(teams: Teams, bot: Bot) -> None:
    for installed in (False, True):
        await teams.done("POST", "/install", {"person": cast.ADA.id, "installed": installed})

    kinds = [(one["type"], one.get("action")) for one in bot.received]
    assert kinds == [("installationUpdate", "remove"), ("installationUpdate", "add"), ("conversationUpdate", None)]
    assert {one["conversation"]["id"] for one in bot.received} == {chat_id(cast.ADA.id)}
    assert bot.received[2]["membersAdded"] == [{"id": BOT_ID}]


async def test_removal_from_the_team_tells_the_bot(teams: Teams, bot: Bot) -> None:
    await teams.done("POST", "/install", {"team": TEAM_ID, "installed": False})

    removed, left = bot.received
    assert (removed["action"], left["membersRemoved"]) == ("remove", [{"id": BOT_ID}])
    assert removed["conversation"]["conversationType"] == "channel"


async def test_upgrade_is_told_without_a_membership(teams: Teams, bot: Bot) -> None:
    await teams.done("POST", "/install", {"channel": APPROVALS_CHANNEL, "action": "upgrade"})

    assert [(one["type"], one["action"]) for one in bot.received] == [("installationUpdate", "upgrade")]


async def test_person_writes_in_their_chat_and_by_mention_in_a_channel(teams: Teams, bot: Bot) -> None:
    await teams.done("POST", "/send", {"person": cast.ADA.id, "text": "status"})
    await teams.done("POST", "/send", {"person": cast.ADA.id, "conversation": APPROVALS_CHANNEL, "text": "status"})

    private, public = bot.received
    assert (private["type"], private["text"]) == ("message", "status")
    assert private["conversation"]["id"] == chat_id(cast.ADA.id)
    assert public["text"] == "<at>Tether</at> status"
    assert public["conversation"]["id"] == f"{APPROVALS_CHANNEL};messageid={public['id']}"


async def test_bot_cannot_update_what_a_person_wrote(teams: Teams, bot: Bot) -> None:
    sent = await teams.done("POST", "/send", {"person": cast.ADA.id, "text": "status"})

    path = f"/conversations/{sent['conversation']}/activities/{sent['activity_id']}"
    answer = await teams.bot("PUT", path, {"type": "message", "text": "changed"})

    assert answer.status_code == 403


async def test_rotated_key_signs_and_the_one_before_stays_published_unless_dropped(teams: Teams, bot: Bot) -> None:
    kept = await teams.done("POST", "/keys/rotate")
    dropped = await teams.done("POST", "/keys/rotate", {"keep": False, "endorsements": []})
    await teams.done("POST", "/event", {"activity": {"type": "event"}})

    (key,) = (await teams.client.get("/v1/.well-known/keys")).json()["keys"]
    assert (len(kept["published"]), kept["published"][1]) == (2, kept["kid"])
    assert (key["kid"], key["endorsements"]) == (dropped["kid"], [])
    token = bot.headers[0]["authorization"].removeprefix("Bearer ")
    assert jwt.get_unverified_header(token)["kid"] == dropped["kid"]


async def test_forged_deliveries_carry_what_was_asked_for(teams: Teams, bot: Bot) -> None:
    activity = {"type": "message", "text": "hello"}
    claims = {"aud": "somebody else", "serviceurl": None}

    await teams.done("POST", "/deliver", {"activity": activity, "claims": claims})
    await teams.done("POST", "/deliver", {"activity": activity, "signed_with": "foreign"})
    await teams.done("POST", "/deliver", {"activity": activity, "signed_with": "none"})
    await teams.done("POST", "/deliver", {"activity": activity, "headers": {"Authorization": None, "x-more": "1"}})

    (key,) = (await teams.client.get("/v1/.well-known/keys")).json()["keys"]
    changed, foreign, unsigned = (headers["authorization"].removeprefix("Bearer ") for headers in bot.headers[:3])
    genuine = jwt.decode(changed, jwt.PyJWK(key), ["RS256"], audience="somebody else")
    assert "serviceurl" not in genuine
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(foreign, jwt.PyJWK(key), ["RS256"], audience=BOT_APP_ID)
    assert jwt.get_unverified_header(foreign)["kid"] == key["kid"]
    assert jwt.get_unverified_header(unsigned)["alg"] == "none"
    assert "authorization" not in bot.headers[3]
    assert bot.headers[3]["x-more"] == "1"


async def test_refresh_that_lands_on_silence_changes_nothing(teams: Teams, bot: Bot) -> None:
    where = await teams.thread(with_card(card("please", refresh=refreshing(None))))
    bot.answers += [broken] * 3

    viewed = await teams.view(where[0], cast.ADA)

    assert (viewed["messages"][0]["own_view"], viewed["messages"][0]["toasts"]) == (False, [])

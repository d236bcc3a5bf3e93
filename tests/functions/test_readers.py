"""People in front of a browser: they are asked to sign in, told why not, and shown what one identity reaches."""

import azure.functions as func
import pytest

from functions import reports
from shared import bootstrap
from shared.domain.reach import AccessPolicy
from shared.errors import RejectedError
from shared.wire.report import page_policy
from tests.fakes.worker import unreachable
from tests.fakes.world import World
from tests.handlers.posture.desk import Desk

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOSTILE = "<script>alert(1)</script>"


async def get(function: object, path: str, headers: dict[str, str] | None = None, **route: str) -> func.HttpResponse:
    url = f"https://tether.example{path}"
    asked = func.HttpRequest("GET", url, body=b"", headers=headers or {}, route_params=route)
    answered: func.HttpResponse = await function(asked)  # type: ignore[operator]
    return answered


async def newest(headers: dict[str, str]) -> func.HttpResponse:
    return await get(reports.show_newest_report, "/api/reports", headers)


async def reach(object_id: str, headers: dict[str, str]) -> func.HttpResponse:
    return await get(reports.show_reach, f"/api/reach/{object_id}", headers, object_id=object_id)


@pytest.fixture(autouse=True)
def signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "true")


@pytest.fixture
def reader(world: World) -> dict[str, str]:
    reader = world.entra.user("reader")
    world.entra.group("report readers", reader)
    return BROWSER | {"X-MS-CLIENT-PRINCIPAL-ID": reader, "X-MS-CLIENT-PRINCIPAL-NAME": "reader@tether.example"}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("path", "then"),
    [
        ("/api/reports", "%2Fapi%2Freports"),
        ("/api/reports?a=//elsewhere.example", "%2Fapi%2Freports"),
        ("//elsewhere.example/api/reports", "%2Felsewhere.example%2Fapi%2Freports"),
    ],
)
async def test_browser_is_sent_to_sign_in_and_back_to_the_same_page_of_this_host(path: str, then: str) -> None:
    answer = await get(reports.show_newest_report, path, BROWSER)

    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
    assert answer.headers["Location"] == f"/.auth/login/aad?post_login_redirect_uri={then}"


@pytest.mark.usefixtures("world")
async def test_page_of_an_identity_is_where_the_sign_in_leads_back_to() -> None:
    answer = await reach("machine-identity/ci", BROWSER)

    assert answer.headers["Location"].endswith("=%2Fapi%2Freach%2Fmachine-identity%2Fci")


@pytest.mark.usefixtures("world")
async def test_browser_is_not_sent_anywhere_where_nobody_can_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEBSITE_AUTH_ENABLED")

    answer = await newest(BROWSER | {"X-MS-CLIENT-PRINCIPAL-ID": "somebody"})

    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert "Nobody can sign in here" in answer.get_body().decode()


@pytest.mark.usefixtures("reader")
async def test_somebody_outside_the_group_reads_why_and_as_whom_they_signed_in(world: World) -> None:
    stranger = {"X-MS-CLIENT-PRINCIPAL-ID": world.entra.user("stranger"), "X-MS-CLIENT-PRINCIPAL-NAME": HOSTILE}

    page = await newest(BROWSER | stranger)
    bare = await newest(stranger)

    text = page.get_body().decode()
    assert (page.status_code, page.mimetype) == (403, "text/html")
    assert page.headers["Content-Security-Policy"] == page_policy()
    assert page.headers["Cache-Control"] == "private, no-store"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "This is not for you to read" in text
    assert "/.auth/logout?post_logout_redirect_uri=%2Fapi%2Freports" in text
    assert HOSTILE not in text
    assert (bare.status_code, bare.get_body()) == (403, b"forbidden")


async def test_browser_reads_that_there_is_no_report_yet(reader: dict[str, str]) -> None:
    answer = await newest(reader)

    assert answer.status_code == 404
    assert "There is no such report" in answer.get_body().decode()


async def test_browser_is_told_to_come_again_while_entra_does_not_answer(world: World, reader: dict[str, str]) -> None:
    world.fault = unreachable("directory")

    answer = await newest(reader)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "directory-unreachable" in answer.get_body().decode()


async def test_answer_names_the_report_that_is_the_newest(reader: dict[str, str], desk: Desk) -> None:
    made = await desk.report()

    answer = await newest(reader)

    assert answer.headers["Content-Location"] == f"/api/reports/{made.report_id}/report.html"


async def test_reader_whose_account_was_disabled_after_the_sign_in_reads_nothing_more(
    world: World, reader: dict[str, str], desk: Desk
) -> None:
    await desk.report()
    before = await newest(reader)
    world.entra.disable(reader["X-MS-CLIENT-PRINCIPAL-ID"])

    report, page = await newest(reader), await reach("somebody", reader)

    assert (before.status_code, report.status_code, page.status_code) == (200, 403, 403)


@pytest.mark.usefixtures("reader")
async def test_app_without_reports_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    app = await bootstrap.tether()

    def off() -> None:
        raise RejectedError("reports-off")

    async def tether() -> bootstrap.Tether:
        return bootstrap.Tether(
            app.ports,
            app.rules,
            app.keys,
            app.subscriptions,
            app.prepare,
            app.resources,
            posture=off,  # type: ignore[arg-type]
        )

    monkeypatch.setattr(bootstrap, "tether", tether)

    bare, page = await newest({}), await newest(BROWSER)

    assert (bare.status_code, bare.get_body()) == (404, b"reports-off")
    assert (page.status_code, page.mimetype) == (404, "text/html")


@pytest.mark.usefixtures("known_at_the_desk")
class TestShowReach:
    @pytest.fixture
    def known_at_the_desk(self, desk: Desk) -> None:
        """The reader is the same person where estates are read."""
        desk.around.entra.group("report readers", desk.around.entra.user("reader"))

    async def test_page_is_served_as_reports_are(self, reader: dict[str, str], desk: Desk) -> None:
        desk.around.gateway.policy = AccessPolicy(enforced=True, connections=frozenset({"payments-db"}))
        ref = desk.around.gateway.machine("ci runner/é", "payments-db")

        answer = await reach(str(ref).replace("runner/", "runner%2F"), reader)

        assert (answer.status_code, answer.mimetype) == (200, "text/html")
        assert answer.headers["Content-Security-Policy"] == page_policy()
        assert "payments-db" in answer.get_body().decode()

    async def test_unknown_identity_is_a_page_with_what_to_do_next(self, reader: dict[str, str]) -> None:
        page = await reach("7e7e0000-0000-4000-8000-00000000dead", reader)

        assert page.status_code == 404
        assert "Nobody at the gateway has this id" in page.get_body().decode()
        assert 'href="/api/reports"' in page.get_body().decode()

    @pytest.mark.usefixtures("world")
    async def test_nobody_is_shown_a_page_without_signing_in(self) -> None:
        answer = await reach("somebody", {})

        assert (answer.status_code, answer.get_body()) == (401, b"unauthenticated")

"""What people and probes are told."""

import json
from typing import Any

import azure.functions as func
import pytest

from functions import reports, schedules
from shared.domain.principals import PrincipalChange, Source
from shared.domain.sweep import Hold
from shared.wire.report import page_policy
from tests.fakes.queue import CHANGES
from tests.fakes.worker import unreachable
from tests.fakes.world import World
from tests.functions.calls import request, tick
from tests.handlers.posture.desk import Desk

FIRST = "20270104T090000Z"


def shown(answer: func.HttpResponse) -> Any:  # noqa: ANN401 - as a probe reads it
    return json.loads(answer.get_body())


async def test_health_is_good_when_gateway_subscriptions_and_storage_answer(world: World) -> None:
    await tick(schedules.watch_subscriptions)

    answer = await request(reports.show_health)

    assert answer.status_code == 200
    assert shown(answer)["healthy"] is True


async def test_health_names_what_does_not_work(world: World) -> None:
    world.fault = unreachable("gateway")

    answer = await request(reports.show_health)

    assert answer.status_code == 503
    parts = shown(answer)["parts"]
    assert parts["gateway"].startswith("gateway-unreachable")
    assert parts["subscriptions"].startswith("subscription-missing")
    assert parts["storage"] == "ok"


async def test_released_hold_is_enqueued_once(world: World) -> None:
    change = PrincipalChange("cccccccc-0000-4000-8000-000000000001", Source.SWEEP, world.clock.now(), "c-1")
    await world.holds.put(Hold("sweep-users-1", 10, [change]))

    first = await request(reports.release_hold, route={"hold_id": "sweep-users-1"})
    second = await request(reports.release_hold, route={"hold_id": "sweep-users-1"})

    assert (first.status_code, shown(first)) == (200, {"released": 1})
    assert (second.status_code, second.get_body()) == (404, b"unknown-hold")
    assert len(world.queue.on(CHANGES)) == 1


async def test_release_is_asked_for_again_while_the_queue_is_down(world: World) -> None:
    change = PrincipalChange("cccccccc-0000-4000-8000-000000000001", Source.SWEEP, world.clock.now(), "c-1")
    await world.holds.put(Hold("sweep-users-1", 10, [change]))
    world.fault = unreachable("queue")

    answer = await request(reports.release_hold, route={"hold_id": "sweep-users-1"})

    assert (answer.status_code, await world.holds.list_ids()) == (503, ["sweep-users-1"])


@pytest.fixture
def signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """App Service signs people in, and says so the way it does."""
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "True")


@pytest.fixture
def reader(world: World) -> dict[str, str]:
    """The headers of somebody in the group."""
    reader = world.entra.user("reader")
    world.entra.group("report readers", reader)
    return {"X-MS-CLIENT-PRINCIPAL-ID": reader}


class TestShowReport:
    @pytest.mark.usefixtures("signs_in")
    async def test_newest_report_is_a_page_that_may_do_nothing_but_what_it_needs(
        self, reader: dict[str, str], desk: Desk
    ) -> None:
        await desk.report()

        answer = await request(reports.show_newest_report, headers=reader)

        assert (answer.status_code, answer.mimetype, answer.charset) == (200, "text/html", "utf-8")
        assert answer.get_body() == desk.reports.files[FIRST, "report.html"]
        assert answer.headers["Content-Security-Policy"] == page_policy()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "private, no-store"

    @pytest.mark.parametrize(
        ("name", "mimetype"),
        [
            ("report.html", "text/html"),
            ("findings.csv", "text/csv"),
            ("changes.csv", "text/csv"),
            ("findings.ocsf.json", "application/json"),
            ("manifest.sha256", "text/plain"),
        ],
    )
    @pytest.mark.parametrize("report_id", [FIRST, "newest"])
    @pytest.mark.usefixtures("signs_in")
    async def test_every_file_has_its_type_and_the_policy_of_the_page(
        self, reader: dict[str, str], desk: Desk, report_id: str, name: str, mimetype: str
    ) -> None:
        await desk.report()

        answer = await request(reports.show_report_file, route={"report_id": report_id, "name": name}, headers=reader)

        assert (answer.status_code, answer.mimetype) == (200, mimetype)
        assert answer.get_body() == desk.reports.files[FIRST, name]
        assert answer.headers["Content-Security-Policy"] == page_policy()

    @pytest.mark.parametrize("name", ["snapshot.json", "../x", f"../{FIRST}/snapshot.json", "unknown.html"])
    @pytest.mark.usefixtures("signs_in")
    async def test_other_files_are_unknown(self, reader: dict[str, str], desk: Desk, name: str) -> None:
        await desk.report()

        answer = await request(reports.show_report_file, route={"report_id": FIRST, "name": name}, headers=reader)

        assert (answer.status_code, answer.get_body()) == (404, b"unknown-report")

    @pytest.mark.usefixtures("signs_in")
    async def test_report_is_unknown_before_the_first(self, reader: dict[str, str]) -> None:
        answer = await request(reports.show_newest_report, headers=reader)

        assert (answer.status_code, answer.get_body()) == (404, b"unknown-report")

    @pytest.mark.parametrize("setting", [None, "", "False", "0", "1", "yes"])
    async def test_header_of_a_reader_counts_for_nothing_where_nobody_signs_people_in(
        self, reader: dict[str, str], desk: Desk, monkeypatch: pytest.MonkeyPatch, setting: str | None
    ) -> None:
        await desk.report()
        monkeypatch.delenv("WEBSITE_AUTH_ENABLED", raising=False)
        if setting is not None:
            monkeypatch.setenv("WEBSITE_AUTH_ENABLED", setting)

        page = await request(reports.show_newest_report, headers=reader)
        file = await request(reports.show_report_file, route={"report_id": FIRST, "name": "x.csv"}, headers=reader)

        assert [(each.status_code, each.get_body()) for each in (page, file)] == [(401, b"unauthenticated")] * 2

    @pytest.mark.parametrize("headers", [{}, {"X-MS-CLIENT-PRINCIPAL-ID": ""}])
    @pytest.mark.usefixtures("signs_in", "world")
    async def test_nobody_is_shown_a_report_without_signing_in(self, desk: Desk, headers: dict[str, str]) -> None:
        await desk.report()

        answer = await request(reports.show_newest_report, headers=headers)

        assert (answer.status_code, answer.get_body()) == (401, b"unauthenticated")

    @pytest.mark.parametrize(("provider", "status"), [("aad", 200), ("contoso-oidc", 401), ("", 401)])
    @pytest.mark.usefixtures("signs_in")
    async def test_reader_has_signed_in_at_entra_and_nowhere_else(
        self, reader: dict[str, str], desk: Desk, provider: str, status: int
    ) -> None:
        await desk.report()

        answer = await request(reports.show_newest_report, headers=reader | {"X-MS-CLIENT-PRINCIPAL-IDP": provider})

        assert answer.status_code == status

    @pytest.mark.usefixtures("signs_in", "reader")
    async def test_somebody_outside_the_group_is_refused(self, world: World, desk: Desk) -> None:
        await desk.report()
        headers = {"X-MS-CLIENT-PRINCIPAL-ID": world.entra.user("stranger")}

        answer = await request(reports.show_newest_report, headers=headers)

        assert (answer.status_code, answer.get_body()) == (403, b"forbidden")

    @pytest.mark.usefixtures("signs_in")
    async def test_reader_is_told_to_come_again_while_entra_does_not_answer(
        self, world: World, reader: dict[str, str], desk: Desk
    ) -> None:
        await desk.report()
        world.fault = unreachable("directory")

        answer = await request(reports.show_newest_report, headers=reader)

        assert (answer.status_code, answer.get_body()) == (503, b"directory-unreachable")

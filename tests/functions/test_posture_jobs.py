"""Long work of posture: asked for by the clock and by people, done from a queue, once however often it is asked for."""

import json

import pytest

from functions import reports, schedules, work
from shared import bootstrap
from shared.domain.posture.jobs import JobKind, PostureJob
from shared.errors import RetryLaterError
from shared.wire.messages import encode_posture_job, parse_posture_job
from tests.adapters.issuer import Door
from tests.fakes.queue import POSTURE_JOBS
from tests.fakes.worker import unreachable
from tests.fakes.world import World
from tests.functions.calls import deliver, request, tick
from tests.functions.conftest import app_of
from tests.handlers.approvals.scene import Scene
from tests.handlers.posture.cards_scene import set_cards_scene
from tests.handlers.posture.desk import Desk

FIRST = "20270104T090000Z"
DOWN = RetryLaterError("storage-unreachable", retry_after=7.0)
HOUR = 3600.0


def asked(world: World) -> list[PostureJob]:
    return [parse_posture_job(message.body) for message in world.queue.on(POSTURE_JOBS)]


async def do_next(world: World) -> None:
    """The oldest job is delivered, and completed."""
    job = world.queue.on(POSTURE_JOBS)[0]
    world.queue.waiting.remove(job)
    await deliver(work.process_posture_jobs, job.body)


async def test_report_on_demand_is_asked_for_and_made_from_the_queue(world: World, desk: Desk) -> None:
    answer = await request(reports.make_report_now)
    await do_next(world)

    assert (answer.status_code, json.loads(answer.get_body())) == (202, {"asked": "id-1", "newest": "/api/reports"})
    assert desk.reports.whole == {FIRST}
    assert [(job.kind, job.report_id) for job in asked(desk.around)] == [(JobKind.ANNOUNCE, FIRST)]


async def test_report_on_demand_is_asked_for_again_while_the_queue_is_down(world: World, desk: Desk) -> None:
    world.fault = unreachable("queue")

    answer = await request(reports.make_report_now)

    assert (answer.status_code, desk.reports.whole) == (503, set())


async def test_job_that_comes_twice_makes_one_report_and_tells_of_it_again(world: World, desk: Desk) -> None:
    await request(reports.make_report_now)
    body = world.queue.on(POSTURE_JOBS)[0].body

    await deliver(work.process_posture_jobs, body)
    desk.clock.advance(HOUR)
    await deliver(work.process_posture_jobs, body)

    assert desk.reports.whole == {FIRST}
    assert [job.report_id for job in asked(desk.around)] == [FIRST, FIRST]


async def test_report_that_is_interrupted_is_made_later_by_the_same_job(world: World, desk: Desk) -> None:
    desk.reports.faults.plan("mark", DOWN)
    await request(reports.make_report_now)

    await do_next(world)
    (waiting,) = asked(world)
    desk.clock.advance(HOUR)
    await do_next(world)

    assert (waiting.attempt, desk.reports.whole) == (1, {FIRST})


async def test_job_waits_while_somebody_else_scans(world: World, desk: Desk) -> None:
    desk.reports.faults.plan("mark", DOWN)
    await request(reports.make_report_now)
    await do_next(world)

    await do_next(world)

    (waiting,) = world.queue.on(POSTURE_JOBS)
    assert (parse_posture_job(waiting.body).attempt, desk.reports.whole) == (2, set())
    assert (waiting.visible_at - world.clock.now()).total_seconds() == 60.0
    assert world.alerts.raised == []


@pytest.mark.parametrize("body", [b"{}", b"not JSON", b'{"kind":"sing","asked_at":"2027-01-04T09:00:00Z"}'])
async def test_unreadable_job_is_put_aside(world: World, desk: Desk, body: bytes) -> None:
    await deliver(work.process_posture_jobs, body)

    (dead,) = world.queue.dead_letters
    assert (dead.queue, dead.reason, desk.reports.whole) == (POSTURE_JOBS, "malformed-message", set())


@pytest.mark.usefixtures("world")
async def test_bug_is_not_swallowed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.reports, "put", None)
    job = PostureJob(JobKind.REPORT, desk.clock.now(), "c-1")

    with pytest.raises(TypeError):
        await deliver(work.process_posture_jobs, encode_posture_job(job))


class TestWeeklyReport:
    async def test_report_of_this_week_is_asked_for_until_it_is_there(self, world: World, desk: Desk) -> None:
        await tick(schedules.ask_for_weekly_report)
        await tick(schedules.ask_for_weekly_report)
        before = len(asked(world))
        await do_next(world)
        await tick(schedules.ask_for_weekly_report)

        assert (before, len(asked(world)), desk.reports.whole) == (2, 1, {FIRST})

    async def test_last_weeks_report_is_made_up_for_on_any_day(self, world: World, desk: Desk) -> None:
        desk.reports.whole.add("20270104T044500Z")

        world.clock.advance(72 * HOUR)
        await tick(schedules.ask_for_weekly_report)

        assert [job.kind for job in asked(world)] == [JobKind.REPORT]

    async def test_no_report_is_asked_for_before_the_next_monday(self, world: World, desk: Desk) -> None:
        desk.reports.whole.add("20270104T050000Z")

        world.clock.advance(163 * HOUR)
        await tick(schedules.ask_for_weekly_report)
        before = asked(world)
        world.clock.advance(HOUR)
        await tick(schedules.ask_for_weekly_report)

        assert (before, len(asked(world))) == ([], 1)

    async def test_storage_that_does_not_answer_raises_an_alert_and_nothing_else(
        self, world: World, desk: Desk
    ) -> None:
        desk.reports.faults.plan("list_ids", DOWN)

        await tick(schedules.ask_for_weekly_report)

        ((reason, details),) = world.alerts.raised
        assert (reason, details["because"], asked(world)) == ("tick-failed", "storage-unreachable", [])


class TestRotation:
    async def test_rotation_is_asked_for_every_day_and_checked_once(self, world: World, desk: Desk) -> None:
        await tick(schedules.ask_for_rotation)
        (message,) = world.queue.on(POSTURE_JOBS)

        await deliver(work.process_posture_jobs, message.body)
        await deliver(work.process_posture_jobs, message.body)

        assert (parse_posture_job(message.body).kind, desk.ledger.saves) == (JobKind.ROTATION, 1)

    async def test_rotation_waits_while_a_report_is_scanned_for(self, world: World, desk: Desk) -> None:
        desk.reports.faults.plan("mark", DOWN)
        await request(reports.make_report_now)
        await do_next(world)
        await tick(schedules.ask_for_rotation)
        rotation = world.queue.on(POSTURE_JOBS)[-1]

        await deliver(work.process_posture_jobs, rotation.body)

        waiting = parse_posture_job(world.queue.on(POSTURE_JOBS)[-1].body)
        assert (waiting.kind, waiting.attempt, desk.ledger.saves) == (JobKind.ROTATION, 1, 0)


class TestRemindOwners:
    async def test_silent_owner_is_reminded_once(self, monkeypatch: pytest.MonkeyPatch, door: Door) -> None:
        scene = await set_cards_scene()
        monkeypatch.setattr(bootstrap, "tether", app_of(scene, door))
        await scene.ask_owners()
        await scene.world.settle()
        scene.world.clock.advance(8 * 24 * HOUR)

        await tick(schedules.remind_owners)
        await tick(schedules.remind_owners)
        await scene.world.settle()

        assert scene.attestation.reminded_at == scene.world.clock.now()
        assert len([copy for copy in scene.owner_copies() if copy.spec.number < 0]) == 1

    async def test_nobody_is_reminded_where_nobody_is_asked(self, scene: Scene) -> None:
        await tick(schedules.remind_owners)

        assert (scene.world.queue.waiting, scene.world.alerts.raised) == ([], [])

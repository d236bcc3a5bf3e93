"""Ask for posture work: a report or a look at rotation is on the queue, where it outlives whoever asked."""

from dataclasses import dataclass

from shared.domain.posture.jobs import JobKind, PostureJob, last_due, report_id_of
from shared.ports import Clock, Queue, Reports


@dataclass(frozen=True, slots=True)
class Desk:
    """Where reports are asked for."""

    reports: Reports
    queue: Queue
    clock: Clock


async def ask_for_report(desk: Desk) -> str:
    """A report is on its way; its correlation id."""
    return await _ask(desk, JobKind.REPORT)


async def ask_for_rotation(desk: Desk) -> str:
    """A look at rotation is on its way; its correlation id."""
    return await _ask(desk, JobKind.ROTATION)


async def ask_for_weekly_report(desk: Desk) -> str | None:
    """The same for the report of this week, unless it is there: one that was missed is made up for."""
    newest = await desk.reports.newest()
    if newest is not None and newest >= report_id_of(last_due(desk.clock.now())):
        return None
    return await ask_for_report(desk)


async def _ask(desk: Desk, kind: JobKind) -> str:
    job = PostureJob(kind, desk.clock.now(), desk.clock.new_id())
    await desk.queue.send_posture_jobs([job])
    return job.correlation_id

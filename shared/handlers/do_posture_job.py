"""Do a posture job: a report, its announcement, or a look at rotation; whichever comes twice is done once."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.domain.posture.jobs import JobKind, PostureJob, report_id_of
from shared.errors import AlreadyDecidedError, RetryLaterError
from shared.handlers.announce_report import announce_report
from shared.handlers.check_rotation import RotationPorts, RotationRules, check_rotation
from shared.handlers.report_posture import ReportPorts, ReportRules, report_posture

SCAN_SECONDS = 60.0


async def do_posture_job(job: PostureJob, ports: ReportPorts, rotation: RotationPorts, rules: ReportRules) -> None:
    """What the job asks for has been done.

    Raises:
        AlreadyDecidedError: there is nothing to announce, or not any more.
        RetryLaterError: `scan-under-way`: somebody else scans now, perhaps for an older job.
    """
    match job.kind:
        case JobKind.REPORT:
            await _report(job, ports, rules)
        case JobKind.ANNOUNCE:
            await announce_report(job.report_id, job.correlation_id, ports.reports, ports.around, rules.asking)
        case JobKind.ROTATION:
            with _later():
                await check_rotation(rotation, RotationRules(rules.posture, rules.scan), job.asked_at)


async def _report(job: PostureJob, ports: ReportPorts, rules: ReportRules) -> None:
    """A report no older than the job is there, and its announcement is on its way."""
    report_id = await ports.reports.newest()
    if report_id is None or report_id < report_id_of(job.asked_at):
        with _later():
            report_id = (await report_posture(ports, rules)).report_id
    announce = PostureJob(JobKind.ANNOUNCE, job.asked_at, job.correlation_id, report_id)
    await ports.around.queue.send_posture_jobs([announce])


@contextmanager
def _later() -> Iterator[None]:
    """Whoever scans now may do so for an older job, or for another one."""
    try:
        yield
    except AlreadyDecidedError as error:
        raise RetryLaterError(error.reason, error.detail, retry_after=SCAN_SECONDS) from error

"""Show a report: to people who signed in and are in the group that may read reports, and to nobody else."""

import re
from dataclasses import dataclass

from shared.errors import RejectedError
from shared.handlers.report_posture import SNAPSHOT
from shared.ports import Directory
from shared.ports.reports import Reports

NEWEST = "newest"
# Clients of Storage may resolve dots and slashes: any other name could lead to a file that is not for readers.
_FILE_NAME = re.compile(r"[a-z]+(\.[a-z0-9]+)+")


@dataclass(frozen=True, slots=True)
class Readers:
    """Whom the operator lets read: the object id of an Entra group; `None` lets nobody."""

    group_id: str | None


async def show_report(
    asked: tuple[str, str], reader_id: str | None, readers: Readers, reports: Reports, directory: Directory
) -> bytes:
    """One file of a report, by the report's id (or `newest`) and its name.

    Raises:
        RejectedError: `unauthenticated` without a sign-in, `forbidden` for everybody outside the group, and
            `unknown-report`.
        RetryLaterError: Entra or Storage does not answer.
    """
    if reader_id is None:
        raise RejectedError("unauthenticated", "nobody has signed in")
    if readers.group_id is None or readers.group_id not in await directory.memberships(reader_id, [readers.group_id]):
        raise RejectedError("forbidden", "not in the group that reads reports")
    report_id, name = asked
    known = await reports.list_ids()
    wanted = next(iter(known), None) if report_id == NEWEST else report_id
    is_shown = wanted in known and name != SNAPSHOT and _FILE_NAME.fullmatch(name) is not None
    content = await reports.read(wanted, name) if is_shown and wanted is not None else None
    if content is None:
        raise RejectedError("unknown-report", f"{report_id!r}, {name!r}")
    return content

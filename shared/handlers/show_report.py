"""Show a report: to people who signed in and are in the group that may read reports, and to nobody else."""

import asyncio
import re
from dataclasses import dataclass

from shared.domain.identity_map import is_object_id
from shared.domain.principals import AccountState, PrincipalKind
from shared.errors import RejectedError
from shared.ports import Directory
from shared.ports.reports import PRIVATE, Reports

NEWEST = "newest"
# Clients of Storage may resolve dots and slashes: any other name could lead to a file that is not for readers.
_FILE_NAME = re.compile(r"[a-z]+(\.[a-z0-9]+)+")


@dataclass(frozen=True, slots=True)
class Readers:
    """Whom the operator lets read: the object id of an Entra group; `None` lets nobody."""

    group_id: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A file for a reader, and the report that it is of."""

    report_id: str
    content: bytes


async def show_report(
    asked: tuple[str, str], reader_id: str | None, readers: Readers, reports: Reports, directory: Directory
) -> Shown:
    """One file of a report, by the report's id (or `newest`) and its name.

    Raises:
        RejectedError: see `admit_reader`, and `unknown-report`.
        RetryLaterError: Entra or Storage does not answer.
    """
    await admit_reader(reader_id, readers, directory)
    report_id, name = asked
    known = await reports.list_ids()
    wanted = next(iter(known), None) if report_id == NEWEST else report_id
    is_shown = wanted in known and name not in PRIVATE and _FILE_NAME.fullmatch(name) is not None
    content = await reports.read(wanted, name) if is_shown and wanted is not None else None
    if wanted is None or content is None:
        raise RejectedError("unknown-report", f"{report_id!r}, {name!r}")
    return Shown(wanted, content)


async def admit_reader(reader_id: str | None, readers: Readers, directory: Directory) -> None:
    """Nothing, for a person whose account is enabled and who is in the group, both read from Entra at this moment.

    A sign-in lasts for hours: what it said of the person may not be true any more.

    Raises:
        RejectedError: `unauthenticated` without a sign-in, `forbidden` for everybody else.
        RetryLaterError: Entra does not answer; nobody is admitted then.
    """
    if reader_id is None:
        raise RejectedError("unauthenticated", "nobody has signed in")
    if readers.group_id is None or not is_object_id(reader_id):
        raise RejectedError("forbidden", "no group reads reports, or this is nobody's object id")
    person, held = await asyncio.gather(
        directory.describe(reader_id, PrincipalKind.USER), directory.memberships(reader_id, [readers.group_id])
    )
    if person is None or person.kind is not PrincipalKind.USER or person.state is not AccountState.ENABLED:
        raise RejectedError("forbidden", "not a person whom Entra lets in")
    if readers.group_id not in held:
        raise RejectedError("forbidden", "not in the group that reads reports")

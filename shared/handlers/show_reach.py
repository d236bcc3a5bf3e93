"""Show reach: what one identity reaches at the gateway at this moment, as a page for those who may read reports."""

from datetime import timedelta

from shared.domain.posture.blast_radius import REACH_DAYS, blast_radius
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.read_estate import EstatePorts, EstateRules, read_estate
from shared.handlers.report_posture import ReportPorts
from shared.handlers.show_report import Readers, admit_reader
from shared.ports import Rules
from shared.wire.report import reach_page


async def show_reach(
    object_id: str, reader_id: str | None, readers: Readers, ports: ReportPorts, rules: Rules
) -> bytes:
    """The page of a principal, by object id, or of a gateway identity that is nobody's, as `machine-identity/ci`.

    Raises:
        RejectedError: see `admit_reader`, and `unknown-identity`.
        RetryLaterError: Entra or the gateway does not answer, or not sensibly.
    """
    await admit_reader(reader_id, readers, ports.around.directory)
    at, span = ports.around.clock.now(), timedelta(days=REACH_DAYS)
    try:
        estate = await read_estate(EstatePorts(ports.around, ports.log), EstateRules(rules, span=span), at)
    except RejectedError as error:
        # A gateway that refuses us or lists nobody is no fault of the reader's.
        raise RetryLaterError(error.reason, error.detail) from error
    radius = blast_radius(estate, object_id, at)
    if radius is None:
        raise RejectedError("unknown-identity", repr(object_id))
    return reach_page(radius, at, {group.group_id.lower(): group.name for group in estate.groups})

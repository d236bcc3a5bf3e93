"""Owner cards: the adapters that asking owners in Teams needs besides approvals, and the rules that hold for it."""

from dataclasses import replace
from urllib.parse import urlsplit

from shared.bootstrap.approvals import Asking, Neighbours
from shared.bootstrap.connections import gateway_headers
from shared.bootstrap.posture_rules import read_posture_rules
from shared.ports import PosturePorts, Rules
from shared.settings import Settings


def open_owner_cards(settings: Settings, near: Neighbours) -> PosturePorts:
    """The ports of owners' cards."""
    # Loaded with the first message instead of with the app: Azure waits for the import of an app that it starts.
    from shared.adapters.blob_notices import BlobNotices  # noqa: PLC0415
    from shared.adapters.hoop_session_log import HoopSessionLog  # noqa: PLC0415
    from shared.adapters.json_api import JsonApi  # noqa: PLC0415
    from shared.adapters.table_attestations import TableAttestations, TableExemptions  # noqa: PLC0415

    table = near.storage.tables.get_table_client("attestations")
    return PosturePorts(
        attestations=TableAttestations(table),
        exemptions=TableExemptions(table, near.clock),
        notices=BlobNotices(near.storage.blobs.get_container_client("notices")),
        log=HoopSessionLog(JsonApi("gateway", near.gateway, gateway_headers(settings, near.credential))),
    )


def with_owner_cards(asking: Asking, settings: Settings, guards: Rules) -> Asking:
    """The same rules, and those of owners' cards; reports are read where notifications arrive."""
    app = urlsplit(settings.notification_url)
    report_url = f"{app.scheme}://{app.netloc}/api/reports/{{report_id}}/report.html"
    rules = replace(asking.rules, posture=read_posture_rules(settings), guards=guards, report_url=report_url)
    return replace(asking, rules=rules)

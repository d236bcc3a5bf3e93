"""People: health, the release of held sweeps, and posture reports."""

import json

import azure.functions as func

from functions.answers import answer
from functions.readers import answer_reader, page_headers, reader_id
from shared import bootstrap
from shared.handlers.ask_for_posture import ask_for_report
from shared.handlers.hold_sweep import release_hold as release
from shared.handlers.show_health import show_health as health
from shared.handlers.show_report import NEWEST
from shared.handlers.show_report import show_report as show

blueprint = func.Blueprint()
_TYPES = {"html": "text/html", "csv": "text/csv", "json": "application/json"}


@blueprint.function_name("show_health")
@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def show_health(req: func.HttpRequest) -> func.HttpResponse:
    """What works and what waits for somebody: 200 when all is well, 503 when something is not."""
    app = await bootstrap.tether()
    shown = await health(app.subscriptions, app.ports)
    status = 200 if shown["healthy"] else 503
    return func.HttpResponse(json.dumps(shown, indent=2), status_code=status, mimetype="application/json")


@blueprint.function_name("release_hold")
@blueprint.route("holds/{hold_id}/release", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def release_hold(req: func.HttpRequest) -> func.HttpResponse:
    """A person approved what a sweep wanted to revoke."""
    return await answer(_release(req.route_params["hold_id"]))


async def _release(hold_id: str) -> func.HttpResponse:
    app = await bootstrap.tether()
    released = await release(hold_id, app.ports)
    return func.HttpResponse(json.dumps({"released": released}), mimetype="application/json")


@blueprint.function_name("make_report_now")
@blueprint.route("reports", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def make_report_now(req: func.HttpRequest) -> func.HttpResponse:
    """A report on demand is on its way: 202, with the correlation id and where the newest report is."""
    return await answer(_make())


@blueprint.function_name("show_newest_report")
@blueprint.route("reports", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def show_newest_report(req: func.HttpRequest) -> func.HttpResponse:
    """The newest report, for readers who signed in."""
    return await answer_reader(req, _show(req, NEWEST, "report.html"))


@blueprint.function_name("show_report_file")
@blueprint.route("reports/{report_id}/{name}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def show_report_file(req: func.HttpRequest) -> func.HttpResponse:
    """One file of one report (`newest` names the newest), for readers who signed in."""
    return await answer_reader(req, _show(req, req.route_params["report_id"], req.route_params["name"]))


@blueprint.function_name("show_reach")
@blueprint.route("reach/{*object_id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def show_reach(req: func.HttpRequest) -> func.HttpResponse:
    """What one identity reaches at the gateway now, for readers who signed in."""
    # A slash in the name of a gateway identity reaches us encoded: Azure decodes everything else.
    object_id = (req.route_params.get("object_id") or "").replace("%2F", "/").replace("%2f", "/")
    return await answer_reader(req, _show_reach(req, object_id))


async def _make() -> func.HttpResponse:
    app = await bootstrap.tether()
    asked = {"asked": await ask_for_report(app.posture().desk), "newest": "/api/reports"}
    return func.HttpResponse(json.dumps(asked), status_code=202, mimetype="application/json")


async def _show(req: func.HttpRequest, report_id: str, name: str) -> func.HttpResponse:
    app = await bootstrap.tether()
    posture = app.posture()
    asked = (report_id, name)
    shown = await show(asked, reader_id(req), posture.readers, posture.ports.reports, app.ports.directory)
    headers = page_headers(shown.content) | {"Content-Location": f"/api/reports/{shown.report_id}/{name}"}
    return func.HttpResponse(shown.content, headers=headers, mimetype=_TYPES.get(name.rpartition(".")[2], "text/plain"))


async def _show_reach(req: func.HttpRequest, object_id: str) -> func.HttpResponse:
    from shared.handlers.show_reach import show_reach as reach  # noqa: PLC0415 - what reports need is loaded by them

    app = await bootstrap.tether()
    posture = app.posture()
    page = await reach(object_id, reader_id(req), posture.readers, posture.ports, posture.rules.gateway)
    return func.HttpResponse(page, headers=page_headers(), mimetype="text/html")

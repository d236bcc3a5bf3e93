"""People: health, the release of held sweeps, and posture reports."""

import json
import os

import azure.functions as func

from functions.answers import answer
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
    return await answer(_show(req, NEWEST, "report.html"))


@blueprint.function_name("show_report_file")
@blueprint.route("reports/{report_id}/{name}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def show_report_file(req: func.HttpRequest) -> func.HttpResponse:
    """One file of one report (`newest` names the newest), for readers who signed in."""
    return await answer(_show(req, req.route_params["report_id"], req.route_params["name"]))


async def _make() -> func.HttpResponse:
    app = await bootstrap.tether()
    asked = {"asked": await ask_for_report(app.posture().desk), "newest": "/api/reports"}
    return func.HttpResponse(json.dumps(asked), status_code=202, mimetype="application/json")


async def _show(req: func.HttpRequest, report_id: str, name: str) -> func.HttpResponse:
    from shared.wire.report import page_policy  # noqa: PLC0415

    app = await bootstrap.tether()
    posture = app.posture()
    content = await show((report_id, name), _reader(req), posture.readers, posture.ports.reports, app.ports.directory)
    headers = {
        "Content-Security-Policy": page_policy(),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return func.HttpResponse(content, headers=headers, mimetype=_TYPES.get(name.rpartition(".")[2], "text/plain"))


def _reader(req: func.HttpRequest) -> str | None:
    """Who signed in, as App Service says. Where it does not sign people in, anybody could write its header."""
    if os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() != "true":
        return None
    return req.headers.get("X-MS-CLIENT-PRINCIPAL-ID") or None

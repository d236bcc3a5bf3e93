"""People: health, and the release of held sweeps."""

import json

import azure.functions as func

from functions.answers import answer
from shared import bootstrap
from shared.handlers.hold_sweep import release_hold as release
from shared.handlers.show_health import show_health as health

blueprint = func.Blueprint()


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

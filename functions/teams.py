"""What Teams sends to the bot: card clicks, and where the app was installed."""

import json

import azure.functions as func

from functions.answers import answer
from shared import bootstrap
from shared.handlers.receive_activity import receive_activity

blueprint = func.Blueprint()


@blueprint.function_name("receive_teams_activity")
@blueprint.route("teams/messages", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def receive_teams_activity(req: func.HttpRequest) -> func.HttpResponse:
    """200 for everything authentic, understood or not; the Bot Connector's own token is the proof."""
    return await answer(_receive(req.headers.get("Authorization"), req.get_body()))


async def _receive(authorization: str | None, body: bytes) -> func.HttpResponse:
    app = await bootstrap.tether()
    asking = app.approvals()
    activity = await asking.door.authenticate(authorization, body)
    answered = await receive_activity(activity, app.ports, asking.rules)
    if answered is None:
        return func.HttpResponse(status_code=200)
    return func.HttpResponse(json.dumps(answered), mimetype="application/json")

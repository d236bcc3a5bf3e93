"""What Teams sends to the bot: card clicks, and where the app was installed."""

import json
import logging
import traceback
from typing import Any

import azure.functions as func

from functions.answers import answer
from shared import bootstrap
from shared.bootstrap import Tether
from shared.domain.activities import Activity, ActivityKind
from shared.handlers.receive_activity import receive_activity
from shared.ports import ApprovalRules
from shared.wire.activities import message_answer
from shared.wire.cards.sentences import sentence

blueprint = func.Blueprint()
_LOG = logging.getLogger("tether")


@blueprint.function_name("receive_teams_activity")
@blueprint.route("teams/messages", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def receive_teams_activity(req: func.HttpRequest) -> func.HttpResponse:
    """200 for everything authentic, understood or not; the Bot Connector's own token is the proof."""
    return await answer(_receive(req.headers.get("Authorization"), req.get_body()))


async def _receive(authorization: str | None, body: bytes) -> func.HttpResponse:
    app = await bootstrap.tether()
    asking = app.approvals()
    activity = await asking.door.authenticate(authorization, body)
    answered = await _answered(activity, app, asking.rules)
    if answered is None:
        return func.HttpResponse(status_code=200)
    return func.HttpResponse(json.dumps(answered), mimetype="application/json")


async def _answered(activity: Activity, app: Tether, rules: ApprovalRules) -> dict[str, Any] | None:
    """A bug is an apology and an alert: Teams stops delivering for hours where it meets a 5xx again and again."""
    try:
        return await receive_activity(activity, app.ports, rules)
    except Exception as error:  # noqa: BLE001 - whatever it is, Teams must not hear of it
        # The text of an exception may hold what somebody wrote or asked for; where it was raised does not.
        where = "".join(traceback.format_tb(error.__traceback__))
        _LOG.error("a bug met an activity: %s\n%s", type(error).__name__, where)
        app.ports.alerts.raise_alert("bug", error=type(error).__name__, activity=activity.kind)
        return message_answer(sentence("bug")) if activity.kind is ActivityKind.INVOKE else None

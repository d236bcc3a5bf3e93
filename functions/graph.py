"""What Microsoft Graph sends: handshakes, change notifications, lifecycle notifications."""

import html

import azure.functions as func

from functions.answers import answer
from shared import bootstrap
from shared.handlers.receive_notifications import receive_notifications

blueprint = func.Blueprint()
LONGEST_TOKEN = 4096


@blueprint.function_name("receive_graph_notifications")
@blueprint.route("graph/notifications", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def receive_graph_notifications(req: func.HttpRequest) -> func.HttpResponse:
    """202 once every authentic notification is durable; Graph needs no function key, `clientState` is its proof."""
    token = req.params.get("validationToken")
    return _echo(token) if token is not None else await answer(_receive(req.get_body()))


def _echo(token: str) -> func.HttpResponse:
    """Answer the handshake; what looks like markup is escaped, so that nobody can borrow our origin for it."""
    body = html.escape(token, quote=False) if "<" in token or ">" in token else token
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    if len(token) > LONGEST_TOKEN:
        return func.HttpResponse("validation-token-too-long", status_code=400, headers=headers, mimetype="text/plain")
    return func.HttpResponse(body, status_code=200, headers=headers, mimetype="text/plain", charset="utf-8")


async def _receive(body: bytes) -> func.HttpResponse:
    app = await bootstrap.tether()
    await receive_notifications(body, app.keys, app.ports)
    return func.HttpResponse(status_code=202)

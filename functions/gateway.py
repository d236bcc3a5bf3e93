"""What the gateway announces: sessions that wait for a review, by signed webhook."""

import azure.functions as func

from functions.answers import answer
from shared import bootstrap
from shared.handlers.receive_gateway_event import receive_gateway_event
from shared.wire.gateway_events import parse_gateway_event

blueprint = func.Blueprint()


@blueprint.function_name("receive_gateway_events")
@blueprint.route("gateway/events", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def receive_gateway_events(req: func.HttpRequest) -> func.HttpResponse:
    """204 once what an authentic event is about is durable; its signature is the proof."""
    return await answer(_receive(req))


async def _receive(req: func.HttpRequest) -> func.HttpResponse:
    app = await bootstrap.tether()
    secrets = app.approvals().webhook_secrets
    event = parse_gateway_event(req.get_body(), dict(req.headers), secrets, app.ports.clock.now())
    await receive_gateway_event(event, app.ports)
    return func.HttpResponse(status_code=204)

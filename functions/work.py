"""The queues."""

import functools

import azure.functions as func

from shared import bootstrap
from shared.handlers.look_at_principal import look_at_principal
from shared.handlers.process_directory_event import process_directory_event
from shared.handlers.settle_message import settle_change, settle_event

blueprint = func.Blueprint()


@blueprint.function_name("process_principal_changes")
@blueprint.service_bus_queue_trigger("message", queue_name="principal-changes", connection="ServiceBus")
async def process_principal_changes(message: func.ServiceBusMessage) -> None:
    """Look at a principal because something was said about it."""
    await _look(message, "principal-changes")


@blueprint.function_name("process_verifications")
@blueprint.service_bus_queue_trigger("message", queue_name="verifications", connection="ServiceBus")
async def process_verifications(message: func.ServiceBusMessage) -> None:
    """Look again at a principal whose access was revoked."""
    await _look(message, "verifications")


@blueprint.function_name("process_subscription_events")
@blueprint.service_bus_queue_trigger("message", queue_name="subscription-events", connection="ServiceBus")
async def process_subscription_events(message: func.ServiceBusMessage) -> None:
    """Do what a lifecycle notification, or a gap that we found ourselves, asks for."""
    app = await bootstrap.tether()
    process = functools.partial(process_directory_event, wanted=app.subscriptions, ports=app.ports, rules=app.rules)
    await settle_event(message.get_body(), "subscription-events", process, app.ports)


async def _look(message: func.ServiceBusMessage, queue: str) -> None:
    app = await bootstrap.tether()
    look = functools.partial(look_at_principal, ports=app.ports, rules=app.rules)
    await settle_change(message.get_body(), queue, look, app.ports)

"""The queues."""

import functools

import azure.functions as func

from shared import bootstrap
from shared.handlers.look_at_principal import look_at_principal
from shared.handlers.look_at_review import look_at_review
from shared.handlers.process_directory_event import process_directory_event
from shared.handlers.settle_message import (
    settle_card_update,
    settle_change,
    settle_event,
    settle_posture_job,
    settle_review_event,
)
from shared.handlers.show_card import show_card

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


@blueprint.function_name("process_review_events")
@blueprint.service_bus_queue_trigger("message", queue_name="review-events", connection="ServiceBus")
async def process_review_events(message: func.ServiceBusMessage) -> None:
    """Look at a review because it is new, changed, due, or somebody in it lost access."""
    app = await bootstrap.tether()
    asking = app.approvals().rules
    look = functools.partial(look_at_review, ports=app.ports, rules=app.rules, asking=asking)
    await settle_review_event(message.get_body(), "review-events", look, app.ports)


@blueprint.function_name("process_card_updates")
@blueprint.service_bus_queue_trigger("message", queue_name="card-updates", connection="ServiceBus")
async def process_card_updates(message: func.ServiceBusMessage) -> None:
    """Show one copy of a card as it should be now."""
    app = await bootstrap.tether()
    show = functools.partial(show_card, ports=app.ports, asking=app.approvals().rules)
    await settle_card_update(message.get_body(), "card-updates", show, app.ports)


@blueprint.function_name("process_posture_jobs")
@blueprint.service_bus_queue_trigger("message", queue_name="posture-jobs", connection="ServiceBus")
async def process_posture_jobs(message: func.ServiceBusMessage) -> None:
    """Make a report, tell Teams of it, or see how far the rotation of credentials is."""
    from shared.handlers.do_posture_job import do_posture_job  # noqa: PLC0415 - what reports need is loaded by them

    app = await bootstrap.tether()
    posture = app.posture()
    do = functools.partial(do_posture_job, ports=posture.ports, rotation=posture.rotation, rules=posture.rules)
    await settle_posture_job(message.get_body(), "posture-jobs", do, app.ports)


async def _look(message: func.ServiceBusMessage, queue: str) -> None:
    app = await bootstrap.tether()
    look = functools.partial(look_at_principal, ports=app.ports, rules=app.rules)
    await settle_change(message.get_body(), queue, look, app.ports)

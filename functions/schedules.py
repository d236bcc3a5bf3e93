"""The clock."""

import asyncio
import logging
from collections.abc import Awaitable

import azure.functions as func

from shared import bootstrap
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers import keep_subscriptions
from shared.handlers.anchor_evidence import anchor_evidence as anchor
from shared.handlers.answer_attestation import AttestationRules
from shared.handlers.ask_for_posture import ask_for_rotation as rotation
from shared.handlers.ask_for_posture import ask_for_weekly_report as weekly
from shared.handlers.poll_reviews import poll_reviews as poll
from shared.handlers.reconcile_roster import reconcile_roster as reconcile
from shared.handlers.remind_owners import remind_owners as remind
from shared.handlers.sweep_directory import RESOURCES
from shared.handlers.sweep_directory import sweep_directory as sweep

blueprint = func.Blueprint()
_LOG = logging.getLogger("tether")


@blueprint.function_name("sweep_directory")
@blueprint.timer_trigger("timer", schedule="*/10 * * * * *", use_monitor=False)
async def sweep_directory(timer: func.TimerRequest) -> None:
    """Every 10 seconds: what changed in each directory resource."""
    app = await bootstrap.tether()
    await asyncio.gather(*(_tick(f"sweep {name}", sweep(name, app.ports, app.rules)) for name in RESOURCES))


@blueprint.function_name("poll_reviews")
@blueprint.timer_trigger("timer", schedule="5/10 * * * * *", use_monitor=False)
async def poll_reviews(timer: func.TimerRequest) -> None:
    """Every 10 seconds: pending reviews that nobody announced, and open ones that were answered elsewhere."""
    app = await bootstrap.tether()
    if app.asking is not None:
        await _tick("poll reviews", poll(app.ports))


@blueprint.function_name("watch_subscriptions")
@blueprint.timer_trigger("timer", schedule="30 * * * * *", use_monitor=False)
async def watch_subscriptions(timer: func.TimerRequest) -> None:
    """Every minute: both subscriptions exist."""
    app = await bootstrap.tether()
    await _tick("watch subscriptions", keep_subscriptions.watch_subscriptions(app.subscriptions, app.ports))


@blueprint.function_name("renew_subscriptions")
@blueprint.timer_trigger("timer", schedule="0 5,35 * * * *", use_monitor=False)
async def renew_subscriptions(timer: func.TimerRequest) -> None:
    """Every 30 minutes: both subscriptions are extended."""
    app = await bootstrap.tether()
    await _tick("renew subscriptions", keep_subscriptions.renew_subscriptions(app.subscriptions, app.ports))


@blueprint.function_name("reconcile_roster")
@blueprint.timer_trigger("timer", schedule="0 15 * * * *", use_monitor=True)
async def reconcile_roster(timer: func.TimerRequest) -> None:
    """Every hour: everybody at the gateway is compared with Entra."""
    app = await bootstrap.tether()
    await _tick("reconcile roster", reconcile(app.ports, app.rules))


@blueprint.function_name("anchor_evidence")
@blueprint.timer_trigger("timer", schedule="0 10 0 * * *", use_monitor=True)
async def anchor_evidence(timer: func.TimerRequest) -> None:
    """Every day: the heads of all chains of evidence are fixed."""
    app = await bootstrap.tether()
    await _tick("anchor evidence", anchor(app.ports))


@blueprint.function_name("ask_for_weekly_report")
@blueprint.timer_trigger("timer", schedule="0 0 * * * *", use_monitor=False)
async def ask_for_weekly_report(timer: func.TimerRequest) -> None:
    """Every hour: the report that was due on Monday is made, unless it is there."""
    app = await bootstrap.tether()
    await _tick("ask for weekly report", weekly(app.posture().desk))


@blueprint.function_name("ask_for_rotation")
@blueprint.timer_trigger("timer", schedule="0 0 6 * * *", use_monitor=True)
async def ask_for_rotation(timer: func.TimerRequest) -> None:
    """Every day: how far the rotation of each credential is, and whose turn it is."""
    app = await bootstrap.tether()
    await _tick("ask for rotation", rotation(app.posture().desk))


@blueprint.function_name("remind_owners")
@blueprint.timer_trigger("timer", schedule="0 30 * * * *", use_monitor=False)
async def remind_owners(timer: func.TimerRequest) -> None:
    """Every hour: owners who are silent are reminded, and the security team is asked instead of them."""
    app = await bootstrap.tether()
    if app.ports.posture is not None:
        await _tick("remind owners", remind(app.ports, AttestationRules(app.approvals().rules.posture, app.rules)))


async def _tick(name: str, work: Awaitable[object]) -> None:
    """One tick's work; what could not be done now is done by the next tick."""
    try:
        outcome = await work
    except AlreadyDecidedError:
        return
    except (RejectedError, RetryLaterError) as error:
        app = await bootstrap.tether()
        app.ports.alerts.raise_alert("tick-failed", timer=name, because=error.reason, detail=error.detail)
    else:
        _LOG.debug("%s: %s", name, outcome)

"""Look again: the next verification, the next re-read, the next chance to restore, each as a scheduled message."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.ledger import next_look
from shared.domain.principals import Source
from shared.handlers.turn import Turn


async def look_again(ours: Turn) -> None:
    """Everything that this look leaves for later is on a queue."""
    if ours.change.source is Source.FOLLOW_UP and ours.change.stage:
        await recheck(ours, ours.change.stage + 1)
    if ours.change.source is Source.VERIFICATION and ours.state.ledger and not ours.revoked:
        await _verify_next(ours)
    await _restore_next(ours)


async def recheck(ours: Turn, stage: int) -> None:
    """A read that spoke for the principal may have lagged: ask again, three times, ever later."""
    if stage <= len(ours.rules.recheck_after):
        at = ours.ports.clock.now() + timedelta(seconds=ours.rules.recheck_after[stage - 1])
        await ours.ports.queue.send([ours.change.follow_up(source=Source.FOLLOW_UP, stage=stage)], at)


async def _verify_next(ours: Turn) -> None:
    delays, stage = ours.rules.verify_after, ours.change.stage + 1
    if stage < len(delays):
        at = ours.ports.clock.now() + timedelta(seconds=delays[stage] - delays[stage - 1])
        await ours.ports.queue.send_verification(ours.change.follow_up(source=Source.VERIFICATION, stage=stage), at)


async def _restore_next(ours: Turn) -> None:
    look_at = next_look(ours.state.ledger, ours.rules.restore, ours.ports.clock.now())
    if look_at is not None and look_at != ours.state.follow_up_at:
        await ours.ports.queue.send([ours.change.follow_up(source=Source.FOLLOW_UP)], look_at)
    ours.state = replace(ours.state, follow_up_at=look_at)

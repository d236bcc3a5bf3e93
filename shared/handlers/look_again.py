"""Look again: the next verification, the next re-read, the next chance to restore, each as a scheduled message."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.decision import Decision, Verdict
from shared.domain.ledger import next_look
from shared.domain.principals import PrincipalChange, Source
from shared.handlers.turn import Turn
from shared.ports import Ports, Rules


async def look_again(ours: Turn, decision: Decision) -> None:
    """Everything that this look leaves for later is on a queue."""
    if decision.second_path:
        await _recheck(ours, stage=1)
    if ours.change.source is Source.FOLLOW_UP and ours.change.stage:
        await _recheck(ours, ours.change.stage + 1)
    is_shut = bool(ours.state.ledger) or decision.verdict is not Verdict.KEEP
    if ours.change.source is Source.VERIFICATION and is_shut and not ours.revoked:
        await _verify_next(ours)
    await look_for_return(ours)


async def look_for_return(ours: Turn) -> None:
    """The next chance to restore is on a queue, once."""
    look_at = next_look(ours.state.ledger, ours.rules.restore, ours.ports.clock.now())
    # The message that was sent for this moment is in hand when it arrives early, as clocks differ.
    is_that_message = ours.change.source is Source.FOLLOW_UP and ours.change.stage == 0
    if look_at is not None and (look_at != ours.state.follow_up_at or is_that_message):
        await ours.ports.queue.send([ours.change.follow_up(source=Source.FOLLOW_UP)], look_at)
    ours.state = replace(ours.state, follow_up_at=look_at)


async def look_for_newcomer(change: PrincipalChange, ports: Ports, rules: Rules) -> None:
    """A loss is looked at once more: who is not at the gateway yet may be signing in with an older token just now."""
    if change.hint.takes_away and change.stage == 0:
        at = ports.clock.now() + timedelta(seconds=rules.verify_after[0])
        await ports.queue.send([replace(change, stage=1)], at)


async def _recheck(ours: Turn, stage: int) -> None:
    """A read that spoke for the principal may have lagged: ask again, three times, ever later."""
    if stage <= len(ours.rules.recheck_after):
        at = ours.ports.clock.now() + timedelta(seconds=ours.rules.recheck_after[stage - 1])
        await ours.ports.queue.send([ours.change.follow_up(source=Source.FOLLOW_UP, stage=stage)], at)


async def _verify_next(ours: Turn) -> None:
    delays, stage = ours.rules.verify_after, ours.change.stage + 1
    if stage < len(delays):
        at = ours.ports.clock.now() + timedelta(seconds=delays[stage] - delays[stage - 1])
        await ours.ports.queue.send_verification(ours.change.follow_up(source=Source.VERIFICATION, stage=stage), at)

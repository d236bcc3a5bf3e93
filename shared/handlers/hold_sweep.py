"""Hold: a sweep that would revoke too much at once stops and asks a person."""

from collections.abc import Sequence

from shared.domain.principals import PrincipalChange
from shared.domain.sweep import Hold
from shared.errors import RejectedError
from shared.ports import Ports, Rules

PART = 500


async def send_or_hold(
    changes: Sequence[PrincipalChange], revocations: int, origin: str, ports: Ports, rules: Rules
) -> None:
    """The looks are enqueued, or kept under a hold named after `origin` when they would revoke too many principals."""
    if not changes:
        return
    roster = len((await ports.gateway.roster()).identities)
    if rules.sweep_limit.allows(revocations, roster):
        await _send(changes, ports)
        return
    hold = Hold(f"{origin}-{ports.clock.now():%Y%m%dT%H%M%S}", origin, roster, tuple(changes))
    await ports.holds.put(hold)
    ports.alerts.raise_alert(
        "sweep-held", hold_id=hold.hold_id, revocations=revocations, roster=roster, limit=rules.sweep_limit.percent
    )


async def release_hold(hold_id: str, ports: Ports) -> int:
    """The number of looks enqueued after a person approved the sweep.

    Raises:
        RejectedError: `unknown-hold`.
    """
    hold = await ports.holds.read(hold_id)
    if hold is None:
        raise RejectedError("unknown-hold", "it was released already, or never existed")
    await _send(hold.changes, ports)
    await ports.holds.delete(hold_id)
    ports.alerts.raise_alert("hold-released", hold_id=hold_id, looks=len(hold.changes))
    return len(hold.changes)


async def _send(changes: Sequence[PrincipalChange], ports: Ports) -> None:
    for start in range(0, len(changes), PART):
        await ports.queue.send(changes[start : start + PART])

"""Hold: a sweep that would revoke too much at once stops and asks a person."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.principals import PrincipalChange
from shared.domain.sweep import Hold
from shared.errors import RejectedError
from shared.ports import Ports, Rules

PART = 500


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep found: looks that may revoke something of `losers` principals, and looks that may not."""

    hold_id: str
    taking: Sequence[PrincipalChange]
    others: Sequence[PrincipalChange]
    losers: int


async def send_or_hold(sweep: Sweep, ports: Ports, rules: Rules) -> None:
    """The looks are enqueued; those that may revoke are held instead when they would revoke too many at once."""
    await _send(sweep.others, ports)
    if not sweep.taking:
        return
    roster = len((await ports.gateway.roster()).identities)
    if rules.sweep_limit.allows(sweep.losers, roster):
        await _send(sweep.taking, ports)
        return
    hold = Hold(sweep.hold_id, roster, tuple(sweep.taking))
    await ports.holds.put(hold)
    ports.alerts.raise_alert(
        "sweep-held", hold_id=hold.hold_id, revocations=sweep.losers, roster=roster, limit=rules.sweep_limit.percent
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

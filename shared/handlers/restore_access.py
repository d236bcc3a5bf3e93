"""Restore: give back exactly what was taken, once Entra has granted it again for long enough."""

from shared.domain.gateway import GatewayIdentity, IdentityKind, IdentityRef
from shared.domain.ledger import Ledger, TakenKind, due, give_back, of_identity, returned
from shared.domain.plan import easier_connections
from shared.errors import RetryLaterError
from shared.handlers.revoke_access import describe
from shared.handlers.turn import Turn


async def restore_access(turn: Turn, ref: IdentityRef) -> None:
    """Whatever is due has been given back, and that has been read back.

    Raises:
        RetryLaterError: `restore-not-proven` when the gateway does not show it.
    """
    entries = _ready(of_identity(turn.state.ledger, ref), turn)
    if not entries:
        return
    current = await turn.ports.gateway.read_identity(ref)
    if current is None:
        turn.keep(returned(turn.state.ledger, entries))
        await turn.note("restore-abandoned", identity=str(ref), because="gone from the gateway")
        return
    wanted = give_back(current, entries)
    whole = give_back(current, of_identity(turn.state.ledger, ref))
    if easier_connections(await turn.ports.gateway.access_policy(), whole.groups, wanted.groups):
        # What stays behind is what asks for approval: a part of the access would be worth more than the whole.
        turn.ports.alerts.raise_alert("restore-would-skip-approval", identity=str(ref))
        return
    await turn.note("restore-decided", identity=str(ref), before=describe(current), after=describe(wanted))
    turn.check()
    await turn.ports.gateway.write_identity(current, wanted)
    now = await turn.ports.gateway.read_identity(ref)
    if now is None or not _shows(now, wanted):
        raise RetryLaterError("restore-not-proven", str(ref))
    turn.keep(returned(turn.state.ledger, entries))
    await turn.note("restored", identity=str(ref), now=describe(now))


def _ready(ledger: Ledger, turn: Turn) -> Ledger:
    """What is due; but nothing returns to an account that stays shut, because some doors look at groups alone."""
    ready = due(ledger, turn.rules.restore, turn.ports.clock.now())
    account_stays_shut = any(entry.kind is TakenKind.ACCOUNT for entry in returned(ledger, ready))
    return () if account_stays_shut else ready


def _shows(now: GatewayIdentity, wanted: GatewayIdentity) -> bool:
    # A machine identity has no status but what it may use.
    return (
        (now.status == wanted.status or now.ref.kind is IdentityKind.MACHINE_IDENTITY)
        and now.groups >= wanted.groups
        and now.connections >= wanted.connections
        and now.attributes >= wanted.attributes
    )

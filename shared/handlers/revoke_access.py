"""Revoke: close the door, settle the reviews, end the sessions, and read back until the gateway shows it."""

import asyncio
from dataclasses import replace

from shared.domain.decision import Decision
from shared.domain.gateway import GatewayIdentity, Holdings, Session
from shared.domain.ledger import record
from shared.domain.plan import Circumstances, Loss, Plan, plan
from shared.errors import RetryLaterError
from shared.handlers.turn import Turn

ROUNDS = 4


async def revoke_access(
    turn: Turn,
    found: tuple[GatewayIdentity, Holdings],
    loss: Loss,
    under: Circumstances,
    decision: Decision,
) -> None:
    """Nothing of the loss is left at the gateway, and that has been read back.

    A session whose kill met a process without its stream is killed again, as a balancer may lead to another replica.

    Raises:
        RetryLaterError: `revocation-not-proven` when the gateway still shows access after four rounds.
    """
    identity, holdings = found
    elusive: tuple[Session, ...] = ()
    for attempt in range(ROUNDS):
        wanted = plan(identity, loss, holdings, under)
        if attempt == 0:
            _raise_alerts(turn, identity, wanted)
        if wanted.door is not None or (attempt == 0 and (wanted.alerts or not wanted.is_empty)):
            await _write_down(turn, identity, wanted, decision)
        if wanted.is_empty and not elusive:
            return
        turn.revoked = True
        wanted = replace(wanted, sessions=(*wanted.sessions, *elusive))
        await _carry_out(turn, identity, wanted, decision)
        read_back = await read(turn, identity)
        if read_back is None:
            return
        identity, holdings = read_back
        elusive = tuple(session for session in wanted.sessions if session.session_id in holdings.unproven_ends)
        shut = loss.everything or (wanted.door is not None and not wanted.door.is_open)
        loss = replace(loss, everything=shut, before=loss.before | loss.grants)
    if not plan(identity, loss, holdings, under).is_empty:
        raise RetryLaterError("revocation-not-proven", f"{identity.ref} still has access after {ROUNDS} rounds")
    await _warn_of_survivors(turn, identity, elusive)


async def _warn_of_survivors(turn: Turn, identity: GatewayIdentity, elusive: tuple[Session, ...]) -> None:
    """Every kill met a process without the stream: with several replicas it may live on in another one."""
    ids = [session.session_id for session in elusive]
    await turn.note("session-may-survive", identity=str(identity.ref), sessions=ids)
    turn.ports.alerts.raise_alert("session-may-survive", identity=str(identity.ref), sessions=ids)


async def read(turn: Turn, identity: GatewayIdentity) -> tuple[GatewayIdentity, Holdings] | None:
    """The identity and what it holds, as the gateway shows them now; `None` when it is gone."""
    current, holdings = await asyncio.gather(
        turn.ports.gateway.read_identity(identity.ref), turn.ports.gateway.holdings(identity)
    )
    return None if current is None else (current, holdings)


def describe(identity: GatewayIdentity) -> dict[str, object]:
    """An identity as evidence shows it."""
    shown: dict[str, object] = {"status": identity.status, "groups": sorted(identity.groups)}
    if identity.connections or identity.attributes:
        shown |= {"connections": sorted(identity.connections), "attributes": sorted(identity.attributes)}
    return shown


async def _write_down(turn: Turn, identity: GatewayIdentity, wanted: Plan, decision: Decision) -> None:
    """Record first, act after: a crash from here on leaves what was taken, and that it is not proven yet."""
    await turn.note(
        "revocation-decided" if not wanted.is_empty else "revocation-withheld",
        source=turn.change.source,
        hint=turn.change.hint,
        group=turn.change.group_id,
        verdict=decision.verdict,
        because=decision.because,
        identity=str(identity.ref),
        before=describe(identity),
        after=describe(wanted.door or identity),
        sessions=[session.session_id for session in wanted.sessions],
        reviews=[review.review_id for review in wanted.reviews],
        alerts=list(wanted.alerts),
    )
    if wanted.is_empty:
        return
    turn.keep(record(turn.state.ledger, wanted.taken))
    if turn.state.unproven_since is None:
        turn.state = replace(turn.state, unproven_since=turn.change.received_at)
    await turn.save()


async def _carry_out(turn: Turn, identity: GatewayIdentity, wanted: Plan, decision: Decision) -> None:
    gateway = turn.ports.gateway
    if wanted.door is not None:
        turn.check()
        await gateway.write_identity(identity, wanted.door)
    turn.check()
    reason = f"Tether: {decision.because}"
    # A closed review hides its session, stream or no stream: it is closed once the session is seen to have ended.
    live = {session.session_id for session in wanted.sessions}
    closable = [review for review in wanted.reviews if review.session_id not in live]
    kills = (gateway.kill_session(session) for session in wanted.sessions)
    closings = (gateway.close_review(review, reason) for review in closable)
    # What the gateway refuses to do about one of them must not protect the others.
    outcomes = await asyncio.gather(*kills, *closings, return_exceptions=True)
    for failure in outcomes:
        if failure is not None:
            raise failure


def _raise_alerts(turn: Turn, identity: GatewayIdentity, wanted: Plan) -> None:
    for reason in wanted.alerts:
        turn.ports.alerts.raise_alert(
            reason, principal_id=turn.principal.principal_id, identity=str(identity.ref), source=turn.change.source
        )

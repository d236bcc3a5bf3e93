"""What a plan never does, whoever loses whatever under whichever policy."""

from dataclasses import replace

from hypothesis import given

from shared.domain.gateway import GatewayIdentity, Holdings, IdentityKind
from shared.domain.ledger import give_back
from shared.domain.plan import Circumstances, Loss, plan
from tests.domain import strategies as some

NOBODY = Holdings()
SHUT = ("inactive", "revoked")


@given(some.identities, some.losses, some.holdings, some.circumstances)
def test_plan_never_adds_anything(identity: GatewayIdentity, loss: Loss, held: Holdings, under: Circumstances) -> None:
    wanted = plan(identity, loss, held, under)

    door = wanted.door or identity
    assert door.groups <= identity.groups
    assert door.connections <= identity.connections
    assert door.attributes <= identity.attributes
    assert door.status in (identity.status, *SHUT)
    assert set(wanted.sessions) <= set(held.sessions)
    assert set(wanted.reviews) <= set(held.reviews)


@given(some.accounts, some.losses, some.holdings, some.circumstances)
def test_plan_never_deactivates_an_account_and_leaves_it_groups(
    identity: GatewayIdentity, loss: Loss, held: Holdings, under: Circumstances
) -> None:
    wanted = plan(identity, loss, held, under)

    if wanted.door and wanted.door.status == "inactive" and (loss.everything or identity.status != "inactive"):
        assert not wanted.door.groups


@given(some.identities, some.losses, some.holdings, some.circumstances)
def test_plan_never_touches_break_glass_or_tether_itself(
    identity: GatewayIdentity, loss: Loss, held: Holdings, under: Circumstances
) -> None:
    wanted = plan(identity, loss, held, under)

    if under.guards.break_glass or identity.ref.key == under.guards.own_subject:
        assert wanted.is_empty
        assert len(wanted.alerts) == 1


@given(some.accounts, some.losses, some.holdings, some.circumstances)
def test_plan_never_takes_the_last_admin(
    identity: GatewayIdentity, loss: Loss, held: Holdings, under: Circumstances
) -> None:
    last = replace(under, guards=replace(under.guards, active_admins=frozenset({identity.ref})))

    wanted = plan(identity, loss, held, last)

    if identity.status == "active" and "admin" in identity.groups and wanted.door is not None:
        assert wanted.door.status == "active"
        assert "admin" in wanted.door.groups


@given(some.accounts | some.keys, some.losses, some.holdings, some.circumstances)
def test_plan_never_makes_an_open_connection_easier_to_reach(
    identity: GatewayIdentity, loss: Loss, held: Holdings, under: Circumstances
) -> None:
    wanted = plan(identity, loss, held, under)

    if wanted.door is not None and wanted.door.status not in SHUT:
        after = wanted.door.groups
        for name in under.policy.reachable(after):
            if under.policy.needs_approval(identity.groups, name):
                assert under.policy.needs_approval(after, name)


@given(some.accounts | some.keys, some.losses, some.holdings, some.circumstances)
def test_plan_ends_exactly_the_sessions_that_can_no_longer_be_opened(
    identity: GatewayIdentity, loss: Loss, held: Holdings, under: Circumstances
) -> None:
    wanted = plan(identity, loss, held, under)

    if wanted.door is not None and wanted.door.status not in SHUT:
        before = under.policy.reachable(identity.groups | loss.before)
        after = under.policy.reachable(wanted.door.groups)
        assert [s.connection in before - after for s in held.sessions] == [s in wanted.sessions for s in held.sessions]


@given(some.identities, some.losses, some.holdings, some.circumstances)
def test_nothing_is_left_to_plan_once_a_plan_is_carried_out(
    identity: GatewayIdentity, loss: Loss, held: Holdings, under: Circumstances
) -> None:
    wanted = plan(identity, loss, held, under)
    after = wanted.door or identity
    was_shut = wanted.door is not None and wanted.door.status != identity.status
    loss = replace(loss, everything=loss.everything or was_shut)

    again = plan(after, loss, NOBODY, under)

    assert again.is_empty
    assert again.taken == ()


@given(some.identities, some.losses, some.holdings, some.circumstances)
def test_ledger_entries_of_a_plan_give_back_exactly_what_its_door_took(
    identity: GatewayIdentity, loss: Loss, held: Holdings, under: Circumstances
) -> None:
    wanted = plan(identity, loss, held, under)

    assert give_back(wanted.door or identity, wanted.taken) == identity
    assert {entry.ref for entry in wanted.taken} <= {identity.ref}
    assert bool(wanted.taken) == (wanted.door is not None)


@given(some.machines, some.losses, some.holdings, some.circumstances)
def test_machine_identity_keeps_no_live_session_on_a_connection_it_lost(
    identity: GatewayIdentity, loss: Loss, held: Holdings, under: Circumstances
) -> None:
    wanted = plan(identity, loss, held, under)

    if wanted.door is not None:
        assert identity.ref.kind is IdentityKind.MACHINE_IDENTITY
        gone = identity.connections - wanted.door.connections
        assert {s for s in held.sessions if s.connection in gone} <= set(wanted.sessions)

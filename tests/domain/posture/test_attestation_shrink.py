"""Only what is unused goes, nothing becomes easier, nobody is locked out, and nothing of it is given back later."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.gateway import GatewayIdentity, Holdings, IdentityKind, IdentityRef, Review, ReviewType, Session
from shared.domain.ledger import Ledger, Taken, TakenKind, give_back
from shared.domain.plan import Circumstances, Guards, easier_connections, is_in_effect
from shared.domain.posture.shrink import cut, opened_by
from shared.domain.reach import AccessPolicy, ApprovalRule
from tests.domain.samples import NOW, later
from tests.domain.strategies import CONNECTIONS, GROUPS, circumstances, connections, groups, holdings, identities

ADA = IdentityRef(IdentityKind.USER, "ada")
POLICY = AccessPolicy(
    enforced=True,
    connections=frozenset({"pg", "web"}),
    groups_of_connection={"pg": frozenset({"dba", "sre"}), "web": frozenset({"dev", "sre"})},
)
UNDER = Circumstances(POLICY, Guards(), NOW)
IDLE: tuple[Holdings, frozenset[str]] = (Holdings(), frozenset())


def ada(*held: str, status: str = "active") -> GatewayIdentity:
    return GatewayIdentity(ADA, "ada", "Ada", status, frozenset(held))


def machine(*held: str, attributes: frozenset[str] = frozenset()) -> GatewayIdentity:
    ref = IdentityRef(IdentityKind.MACHINE_IDENTITY, "batch")
    return GatewayIdentity(ref, "mi", "batch", "active", connections=frozenset(held), attributes=attributes)


def under(**changes: object) -> Circumstances:
    return replace(UNDER, **changes)  # type: ignore[arg-type]


def test_unused_group_goes_and_the_others_stay() -> None:
    wanted = cut(ada("dba", "dev"), ["dba"], (), IDLE, UNDER)

    assert wanted.after == ada("dev")
    assert wanted.going == {"dba"}
    assert not wanted.gone
    assert not wanted.refused


def test_group_that_is_not_there_any_more_is_gone() -> None:
    wanted = cut(ada("dev"), ["dba"], (), IDLE, UNDER)

    assert wanted.after is None
    assert wanted.gone == {"dba"}


def test_group_stays_that_opens_what_was_opened_since() -> None:
    wanted = cut(ada("dba", "dev"), ["dba", "dev"], (), (Holdings(), frozenset({"pg"})), UNDER)

    assert wanted.after == ada("dba")
    assert wanted.refused == {"dba": "used-since"}


def test_group_stays_while_a_session_through_it_is_live() -> None:
    live = Holdings((Session("s-1", "pg"),))

    assert cut(ada("dba"), ["dba"], (), (live, frozenset()), UNDER).refused == {"dba": "still-in-use"}


def test_group_stays_while_somebody_may_approve_or_use_an_approval() -> None:
    for review in (
        Review("r-1", "s-1", "pg", ReviewType.JIT, pending=True),
        Review("r-1", "s-1", "pg", ReviewType.JIT, pending=False, revoke_at=later(60)),
    ):
        assert cut(ada("dba"), ["dba"], (), (Holdings((), (review,)), frozenset()), UNDER).refused == {
            "dba": "still-in-use"
        }
    over = Review("r-1", "s-1", "pg", ReviewType.JIT, pending=False, revoke_at=later(-60))
    assert cut(ada("dba"), ["dba"], (), (Holdings((), (over,)), frozenset()), UNDER).after == ada()


def test_group_that_administers_is_never_called_unused() -> None:
    wanted = cut(ada("admin", "auditor", "dba"), ["admin", "auditor", "dba"], (), IDLE, UNDER)

    assert wanted.after == ada("admin", "auditor")
    assert wanted.refused == {"admin": "administers", "auditor": "administers"}


def test_group_stays_whose_removal_would_skip_an_approval() -> None:
    asking = replace(POLICY, rules=(ApprovalRule(frozenset({"pg"}), frozenset(), frozenset({"dba"})),))

    wanted = cut(ada("dba", "sre"), ["dba"], (), IDLE, under(policy=asking))

    assert wanted.after is None
    assert wanted.refused == {"dba": "removal-would-skip-approval"}


def test_group_that_is_in_nobodys_way_goes_though_another_has_to_stay() -> None:
    asking = replace(POLICY, rules=(ApprovalRule(frozenset({"pg"}), frozenset(), frozenset({"dba"})),))

    wanted = cut(ada("dba", "sre", "dev"), ["dba", "dev"], (), IDLE, under(policy=asking))

    assert wanted.after == ada("dba", "sre")
    assert wanted.refused == {"dba": "removal-would-skip-approval"}


def test_groups_go_together_where_one_alone_would_skip_an_approval() -> None:
    asking = replace(POLICY, rules=(ApprovalRule(frozenset({"pg"}), frozenset(), frozenset({"dba"})),))

    wanted = cut(ada("dba", "sre"), ["dba", "sre"], (), IDLE, under(policy=asking))

    assert wanted.after == ada()
    assert wanted.refused == {}


def test_group_that_tether_took_and_may_give_back_is_weighed_and_not_given_back() -> None:
    taken = Taken(ADA, TakenKind.GROUP, "dba", NOW)
    shut = Taken(ADA, TakenKind.ACCOUNT, "active", NOW)

    wanted = cut(ada(status="inactive"), ["dba"], (shut, taken), IDLE, UNDER)

    assert wanted.after is None
    assert wanted.going == {"dba"}
    assert wanted.ledger == (shut,)


def test_group_in_the_ledger_stays_there_whose_absence_would_skip_an_approval_after_the_return() -> None:
    asking = replace(POLICY, rules=(ApprovalRule(frozenset({"pg"}), frozenset(), frozenset({"dba"})),))
    ledger = (
        Taken(ADA, TakenKind.ACCOUNT, "active", NOW),
        Taken(ADA, TakenKind.GROUP, "dba", NOW),
        Taken(ADA, TakenKind.GROUP, "sre", NOW),
    )

    wanted = cut(ada(status="inactive"), ["dba"], ledger, IDLE, under(policy=asking))

    assert wanted.refused == {"dba": "removal-would-skip-approval"}
    assert wanted.ledger == ledger


def test_connection_of_a_machine_goes_with_the_attributes_that_open_it() -> None:
    carried = replace(POLICY, attributes_of_connection={"pg": frozenset({"prod"}), "web": frozenset({"prod"})})
    identity = machine("pg", "web", attributes=frozenset({"prod"}))

    idle = cut(identity, ["pg"], (), IDLE, under(policy=carried))
    busy = cut(identity, ["pg"], (), (Holdings(), frozenset({"web"})), under(policy=carried))

    assert idle.after == machine("web")
    assert busy.refused == {"pg": "used-since"}


def test_guards_hold() -> None:
    for guards, reason in (
        (Guards(break_glass=True), "break-glass-kept"),
        (Guards(own_subject="ada"), "own-identity-kept"),
    ):
        assert cut(ada("dba"), ["dba"], (), IDLE, under(guards=guards)).refused == {"dba": reason}
    off = replace(POLICY, enforced=False)
    assert cut(ada("dba"), ["dba"], (), IDLE, under(policy=off)).refused == {"dba": "access-control-is-off"}


ledgers = st.lists(
    st.builds(
        Taken,
        st.just(ADA),
        st.sampled_from([TakenKind.GROUP, TakenKind.ACCOUNT]),
        st.sampled_from(GROUPS),
        st.just(NOW),
    ),
    max_size=3,
).map(tuple)
grants = st.frozensets(st.sampled_from([*GROUPS, *CONNECTIONS]))


@given(identities, grants, ledgers, st.tuples(holdings, connections), circumstances)
def test_whatever_is_cut_was_unused_makes_nothing_easier_and_touches_nothing_else(
    identity: GatewayIdentity,
    wanted: frozenset[str],
    ledger: Ledger,
    seen: tuple[Holdings, frozenset[str]],
    around: Circumstances,
) -> None:
    done = cut(identity, wanted, ledger, seen, around)

    (running, used), policy = seen, around.policy
    after = done.after or identity
    live = {one.connection for one in running.sessions}
    live |= {one.connection for one in running.reviews if is_in_effect(one, around.now)}
    assert done.going | done.gone | done.refused.keys() == wanted
    assert after.status == identity.status
    assert after.groups == identity.groups - done.going
    assert after.connections == identity.connections - done.going
    assert after.attributes <= identity.attributes
    for name in done.going:
        assert not opened_by(give_back(identity, ledger), name, policy) & (live | used)
    if identity.ref.kind is not IdentityKind.MACHINE_IDENTITY and done.going:
        assert not done.going & {policy.admin_group, policy.auditor_group}
        if identity.status not in ("inactive", "revoked"):
            assert not easier_connections(policy, identity.groups, after.groups)
        back = give_back(after, done.ledger)
        assert not back.groups & done.going
        assert policy.enforced
    if around.guards.break_glass:
        assert after == identity
        assert done.ledger == ledger


@given(identities, groups, connections, circumstances)
def test_cutting_again_changes_nothing_more(
    identity: GatewayIdentity, wanted: frozenset[str], used: frozenset[str], around: Circumstances
) -> None:
    once = cut(identity, wanted, (), (Holdings(), used), around)

    again = cut(once.after or identity, wanted, (), (Holdings(), used), around)

    assert again.after is None
    assert again.refused.keys() == once.refused.keys()

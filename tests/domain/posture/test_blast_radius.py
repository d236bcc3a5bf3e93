from dataclasses import replace

from shared.domain.gateway import IdentityKind
from shared.domain.posture.blast_radius import BlastRadius, Branch, blast_radii, blast_radius, estate_reach
from shared.domain.posture.figures import Reach
from shared.domain.posture.gateway_view import Estate, Holder
from shared.domain.posture.inventory import Known, Unknown
from shared.wire.report import BlastRadius as Drawable
from tests.domain.posture.apps import AT, ago
from tests.domain.posture.estates import AGENT, estate, holder, identity, used, user

WIDE = holder(
    used(1),
    used(100, connection="s3"),
    used(2, connection="elsewhere"),
    reach={"pg": frozenset({"b", "a"}), "s3": frozenset({"a"}), "k8s": frozenset(), "vault": frozenset({"b"})},
    needs_approval=frozenset({"s3", "k8s"}),
    granted_at={"pg": ago(200)},
)


def of_agent(one: Estate) -> BlastRadius:
    found = blast_radius(one, AGENT.upper(), AT)
    assert found is not None
    return found


def test_reach_is_told_by_what_was_opened_last() -> None:
    radius = of_agent(estate(WIDE))

    assert [(one.connection, one.last_opened) for one in radius.reached] == [
        ("pg", ago(1)),
        ("s3", ago(100)),
        ("k8s", None),
        ("vault", None),
    ]
    assert [one.granted_at for one in radius.reached] == [ago(200), None, None, None]
    assert (radius.seen_since, radius.unread) == (ago(400), "")


def test_tree_goes_from_groups_to_connections() -> None:
    radius = of_agent(estate(WIDE))

    pg, s3, k8s, vault = radius.reached
    assert radius.branches == (
        Branch("a", (pg, s3)),
        Branch("b", (pg, vault)),
        Branch("without a group", (k8s,)),
    )


def test_approvals_name_the_groups_that_approve_or_somebody() -> None:
    one = estate(WIDE, approvers={"s3": frozenset({"leads", "audit"}), "pg": frozenset({"leads"})})

    radius = of_agent(one)

    assert {each.connection: each.approvals for each in radius.reached} == {
        "pg": (),
        "s3": ("audit", "leads"),
        "k8s": ("somebody",),
        "vault": (),
    }
    assert [each.connection for each in radius.without_approval] == ["pg", "vault"]


def test_one_way_without_approval_is_enough() -> None:
    twin = holder(
        identity=identity(IdentityKind.USER), reach={"s3": frozenset({"c"})}, needs_approval=frozenset(), uses=WIDE.uses
    )

    radius = of_agent(estate(twin, WIDE))

    (s3,) = (each for each in radius.reached if each.connection == "s3")
    assert (s3.groups, s3.approvals) == (("a", "c"), ())


def test_sensitive_connections_are_marked() -> None:
    radius = of_agent(estate(WIDE, sensitive=frozenset({"vault"})))

    assert [each.connection for each in radius.reached if each.is_sensitive] == ["vault"]


def test_used_counts_what_is_within_reach_and_was_live_in_ninety_days() -> None:
    def counts(*uses: Holder) -> Reach:
        return of_agent(estate(*uses)).reach

    assert counts(WIDE) == Reach("invoice-agent", 4, 1)
    assert counts(replace(WIDE, uses=Known((used(100, 90), used(99, None, "s3"))))).used == 2
    assert counts(replace(WIDE, uses=Known((used(100, 90.01),)))).used == 0


def test_unread_sessions_leave_the_use_unknown_and_say_why() -> None:
    radius = of_agent(estate(replace(WIDE, uses=Unknown("gateway-500"))))

    assert (radius.reach.used, radius.unread) == (None, "gateway-500")
    assert {each.last_opened for each in radius.reached} == {None}


def test_closed_identity_reaches_nothing() -> None:
    closed = replace(WIDE, identity=identity(status="inactive", groups=frozenset()))

    radius = of_agent(estate(closed))

    assert (radius.reached, radius.reach.granted) == ((), 0)


def test_identity_of_nobodys_is_found_by_its_name_and_a_stranger_is_not() -> None:
    one = estate(holder(principal=None, identity=identity(IdentityKind.API_KEY, "Report")))

    assert blast_radius(one, "api-key/report", AT) is not None
    assert blast_radius(one, AGENT, AT) is None


def test_radius_can_be_drawn() -> None:
    drawable: Drawable = of_agent(estate(WIDE))

    assert drawable.name == "invoice-agent"


def test_everybody_is_told_by_unused_reach_and_together() -> None:
    blind = user(reach={"pg": frozenset({"a"}), "s3": frozenset({"a"})}, uses=Unknown("gateway-500"))
    idle = holder(identity=identity(IdentityKind.API_KEY, "k"), principal=None, reach={})

    radii = blast_radii(estate(blind, WIDE, idle), AT)

    total = estate_reach(radii)
    assert [one.name for one in radii] == ["invoice-agent", "Ada", "k"]
    assert total.reaches == (Reach("invoice-agent", 4, 1), Reach("Ada", 2, None))
    assert (total.granted, total.used, total.unknown, total.percent_used) == (4, 1, 1, 25.0)


def test_nothing_known_is_no_percentage() -> None:
    assert estate_reach(()).percent_used is None


def test_order_of_reading_changes_nothing() -> None:
    twin = holder(identity=identity(IdentityKind.USER), reach={"s3": frozenset({"c"})})

    assert blast_radii(estate(WIDE, twin, user()), AT) == blast_radii(estate(user(), twin, WIDE), AT)

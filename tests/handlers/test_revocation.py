"""What Entra takes away, the gateway loses; and nobody else notices."""

import pytest

from shared.domain.gateway import IdentityKind, ReviewType
from shared.domain.identity_map import GroupMapping, IdentityMap
from shared.domain.principals import Hint, PrincipalChange, PrincipalKind, Source
from shared.domain.reach import AccessPolicy, ApprovalRule
from tests.fakes.entra import guid
from tests.fakes.queue import VERIFICATIONS
from tests.fakes.world import rules
from tests.handlers.scene import DEV, LONGEST_VERIFICATION, MAP, OPS, POLICY, is_closed, set_scene


async def test_removal_takes_group_and_session_and_schedules_its_proof() -> None:
    scene = await set_scene()

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)
    assert scene.world.gateway.identities[scene.alice_at].status == "active"
    assert len(scene.world.queue.on(VERIFICATIONS)) == 1
    assert scene.world.story(scene.alice) == ["revocation-decided", "revoked"]
    assert scene.others_are_untouched


async def test_revocation_is_verified_three_times_and_leaves_nothing_scheduled() -> None:
    scene = await set_scene()

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()
    effects = scene.world.gateway.effects[:]
    await scene.world.run(LONGEST_VERIFICATION + 60)

    assert scene.world.gateway.effects == effects
    assert not scene.world.queue.waiting
    assert not scene.world.alerts.raised


async def test_disabled_user_loses_status_groups_sessions_and_reviews() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    waiting = gateway.connect(scene.alice_at, "pg3")
    gateway.ask(scene.alice_at, waiting)

    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    alice = gateway.identities[scene.alice_at]
    assert (alice.status, alice.groups) == ("inactive", frozenset())
    assert is_closed(scene, scene.alice_at)
    assert not gateway.open_reviews(scene.alice_at)
    assert not gateway.idle_kills
    assert scene.others_are_untouched


@pytest.mark.parametrize("review_type", list(ReviewType))
async def test_stream_of_an_approved_review_ends_and_the_review_with_it(review_type: ReviewType) -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    session = gateway.connect(scene.alice_at, "pg3")
    gateway.ask(scene.alice_at, session, review_type, pending=False)

    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)
    assert not gateway.open_reviews(scene.alice_at)
    assert not gateway.idle_kills


@pytest.mark.parametrize("for_good", [False, True])
@pytest.mark.parametrize("how", ["told", "swept"])
async def test_deleted_user_loses_everything(for_good: bool, how: str) -> None:  # noqa: FBT001 - a parameter of pytest
    scene = await set_scene()

    (scene.world.entra.purge if for_good else scene.world.entra.delete)(scene.alice)
    if how == "swept":
        scene.world.lose_notifications()
        await scene.world.sweep()
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)
    assert scene.others_are_untouched


async def test_soft_deleted_user_whom_tether_never_met_loses_everything() -> None:
    scene = await set_scene()
    scene.world.records.facts.clear()

    scene.world.entra.delete(scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)


async def test_hard_deleted_user_whom_tether_never_met_is_reported_as_unmatched() -> None:
    scene = await set_scene()
    scene.world.records.facts.clear()

    scene.world.entra.purge(scene.alice)
    await scene.world.deliver()
    found = await scene.world.reconcile()

    assert found.unmatched == 2
    assert scene.world.alerts.reasons["unmatched-gateway-users"] == 1


async def test_hard_deleted_service_principal_whom_tether_never_met_loses_everything() -> None:
    scene = await set_scene()
    scene.world.records.facts.clear()

    scene.world.entra.purge(scene.agent)
    await scene.world.sweep()
    await scene.world.settle()

    assert is_closed(scene, scene.agent_at)


async def test_principal_that_the_gateway_does_not_have_leaves_no_trace() -> None:
    scene = await set_scene()
    stranger = scene.world.entra.user("stranger")
    scene.world.entra.add(DEV, stranger)
    scene.world.entra.remove(DEV, stranger)
    scene.world.entra.disable(stranger)

    await scene.world.deliver()
    looks_to_come = len(scene.world.queue.waiting)
    await scene.world.run(15)

    assert looks_to_come == 1
    assert not scene.world.gateway.effects
    assert stranger not in scene.world.records.states
    assert not scene.world.evidence.chains
    assert not scene.world.queue.waiting


async def test_loss_of_somebody_who_signs_in_with_an_older_token_just_afterwards_is_seen() -> None:
    scene = await set_scene()
    late = scene.world.entra.user("late")
    scene.world.entra.add(DEV, late)
    scene.world.entra.remove(DEV, late)
    await scene.world.deliver()
    at = scene.world.gateway.person("late@tether.example", "dev")

    await scene.world.run(15)

    assert not scene.world.gateway.identities[at].groups


async def test_only_sessions_that_the_lost_group_opened_end() -> None:
    scene = await set_scene()
    kept = scene.world.gateway.connect(scene.agent_at, "pg2")
    also_by_ops = scene.world.gateway.connect(scene.agent_at, "pg3")

    scene.world.entra.remove(DEV, scene.agent)
    await scene.world.deliver()

    assert scene.world.gateway.flowing(scene.agent_at) == {kept, also_by_ops}


async def test_removed_nested_group_takes_from_its_members_and_from_nobody_else() -> None:
    scene = await set_scene()
    entra = scene.world.entra
    carol = entra.user("carol")
    carol_at = scene.world.gateway.person("carol@tether.example", "dev")
    scene.world.gateway.connect(carol_at, "pg1")
    contractors = entra.group("contractors", carol)
    entra.add(DEV, contractors)
    await scene.world.reconcile()
    await scene.world.deliver()

    entra.remove(DEV, contractors)
    await scene.world.deliver()

    assert is_closed(scene, carol_at)
    assert scene.others_are_untouched
    assert len(scene.world.gateway.flowing(scene.alice_at)) == 1
    assert scene.world.story(scene.alice) == []


async def test_removed_nested_group_is_swept_when_graph_says_nothing() -> None:
    scene = await set_scene()
    entra = scene.world.entra
    carol = entra.user("carol")
    carol_at = scene.world.gateway.person("carol@tether.example", "dev")
    contractors = entra.group("contractors", carol)
    entra.add(DEV, contractors)
    await scene.world.reconcile()
    await scene.world.deliver()

    entra.remove(DEV, contractors)
    scene.world.lose_notifications()
    await scene.world.sweep()
    await scene.world.settle()

    assert is_closed(scene, carol_at)
    assert scene.others_are_untouched


@pytest.mark.parametrize("for_good", [False, True])
async def test_deleted_group_takes_from_all_its_members(for_good: bool) -> None:  # noqa: FBT001 - a parameter
    scene = await set_scene()

    (scene.world.entra.purge_group if for_good else scene.world.entra.delete_group)(DEV)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)
    assert is_closed(scene, scene.bob_at)
    assert scene.world.gateway.identities[scene.agent_at].groups == {"ops"}


async def test_deleted_group_that_was_nested_takes_from_its_members() -> None:
    scene = await set_scene()
    entra = scene.world.entra
    carol = entra.user("carol")
    carol_at = scene.world.gateway.person("carol@tether.example", "dev")
    contractors = entra.group("contractors", carol)
    entra.add(DEV, contractors)
    await scene.world.reconcile()
    await scene.world.deliver()

    entra.delete_group(contractors)
    await scene.world.deliver()

    assert is_closed(scene, carol_at)
    assert scene.others_are_untouched


async def test_deleted_group_that_is_governed_and_nested_takes_both_from_its_members() -> None:
    scene = await set_scene()
    entra = scene.world.entra
    entra.remove(OPS, scene.agent)
    entra.remove(DEV, scene.agent)
    entra.add(OPS, scene.agent)
    entra.add(DEV, OPS)
    scene.world.lose_notifications()

    entra.delete_group(OPS)
    await scene.world.deliver()

    assert is_closed(scene, scene.agent_at)


async def test_group_whose_name_changed_takes_nothing() -> None:
    scene = await set_scene()

    scene.world.entra.outbox.append(_group_update(DEV))
    await scene.world.deliver()

    assert not scene.world.gateway.effects


async def test_group_known_by_display_name_is_resolved() -> None:
    by_name = IdentityMap((GroupMapping("developers", "dev"), GroupMapping("operators", "ops")))
    scene = await set_scene(rules(by_name))

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)
    assert scene.others_are_untouched


async def test_group_named_by_its_object_id_needs_no_map() -> None:
    scene = await set_scene(rules(IdentityMap()))
    gateway = scene.world.gateway
    gateway.policy = AccessPolicy(
        enforced=True, connections=frozenset({"pg1"}), groups_of_connection={"pg1": frozenset({DEV})}
    )
    gateway.set_groups(scene.alice_at, DEV)

    scene.world.entra.remove(DEV, scene.alice)
    await scene.world.deliver()

    assert is_closed(scene, scene.alice_at)


async def test_keys_and_machine_identities_of_a_disabled_agent_are_revoked_and_given_back() -> None:
    agents = {
        kind: guid("agent") for kind in (IdentityKind.AI_AGENT, IdentityKind.API_KEY, IdentityKind.MACHINE_IDENTITY)
    }
    scene = await set_scene(rules(MAP))
    gateway = scene.world.gateway
    refs = (
        gateway.key(IdentityKind.AI_AGENT, "agent-key", "dev"),
        gateway.key(IdentityKind.API_KEY, "api-key", "ops"),
        gateway.machine("robot", "pg1", "pg2", attributes=frozenset({"blue"})),
    )
    assert len(agents) == len(refs)
    scene.world.rules = rules(IdentityMap(MAP.groups, {scene.agent: refs}))
    before = {ref: gateway.identities[ref] for ref in (*refs, scene.agent_at)}
    for ref in refs:
        gateway.connect(ref, "pg1")

    scene.world.entra.disable(scene.agent)
    await scene.world.sweep()
    await scene.world.settle()

    for ref in before:
        assert not gateway.identities[ref].is_open
        assert not gateway.flowing(ref)

    scene.world.entra.enable(scene.agent)
    await scene.world.sweep()
    await scene.world.run(61)

    assert {ref: gateway.identities[ref] for ref in before} == before


async def test_machine_identity_loses_only_the_connection_of_the_lost_group() -> None:
    mapped = IdentityMap((GroupMapping(DEV, connection="pg1"), GroupMapping(OPS, connection="pg2")))
    scene = await set_scene(rules(mapped))
    gateway = scene.world.gateway
    robot = gateway.machine("robot", "pg1", "pg2")
    scene.world.rules = rules(IdentityMap(mapped.groups, {scene.agent: (robot,)}))
    gateway.connect(robot, "pg1")
    kept = gateway.connect(robot, "pg2")

    scene.world.entra.remove(DEV, scene.agent)
    await scene.world.deliver()

    assert gateway.identities[robot].connections == {"pg2"}
    assert gateway.flowing(robot) == {kept}


async def test_keys_that_outlive_their_creator_are_reported() -> None:
    scene = await set_scene()
    scene.world.gateway.key(IdentityKind.API_KEY, "alices-key", "dev", created_by="Alice@Tether.example")

    scene.world.entra.disable(scene.alice)
    await scene.world.deliver()

    assert scene.world.alerts.reasons["keys-outlive-creator"] == 1


async def test_removal_that_would_skip_an_approval_deactivates_instead() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    gateway.policy = AccessPolicy(
        enforced=True,
        connections=POLICY.connections,
        groups_of_connection=POLICY.groups_of_connection,
        rules=(ApprovalRule(frozenset({"pg3"}), frozenset(), approval_required_groups=frozenset({"dev"})),),
    )

    scene.world.entra.remove(DEV, scene.agent)
    await scene.world.deliver()

    assert gateway.identities[scene.agent_at].status == "inactive"
    assert scene.world.alerts.reasons["removal-would-skip-approval"] == 1

    scene.world.entra.add(DEV, scene.agent)
    await scene.world.deliver()
    await scene.world.run(61)

    assert gateway.identities[scene.agent_at].status == "active"
    assert gateway.identities[scene.agent_at].groups == {"dev", "ops"}


async def test_key_whose_removal_would_skip_an_approval_is_revoked_whole_and_comes_back_whole() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    key = gateway.key(IdentityKind.AI_AGENT, "agent-key", "dev", "ops")
    scene.world.rules = rules(IdentityMap(MAP.groups, {scene.agent: (key,)}))
    gateway.policy = AccessPolicy(
        enforced=True,
        connections=POLICY.connections,
        groups_of_connection=POLICY.groups_of_connection,
        rules=(ApprovalRule(frozenset({"pg3"}), frozenset(), approval_required_groups=frozenset({"dev"})),),
    )
    before = gateway.identities[key]

    scene.world.entra.remove(DEV, scene.agent)
    await scene.world.deliver()

    assert gateway.identities[key].status == "revoked"

    scene.world.entra.add(DEV, scene.agent)
    await scene.world.deliver()
    await scene.world.run(61)

    assert gateway.identities[key] == before


def _group_update(group_id: str) -> bytes:
    from tests.fakes.entra import notification  # noqa: PLC0415

    return notification("groups", "updated", {"id": group_id})


async def test_address_of_a_deleted_user_that_passed_to_somebody_else_is_left_to_them() -> None:
    scene = await set_scene()
    scene.world.entra.delete(scene.alice)
    await scene.world.deliver()
    heir = scene.world.entra.user("heir", "alice@tether.example")
    scene.world.entra.add(DEV, heir)
    heir_at = scene.world.gateway.person("alice@tether.example", "dev")

    await scene.world.reconcile()
    await scene.world.settle()
    told = PrincipalChange(
        scene.alice, Source.NOTIFICATION, scene.world.clock.now(), "late", PrincipalKind.USER, Hint.DELETED
    )
    await scene.world.queue.send([told])
    await scene.world.settle()

    assert scene.world.gateway.identities[heir_at].status == "active"
    assert scene.world.gateway.identities[heir_at].groups == {"dev"}
    assert is_closed(scene, scene.alice_at)


async def test_account_comes_back_only_together_with_the_group_that_asks_for_its_approval() -> None:
    scene = await set_scene()
    gateway = scene.world.gateway
    gateway.policy = AccessPolicy(
        enforced=True,
        connections=POLICY.connections,
        groups_of_connection=POLICY.groups_of_connection,
        rules=(ApprovalRule(frozenset({"pg3"}), frozenset(), approval_required_groups=frozenset({"dev"})),),
    )
    scene.world.entra.disable(scene.agent)
    await scene.world.sweep()
    await scene.world.settle()
    scene.world.entra.remove(DEV, scene.agent)
    await scene.world.deliver()

    scene.world.entra.enable(scene.agent)
    await scene.world.sweep()
    await scene.world.run(120)

    assert gateway.identities[scene.agent_at].status == "inactive"
    assert scene.world.alerts.reasons["restore-would-skip-approval"]

"""The estate: whose each identity is, what it reaches and opened, and what nobody could say."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.gateway import IdentityKind, IdentityRef
from shared.domain.identity_map import GroupMapping, IdentityMap
from shared.domain.posture.blast_radius import blast_radius
from shared.domain.posture.gateway_view import Estate, GroupFacts, Holder, TaskGroup
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.kept_uses import NEWEST
from shared.domain.posture.rules import PostureRules
from shared.domain.posture.sessions import HISTORY
from shared.domain.principals import AccountState
from shared.domain.reach import AccessPolicy, ApprovalRule
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.read_estate import EstatePorts, EstateRules, read_estate
from tests.fakes.audit import FakeAuditLog
from tests.fakes.clock import START
from tests.fakes.entra import guid
from tests.fakes.session_log import FakeSessionLog
from tests.fakes.world import World, rules

DAY = timedelta(days=1)
POLICY = AccessPolicy(
    enforced=True,
    connections=frozenset({"billing", "orders", "lonely"}),
    groups_of_connection={"billing": frozenset({guid("finance")}), "orders": frozenset({"sre"})},
    groups_of_attribute={"critical": frozenset({guid("finance")})},
    attributes_of_connection={"orders": frozenset({"critical"})},
    rules=(ApprovalRule(frozenset({"orders"}), frozenset()),),
)


def a_world(*entries: GroupMapping, agents: Mapping[str, tuple[IdentityRef, ...]] | None = None) -> World:
    world = World(rules=rules(IdentityMap(entries, agents or {}, frozenset({"boss@tether.example"}))))
    world.gateway.policy = POLICY
    return world


def met(world: World, *principal_ids: str) -> None:
    """Tether has seen these principals."""
    for principal_id in principal_ids:
        described = world.entra.truth.described(principal_id)
        assert described is not None
        world.records.facts[principal_id] = described


async def read(
    world: World,
    log: FakeSessionLog | None = None,
    audit: FakeAuditLog | None = None,
    asked: PostureRules | None = None,
) -> Estate:
    ports = EstatePorts(world.ports, log or FakeSessionLog(), audit)
    return await read_estate(ports, EstateRules(world.rules, asked or PostureRules()), START)


def holder(estate: Estate, ref: IdentityRef) -> Holder:
    (found,) = (one for one in estate.holders if one.identity.ref == ref)
    return found


def group(estate: Estate, name: str) -> TaskGroup:
    (found,) = (one for one in estate.groups if one.group_id == guid(name))
    return found


async def test_each_identity_has_its_principal_and_what_is_nobodys_has_none() -> None:
    agent_key = IdentityRef(IdentityKind.AI_AGENT, "key-1")
    world = a_world(agents={guid("other bot"): (agent_key,)})
    ada, bot, other = (
        world.entra.user("ada"),
        world.entra.service_principal("bot"),
        world.entra.service_principal("other bot"),
    )
    person, account = world.gateway.person("ADA@tether.example"), world.gateway.service_account(bot)
    world.gateway.key(IdentityKind.AI_AGENT, "key-1")
    stranger = world.gateway.person("nobody@elsewhere.example", guid("finance"))
    met(world, ada, bot, other)

    estate = await read(world)

    found = {one.identity.ref: one.principal.principal_id if one.principal else None for one in estate.holders}
    assert found == {person: ada, account: bot, agent_key: other, stranger: None}
    assert holder(estate, stranger).task_groups == Known(frozenset())
    assert [one.identity.ref for one in estate.holders] == sorted(found)


async def test_tether_itself_is_no_holder() -> None:
    world = a_world()
    world.gateway.service_account(world.gateway.own_subject, "admin")
    person = world.gateway.person("ada@tether.example")

    estate = await read(world)

    assert [one.identity.ref for one in estate.holders] == [person]


async def test_address_belongs_to_whom_entra_lets_in() -> None:
    world = a_world()
    former, present = world.entra.user("a former", "ada@tether.example"), world.entra.user("ada")
    world.entra.disable(former)
    ref = world.gateway.person("ada@tether.example")
    met(world, former, present)

    principal = holder(await read(world), ref).principal

    assert principal is not None
    assert principal.principal_id == present


async def test_two_open_users_with_one_address_are_nobodys_and_their_groups_unknown() -> None:
    world = a_world()
    ada = world.entra.user("ada")
    refs = [world.gateway.person("ada@tether.example", guid("finance")) for _ in range(2)]
    met(world, ada)

    estate = await read(world)

    assert [holder(estate, ref).principal for ref in refs] == [None, None]
    assert [holder(estate, ref).task_groups for ref in refs] == [Unknown("ambiguous-identity")] * 2


async def test_agent_is_in_task_groups_by_any_path_and_in_no_others() -> None:
    world = a_world(GroupMapping("Finance", "finance"))
    bot = world.entra.service_principal("bot")
    inner = world.entra.group("inner", bot)
    finance = world.entra.group("Finance", inner)
    ref = world.gateway.service_account(bot)
    met(world, bot)

    assert holder(await read(world), ref).task_groups == Known(frozenset({finance}))


async def test_group_that_only_access_control_names_is_a_task_group() -> None:
    world = a_world()
    bot = world.entra.service_principal("bot")
    world.entra.group("finance", bot)
    ref = world.gateway.service_account(bot)
    met(world, bot)

    estate = await read(world)

    assert holder(estate, ref).task_groups == Known(frozenset({guid("finance")}))
    assert group(estate, "finance").connections == {"billing", "orders"}


async def test_person_is_in_the_groups_held_at_the_gateway_without_asking_graph() -> None:
    world = a_world(GroupMapping(guid("people"), "sre"))
    ada = world.entra.user("ada")
    ref = world.gateway.person("ada@tether.example", "sre", "unmapped")
    met(world, ada)
    asked = Asked(world)

    estate = await read(world)

    assert holder(estate, ref).task_groups == Known(frozenset({guid("people")}))
    assert asked.of == []


async def test_graph_says_which_of_several_groups_a_person_holds_a_grant_by() -> None:
    world = a_world(GroupMapping(guid("people"), "sre"), GroupMapping(guid("robots"), "sre"))
    ada = world.entra.user("ada")
    world.entra.group("people", ada)
    world.entra.group("robots")
    ref = world.gateway.person("ada@tether.example", "sre", guid("finance"))
    met(world, ada)

    assert holder(await read(world), ref).task_groups == Known(frozenset({guid("people"), guid("finance")}))


async def test_membership_that_outlives_a_disabled_account_is_seen() -> None:
    world = a_world()
    ada = world.entra.user("ada")
    world.entra.group("finance", ada)
    world.entra.disable(ada)
    ref = world.gateway.person("ada@tether.example", status="inactive")
    met(world, ada)

    assert holder(await read(world), ref).task_groups == Known(frozenset({guid("finance")}))


async def test_deleted_principal_is_in_no_group_and_graph_is_not_asked() -> None:
    world = a_world()
    bot = world.entra.service_principal("bot")
    ref = world.gateway.service_account(bot)
    met(world, bot)
    world.records.facts[bot] = replace(world.records.facts[bot], state=AccountState.DELETED)
    asked = Asked(world)

    estate = await read(world)

    assert holder(estate, ref).task_groups == Known(frozenset())
    assert asked.of == []


async def test_memberships_are_unknown_when_graph_does_not_answer() -> None:
    world = a_world(GroupMapping(guid("people"), "sre"))
    ada, bot = world.entra.user("ada"), world.entra.service_principal("bot")
    person, account = world.gateway.person("ada@tether.example", "sre"), world.gateway.service_account(bot)
    met(world, ada, bot)
    Asked(world).fails = True

    estate = await read(world)

    assert holder(estate, account).task_groups == Unknown("graph-429")
    assert holder(estate, person).task_groups == Known(frozenset({guid("people")}))


async def test_reach_says_which_groups_open_what_and_where_an_approval_is_asked_for() -> None:
    world = a_world()
    person = world.gateway.person("ada@tether.example", guid("finance"), "sre", "idle")
    admin = world.gateway.person("boss@tether.example", "admin")

    estate = await read(world)

    finance, both = frozenset({guid("finance")}), frozenset({guid("finance"), "sre"})
    assert holder(estate, person).reach == {"billing": finance, "orders": both}
    assert holder(estate, person).needs_approval == {"orders"}
    assert holder(estate, admin).reach == dict.fromkeys(POLICY.connections, frozenset({"admin"}))


async def test_machine_identity_reaches_its_connections_and_those_of_its_attributes() -> None:
    world = a_world()
    ref = world.gateway.machine("ci", "billing", attributes=frozenset({"critical"}))

    assert holder(await read(world), ref).reach == {"billing": frozenset(), "orders": frozenset()}


async def test_everybody_reaches_everything_by_no_group_where_there_is_no_access_control() -> None:
    world = a_world(GroupMapping(guid("people"), "sre", "billing"))
    world.gateway.policy = replace(POLICY, enforced=False)
    ref = world.gateway.person("ada@tether.example", "sre")

    estate = await read(world)

    assert holder(estate, ref).reach == dict.fromkeys(POLICY.connections, frozenset())
    assert group(estate, "people").connections == frozenset()


async def test_group_opens_what_its_gateway_groups_open_and_promises_what_the_map_says() -> None:
    world = a_world(
        GroupMapping("On Call", "sre", "billing", scope="read"),
        GroupMapping(guid("robots"), connection="lonely"),
        GroupMapping(guid("empty"), "nothing"),
    )
    on_call = world.entra.group("On Call")
    world.gateway.machine("ci", "lonely")

    estate = await read(world)

    assert group(estate, "On Call") == TaskGroup(
        on_call, "On Call", frozenset({"orders"}), frozenset({"billing"}), "read", 0, 0
    )
    assert group(estate, "robots").connections == {"lonely"}
    assert group(estate, "empty").connections == frozenset()
    assert [one.group_id for one in estate.groups] == sorted(one.group_id for one in estate.groups)


async def test_group_has_the_name_and_counts_of_entra() -> None:
    world = a_world(GroupMapping(guid("people"), "sre"))
    world.gateway.person("ada@tether.example")
    people = world.entra.group("people", world.entra.user("ada"), world.entra.user("bob"))
    world.entra.truth.owners[people] = [guid("ada")]

    found = group(await read(world), "people")

    assert (found.name, found.member_count, found.owner_count) == ("people", 2, 1)


async def test_group_that_is_gone_or_not_told_of_keeps_its_place_and_is_not_counted() -> None:
    world = a_world(GroupMapping("On Call", "sre"), GroupMapping(guid("gone"), "sre"))
    world.gateway.person("ada@tether.example")
    on_call = world.entra.group("On Call")
    gone = await read(world)
    Asked(world).facts_fail = True
    untold = await read(world)

    assert group(gone, "gone") == TaskGroup(guid("gone"), guid("gone"), frozenset({"orders"}))
    assert group(untold, "On Call") == TaskGroup(on_call, "On Call", frozenset({"orders"}))


async def test_connection_that_only_administrators_open_is_without_group_unless_the_map_names_one() -> None:
    world = a_world()
    world.gateway.person("ada@tether.example")
    mapped = a_world(GroupMapping(guid("robots"), connection="lonely"))
    mapped.gateway.person("ada@tether.example")

    assert (await read(world)).connections_without_group == {"lonely"}
    assert (await read(mapped)).connections_without_group == frozenset()


async def test_estate_knows_connections_and_break_glass_and_that_audits_and_tokens_were_not_read() -> None:
    world = a_world()
    world.gateway.person("ada@tether.example")

    estate = await read(world)

    assert estate.connections == POLICY.connections
    assert estate.break_glass == {"boss@tether.example"}
    assert (estate.audits, estate.tokens) == (Unknown("not-read"), Unknown("no-protected-resource"))


async def test_uses_are_each_holders_own_and_the_newest_first() -> None:
    world, log = a_world(), FakeSessionLog()
    ada, bob = world.gateway.person("ada@tether.example"), world.gateway.person("bob@tether.example")
    old, new = log.opened(ada.key, "billing", 9 * DAY), log.opened(ada.key, "orders", 2 * DAY)
    log.opened("somebody who left", "orders", DAY)

    estate = await read(world, log)

    assert holder(estate, ada).uses == Known((new, old))
    assert holder(estate, bob).uses == Known(())


@pytest.mark.parametrize("fails_after", [0, 1, 2])
async def test_uses_are_unknown_for_everybody_when_the_log_breaks_off(fails_after: int) -> None:
    world, log = a_world(), FakeSessionLog(fails_after=fails_after)
    refs = [world.gateway.person(f"{name}@tether.example") for name in ("ada", "bob")]
    for ref in refs:
        log.opened(ref.key, "billing", DAY)

    estate = await read(world, log)

    assert [holder(estate, ref).uses for ref in refs] == [Unknown("gateway-500")] * 2
    assert estate.sessions_since is None


async def test_sessions_are_known_since_the_oldest_in_a_log_that_begins_within_the_span() -> None:
    world, log = a_world(), FakeSessionLog()
    world.gateway.person("ada@tether.example")
    oldest = log.opened("somebody who left", "orders", 40 * DAY)
    log.opened("somebody who left", "orders", 3 * DAY)

    assert (await read(world, log)).sessions_since == oldest.opened_at


async def test_sessions_are_known_for_the_whole_span_when_the_log_holds_older_ones() -> None:
    world, log = a_world(), FakeSessionLog()
    world.gateway.person("ada@tether.example")
    log.opened("somebody who left", "orders", 3 * DAY)
    log.opened("somebody who left", "orders", 400 * DAY)

    assert (await read(world, log)).sessions_since == START - HISTORY


async def test_log_that_does_not_say_how_far_it_reaches_is_taken_for_a_young_one() -> None:
    world, log = a_world(), FakeSessionLog(fails_before=START - HISTORY)
    ref = world.gateway.person("ada@tether.example")
    use = log.opened(ref.key, "orders", 3 * DAY)

    estate = await read(world, log)

    assert estate.sessions_since == use.opened_at
    assert holder(estate, ref).uses == Known((use,))


async def test_nothing_is_known_of_time_when_the_log_is_empty() -> None:
    world = a_world()
    ref = world.gateway.person("ada@tether.example")

    estate = await read(world)

    assert estate.sessions_since is None
    assert holder(estate, ref).uses == Known(())


async def test_of_a_busy_connection_the_newest_are_kept_and_the_ends_of_days_and_weeks_by_hand_and_not() -> None:
    world, log = a_world(), FakeSessionLog()
    ref = world.gateway.person("ada@tether.example")
    first, last = (log.opened(ref.key, "orders", 60 * DAY + timedelta(hours=hours)) for hours in (2, 1))
    by_hand = log.opened(ref.key, "orders", 60 * DAY + timedelta(hours=3), interactive=True)
    busy = [log.opened(ref.key, "orders", timedelta(minutes=minutes)) for minutes in range(1, 4 * NEWEST)]

    uses = holder(await read(world, log), ref).uses

    assert uses == Known((*busy[:NEWEST], busy[-1], last, first, by_hand))


async def test_estate_is_the_same_in_whatever_order_the_log_and_the_roster_come() -> None:
    world, log = a_world(GroupMapping(guid("people"), "sre")), FakeSessionLog()
    refs = [world.gateway.person(f"user{number}@tether.example", "sre") for number in range(5)]
    for number in range(300):
        log.opened(refs[number % 5].key, "orders", timedelta(hours=number % 40))
    before = await read(world, log)
    log.entries.reverse()
    world.gateway.identities = dict(reversed(world.gateway.identities.items()))

    assert await read(world, log) == before


async def test_blast_radius_of_the_estate_counts_what_was_granted_and_what_was_opened() -> None:
    world, log = a_world(), FakeSessionLog()
    bot = world.entra.service_principal("bot")
    ref = world.gateway.service_account(bot, guid("finance"))
    met(world, bot)
    opened = log.opened(ref.key, "orders", DAY)

    radius = blast_radius(await read(world, log), bot, START)

    assert radius is not None
    assert (radius.reach.granted, radius.reach.used) == (2, 1)
    assert [(one.connection, one.last_opened) for one in radius.reached] == [
        ("orders", opened.opened_at),
        ("billing", None),
    ]


async def test_empty_roster_is_an_error_and_no_clean_estate() -> None:
    with pytest.raises(RejectedError, match="empty-roster"):
        await read(a_world())


async def test_map_that_graph_does_not_resolve_is_an_error_and_no_smaller_estate() -> None:
    world = a_world(GroupMapping("On Call", "sre"))
    world.gateway.person("ada@tether.example")
    Asked(world).fails = True

    with pytest.raises(RetryLaterError, match="groups-not-resolved"):
        await read(world)


class Asked:
    """Listens to what Graph is asked about the directory, and lets it fail."""

    def __init__(self, world: World) -> None:
        self.of: list[str] = []
        self.fails = self.facts_fail = False
        self._memberships, self._ids = world.entra.memberships_of_many, world.entra.group_ids
        world.entra.memberships_of_many = self.memberships_of_many  # type: ignore[method-assign]
        world.entra.group_ids = self.group_ids  # type: ignore[method-assign]
        self._facts = world.entra.group_facts
        world.entra.group_facts = self.group_facts  # type: ignore[method-assign]

    async def memberships_of_many(self, wanted: Mapping[str, Collection[str]]) -> Mapping[str, frozenset[str]]:
        self.of += wanted
        self._check()
        return await self._memberships(wanted)

    async def group_ids(self, display_names: Collection[str]) -> Mapping[str, str]:
        self._check()
        return await self._ids(display_names)

    async def group_facts(self, group_ids: Collection[str]) -> Mapping[str, GroupFacts]:
        if self.facts_fail:
            raise RetryLaterError("graph-429")
        return await self._facts(group_ids)

    def _check(self) -> None:
        if self.fails:
            raise RetryLaterError("graph-429")

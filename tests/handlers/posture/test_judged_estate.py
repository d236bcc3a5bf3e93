"""What is said of an estate as it is read: every check of the gateway once against, and once for, those it is about."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from shared.domain.approval import Person
from shared.domain.gateway import IdentityRef
from shared.domain.identity_map import GroupMapping, IdentityMap
from shared.domain.posture.finding import Finding, Verdict
from shared.domain.posture.gateway_catalogue import ESTATE_CHECKS, judge_estate
from shared.domain.posture.gateway_view import AuditEvent, Estate, Overlap, TokenUse, Use, membership
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.kept_uses import NEWEST
from shared.domain.posture.rules import OperatorFacts, PostureRules
from shared.domain.principals import Principal
from shared.domain.reach import AccessPolicy, ApprovalRule
from shared.handlers.name_owners import name_owners
from shared.handlers.read_estate import EstatePorts, EstateRules, read_estate
from tests.fakes.audit import FakeAuditLog
from tests.fakes.clock import START
from tests.fakes.entra import guid
from tests.fakes.session_log import FakeSessionLog
from tests.fakes.world import World, rules

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LEDGER = guid("ledger resource")
FACTS = OperatorFacts(protected={LEDGER: "ledger"}, trusted_actors=frozenset({"hr@contoso.example"}))
POLICY = AccessPolicy(
    enforced=True,
    connections=frozenset({"ledger", "orders"}),
    groups_of_connection={"ledger": frozenset({guid("accounting")}), "orders": frozenset({guid("sales")})},
    rules=(ApprovalRule(frozenset({"ledger"}), frozenset(), reviewer_groups=frozenset({guid("auditors")})),),
)


@dataclass
class Scene:
    """An agent in the group that opens the ledger, which it opens every other day; nobody has anything against it."""

    map_entries: tuple[GroupMapping, ...] = ()
    facts: OperatorFacts = FACTS
    log: FakeSessionLog = field(default_factory=FakeSessionLog)
    audit: FakeAuditLog = field(default_factory=FakeAuditLog)

    def __post_init__(self) -> None:
        self.world = World(rules=rules(IdentityMap(self.map_entries)))
        self.world.gateway.policy = POLICY
        self.agent = self.world.entra.service_principal("agent", blueprint_id=guid("blueprint"))
        self.accounting = self.world.entra.group("accounting", self.agent)
        self.sales = self.world.entra.group("sales", self.world.entra.user("seller"))
        self.world.entra.truth.owners |= {one: [guid("seller")] for one in (self.accounting, self.sales)}
        self.ref = self.world.gateway.service_account(self.agent, guid("accounting"))
        self.audit.tags = {self.agent: frozenset({"Engineering/Project"})}
        for days in range(1, 390, 2):
            self.log.opened(self.agent, "ledger", days * DAY)
        self.log.opened("somebody who left", "orders", 400 * DAY)

    def added(self, group_id: str, member_id: str, ago: timedelta, actor: str = "hr@contoso.example") -> None:
        details = {"group_id": group_id}
        event = AuditEvent(START - ago, "Add member to group", actor, member_id, f"c-{len(self.audit.events)}", details)
        self.audit.events.append(event)

    def token(self, ago: timedelta, principal_id: str = "", source: str = "") -> None:
        self.audit.issued.append(TokenUse(principal_id or self.agent, LEDGER, START - ago, source=source))

    async def estate(self) -> Estate:
        everybody = (one for one in self.world.entra.truth.principals if one not in self.world.records.facts)
        for principal_id in [*everybody]:
            described = self.world.entra.truth.described(principal_id)
            if described is not None:
                self.world.records.facts[principal_id] = described
        ports = EstatePorts(self.world.ports, self.log, self.audit)
        return await read_estate(ports, EstateRules(self.world.rules, PostureRules(facts=self.facts)), START)

    async def findings(self, *check_ids: str) -> list[Finding]:
        found = judge_estate(await self.estate(), START, PostureRules().limits)
        return [one for one in found if not check_ids or one.check_id in check_ids]

    async def said(self, *check_ids: str) -> list[tuple[str, str]]:
        return [_short(one) for one in await self.findings(*check_ids)]


def _short(finding: Finding) -> tuple[str, str]:
    if finding.verdict is Verdict.UNKNOWN:
        return finding.check_id, dict(finding.facts)["missing"]
    return finding.check_id, finding.about.key_id


def opened(scene: Scene, at: datetime, minutes: int, connection: str = "ledger") -> None:
    scene.log.entries.append((scene.agent, Use(connection, at, at + minutes * MINUTE)))


async def test_agent_that_is_in_order_is_complained_about_by_no_check() -> None:
    scene = Scene()
    scene.added(scene.accounting, scene.agent, 3 * DAY)
    scene.token(DAY + 2 * MINUTE)

    assert await scene.said() == []
    assert {one for one in ESTATE_CHECKS if one.startswith("G")} == {f"G{number}" for number in range(1, 15)}


async def test_agent_in_two_task_groups_is_told_unless_that_was_approved() -> None:
    guilty, innocent = Scene(), Scene()
    for scene in (guilty, innocent):
        scene.world.entra.add(scene.sales, scene.agent)
    both = frozenset({innocent.accounting, innocent.sales})
    innocent.facts = replace(FACTS, overlaps=(Overlap(innocent.agent, both, START + DAY),))

    assert await guilty.said("G1") == [("G1", "")]
    assert await innocent.said("G1") == []


async def test_group_that_is_held_and_opens_nothing_is_no_task_group() -> None:
    scene = Scene()
    idle = scene.world.entra.group("idle", scene.agent)
    scene.world.gateway.set_groups(scene.ref, guid("accounting"), idle)

    assert await scene.said("G1", "G5") == []


async def test_workloads_that_share_an_identity_are_told_by_the_addresses_of_its_tokens() -> None:
    guilty, innocent = Scene(), Scene()
    for scene in (guilty, innocent):
        for minutes, source in ((60, "10.0.0.1"), (50, "10.0.0.2")):
            scene.token((minutes + 1) * MINUTE, source=source)
            opened(scene, START - minutes * MINUTE, 30)
    innocent.facts = replace(FACTS, workloads={"10.0.0.1": "pool", "10.0.0.2": "pool"})

    assert await guilty.said("G2") == [("G2", "")]
    assert await innocent.said("G2") == []


async def test_access_that_nobody_used_is_told_unless_it_is_new_or_rests_by_design() -> None:
    guilty, new, resting = Scene(), Scene(), Scene()
    for scene in (guilty, new, resting):
        scene.log.entries = [("somebody who left", one) for _, one in scene.log.entries]
    new.added(new.accounting, new.agent, 3 * DAY)
    resting.facts = replace(FACTS, standby=frozenset({"ledger"}))

    assert await guilty.said("G3") == [("G3", "ledger")]
    assert await new.said("G3") == []
    assert await resting.said("G3") == []


async def test_silence_is_told_unless_it_was_as_long_before_within_thirteen_months() -> None:
    guilty, seasonal = Scene(), Scene()
    for scene, days in ((guilty, (100, 101)), (seasonal, (100, 195, 290, 385))):
        scene.world.gateway.set_groups(scene.ref, guid("accounting"), guid("sales"))
        for one in days:
            scene.log.opened(scene.agent, "orders", one * DAY)

    assert await guilty.said("G4") == [("G4", "orders")]
    assert await seasonal.said("G4") == []


async def test_group_that_opens_nothing_and_connection_without_group_are_told() -> None:
    guilty = Scene((GroupMapping("leftover", "gone"),))
    guilty.world.entra.group("leftover")
    guilty.world.gateway.policy = replace(POLICY, connections=POLICY.connections | {"lonely"})

    found = await guilty.findings("G5")

    assert [one.about.object_id for one in found] == ["lonely", guid("leftover")]
    assert await Scene().said("G5") == []


async def test_group_without_members_or_owners_is_told() -> None:
    scene = Scene()
    scene.world.entra.remove(scene.sales, guid("seller"))

    assert [one.about.object_id for one in await scene.findings("G6")] == [scene.sales]


async def test_disabled_agent_that_is_still_in_its_group_is_told() -> None:
    scene = Scene()
    scene.world.entra.disable(scene.agent)

    assert await scene.said("G7") == [("G7", "")]


async def test_addition_is_told_unless_its_actor_is_trusted_or_it_was_approved() -> None:
    guilty, approved = Scene(), Scene()
    for scene in (guilty, approved):
        scene.added(scene.accounting, scene.agent, 3 * DAY, "mallory@contoso.example")
    approved.facts = replace(FACTS, expected_changes=frozenset({membership(approved.accounting, approved.agent)}))

    assert await guilty.said("G8") == [("G8", guilty.agent)]
    assert await approved.said("G8") == []


async def test_ordinary_service_principal_in_a_task_group_is_told() -> None:
    scene = Scene()
    plain = scene.world.entra.service_principal("plain")
    scene.world.entra.add(scene.sales, plain)
    scene.world.gateway.service_account(plain)

    assert [one.about.object_id for one in await scene.findings("G9")] == [plain]


async def test_person_among_agents_is_told() -> None:
    scene = Scene()
    scene.world.gateway.person("ada@tether.example", guid("accounting"))
    ada = scene.world.entra.user("ada")

    assert [one.about.object_id for one in await scene.findings("G10")] == [ada]


async def test_token_without_session_is_told_for_agents_and_for_strangers() -> None:
    scene = Scene()
    scene.token(DAY + 12 * 60 * MINUTE)
    scene.token(2 * DAY, principal_id=guid("stranger"))

    assert sorted(await scene.said("G11")) == [("G11", "ledger")] * 2


async def test_token_next_to_a_session_that_is_not_kept_is_no_bypass() -> None:
    scene = Scene()
    moments = [START - 20 * DAY + number * 15 * MINUTE for number in range(4 * NEWEST)]
    for moment in moments:
        opened(scene, moment, 1)
        scene.token(START - moment + MINUTE)

    (holder,) = [one for one in (await scene.estate()).holders if one.identity.ref == scene.ref]

    assert isinstance(holder.uses, Known)
    assert len(holder.uses.value) < len(moments)
    assert await scene.said("G11") == []


async def test_probe_may_ask_for_tokens_and_open_nothing() -> None:
    scene = Scene(facts=replace(FACTS, probes=frozenset({guid("probe")})))
    scene.token(2 * DAY, principal_id=guid("probe"))

    assert await scene.said("G11") == []


async def test_agent_that_wakes_up_is_told_unless_it_may_be_new() -> None:
    guilty, new = Scene(), Scene()
    for scene in (guilty, new):
        scene.log.entries = [("somebody who left", one) for _, one in scene.log.entries]
        scene.log.opened(scene.agent, "ledger", DAY)
    new.added(new.accounting, new.agent, 3 * DAY)

    assert await guilty.said("G12") == [("G12", "")]
    assert await new.said("G12") == []


async def test_agent_without_attributes_is_told_unless_its_blueprint_has_some() -> None:
    guilty, of_blueprint = Scene(), Scene()
    guilty.audit.tags = {}
    of_blueprint.audit.tags = {guid("blueprint"): frozenset({"Engineering/Project"})}

    assert await guilty.said("G13") == [("G13", "")]
    assert await of_blueprint.said("G13") == []


async def test_group_that_opens_more_than_the_map_says_is_told_and_weighs_more_where_that_is_sensitive() -> None:
    scene = Scene(
        (GroupMapping(guid("accounting"), connection="orders"),), replace(FACTS, sensitive=frozenset({"ledger"}))
    )
    scene.world.gateway.policy = replace(POLICY, groups_of_connection={"ledger": frozenset({guid("accounting")})})

    (finding,) = await scene.findings("G14")

    assert (finding.about.key_id, finding.severity.word) == ("ledger", "critical")


@pytest.mark.parametrize(
    ("refused", "unknown"),
    [
        ("membership_changes", {"G8"}),
        ("tokens", {"G11"}),
        ("attributes", {"G13"}),
    ],
)
async def test_source_that_is_refused_makes_only_its_own_checks_unknown(refused: str, unknown: set[str]) -> None:
    scene = Scene()
    scene.added(scene.accounting, scene.agent, 3 * DAY, "mallory@contoso.example")
    scene.audit.tags, scene.audit.refused = {}, frozenset({refused})
    scene.token(DAY + 12 * 60 * MINUTE)

    found = await scene.findings("G8", "G11", "G13")

    assert {one.check_id for one in found if one.verdict is Verdict.UNKNOWN} == unknown
    assert {one.check_id for one in found} == {"G8", "G11", "G13"}


async def test_tokens_are_unknown_where_nobody_says_what_is_protected() -> None:
    scene = Scene(facts=OperatorFacts())

    assert await scene.said("G11") == [("G11", "no-protected-resource")]
    assert "tokens" not in scene.audit.asked


@pytest.mark.parametrize(
    ("additions", "expected"),
    [
        ((), {}),
        ((("accounting", 3),), {"ledger": START - 3 * DAY}),
        ((("accounting", 20), ("accounting", 3)), {"ledger": START - 3 * DAY}),
        ((("sales", 3),), {}),
    ],
)
async def test_grant_is_as_old_as_the_last_addition_that_the_audit_has(
    additions: Iterable[tuple[str, int]], expected: dict[str, datetime]
) -> None:
    scene = Scene()
    for name, days in additions:
        scene.added(guid(name), scene.agent, days * DAY)

    estate = await scene.estate()

    assert held_by(estate, scene.ref) == expected


async def test_grant_of_whoever_may_have_come_with_a_whole_group_is_as_old_as_that() -> None:
    scene = Scene()
    inner = scene.world.entra.group("inner", scene.agent)
    scene.added(scene.accounting, inner, 5 * DAY)
    event = scene.audit.events[-1]
    scene.audit.events[-1] = replace(event, details={**event.details, "member_kind": "group"})

    assert held_by(await scene.estate(), scene.ref) == {"ledger": START - 5 * DAY}


async def test_grant_by_two_groups_is_as_old_as_the_older_one_and_has_no_date_when_that_has_none() -> None:
    both = AccessPolicy(
        enforced=True,
        connections=frozenset({"ledger"}),
        groups_of_connection={"ledger": frozenset({guid("accounting"), guid("sales")})},
    )
    dated, undated = Scene(), Scene()
    for scene in (dated, undated):
        scene.world.gateway.policy = both
        scene.world.entra.add(scene.sales, scene.agent)
        scene.world.gateway.set_groups(scene.ref, guid("accounting"), guid("sales"))
        scene.added(scene.sales, scene.agent, 3 * DAY)
    dated.added(dated.accounting, dated.agent, 9 * DAY)

    assert held_by(await dated.estate(), dated.ref) == {"ledger": START - 9 * DAY}
    assert held_by(await undated.estate(), undated.ref) == {}


async def test_approvers_are_called_what_entra_calls_them() -> None:
    scene = Scene()
    scene.world.entra.group("auditors")

    named = await scene.estate()
    scene.world.entra.delete_group(guid("auditors"))
    unnamed = await scene.estate()

    assert named.approvers == {"ledger": {"auditors"}}
    assert unnamed.approvers == {"ledger": {guid("auditors")}}


async def test_finding_names_sponsors_and_owners_of_agents_that_something_was_found_about() -> None:
    scene = Scene()
    scene.audit.tags = {}
    ada, bob = scene.world.entra.user("ada"), scene.world.entra.user("bob")
    scene.world.entra.truth.sponsors[scene.agent] = [ada]
    scene.world.entra.truth.owners[scene.agent] = [bob, ada]
    estate = await scene.estate()

    found = await name_owners(await scene.findings("G13"), estate, scene.world.ports.directory)

    assert [one.owners for one in found] == [("ada", "bob")]


async def test_nobody_is_asked_about_agents_in_order_and_unknown_findings_name_nobody() -> None:
    scene = Scene(facts=OperatorFacts())
    directory = Mute(scene.world)

    found = await name_owners(await scene.findings(), await scene.estate(), directory.port)

    assert [one.owners for one in found] == [()] * len(found)
    assert directory.asked == 0


class Mute:
    """A directory that counts how often it is asked who stands behind whom."""

    def __init__(self, world: World) -> None:
        self.asked = 0
        self.port = world.ports.directory
        world.entra.people_behind_many = self.people_behind_many  # type: ignore[method-assign]

    async def people_behind_many(
        self, principals: Collection[Principal]
    ) -> Mapping[str, tuple[Sequence[Person], Sequence[Person]]]:
        self.asked += len(principals)
        return {}


def held_by(estate: Estate, ref: IdentityRef) -> dict[str, datetime]:
    (found,) = (one for one in estate.holders if one.identity.ref == ref)
    assert not isinstance(found.task_groups, Unknown)
    return dict(found.granted_at)

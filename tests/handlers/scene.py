"""The cast of most tests: two developers and an agent with live sessions, and the policy they live under."""

from dataclasses import dataclass

from shared.domain.gateway import IdentityRef
from shared.domain.identity_map import GroupMapping, IdentityMap
from shared.domain.principals import AccountState
from shared.domain.reach import AccessPolicy
from shared.ports import Rules
from tests.fakes.entra import guid
from tests.fakes.world import World, rules

DEV, OPS = guid("developers"), guid("operators")
MAP = IdentityMap((GroupMapping(DEV, "dev"), GroupMapping(OPS, "ops")))
POLICY = AccessPolicy(
    enforced=True,
    connections=frozenset({"pg1", "pg2", "pg3"}),
    groups_of_connection={"pg1": frozenset({"dev"}), "pg2": frozenset({"ops"}), "pg3": frozenset({"dev", "ops"})},
)
HORIZON = 15 * 60
LONGEST_VERIFICATION = 5400


@dataclass(frozen=True)
class Scene:
    """A world with alice and bob in developers, and an agent in developers and operators, all connected to pg1."""

    world: World
    alice: str
    bob: str
    agent: str
    alice_at: IdentityRef
    bob_at: IdentityRef
    agent_at: IdentityRef

    @property
    def others_are_untouched(self) -> bool:
        """Bob and the agent, in scenes where only alice loses something."""
        return all(
            len(self.world.gateway.flowing(ref)) == 1 and self.world.gateway.reaches(ref, "pg1")
            for ref in (self.bob_at, self.agent_at)
        )


async def set_scene(scene_rules: Rules | None = None) -> Scene:
    """The cast in place, known to Tether; nothing has happened yet."""
    world = World(scene_rules or rules(MAP))
    world.gateway.policy = POLICY
    alice, bob = world.entra.user("alice"), world.entra.user("bob")
    agent = world.entra.service_principal("agent", app_id="app-1", blueprint_id="blueprint-1")
    world.entra.group("developers", alice, bob, agent)
    world.entra.group("operators", agent)
    alice_at = world.gateway.person("Alice@tether.example", "dev")
    bob_at = world.gateway.person("bob@tether.example", "dev")
    agent_at = world.gateway.service_account(agent, "dev", "ops")
    for ref in (alice_at, bob_at, agent_at):
        world.gateway.connect(ref, "pg1")
    world.gateway.person("keeper@elsewhere.example", "admin")
    await world.met()
    return Scene(world, alice, bob, agent, alice_at, bob_at, agent_at)


def is_closed(scene: Scene, ref: IdentityRef) -> bool:
    """Whether nothing flows and no connection would open."""
    gateway = scene.world.gateway
    return not gateway.flowing(ref) and not any(gateway.reaches(ref, name) for name in gateway.policy.connections)


def entra_grants(scene: Scene, principal_id: str, group_id: str) -> bool:
    """Whether Entra's truth lets the principal in through this group."""
    truth = scene.world.entra.truth
    found = truth.described(principal_id)
    enabled = found is not None and found.state is AccountState.ENABLED
    return enabled and group_id in truth.all_groups_of(principal_id)

"""Whatever happens in Entra, on the way and to our neighbours: once it is quiet, the gateway agrees with Entra."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.domain.principals import AccountState
from shared.errors import RetryLaterError
from tests.fakes.worker import Fate, unreachable
from tests.handlers.scene import DEV, HORIZON, MAP, OPS, Scene, set_scene

FOUR_HOURS = 4 * 3600
who = st.sampled_from(["alice", "bob", "agent"])
groups = st.sampled_from([DEV, OPS])
part = st.sampled_from(
    [
        "directory",
        "gateway",
        "records",
        "evidence",
        "queue",
        "gateway.write_identity",
        "gateway.kill_session",
        "directory.memberships",
        "directory.describe",
        "records.save",
        "queue.send_verification",
    ]
)


class TetherAlways(RuleBasedStateMachine):
    """Changes, deliveries, faults, crashes and time in any order; `teardown` lets it become quiet, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.late: list[bytes] = []
        self.history: list[bytes] = []

    def do(self, work: Any) -> Any:  # noqa: ANN401 - any coroutine
        return self.loop.run(work)

    @initialize()
    def the_cast_is_known(self) -> None:
        self.scene: Scene = self.do(set_scene())
        self.world = self.scene.world
        self.at = {"alice": self.scene.alice_at, "bob": self.scene.bob_at, "agent": self.scene.agent_at}
        self.ids = {"alice": self.scene.alice, "bob": self.scene.bob, "agent": self.scene.agent}
        self.given = {name: self.world.gateway.identities[ref] for name, ref in self.at.items()}

    # --- Entra ------------------------------------------------------------------------------------------------------

    @rule(name=who)
    def an_admin_disables(self, name: str) -> None:
        if self._exists(name):
            self.world.entra.disable(self.ids[name])

    @rule(name=who)
    def an_admin_enables(self, name: str) -> None:
        if self._exists(name):
            self.world.entra.enable(self.ids[name])

    @rule(name=who, group=groups)
    def an_admin_removes_from_a_group(self, name: str, group: str) -> None:
        if self.ids[name] in self.world.entra.truth.members[group]:
            self.world.entra.remove(group, self.ids[name])

    @rule(name=who, group=groups)
    def an_admin_adds_to_a_group(self, name: str, group: str) -> None:
        if self._exists(name) and self.ids[name] not in self.world.entra.truth.members[group]:
            self.world.entra.add(group, self.ids[name])

    @rule(name=who)
    def an_admin_deletes(self, name: str) -> None:
        if self._exists(name):
            self.world.entra.delete(self.ids[name])

    @rule(name=who)
    def an_admin_undeletes(self, name: str) -> None:
        if self.ids[name] in self.world.entra.truth.bin:
            self.world.entra.undelete(self.ids[name])

    # --- the way ----------------------------------------------------------------------------------------------------

    @rule()
    def graph_notifies(self) -> None:
        self.history += self.world.entra.outbox
        self._tried(self.world.notify())

    @rule()
    def graph_notifies_the_last_one_first(self) -> None:
        self.world.entra.outbox.reverse()
        self.graph_notifies()

    @rule()
    def graph_drops_notifications(self) -> None:
        self.world.lose_notifications()

    @rule()
    def graph_keeps_notifications_for_later(self) -> None:
        self.late += self.world.entra.outbox
        self.world.lose_notifications()

    @precondition(lambda self: self.late)
    @rule()
    def graph_delivers_four_hours_late(self) -> None:
        self._pass(FOUR_HOURS)
        self.world.entra.outbox += self.late
        self.late = []
        self.graph_notifies()

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def graph_repeats_a_notification(self, data: st.DataObject) -> None:
        self.world.entra.outbox.append(data.draw(st.sampled_from(self.history)))
        self.graph_notifies()

    @rule()
    def graph_lags(self) -> None:
        self.world.entra.lag()

    @rule()
    def graph_catches_up(self) -> None:
        self.world.entra.catch_up()

    @rule()
    def graph_replays_its_delta(self) -> None:
        self.world.entra.replay()

    @rule(resource=st.sampled_from(["users", "groups", "servicePrincipals"]))
    def graph_forgets_a_delta_link(self, resource: str) -> None:
        self.world.entra.lost_links.add(self.world.delta_links.links[resource][0])

    @rule(names=st.sets(part, max_size=2))
    def neighbours_fail(self, names: set[str]) -> None:
        self.world.fault = unreachable(*names)

    @rule()
    def neighbours_recover(self) -> None:
        self.world.fault = unreachable()

    # --- the app ----------------------------------------------------------------------------------------------------

    @rule()
    def the_sweeps_run(self) -> None:
        self.do(self.world.sweep())

    @precondition(lambda self: self.world.queue.visible())
    @rule(data=st.data())
    def a_worker_takes_any_message(self, data: st.DataObject) -> None:
        message = data.draw(st.sampled_from(self.world.queue.visible()))
        self.do(self.world.process(message))

    @precondition(lambda self: self.world.queue.visible())
    @rule(data=st.data(), dies_at=st.integers(1, 25), heard=st.booleans())
    def a_worker_dies(self, data: st.DataObject, dies_at: int, heard: bool) -> None:  # noqa: FBT001 - drawn
        message = data.draw(st.sampled_from(self.world.queue.visible()))
        self.do(self.world.process(message, Fate(self.world.fault, dies_at, heard=heard)))

    @precondition(lambda self: len(self.world.queue.visible()) > 1)
    @rule(data=st.data())
    def two_workers_take_two_messages(self, data: st.DataObject) -> None:
        pair = data.draw(st.permutations(self.world.queue.visible()))[:2]
        self.do(self._both(*pair))

    @rule(seconds=st.sampled_from([0, 1, 5, 20, 61, 200]))
    def time_passes(self, seconds: int) -> None:
        self._pass(seconds)

    # --- the gateway ------------------------------------------------------------------------------------------------

    @rule(name=who)
    def somebody_connects(self, name: str) -> None:
        ref = self.at[name]
        open_to = [one for one in ("pg1", "pg2") if self.world.gateway.reaches(ref, one)]
        if open_to:
            self.world.gateway.connect(ref, open_to[0])

    @rule(name=who)
    def a_client_resurrects_its_account(self, name: str) -> None:
        self.world.gateway.set_status(self.at[name], "active")

    @rule()
    def a_kill_kills_nothing(self) -> None:
        self.world.gateway.deaf_kills = 1

    # --- what must hold ---------------------------------------------------------------------------------------------

    @invariant()
    def every_chain_of_evidence_is_whole(self) -> None:
        if hasattr(self, "world"):
            self.world.proven()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self._become_quiet()
            for name in self.at:
                self._agrees(name)
        self.loop.close()

    def _become_quiet(self) -> None:
        self.neighbours_recover()
        self.world.entra.catch_up()
        self.world.gateway.deaf_kills = 0
        self._pass(3600)
        self.do(self.world.sweep())
        self._pass(60)
        self.do(self.world.reconcile())
        self._pass(HORIZON + 120)
        self.do(self.world.reconcile())
        self._pass(3600)

    def _agrees(self, name: str) -> None:
        gateway, ref = self.world.gateway, self.at[name]
        due = self._due(name)
        has = gateway.identities[ref].groups
        assert has <= due, f"{name} has {set(has)} and is due {set(due)}"
        if not due:
            assert not gateway.flowing(ref)
        assert has == due & self.given[name].groups, f"{name} has {set(has)} and was given {set(due)}"
        if self._enabled(name):
            assert gateway.identities[ref].status == "active"
        else:
            assert gateway.identities[ref].status == "inactive"
        assert not any(
            stream.session.connection not in gateway.policy.reachable(has)
            for stream in gateway.streams.values()
            if stream.user == ref.key and stream.flows
        )
        assert not self.world.queue.on("principal-changes")

    def _due(self, name: str) -> frozenset[str]:
        if not self._enabled(name):
            return frozenset()
        entra_groups = self.world.entra.truth.all_groups_of(self.ids[name])
        return frozenset(str(e.gateway_group) for e in MAP.groups if e.entra_group in entra_groups)

    def _enabled(self, name: str) -> bool:
        found = self.world.entra.truth.described(self.ids[name])
        return found is not None and found.state is AccountState.ENABLED

    def _exists(self, name: str) -> bool:
        return self.ids[name] in self.world.entra.truth.principals

    def _pass(self, seconds: float) -> None:
        self.do(self.world.run(seconds))

    def _tried(self, work: Any) -> None:  # noqa: ANN401 - any coroutine
        try:
            self.do(work)
        except RetryLaterError:
            return

    async def _both(self, *messages: Any) -> None:  # noqa: ANN401 - messages
        await asyncio.gather(*(self.world.process(message) for message in messages))


TestTetherAlways = TetherAlways.TestCase
TestTetherAlways.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)

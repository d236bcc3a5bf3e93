"""The cast of attestations: an application nobody uses, its owner, who may accept risks, and what it holds."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.approval import Person
from shared.domain.gateway import IdentityRef
from shared.domain.identity_map import GroupMapping, IdentityMap
from shared.domain.posture.attestation import Attestation, Question, Reply, UnusedGrant
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity
from shared.domain.posture.gateway_view import Use
from shared.domain.posture.rules import PostureRules
from shared.domain.reach import AccessPolicy
from shared.errors import AlreadyDecidedError
from shared.handlers.answer_attestation import AttestationRules, Said, answer_attestation
from shared.handlers.remind_owners import remind_owners
from shared.ports import ApprovalPorts, Ports, PosturePorts
from shared.wire.messages import parse_card_update
from tests.fakes.attestations import FakeAttestations, FakeExemptions
from tests.fakes.entra import guid
from tests.fakes.queue import CARD_UPDATES
from tests.fakes.worker import CrashError, Fate, seen_by_a_worker
from tests.fakes.world import World, rules

CHANNEL = "19:posture@thread.tacv2"
POLICY = AccessPolicy(
    enforced=True,
    connections=frozenset({"pg", "web"}),
    groups_of_connection={"pg": frozenset({"dba"}), "web": frozenset({"dev"})},
)
MAP = IdentityMap((GroupMapping(guid("database-people"), gateway_group="dba"),))
BOT = "billing-bot"
RULES = AttestationRules(PostureRules(channel=CHANNEL, approvers=guid("risk-approvers")), rules(MAP))


@dataclass
class FakeLog:
    """The gateway's session log; `fails` is met before anything is told."""

    opened: list[tuple[str, Use]] = field(default_factory=list)
    fails: Exception | None = None

    async def uses(self, since: datetime, until: datetime) -> AsyncIterator[tuple[str, Use]]:
        if self.fails is not None:
            raise self.fails
        for user, use in self.opened:
            if since <= use.opened_at < until:
                yield user, use


class QuietNotices:
    """Nobody posts a notice here."""

    async def put(self, notice_id: str, face: object) -> None:
        raise AssertionError(notice_id, face)

    async def read(self, notice_id: str) -> None:
        raise AssertionError(notice_id)


@dataclass
class Scene:
    """A world in which ada owns the bot, mary and ada may accept risks, and eve may nothing."""

    world: World
    bot_at: IdentityRef
    attestations: FakeAttestations
    exemptions: FakeExemptions
    log: FakeLog
    attestation_id: str = ""
    rules: AttestationRules = field(default_factory=lambda: RULES)

    # --- what happens -----------------------------------------------------------------------------------------------

    async def ask(self, **changes: Any) -> Attestation:  # noqa: ANN401 - any field of a question
        """The bot is asked about, three days after its usage was read."""
        question = replace(self.question(), **changes)
        asked = Attestation(question.attestation_id, question, self.world.clock.now(), "20270101T060000Z")
        self.attestation_id = asked.attestation_id
        return await self.attestations.save(asked)

    def question(self) -> Question:
        about = About(ObjectKind.SERVICE_PRINCIPAL, guid(BOT), BOT)
        never = Finding("G3", replace(about, key_id="pg"), Severity.MEDIUM, "It was never opened.")
        grant = UnusedGrant(str(self.bot_at), "dba", ("pg",), principal_id=guid(BOT))
        return Question(
            about,
            (Finding("A1", about, Severity.HIGH, "Nobody uses it."), never),
            (Person(guid("ada"), "ada"),),
            unused=(grant,),
            owners=frozenset({guid("ada")}),
            seen_until=self.world.clock.now() - timedelta(days=3),
        )

    async def say(self, who: str, reply: Reply, reason: str = "because", fate: Fate | None = None) -> Attestation:
        """What somebody clicks on the card as it is now."""
        return await answer_attestation(self.attestation, self.said(who, reply, reason), self.ports(fate), self.rules)

    async def say_and_die(self, fate: Fate, who: str, reply: Reply) -> bool:
        """Whether the process died of it."""
        try:
            await self.say(who, reply, fate=fate)
        except CrashError:
            return True
        return False

    async def insist(self, who: str, reply: Reply, attempts: int = 3) -> Attestation:
        """The same click until it is answered, as people do."""
        for _ in range(attempts):
            try:
                return await self.say(who, reply)
            except AlreadyDecidedError:
                continue
        raise AssertionError("still not answered")

    def said(self, who: str, reply: Reply, reason: str = "because", until: datetime | None = None) -> Said:
        return Said(reply, Person(guid(who), who), reason, until, self.world.clock.new_id())

    async def tick(self, fate: Fate | None = None) -> int:
        """One tick of the hourly timer."""
        return await remind_owners(self.ports(fate), self.rules)

    async def switch_off_and_on(self) -> None:
        """Entra shuts the bot out and lets it in again, each seen by a sweep, and an hour passes."""
        self.world.entra.disable(guid(BOT))
        await self.world.sweep_quietly()
        self.world.entra.enable(guid(BOT))
        await self.world.sweep_quietly()
        await self.world.run(3600)

    def break_glass(self, who: str) -> None:
        """The operator says that this one must always get in."""
        given = replace(MAP, break_glass=frozenset({who}))
        self.rules = replace(self.rules, gateway=rules(given))

    def opens(self, connection: str, hours_ago: float, user: str = guid(BOT)) -> None:
        at = self.world.clock.now() - timedelta(hours=hours_ago)
        self.log.opened.append((user, Use(connection, at, at)))

    # --- what can be seen -------------------------------------------------------------------------------------------

    def ports(self, fate: Fate | None = None) -> Ports:
        world = self.world
        posture = PosturePorts(self.attestations, self.exemptions, QuietNotices(), self.log)
        approval = ApprovalPorts(world.reviews, world.approvals, world.copies, world.conversations, world.teams)
        ports = replace(world.ports, posture=posture, approval=approval)
        return ports if fate is None else seen_by_a_worker(ports, fate)

    @property
    def attestation(self) -> Attestation:
        return self.attestations.stored[self.attestation_id]

    @property
    def groups(self) -> frozenset[str]:
        """What the bot holds at the gateway."""
        return self.world.gateway.identities[self.bot_at].groups

    @property
    def story(self) -> list[str]:
        return self.world.story(f"attestations/{self.attestation_id}")

    @property
    def excepted(self) -> list[str]:
        """The checks that somebody answers for."""
        checks = {one.finding_id: one.check_id for one in self.attestation.question.evidence}
        return sorted(checks[one] for one in self.exemptions.stored)

    def shown(self) -> list[tuple[str, int]]:
        """The cards that are on their way: place and number, in order."""
        updates = [parse_card_update(message.body) for message in self.world.queue.on(CARD_UPDATES)]
        return [(update.spec.place.id, update.spec.number) for update in updates]


async def set_scene() -> Scene:
    """The cast in place; nobody has been asked yet."""
    world = World(rules(MAP))
    people = {name: world.entra.user(name) for name in ("ada", "mary", "eve", "nora")}
    world.entra.service_principal(BOT)
    world.entra.group("database-people", guid(BOT))
    world.entra.group("risk-approvers", people["mary"], people["ada"], people["nora"])
    world.gateway.policy = POLICY
    world.gateway.person("root@tether.example", "admin")
    bot_at = world.gateway.service_account(guid(BOT), "dba", "dev")
    await world.met()
    return Scene(world, bot_at, FakeAttestations(), FakeExemptions(world.clock), FakeLog())

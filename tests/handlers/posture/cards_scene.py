"""The cast of owners' cards: ada owns a bot that nobody uses, mary may accept risks, and both see cards in Teams."""

from dataclasses import dataclass, field, replace
from typing import Any

from shared.domain.approval import Person
from shared.domain.card_copy import CardCopy, CopyState
from shared.domain.gateway import IdentityRef
from shared.domain.posture.attestation import Attestation, Question, UnusedGrant
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity
from shared.domain.posture.inventory import Known
from shared.domain.posture.report import Basis, Report, Snapshot, build_report
from shared.domain.posture.rules import PostureRules
from shared.handlers.announce_report import announce_report
from shared.handlers.faces import face_of
from shared.handlers.prepare_announcement import digest_offers
from shared.ports import ApprovalRules, PosturePorts
from shared.ports.reports import ANNOUNCEMENT
from shared.wire.announcement import Announcement, encode_announcement
from shared.wire.cards.activities import activity
from shared.wire.cards.digest import digest_card, digest_headline
from tests.fakes.attestations import FakeAttestations, FakeExemptions
from tests.fakes.entra import guid
from tests.fakes.notices import FakeNotices
from tests.fakes.reports import FakeReports
from tests.fakes.worker import CrashError, Fate
from tests.fakes.world import World, rules
from tests.handlers.approvals.scene import Scene, asking
from tests.handlers.posture.attest_scene import BOT, MAP, POLICY, FakeLog
from tests.wire.report.samples import COVERAGE

CHANNEL = "19:posture@thread.tacv2"
REPORT, NEXT_REPORT = "20270101T060000Z", "20270108T060000Z"
ABOUT = About(ObjectKind.SERVICE_PRINCIPAL, guid(BOT), BOT, "", "app-1")
STALE = Finding("A1", ABOUT, Severity.HIGH, "Nobody has used it for a long time.", facts=(("days unused", "201"),))
TITLES = {"A1": "Stale"}


def posture_asking(channel: str = CHANNEL) -> ApprovalRules:
    """The rules of approvals, with those of owners' cards."""
    posture = PostureRules(channel=channel, approvers=guid("risk-approvers"))
    report_url = "https://tether.example/api/reports/{report_id}/report.html"
    return replace(asking(), posture=posture, guards=rules(MAP), report_url=report_url)


@dataclass
class CardsScene(Scene):
    """A world in which ada owns the bot, mary and ada may accept risks, and eve may nothing."""

    attestations: FakeAttestations = field(default_factory=FakeAttestations)
    notices: FakeNotices = field(default_factory=FakeNotices)
    reports: FakeReports = field(default_factory=FakeReports)

    # --- what happens -----------------------------------------------------------------------------------------------

    async def publish(self, *questions: Question, report_id: str = REPORT, settled: tuple[str, ...] = ()) -> None:
        """A report with its announcement is there."""
        report = self.report_of(questions)
        offers = digest_offers(report, questions, self.rules)
        face = activity(digest_card(report, "https://tether.example/r", offers), digest_headline(report))
        announcement = encode_announcement(Announcement(face, questions, settled))
        await self.reports.put(report_id, {ANNOUNCEMENT: announcement})

    async def announce(self, fate: Fate | None = None, report_id: str = REPORT) -> None:
        """The job that tells Teams of the report."""
        await announce_report(report_id, "correlation-1", self.reports, self.world.worker(fate), self.world.asking)

    async def announce_and_die(self, fate: Fate) -> bool:
        """Whether the process died of it."""
        try:
            await self.announce(fate)
        except CrashError:
            return True
        return False

    async def ask_owners(self, **changes: Any) -> None:  # noqa: ANN401 - any field of a question
        """The bot was asked about, and everybody sees it."""
        await self.publish(self.asks(**changes))
        await self.announce()
        await self.world.settle()

    def asks(self, **changes: Any) -> Question:  # noqa: ANN401 - as above
        grant = UnusedGrant(str(self.rita_at), "dba", ("pg",), principal_id=guid(BOT))
        seen_until = self.world.clock.now()
        question = Question(
            ABOUT,
            (STALE,),
            (Person(guid("ada"), "ada"),),
            unused=(grant,),
            owners=frozenset({guid("ada")}),
            seen_until=seen_until,
        )
        return replace(question, **changes)

    def report_of(self, questions: tuple[Question, ...]) -> Report:
        now = self.world.clock.now()
        findings = [finding for question in questions for finding in question.evidence]
        return build_report(findings, Basis(now, "Contoso", TITLES, COVERAGE, Known(Snapshot(now, {}))))

    # --- what can be seen -------------------------------------------------------------------------------------------

    @property
    def attestation(self) -> Attestation:
        (attestation,) = self.attestations.stored.values()
        return attestation

    @property
    def told(self) -> list[str]:
        """What the evidence says of the bot, in order."""
        return self.world.story(f"attestations/{self.attestation.attestation_id}")

    def chat(self, who: str) -> str:
        return self.world.teams.chat_with(guid(who))

    def owner_copies(self) -> list[CardCopy]:
        wanted = self.attestation.attestation_id
        return [copy for (of, _), copy in self.world.copies.stored.items() if of == wanted]

    def check_cards(self) -> None:
        """Every card shows the attestation as it is now, and each is there once."""
        for copy in self.owner_copies():
            assert copy.state in (CopyState.POSTED, CopyState.LOST)
            if copy.state is CopyState.POSTED:
                shown = self.world.teams.messages[copy.conversation_id.partition(";")[0], copy.activity_id].shows
                assert shown == face_of(self.attestation, copy.spec, copy.conversation_id, self.rules).activity


async def set_cards_scene(rules_of_cards: ApprovalRules | None = None) -> CardsScene:
    """The cast in place; no report has been announced yet."""
    world = World(rules(MAP), asking=rules_of_cards or posture_asking())
    people = {name: world.entra.user(name) for name in ("ada", "mary", "eve")}
    world.entra.service_principal(BOT)
    world.entra.group("database-people", guid(BOT))
    world.entra.group("risk-approvers", people["mary"], people["ada"])
    world.gateway.policy = POLICY
    world.gateway.person("root@tether.example", "admin")
    bot_at: IdentityRef = world.gateway.service_account(guid(BOT), "dba", "dev")
    scene = CardsScene(world, bot_at)
    world.posture = PosturePorts(scene.attestations, FakeExemptions(world.clock), scene.notices, FakeLog())
    await world.met()
    return scene

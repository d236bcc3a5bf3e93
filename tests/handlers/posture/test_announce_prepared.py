"""A report leaves what Teams is to be told of it: whom to ask, the digest with its tokens, and what has ended."""

from dataclasses import replace

from shared.domain.approval import Person
from shared.domain.card_token import parse_card_token
from shared.domain.posture.exceptions import Acceptance
from shared.domain.posture.finding import Severity
from shared.domain.posture.report import Standing
from shared.domain.posture.scan import Source
from shared.handlers.announce_report import announce_report
from shared.handlers.report_posture import Published, report_posture
from shared.ports import PosturePorts
from shared.ports.reports import ANNOUNCEMENT
from shared.wire.announcement import Announcement, parse_announcement
from tests.fakes.attestations import FakeAttestations, FakeExemptions
from tests.fakes.notices import FakeNotices
from tests.fakes.world import World
from tests.handlers.approvals.scene import card_in, tokens_in
from tests.handlers.posture.attest_scene import FakeLog
from tests.handlers.posture.cards_scene import CHANNEL, CardsScene, posture_asking
from tests.handlers.posture.desk import RULES, WEEK, Desk

TOLD = replace(RULES, asking=posture_asking(), posture=posture_asking().posture)
MARY = Person("mary", "Mary")


class Told:
    """A desk whose reports are told in Teams."""

    def __init__(self) -> None:
        self.world = World(asking=posture_asking())
        self.attestations, self.exemptions = FakeAttestations(), FakeExemptions(self.world.clock)
        self.world.posture = PosturePorts(self.attestations, self.exemptions, FakeNotices(), FakeLog())
        self.desk = Desk(clock=self.world.clock, around=self.world)

    def forget(self, name: str) -> None:
        """An application that nobody has used for a year."""
        self.desk.register(name)
        for source, field, value in (
            (Source.APPLICATIONS, "createdDateTime", "2025-01-01T00:00:00Z"),
            (Source.SERVICE_PRINCIPALS, "createdDateTime", "2025-01-01T00:00:00Z"),
            (Source.SIGN_INS, "lastSignInActivity", {"lastSignInDateTime": "2026-01-01T00:00:00Z"}),
        ):
            self.desk.listed[source][-1][field] = value

    async def report(self) -> tuple[Published, Announcement]:
        published = await report_posture(self.desk.ports, TOLD)
        content = await self.desk.reports.read(published.report_id, ANNOUNCEMENT)
        assert content is not None
        return published, parse_announcement(content)

    async def announce(self, published: Published) -> None:
        await announce_report(published.report_id, "", self.desk.reports, self.world.ports, TOLD.asking)
        await self.world.settle()


async def test_forgotten_application_is_asked_about_and_the_digest_can_answer_it() -> None:
    told = Told()
    told.forget("dusty")

    published, announcement = await told.report()
    await told.announce(published)

    (question,) = announcement.questions
    assert question.about.name == "dusty"
    digest = next(one for one in CardsScene.cards_in(_scene(told), CHANNEL) if "Identity posture" in one.shows)
    (token,) = {*tokens_in(card_in(digest))}
    assert parse_card_token(token).review_id == question.attestation_id
    assert [*told.attestations.stored] == [question.attestation_id]


async def test_accepted_risk_stands_in_the_next_report_as_accepted_and_is_not_asked_about() -> None:
    told = Told()
    told.forget("dusty")
    published, announcement = await told.report()
    now, (question,) = told.world.clock.now(), announcement.questions
    until = now + question.tier.value
    await told.exemptions.put(
        Acceptance(one.finding_id, Severity.CRITICAL, "for now", MARY, now, until) for one in question.evidence
    )
    told.world.clock.advance(WEEK)

    again, next_one = await told.report()

    assert again.report_id > published.report_id
    accepted = {entry.finding.finding_id for entry in again.report.standing(Standing.ACCEPTED)}
    assert accepted == {one.finding_id for one in question.evidence}
    assert next_one.questions == ()


async def test_security_is_asked_about_five_that_nobody_owns_and_about_the_others_next_time() -> None:
    told = Told()
    for number in range(7):
        told.forget(f"dusty {number}")

    published, announcement = await told.report()
    await told.announce(published)
    told.world.clock.advance(WEEK)
    _, next_one = await told.report()

    assert [question.people for question in announcement.questions] == [()] * 5
    names = {question.about.name for each in (announcement, next_one) for question in each.questions}
    assert (len(next_one.questions), len(names)) == (2, 7)


async def test_attestation_of_what_is_used_again_is_settled() -> None:
    told = Told()
    told.forget("dusty")
    published, _ = await told.report()
    await told.announce(published)
    told.desk.listed[Source.SIGN_INS][-1]["lastSignInActivity"] = {"lastSignInDateTime": "2027-03-01T00:00:00Z"}
    told.world.clock.advance(WEEK)

    _, announcement = await told.report()

    assert announcement.settled == tuple(told.attestations.stored)


async def test_without_teams_a_report_has_nothing_to_announce() -> None:
    desk = Desk()

    published = await desk.report()

    assert (published.report_id, ANNOUNCEMENT) not in desk.reports.files


def _scene(told: Told) -> CardsScene:
    return CardsScene(told.world, next(iter(told.world.gateway.identities)))

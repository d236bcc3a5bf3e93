"""Announce a report: its questions are asked, and its digest is posted, once, however often this is repeated."""

from dataclasses import replace
from uuid import UUID, uuid5

from shared.domain.card_copy import CardUpdate
from shared.domain.evidence import EvidenceEntry
from shared.domain.posture.attestation import Attestation, Question, ask, settle
from shared.domain.posture.owner_cards import digest_copy
from shared.errors import AlreadyDecidedError, RetryLaterError
from shared.handlers.answer_attestation import CHAINS
from shared.handlers.card_subject import posture_needed
from shared.handlers.show_attestation import show_attestation
from shared.ports import ApprovalRules, Ports, Reports
from shared.ports.reports import ANNOUNCEMENT
from shared.wire.announcement import Announcement, parse_announcement

_NAMESPACE = UUID("0a5b1c53-7a0e-4c0b-8a53-8f7f6d0c1be4")


async def announce_report(
    report_id: str, correlation_id: str, reports: Reports, ports: Ports, asking: ApprovalRules | None
) -> None:
    """Owners and the security team are being asked, and the digest is on its way; without Teams nobody is told.

    Raises:
        AlreadyDecidedError: there is a newer report, which tells what is true now.
        RejectedError: `malformed-announcement`.
        RetryLaterError: some of it is done, and may be repeated.
    """
    if asking is None or ports.posture is None or ports.approval is None:
        return
    if await reports.newest() != report_id:
        raise AlreadyDecidedError("newer-report", report_id)
    content = await reports.read(report_id, ANNOUNCEMENT)
    if content is None:
        raise AlreadyDecidedError("nothing-to-announce", report_id)
    telling = _Telling(report_id, correlation_id, ports, asking)
    announcement = parse_announcement(content)
    for attestation_id in announcement.settled:
        await telling.settle(attestation_id)
    for question in announcement.questions:
        await telling.ask(question)
    await telling.post(announcement)


def digest_id(report_id: str) -> str:
    """The notice of a report's digest: the same for the same report."""
    return str(uuid5(_NAMESPACE, f"digest|{report_id}"))


class _Telling:
    """One announcement under way."""

    def __init__(self, report_id: str, correlation_id: str, ports: Ports, asking: ApprovalRules) -> None:
        self._report_id = report_id
        self._correlation_id = correlation_id
        self._ports = ports
        self._asking = asking
        self._outside = posture_needed(ports)
        self._channel = asking.posture.channel

    async def settle(self, attestation_id: str) -> None:
        """Nobody has to answer any more; whoever is answering at this moment finishes first."""
        before = await self._outside.attestations.read(attestation_id)
        if before is None or before.underway is not None:
            return
        after = settle(before)
        if after != before:
            after = await self._saved(after, "attestation-settled")
        await self._show(after)

    async def ask(self, question: Question) -> None:
        """The question is open, and its cards are on their way; one that was opened before is shown again only."""
        before = await self._outside.attestations.read(question.attestation_id)
        now, owners = self._ports.clock.now(), self._asking.posture.owners
        asked = ask(question, self._report_id, now, before, owners)
        opened = before if asked is None else await self._saved(asked, "attestation-asked")
        if opened is None or opened.report_id != self._report_id:
            return
        if not question.people and not self._channel:
            self._ports.alerts.raise_alert("nobody-to-ask", attestation_id=question.attestation_id)
        await self._show(opened)

    async def post(self, announcement: Announcement) -> None:
        """The digest waits for Teams to take it."""
        if not self._channel:
            return
        notice_id = digest_id(self._report_id)
        await self._outside.notices.put(notice_id, announcement.digest)
        update = CardUpdate(notice_id, digest_copy(self._channel), self._ports.clock.now(), self._correlation_id)
        await self._ports.queue.send_card_updates([update])

    async def _saved(self, attestation: Attestation, what: str) -> Attestation:
        """On the evidence, then in its row: whoever dies between both writes the evidence once more."""
        question = attestation.question
        details = {
            "attestation": attestation.attestation_id,
            "round": attestation.round,
            "report": self._report_id,
            "people": [person.principal_id for person in question.people],
            "findings": [finding.finding_id for finding in question.evidence],
        }
        at, about = self._ports.clock.now(), question.about.object_id
        entry = EvidenceEntry(at, what, about, self._correlation_id, details)
        chain = f"{CHAINS}{attestation.attestation_id}"
        head = await self._ports.evidence.append(chain, attestation.chain, [entry])
        try:
            return await self._outside.attestations.save(replace(attestation, chain=head))
        except AlreadyDecidedError as error:
            raise RetryLaterError("attestation-contended", attestation.attestation_id) from error

    async def _show(self, attestation: Attestation) -> None:
        await show_attestation(attestation, self._correlation_id, self._ports, self._channel)

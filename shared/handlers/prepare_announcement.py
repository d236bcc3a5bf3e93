"""Prepare an announcement: the digest with its tokens, and the questions that a report leads to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.card_token import Shown
from shared.domain.posture.attestation import Question, rests
from shared.domain.posture.exceptions import Exemption
from shared.domain.posture.finding import Finding
from shared.domain.posture.gateway_view import Estate
from shared.domain.posture.inventory import App
from shared.domain.posture.owner_cards import answers_on, digest_copy, evidence_digest, token_expires_at
from shared.domain.posture.questions import Asking, outlived, questions
from shared.domain.posture.report import Report
from shared.handlers.card_subject import posture_needed
from shared.ports import ApprovalRules, Ports
from shared.wire.announcement import Announcement
from shared.wire.cards.activities import activity
from shared.wire.cards.digest import Offer, digest_card, digest_headline


@dataclass(frozen=True, slots=True)
class Judged:
    """What a report was made of: findings, applications (read once), the gateway if it answered, exceptions."""

    findings: Sequence[Finding]
    apps: Iterable[App]
    estate: Estate | None
    declared: Sequence[Exemption] = ()


async def prepare_announcement(
    report_id: str, report: Report, judged: Judged, ports: Ports, asking: ApprovalRules
) -> Announcement:
    """What Teams is to be told; nothing is opened or posted before the report is there."""
    open_ones = [one async for one in posture_needed(ports).attestations.open_ones()]
    asked = await _due(report, judged, ports, asking)
    answerable = (*(one.question for one in open_ones), *asked)
    link = asking.report_url.format(report_id=report_id) if asking.report_url else None
    card = digest_card(report, link, digest_offers(report, answerable, asking))
    settled = tuple(one.attestation_id for one in outlived(open_ones, report))
    return Announcement(activity(card, digest_headline(report)), asked, settled)


async def _due(report: Report, judged: Judged, ports: Ports, asking: ApprovalRules) -> tuple[Question, ...]:
    """The worst questions that nobody is answering yet; those that rest take nobody's place."""
    owners, outside = asking.posture.owners, posture_needed(ports)
    under = Asking(report.at, asking.posture, (*await outside.exemptions.all(), *judged.declared))
    due: list[Question] = []
    unowned = 0
    for question in questions(judged.findings, judged.apps, judged.estate, under):
        if len(due) == owners.most:
            break
        if not question.people and unowned == owners.most_unowned:
            continue
        before = await outside.attestations.read(question.attestation_id)
        if before is None or not rests(before, report.at, owners):
            due.append(question)
            unowned += not question.people
    return tuple(due)


def digest_offers(report: Report, answerable: Iterable[Question], asking: ApprovalRules) -> Mapping[str, Offer]:
    """Offers by finding id, for those of the worst that a question is about: an answer is about its evidence only."""
    channel = asking.posture.channel
    asked_by = {finding.finding_id: question for question in answerable for finding in question.evidence}
    offers: dict[str, Offer] = {}
    for entry in report.worst if channel else ():
        question = asked_by.get(entry.finding.finding_id)
        if question is not None:
            spec = digest_copy(channel)
            shown = Shown(channel, answers_on(spec), evidence_digest(question))
            expires_at = token_expires_at(report.at)
            token = asking.tokens.issue(question.attestation_id, spec.copy_id, expires_at, shown)
            takes = tuple(dict.fromkeys(grant.group for grant in question.unused))
            offers[entry.finding.finding_id] = Offer(token, takes, len(question.evidence))
    return offers

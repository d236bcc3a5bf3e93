"""Digest card: the week's posture for the security team: what changed first, then the five worst with their owners."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.domain.click import LONGEST_REASON
from shared.domain.posture.finding import Severity
from shared.domain.posture.inventory import Known
from shared.domain.posture.report import Entry, Report, Standing
from shared.wire.cards.about import names
from shared.wire.cards.elements import (
    Card,
    Element,
    banner,
    block,
    box,
    card,
    execute,
    fact,
    open_link,
    reason_input,
    warning,
)
from shared.wire.cards.fit import size
from shared.wire.cards.text import Run, quoted, said
from shared.wire.cards.words import counted, moment
from shared.wire.report import sentences

MOST_BYTES = 20 * 1024
_COLORS = {Severity.CRITICAL: "Attention", Severity.HIGH: "Warning", Severity.MEDIUM: "Warning"}
SHRINK = "shrink"
_ANSWERS = (("Keep", "keep", "auto"), ("Shrink", SHRINK, "none"), ("Retire", "retire", "none"))


@dataclass(frozen=True, slots=True)
class Offer:
    """What the buttons below a finding carry, what Shrink takes away, and how many findings an answer is about."""

    token: str
    takes: tuple[str, ...] = ()
    findings: int = 1


@dataclass(frozen=True, slots=True)
class Fit:
    """How long other people's texts may be, how many are named of what changed, and how many of the worst are shown."""

    longest: int
    named: int
    worst: int


# Texts get shorter, down to where names can hardly be told apart, before one of the five worst is left out.
_FITS = tuple(
    Fit(*each)
    for each in ((64, 3, 5), (48, 2, 5), (32, 1, 5), (24, 1, 5), (16, 0, 5), (12, 0, 5), (12, 0, 3), (12, 0, 1))
)


def digest_card(report: Report, link: str | None, offers: Mapping[str, Offer] | None = None) -> Card:
    """The digest, at most 20 KB; one line when nothing has changed.

    With an offer for a finding's id, the finding can be answered: keep, retire, and shrink where there is something.
    """
    if not report.has_news:
        return _unchanged(report, link)
    built = (_changed(report, link, offers or {}, fit) for fit in _FITS)
    return next((each for each in built if size(each) <= MOST_BYTES), _unchanged(report, link))


def digest_headline(report: Report) -> str:
    """What a notification says of it: numbers only."""
    return f"Identity posture: {', '.join(f'{count} {what}' for what, count in _numbers(report))}"


def _changed(report: Report, link: str | None, offers: Mapping[str, Offer], fit: Fit) -> Card:
    verdict = block(said(sentences.verdict(report)))
    worst = report.worst[: fit.worst]
    body = [
        banner("emphasis", "Identity posture", verdict, block(*_counts(report))),
        *_incomplete(report),
        *(_named(what, entries, fit) for what, entries in _changes(report) if entries and fit.named),
        *(_worst(entry, report, link, offers, fit.longest) for entry in worst),
        *_reason(any(entry.finding.finding_id in offers for entry in worst)),
    ]
    return card(digest_headline(report), body, open_link(link))


def _unchanged(report: Report, link: str | None) -> Card:
    since = f"No change since {moment(report.compared_with.value)}. " if isinstance(report.compared_with, Known) else ""
    line = block(said(since + sentences.verdict(report)))
    body = [banner("emphasis", "Identity posture", line), *_incomplete(report)]
    return card(digest_headline(report), body, open_link(link))


def _changes(report: Report) -> list[tuple[str, Sequence[Entry]]]:
    is_compared = isinstance(report.compared_with, Known)
    compared = (("new", Standing.NEW), ("worse", Standing.WORSE), ("fixed", Standing.FIXED))
    changes: list[tuple[str, Sequence[Entry]]] = [
        (what, report.standing(standing)) for what, standing in compared if is_compared
    ]
    changes.append(("expiring", report.expiring))
    changes.append(("exceptions that end", (*report.lapsing, *report.lapsed)))
    return changes


def _numbers(report: Report) -> list[tuple[str, int]]:
    return [(what, len(entries)) for what, entries in _changes(report)]


def _counts(report: Report) -> list[Run]:
    runs: list[Run] = []
    for what, count in _numbers(report):
        separator = [said(" · ")] if runs else []
        runs += [*separator, said(f"{count:,}", weight="Bolder"), said(f" {what}")]
    return runs


def _incomplete(report: Report) -> list[Element]:
    if report.coverage.is_whole:
        return []
    text = f"{sentences.missing(report)} What could not be read is never counted as sound."
    return [warning("Not complete.", said(text))]


def _named(what: str, entries: Sequence[Entry], fit: Fit) -> Element:
    called = names([entry.finding.about.name for entry in entries], fit.named, fit.longest)
    return fact(what.capitalize(), block(*called, spacing="None"))


def _worst(entry: Entry, report: Report, link: str | None, offers: Mapping[str, Offer], longest: int) -> Element:
    finding, offer = entry.finding, offers.get(entry.finding.finding_id)
    color = _COLORS.get(finding.severity, "Default")
    owners = names(finding.owners, 2, longest) if finding.owners else [said("nobody", color="Attention")]
    title = report.titles.get(finding.check_id, "")
    check = finding.check_id if finding.says.startswith(title) else f"{finding.check_id} {title}"
    items = [
        block(
            said(f"{finding.severity.word} ", weight="Bolder", color=color),
            *quoted(finding.about.name, longest, weight="Bolder"),
        ),
        block(*quoted(finding.says, 3 * longest), spacing="None"),
        block(
            said(f"{check} · {sentences.age(entry, report.at)} · owner: ", isSubtle=True),
            *owners,
            spacing="None",
        ),
        *_beyond(offer, longest),
    ]
    actions = [*_open(link, finding.finding_id), *_answers(offer)]
    return box("default", *items, *([{"type": "ActionSet", "actions": actions}] if actions else []))


def _open(link: str | None, finding_id: str) -> list[Element]:
    if link is None or urlsplit(link).fragment:
        return []
    return open_link(f"{link}#f-{finding_id}")


def _beyond(offer: Offer | None, longest: int) -> list[Element]:
    """What an answer does besides: nobody takes away or keeps what they were not told of."""
    runs: list[Run] = []
    if offer is not None and offer.findings > 1:
        runs.append(said(f"An answer is about all {counted(offer.findings, 'finding')} of it. ", isSubtle=True))
    if offer is not None and offer.takes:
        runs += [said("Shrink takes away: ", isSubtle=True), *names(offer.takes, 3, longest)]
    return [block(*runs, spacing="None")] if runs else []


def _answers(offer: Offer | None) -> list[Element]:
    if offer is None:
        return []
    offered = (each for each in _ANSWERS if offer.takes or each[1] != SHRINK)
    return [execute(title, verb, offer.token, associatedInputs=inputs) for title, verb, inputs in offered]


def _reason(is_answerable: bool) -> list[Element]:  # noqa: FBT001 - the only thing it depends on
    """One field for all of them: who keeps something says why."""
    return [reason_input(LONGEST_REASON, "Reason (needed to keep one of these)", "Why?")] if is_answerable else []

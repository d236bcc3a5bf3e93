"""Attestation card: an identity that may not be needed any more, the facts, and what its people can do about it."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from shared.domain.card_copy import Audience, CopySpec, PlaceKind
from shared.domain.click import LONGEST_REASON
from shared.domain.posture.attestation import Answered, Attestation, Question, Reply, Stage, UnusedGrant
from shared.domain.posture.finding import Finding, ObjectKind, Severity
from shared.domain.posture.owner_cards import is_outdated
from shared.domain.posture.retirement import Step, lasting_steps, retire_steps
from shared.wire.cards.about import names, people
from shared.wire.cards.elements import (
    Card,
    Element,
    banner,
    block,
    box,
    card,
    date_input,
    execute,
    fact,
    open_link,
    reason_input,
    refreshed,
    warning,
)
from shared.wire.cards.fit import MOST_BYTES, size
from shared.wire.cards.text import quoted, said
from shared.wire.cards.words import counted, day, moment

_FITS = ((240, 6), (120, 5), (64, 4), (32, 2), (12, 1))
_NAME = 64
_MOST_FACTS = 3
_MOST_ANSWERS = 4
_DAY = timedelta(days=1)
_COLORS = {Severity.CRITICAL: "Attention", Severity.HIGH: "Warning", Severity.MEDIUM: "Warning"}
_KINDS = {
    ObjectKind.APPLICATION: "app registration",
    ObjectKind.SERVICE_PRINCIPAL: "service principal",
    ObjectKind.AGENT_IDENTITY: "AI agent",
    ObjectKind.GATEWAY_IDENTITY: "identity at the gateway",
}
_LAST_USE = ("last used", "last opened", "days unused", "days silent", "not seen since")
_REPLIES = {
    Reply.KEEP: "keep it",
    Reply.SHRINK: "take the unused access away",
    Reply.RETIRE: "retire it",
    Reply.ACCEPT: "accepted that it is kept",
    Reply.REFUSE: "refused that it is kept",
}
_CLOSED = {
    Stage.KEPT: ("good", "Kept for a while", "The risk is accepted until the day below; then it is asked about again."),
    Stage.SHRUNK: (
        "good",
        "Unused access is gone",
        "The gateway was read back: the groups below are taken away there.",
    ),
    Stage.RETIRING: (
        "warning",
        "It is being retired",
        "Tether changes nothing in Entra. Make these calls, in this order.",
    ),
    Stage.SETTLED: ("good", "Settled", "There is nothing left to answer."),
}
_AGAIN = ("emphasis", "Asked again", "A newer card asks about this, with newer facts. This one cannot be answered.")


def attestation_card(attestation: Attestation, spec: CopySpec, token: str, link: str | None) -> Card:
    """The card of one copy as the attestation is now, at most 24 KB."""
    if is_outdated(spec, attestation):
        return _outdated_card(attestation, link)
    build = _open_card if attestation.stage.is_open else _closed_card
    built = [build(attestation, spec, token, link, fit) for fit in _FITS]
    return next((each for each in built if size(each) <= MOST_BYTES), built[-1])


def attestation_headline(attestation: Attestation, spec: CopySpec) -> str:
    """What a phone's notification says; the name is made harmless with the rest of the activity."""
    name, stage = attestation.question.about.name, attestation.stage
    if is_outdated(spec, attestation):
        return f"Asked again: {name}"
    if stage.is_open:
        return f"{_open_face(attestation, spec)[1]}: {name}"
    return f"{_CLOSED[stage][1]}: {name}"


def _open_card(attestation: Attestation, spec: CopySpec, token: str, link: str | None, fit: tuple[int, int]) -> Card:
    style, title, hint = _open_face(attestation, spec)
    body = [
        banner(style, title, _about(attestation.question)),
        block(said(hint), spacing="Medium"),
        *_wish(attestation),
        *_evidence(attestation, fit),
        *_history(attestation, fit),
        *_inputs(attestation, spec),
    ]
    return card(f"{title}.", body, [*_actions(attestation, spec, token), *open_link(link)], refreshed(token))


def _closed_card(attestation: Attestation, _: CopySpec, token: str, link: str | None, fit: tuple[int, int]) -> Card:
    style, title, hint = _CLOSED[attestation.stage]
    body = [
        banner(style, title, _about(attestation.question)),
        block(said(hint), spacing="Medium"),
        *_outcome(attestation, fit),
        *_history(attestation, fit),
        *_evidence(attestation, fit),
    ]
    return card(f"{title}.", body, open_link(link), refreshed(token, userIds=[]))


def _outdated_card(attestation: Attestation, link: str | None) -> Card:
    style, title, hint = _AGAIN
    body = [banner(style, title, _about(attestation.question)), block(said(hint), spacing="Medium")]
    return card(f"{title}.", body, open_link(link))


def _open_face(attestation: Attestation, spec: CopySpec) -> tuple[str, str, str]:
    if spec.place.kind is PlaceKind.CHANNEL:
        return _security_face(attestation)
    if attestation.stage is Stage.PROPOSED:
        return "emphasis", "The wish to keep it waits", "The security team has been asked to accept the risk."
    if spec.number < 0:
        return "warning", "A reminder: is this still needed?", "Without an answer the security team decides."
    return "emphasis", "Is this still needed?", "You answer for it in Entra. Keep it, shrink it or retire it."


def _security_face(attestation: Attestation) -> tuple[str, str, str]:
    if attestation.stage is Stage.PROPOSED:
        return "warning", "An owner wants to keep this", "Accept the risk, or refuse it. No owner can accept their own."
    if not attestation.question.people:
        return "warning", "Nobody answers for this", "It has no owner or sponsor, so the security team decides."
    if attestation.escalated_at is None:
        return "emphasis", "Asked again of its owners", "The wish to keep it was refused, so its owners answer again."
    return "warning", "Nobody has answered for this", "Its owners were asked first. Now the security team decides."


def _about(question: Question) -> Element:
    found = counted(len(question.evidence) + question.left_out, "finding")
    kind = _KINDS.get(question.about.kind, question.about.kind.value)
    tier = [said(" It can take the tenant over.", color="Attention")] if question.is_tier_0 else []
    return block(*quoted(question.about.name, _NAME, weight="Bolder"), said(f" ({kind}): {found}."), *tier)


def _evidence(attestation: Attestation, fit: tuple[int, int]) -> Iterator[Element]:
    (longest, most), question = fit, attestation.question
    if question.people:
        yield fact("Owners", people(question.people))
    yield from _last_use(question)
    yield block(said("Why", isSubtle=True), spacing="Medium")
    for finding in question.evidence[:most]:
        yield from _finding(finding, longest)
    yield from _more(len(question.evidence[most:]) + question.left_out, "finding")
    if question.unused and not attestation.taken:
        yield fact("Unused", *_unused(question.unused, fit))


def _last_use(question: Question) -> Iterator[Element]:
    told = {label: value for finding in reversed(question.evidence) for label, value in finding.facts}
    label = next((one for one in _LAST_USE if one in told), None)
    if label is not None:
        yield fact("Last use", block(said(f"{label}: "), *quoted(told[label], _NAME), spacing="None"))


def _finding(finding: Finding, longest: int) -> Iterator[Element]:
    color = _COLORS.get(finding.severity, "Default")
    key = [said(" · "), *quoted(finding.about.key_id, _NAME)] if finding.about.key_id else []
    yield block(
        said(f"{finding.severity.word} ", weight="Bolder", color=color),
        *quoted(finding.says, longest),
        said(f" ({finding.check_id}", isSubtle=True),
        *key,
        said(")", isSubtle=True),
    )
    for label, value in finding.facts[:_MOST_FACTS]:
        yield block(*quoted(label, longest, isSubtle=True), said(": "), *quoted(value, longest), spacing="None")


def _unused(grants: tuple[UnusedGrant, ...], fit: tuple[int, int]) -> Iterator[Element]:
    longest, most = fit
    for grant in grants[:most]:
        since = f"; last opened {day(grant.last_opened)}" if grant.last_opened is not None else "; never seen open"
        opens = [*quoted(grant.group, longest, weight="Bolder"), said(" opens "), *names(grant.connections, most)]
        more = [said(f" and {counted(grant.left_out, 'other')}")] if grant.left_out else []
        yield block(*opens, *more, said(since), spacing="None")
    yield from _more(len(grants[most:]), "group")


def _more(count: int, noun: str) -> Iterator[Element]:
    if count > 0:
        yield block(said(f"and {counted(count, f'other {noun}')}", isSubtle=True), spacing="None")


def _wish(attestation: Attestation) -> Iterator[Element]:
    if attestation.escalated_at is not None and attestation.stage is Stage.ASKED and attestation.question.people:
        asked, escalated = day(attestation.asked_at), day(attestation.escalated_at)
        text = f"The owners were asked on {asked}; the security team has been asked since {escalated}."
        yield warning("No answer.", said(text))
    refusal = attestation.last_answer
    if refusal is not None and refusal.reply is Reply.REFUSE and attestation.stage is Stage.ASKED:
        yield warning("The wish to keep it was refused.", *quoted(refusal.reason, 240))
    wish = _last(attestation, Reply.KEEP)
    if attestation.stage is Stage.PROPOSED and wish is not None:
        yield from _terms(wish, 240)


def _outcome(attestation: Attestation, fit: tuple[int, int]) -> Iterator[Element]:
    longest, _ = fit
    stage, question = attestation.stage, attestation.question
    kept = _last(attestation, Reply.KEEP)
    if stage is Stage.KEPT and kept is not None:
        yield from _terms(kept, longest)
    if stage is Stage.SHRUNK:
        yield fact("Taken", *_unused(attestation.taken, fit))
    steps = lasting_steps(attestation.taken)
    if stage is Stage.SHRUNK and steps:
        text = "Entra still has it in these groups: the next sign-in would bring them back, until these calls are made."
        yield warning("Make it last.", said(text))
        yield from _steps(steps, fit)
    if stage is Stage.RETIRING:
        yield from _steps(retire_steps(question.about), fit)


def _terms(answer: Answered, longest: int) -> Iterator[Element]:
    """Who wants it, why, and until when."""
    yield fact("By", block(*quoted(answer.by.name, _NAME), spacing="None"))
    yield fact("Reason", block(*quoted(answer.reason, longest), spacing="None"))
    if answer.until is not None:
        yield fact("Until", block(said(day(answer.until)), spacing="None"))


def _steps(steps: Iterable[Step], fit: tuple[int, int]) -> Iterator[Element]:
    """The calls as they have to be made: they consist of our words and Entra's ids, and nothing is put into them."""
    _, most = fit
    for step in list(steps)[: most * 4]:
        yield block(said(step.purpose, weight="Bolder"))
        yield box("emphasis", block(said(step.call, fontType="Monospace", size="Small"), spacing="None"))


def _history(attestation: Attestation, fit: tuple[int, int]) -> Iterator[Element]:
    longest, _ = fit
    asked = [said(f"{moment(attestation.asked_at)}")]
    if attestation.reminded_at is not None:
        asked.append(said(f", reminded {day(attestation.reminded_at)}", isSubtle=True))
    yield fact("Asked", block(*asked, spacing="None"))
    if attestation.answers:
        yield fact("Answers", *(_answer(one, longest) for one in attestation.answers[-_MOST_ANSWERS:]))


def _answer(answer: Answered, longest: int) -> Element:
    reason = [said(": "), *quoted(answer.reason, longest)] if answer.reason else []
    who = quoted(answer.by.name, _NAME)
    verb = "" if answer.reply in (Reply.ACCEPT, Reply.REFUSE) else "wants to "
    return block(*who, said(f" {verb}{_REPLIES[answer.reply]}, {moment(answer.at)}"), *reason, spacing="None")


def _last(attestation: Attestation, reply: Reply) -> Answered | None:
    return next((one for one in reversed(attestation.answers) if one.reply is reply), None)


def _inputs(attestation: Attestation, spec: CopySpec) -> Iterator[Element]:
    if attestation.stage is Stage.ASKED:
        longest = attestation.question.tier.value
        since = max(filter(None, (attestation.asked_at, attestation.escalated_at)))
        label = f"Keep until (at most {longest.days} days, which is also what an empty field means)"
        yield reason_input(LONGEST_REASON, "Reason (needed to keep it)", "Why is it needed?")
        yield date_input(label, since + _DAY, since + longest)
    elif spec.place.kind is PlaceKind.CHANNEL:
        yield reason_input(LONGEST_REASON, "Reason (needed to refuse)", "Why? The owner will read it.")


def _actions(attestation: Attestation, spec: CopySpec, token: str) -> Iterator[Element]:
    if spec.audience is not Audience.OWNER:
        return
    if attestation.stage is Stage.ASKED:
        yield execute("Keep", Reply.KEEP, token, associatedInputs="auto")
        if attestation.question.unused:
            yield execute("Shrink", Reply.SHRINK, token, style="positive", associatedInputs="none")
        yield execute("Retire", Reply.RETIRE, token, style="destructive", associatedInputs="none")
    elif spec.place.kind is PlaceKind.CHANNEL:
        yield execute("Accept", Reply.ACCEPT, token, style="positive", associatedInputs="auto")
        yield execute("Refuse", Reply.REFUSE, token, style="destructive", associatedInputs="auto")

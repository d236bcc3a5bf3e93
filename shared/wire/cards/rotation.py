"""Rotation cards: what an owner has to change, in which order, and what the security team has to know of it."""

from shared.domain.posture.rotation import CredentialRotation, Rotation, RotationState
from shared.domain.posture.rotation_news import AppNews, RotationNews, kind_of
from shared.domain.posture.rotation_steps import Step, federation_step, steps_of
from shared.wire.cards.elements import Card, Element, banner, block, box, card, fact, warning
from shared.wire.cards.fit import size
from shared.wire.cards.text import Run, clean, quoted, said
from shared.wire.cards.words import counted
from shared.wire.rotation_words import HOSTS, KINDS, MEANS, STATES, numbers, used, used_last, what_happened

MOST_BYTES = 20 * 1024
_LISTED = (60, 40, 25, 15, 8, 3)
_DETAILED = (5, 3, 2, 1)
_MOST_TROUBLES, _MOST_MISMATCHES = 6, 5
_NAME, _CALL = 64, 500
_URGENT = frozenset({RotationState.STILL_USED, RotationState.SUPERSEDED, RotationState.OVERDUE})


def security_card(news: RotationNews) -> Card:
    """The list for the security channel, at most 20 KB: the worst first, the rest counted."""
    built = (_list(news, most) for most in _LISTED)
    return next((each for each in built if size(each) <= MOST_BYTES), _list(news, 0))


def security_headline(news: RotationNews) -> str:
    """What a notification says of it: numbers only."""
    return f"Secret rotation: {_events(news)}" if news.events else "Secret rotation: something could not be seen"


def owner_card(one: AppNews, news: RotationNews) -> Card:
    """What one owner hears of one application, at most 20 KB: what happened, the numbers, and the calls in order."""
    built = (_personal(one, news, most) for most in _DETAILED)
    return next((each for each in built if size(each) <= MOST_BYTES), _personal(one, news, 0))


def owner_headline(one: AppNews) -> str:
    """What a notification says of it."""
    return f"Credentials of {one.name}: {_happened(one)}"


def _list(news: RotationNews, most: int) -> Card:
    body = [banner("emphasis", "Secret rotation", block(said(_events(news) or "Nothing is new.")), _standing(news))]
    body += [warning("Note.", *quoted(one, 300)) for one in news.troubles[:_MOST_TROUBLES]]
    if len(news.troubles) > _MOST_TROUBLES:
        body.append(block(said(f"and {counted(len(news.troubles) - _MOST_TROUBLES, 'more gap')}", isSubtle=True)))
    body += [_line(one) for one in news.apps[:most]]
    more = news.more + max(len(news.apps) - most, 0)
    if more:
        body.append(block(said(f"and {counted(more, 'more application')}: see rotation.csv of the report.")))
    return card(f"{security_headline(news)}.", body)


def _standing(news: RotationNews) -> Element:
    states = [f"{news.states[state]:,} {STATES[state]}" for state in RotationState if news.states.get(state)]
    return block(said(f"All live credentials: {', '.join(states) or 'none'}.", isSubtle=True))


def _line(one: AppNews) -> Element:
    worst = one.rows[0] if one.rows else None
    color = "Attention" if worst is not None and worst.state in _URGENT else "Default"
    facts = [numbers(worst), used(worst, one.rotation)] if worst is not None and one.rotation is not None else []
    owner = quoted(one.owner.name or one.owner.principal_id, _NAME) if one.owner else [said("nobody to ask")]
    return {
        "type": "Container",
        "spacing": "Small",
        "items": [
            block(*quoted(one.name, _NAME, weight="Bolder"), said(f" {_happened(one)}", color=color)),
            block(said(f"{'; '.join(facts)}{'; ' if facts else ''}owner: ", isSubtle=True), *owner, spacing="None"),
        ],
    }


def _personal(one: AppNews, news: RotationNews, most: int) -> Card:
    body = [banner("emphasis", "Change of credentials", block(*quoted(one.name, _NAME, weight="Bolder")))]
    if one.rotation is not None:
        body.append(fact("Used last", block(*quoted(used_last(one.rotation), 120), spacing="None")))
    rows = one.rows[:most]
    body += [element for row in rows for element in _credential(row, one, news)]
    if len(one.rows) > len(rows):
        body.append(block(said(f"and {counted(len(one.rows) - len(rows), 'more credential')} of it")))
    body += [_mismatch(finding.says, dict(finding.facts)) for finding in one.mismatches[:_MOST_MISMATCHES]]
    if one.rotation is not None and rows:
        body += _federation(one.rotation, rows[0])
    body.append(block(said("Tether changes nothing in Entra: the calls are yours to make.", isSubtle=True)))
    return card(f"Credentials of one of your applications: {_happened(one)}.", body)


def _credential(row: CredentialRotation, one: AppNews, news: RotationNews) -> list[Element]:
    use = used(row, one.rotation) if one.rotation is not None else ""
    color = "Attention" if row.state in _URGENT else "Default"
    renewed = "Microsoft renews it itself" if row.state is RotationState.RENEWED else "Microsoft does not renew it"
    steps = steps_of(row, news.at)
    return [
        box(
            "default",
            block(
                said(f"{KINDS[row.kind]} ", weight="Bolder"),
                *quoted(row.about.key_id, _NAME, weight="Bolder"),
                said(f": {STATES[row.state]}", weight="Bolder", color=color),
            ),
            block(said(f"{MEANS[row.state]} {renewed}."), spacing="None"),
            block(said(f"{numbers(row)}; {use}", isSubtle=True), spacing="None"),
            *(_step(number, step) for number, step in enumerate(steps, start=1)),
        )
    ]


def _step(number: int, step: Step) -> Element:
    return block(said(f"{number}. {step.does} "), *_call(step))


def _call(step: Step) -> list[Run]:
    """The call as it has to be made: nothing is put into it that would be copied along."""
    call = clean(step.call, _CALL).text.replace("{{", "{ {")
    return [said(call, size="Small")] if call else []


def _mismatch(says: str, facts: dict[str, str]) -> Element:
    return warning("Vault.", said(f"{says} "), *quoted(facts.get("versions", ""), 200))


def _federation(rotation: Rotation, row: CredentialRotation) -> list[Element]:
    step = federation_step(row, rotation.federation)
    if step is None:
        return []
    return [box("accent", block(said(f"{HOSTS[rotation.federation[0]]} {step.does} "), *_call(step)))]


def _events(news: RotationNews) -> str:
    counts = [f"{count:,} {what_happened(kind)}" for kind, count in sorted(news.events.items())]
    return ", ".join(counts)


def _happened(one: AppNews) -> str:
    return ", ".join(dict.fromkeys(what_happened(kind_of(word)) for word in one.words))

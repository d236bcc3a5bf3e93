"""About: what every card says of a request: who asks for what, for whom, and what is known about them."""

from collections.abc import Iterable, Sequence

from shared.domain.approval import Approval, PastDecision, Person, Requester
from shared.wire.cards.elements import Element, block, fact, warning
from shared.wire.cards.text import Run, quoted, said
from shared.wire.cards.words import account, counted, day, ended, kind, wanted

_MOST_PEOPLE = 5
_MOST_GROUPS = 8
_MOST_RECENT = 3
_NAME = 64


def question(approval: Approval) -> Element:
    """The request in one sentence."""
    return block(
        *quoted(approval.requester.name, _NAME, weight="Bolder"),
        said(f" ({kind(approval.requester)}) asks for "),
        *quoted(approval.connection, _NAME, weight="Bolder"),
        said(f": {wanted(approval.type, approval.duration)}."),
    )


def requester_facts(requester: Requester) -> list[Element]:
    """Who asks, how the account is, who stands behind an agent, and how earlier requests ended."""
    facts = [fact("Requester", _identity(requester))]
    if requester.principal_id is not None:
        facts.append(fact("Account", block(said(account(requester.state)), spacing="None")))
    if requester.is_agent_identity or requester.sponsors:
        facts.append(fact("Sponsors", people(requester.sponsors)))
    if requester.is_agent_identity or requester.owners:
        facts.append(fact("Owners", people(requester.owners)))
    if requester.recent:
        facts.append(fact("Recent", *(_past(each) for each in requester.recent[:_MOST_RECENT])))
    return facts


def requester_warnings(requester: Requester) -> list[Element]:
    """What speaks against a requester at first sight."""
    if requester.principal_id is None:
        text = "Tether cannot tell who this is, so nobody can approve it. It can be denied."
        return [warning("Not known in Entra.", said(text), style="attention")]
    if requester.state.is_shut:
        return [warning("Account shut.", said(f"The account is {account(requester.state)}."), style="attention")]
    if requester.is_agent_identity and not requester.sponsors:
        return [warning("No sponsor.", said("Entra names nobody who answers for this agent."))]
    return []


def people(persons: Sequence[Person]) -> Element:
    """Their names in a row."""
    return block(*names([person.name or person.principal_id for person in persons]), spacing="None")


def groups(approval: Approval) -> Element:
    """The reviewer groups, and which of them have answered."""
    runs: list[Run] = []
    for group in approval.groups[:_MOST_GROUPS]:
        runs += [*_comma(runs), *quoted(approval.title_of(group), _NAME)]
        if group in approved_groups(approval):
            runs.append(said(" (approved)", color="Good"))
        elif group in approval.unasked:
            runs.append(said(" (nobody can be asked)", color="Attention"))
    return block(*runs, *_others(len(approval.groups) - _MOST_GROUPS, runs), spacing="None")


def approved_groups(approval: Approval) -> frozenset[str]:
    """The groups whose approval the gateway shows, whoever brought it there."""
    applied = (vote.group for vote in approval.votes if vote.applied and vote.group is not None)
    return frozenset((*approval.answered, *applied))


def names(each: Iterable[str], most: int = _MOST_PEOPLE, longest: int = _NAME) -> list[Run]:
    """Other people's names in a row, as runs; says how many more there are, or that there is none."""
    wanted_names = tuple(each)
    runs: list[Run] = []
    for name in wanted_names[:most]:
        runs += [*_comma(runs), *quoted(name, longest)]
    return [*runs, *_others(len(wanted_names) - most, runs)]


def _comma(runs: Sequence[Run]) -> list[Run]:
    return [said(", ")] if runs else []


def _others(count: int, runs: Sequence[Run]) -> list[Run]:
    if not runs:
        return [said("none known", isSubtle=True)]
    return [said(f" and {counted(count, 'other')}")] if count > 0 else []


def _identity(requester: Requester) -> Element:
    address = [said(", "), *quoted(requester.email, _NAME)] if requester.email else []
    return block(said(kind(requester)), *address, spacing="None")


def _past(decision: PastDecision) -> Element:
    runs = quoted(decision.connection, _NAME)
    return block(*runs, said(f": {ended(decision.state)} on {day(decision.at)}"), spacing="None")

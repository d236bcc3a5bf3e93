"""Decide: what a principal has lost in Entra, from a hint and from what Graph answers in time."""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.principals import AccountState, Hint, PrincipalChange


@dataclass(frozen=True, slots=True)
class Observation:
    """What Graph answered. `None` means no answer in time, which never counts in the principal's favour.

    `direct`: groups it is a direct member of. `transitive`: of the governed groups asked about, those it is in by any
    path. `reached`: the governed groups that the hint's group is, or is nested in.
    """

    account: AccountState = AccountState.UNKNOWN
    direct: frozenset[str] | None = None
    transitive: frozenset[str] | None = None
    reached: frozenset[str] | None = None


class Verdict(StrEnum):
    """What is lost: nothing, some groups, or the whole account."""

    KEEP = "keep"
    LOSE_GROUPS = "lose-groups"
    LOSE_EVERYTHING = "lose-everything"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the Entra groups lost, whether Graph's own reads show it, and in what words.

    `second_path` names groups that were kept although a hint took them away: they deserve another look soon.
    `unsure` says that something could not be read and must be looked at again.
    """

    verdict: Verdict
    because: str
    groups: frozenset[str] = frozenset()
    confirmed: bool = True
    second_path: frozenset[str] = frozenset()
    unsure: bool = False


def decide(change: PrincipalChange, seen: Observation, held: frozenset[str]) -> Decision:
    """What the principal has lost of the governed groups it holds at the gateway (`held`, Entra object ids).

    A removal hint is obeyed at once, unless the direct read shows the removal *and* the transitive read shows another
    path; lag, errors and time-outs revoke.
    """
    if seen.account.is_shut:
        return Decision(Verdict.LOSE_EVERYTHING, f"account is {seen.account}")
    if change.hint in (Hint.DISABLED, Hint.DELETED):
        return Decision(Verdict.LOSE_EVERYTHING, f"{change.source} says {change.hint}", confirmed=False)

    absent = _absent(change, seen, held)
    hinted, second_path = _obey_removal(change, seen, held)
    lost = absent | hinted
    unsure = _is_unsure(change, seen, held)
    if not lost:
        because = "another path to the group" if second_path else "Entra still grants it"
        return Decision(Verdict.KEEP, because, second_path=second_path, unsure=unsure)
    because = "no longer a member" if lost <= absent else _why_obeyed(seen)
    return Decision(
        Verdict.LOSE_GROUPS, because, lost, confirmed=lost <= absent, second_path=second_path, unsure=unsure
    )


def _absent(change: PrincipalChange, seen: Observation, held: frozenset[str]) -> frozenset[str]:
    # Right after a group was given, a lagging read must not take away what was just granted: that look only gives.
    if seen.transitive is None or change.hint.gives_back:
        return frozenset()
    return held - seen.transitive


def _obey_removal(
    change: PrincipalChange, seen: Observation, held: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    if change.hint is not Hint.REMOVED_FROM_GROUP or seen.reached is None:
        return frozenset(), frozenset()
    affected = held & seen.reached
    removal_visible = seen.direct is not None and change.group_id not in seen.direct
    second_path = affected & (seen.transitive or frozenset()) if removal_visible else frozenset()
    return affected - second_path, second_path


def _is_unsure(change: PrincipalChange, seen: Observation, held: frozenset[str]) -> bool:
    if change.hint is Hint.REMOVED_FROM_GROUP:
        return seen.reached is None
    return seen.account is AccountState.UNKNOWN or (bool(held) and seen.transitive is None)


def _why_obeyed(seen: Observation) -> str:
    if seen.direct is None or seen.transitive is None:
        return "removal notified, Graph gave no answer in time"
    return "removal notified, Graph does not show it yet"

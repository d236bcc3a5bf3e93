"""Sentences for the timeline: what Entra changed, and what the gateway did about it."""

from collections import Counter
from collections.abc import Callable, Sequence

from sandbox.door.changes import Change, ChangeState
from sandbox.door.standing import Effect, EffectKind

_SAID = {
    "disabled": "disabled",
    "disabled-by-microsoft": "disabled by Microsoft",
    "deleted": "deleted",
    "permanently-deleted": "deleted for good",
    "enabled": "enabled again",
    "restored": "restored",
}


def headline(change: Change) -> str:
    """What happened in Entra."""
    if change.verb == "member-removed":
        return f"{change.who} removed from {change.where}"
    if change.verb == "member-added":
        return f"{change.who} added to {change.where}"
    return f"{change.who or change.where} {_SAID[change.verb]}"


def outcome(change: Change, state: ChangeState, label: Callable[[str], str] = str) -> str:
    """What the gateway did about it, or what is still awaited; `label` names a gateway group."""
    parts = _parts(change.effects, label)
    if state is ChangeState.DONE:
        return ", ".join(parts)
    if state is ChangeState.QUIET:
        return change.note
    if state is ChangeState.OVERDUE:
        return ", ".join([*parts, "the rest unchanged" if parts else "nothing changed at the gateway"])
    awaited = "waiting for the gateway" if change.taking else "waiting to give back what was taken"
    return ", ".join([*parts, awaited])


def duration(milliseconds: float) -> str:
    """A latency as people read it: milliseconds below ten seconds, seconds above."""
    if milliseconds < 10_000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 600_000:
        return f"{milliseconds / 1000:.0f} s"
    return f"{milliseconds / 60_000:.0f} min"


def _parts(effects: Sequence[Effect], label: Callable[[str], str]) -> list[str]:
    count = Counter(effect.kind for effect in effects)
    taken = [label(name) for name in _names(effects, EffectKind.GROUPS_TAKEN)]
    given = [label(name) for name in _names(effects, EffectKind.GROUPS_GIVEN)]
    counted = {
        EffectKind.SESSION_ENDED: ("session ended", "sessions ended"),
        EffectKind.ACCOUNT_CLOSED: ("account closed", "accounts closed"),
        EffectKind.REQUEST_REJECTED: ("request rejected", "requests rejected"),
        EffectKind.APPROVAL_REVOKED: ("approval revoked", "approvals revoked"),
        EffectKind.ACCOUNT_REOPENED: ("account open again", "accounts open again"),
    }
    parts = [_counted(count[kind], *words) for kind, words in counted.items() if count[kind]]
    if taken and not count[EffectKind.ACCOUNT_CLOSED]:
        parts.append(_grouped(taken, "taken"))
    if given:
        parts.append(_grouped(given, "given back"))
    return parts


def _names(effects: Sequence[Effect], kind: EffectKind) -> list[str]:
    return sorted({name for effect in effects if effect.kind is kind for name in effect.names})


def _counted(count: int, one: str, many: str) -> str:
    return one if count == 1 and one.startswith("account") else f"{count} {one if count == 1 else many}"


def _grouped(names: list[str], verb: str) -> str:
    return f"group {names[0]} {verb}" if len(names) == 1 else f"{len(names)} groups {verb}"

"""Sentences for requests: who asked for what, and what each step was."""

from collections.abc import Callable, Sequence

from sandbox.door.reviews import GRANTED, Review, Step, StepKind

NOBODY_ANSWERED = "nobody answered in time"
_TETHER = "Tether: "
_BUTTONS = {"approve": "Approve", "deny": "Deny", "break-glass": "Break glass", "done": "Done"}
_SENTENCES = {
    StepKind.CARD: "card posted to {places}",
    StepKind.REMINDER: "asked again in {places}",
    StepKind.VOTED: "{who} approved {where}",
    StepKind.REFUSED: "{who} clicked {button}, refused",
    StepKind.UNANSWERED: "{who} clicked {button}, and Teams got no answer",
    StepKind.APPROVED: "approved by {who} {where}",
    StepKind.FORCED: "approved by {who} {where}, breaking the glass",
    StepKind.REJECTED: "denied by {who} {where}",
    StepKind.OPENED: "session opened",
    StepKind.UPDATED: "cards updated",
    StepKind.TOLD: "{places} told in Teams",
    StepKind.GIVEN_BACK: "{who} gave it back",
    StepKind.REVOKED: "approval revoked",
    StepKind.HUNG_UP: "the client hung up",
    StepKind.ENDED: "session ended",
}
_ENDINGS = {
    "client disconnected": "the client left",
    "killed": "killed",
    "time is over": "its time was over",
    "command ended": "the command has run",
}
Naming = Callable[[Step], str]


def question(review: Review, requester: str) -> str:
    """Who asked for what."""
    connection = review.connection or "a connection"
    command = "to run a command on" if review.type == "onetime" else "for"
    return f"{requester} asked {command} {connection}"


def standing(review: Review, reason: str) -> str:
    """In one word how the request stands; `reason` is what the gateway keeps about a rejection."""
    decision = review.decision
    if decision is None:
        return "waiting"
    if decision.kind in GRANTED:
        return "approved" if decision.kind is StepKind.APPROVED else "forced"
    if decision.in_teams or not reason.startswith(_TETHER):
        return "denied"
    return "expired" if reason == _TETHER + NOBODY_ANSWERED else "withdrawn"


def said(step: Step, name: Naming, reason: str) -> str:
    """What happened in this step."""
    who, where = name(step), "in Teams" if step.in_teams else "at the gateway"
    sentence = _SENTENCES[step.kind].format(
        who=who, where=where, places=enumerated(step.places), button=_BUTTONS.get(step.verb, step.verb)
    )
    if step.kind is StepKind.REJECTED:
        by_tether = not step.in_teams and reason.startswith(_TETHER)
        return _with("rejected by Tether" if by_tether else sentence, reason.removeprefix(_TETHER))
    if step.kind is StepKind.UPDATED:
        return "1 card updated" if step.why == "1" else f"{step.why} cards updated"
    return _with(sentence, _ENDINGS.get(step.why, step.why))


def enumerated(names: Sequence[str], last: str = "and") -> str:
    """Names as people list them."""
    return f" {last} ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _with(said: str, more: str) -> str:
    return f"{said}: {more}" if more else said

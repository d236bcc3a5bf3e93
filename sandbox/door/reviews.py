"""What became of each request for approval: pure, fed with the gateway's and Teams' events in order.

A review is asked for and decided at the gateway; cards, clicks and what people were told are in Teams' log.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.door.events import GatewayEvent, TeamsEvent
from sandbox.door.teams import TeamsWorld

TOGETHER_SECONDS = 5.0
_DECIDING = {"APPROVED": ("approve", "break-glass"), "REJECTED": ("deny",)}


class StepKind(StrEnum):
    """What happened to a request."""

    CARD = "card"
    REMINDER = "reminder"
    VOTED = "voted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    APPROVED = "approved"
    FORCED = "forced"
    REJECTED = "rejected"
    OPENED = "opened"
    UPDATED = "updated"
    TOLD = "told"
    GIVEN_BACK = "given-back"
    REVOKED = "revoked"
    HUNG_UP = "hung-up"
    ENDED = "ended"


GRANTED = frozenset({StepKind.APPROVED, StepKind.FORCED})
DECISIONS = GRANTED | {StepKind.REJECTED}


@dataclass(slots=True)
class Step:
    """One thing that happened; `took` is in seconds: from the question to a card, from a click to its effect.

    `who` is an object id where `in_teams`, and a name of the gateway's otherwise; `places` are names of channels or
    people, `verb` is the button's.
    """

    at: float
    kind: StepKind
    who: str = ""
    in_teams: bool = False
    places: list[str] = field(default_factory=list)
    took: float | None = None
    verb: str = ""
    why: str = ""


@dataclass(slots=True)
class Click:
    """Somebody pressed a button of a card; `counted` once it has had its effect."""

    at: float
    activity_id: str
    person_id: str
    verb: str
    shown: str = ""
    counted: bool = False


@dataclass(slots=True)
class Review:
    """One request, from the question to its end."""

    id: str
    session_id: str
    at: float
    subject: str
    connection: str
    type: str
    steps: list[Step] = field(default_factory=list)
    clicks: list[Click] = field(default_factory=list)
    channels: set[str] = field(default_factory=set)
    updated: set[str] = field(default_factory=set)
    decision: Step | None = None
    hung_up: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is still awaited."""
        return self.decision is None

    def add(self, step: Step) -> Step:
        """The step, which is now the newest."""
        self.steps.append(step)
        return step


class Reviews:
    """Every request that the gateway's events tell of, oldest first."""

    def __init__(self) -> None:
        self.all: dict[str, Review] = {}
        self._by_session: dict[str, Review] = {}
        self._early: list[TeamsEvent] = []

    def observe(
        self, gateway_events: Iterable[GatewayEvent], teams_events: Iterable[TeamsEvent], world: TeamsWorld
    ) -> None:
        """Take in what both sides logged since the last time; a card may be heard of before its review."""
        events: list[GatewayEvent | TeamsEvent] = [*gateway_events, *self._early, *teams_events]
        self._early = []
        for event in sorted(events, key=lambda event: event.at):
            if isinstance(event, GatewayEvent):
                self._at_gateway(event)
            else:
                self._in_teams(event, world)

    def is_answer_of_a_person(self, event: GatewayEvent) -> bool:
        """Whether this event is somebody's denial in Teams: what it took owes nothing to a change in Entra."""
        if event.kind not in ("review-changed", "session-closed"):
            return False
        review = self._by_session.get(event.detail["session_id"])
        decision = review.decision if review else None
        return decision is not None and decision.in_teams and decision.kind is StepKind.REJECTED

    def _at_gateway(self, event: GatewayEvent) -> None:
        if event.kind == "reset":
            self.all.clear()
            self._by_session.clear()
        elif event.kind == "review-created":
            detail = event.detail
            review = Review(
                detail["review_id"], detail["session_id"], event.at, event.subject, event.connection, detail["type"]
            )
            self.all[review.id] = self._by_session[review.session_id] = review
        elif event.kind == "review-changed" and event.detail["review_id"] in self.all:
            _change(self.all[event.detail["review_id"]], event)
        elif event.kind in ("session-opened", "session-closed"):
            found = self._by_session.get(event.detail["session_id"])
            if found:
                _session(found, event)

    def _in_teams(self, event: TeamsEvent, world: TeamsWorld) -> None:
        card = world.cards.get(event.activity_id)
        if card is None:
            return
        review = self.all.get(card.review_id)
        if review is None:
            self._early = [*self._early[-999:], event]
        elif event.kind == "posted":
            _post(review, event, card.name, is_channel=card.is_channel)
            review.channels |= {card.place} if card.is_channel else set()
        elif event.kind == "updated":
            _update(review, event)
        elif event.kind == "clicked" and event.verb != "refresh":
            review.clicks.append(Click(event.at, event.activity_id, event.person_id, event.verb))
        elif event.kind == "shown":
            _show(review, event, world)


def _change(review: Review, event: GatewayEvent) -> None:
    before, after = event.detail["before"], event.detail["after"]
    if before == "PENDING" and after in _DECIDING:
        _decide(review, event, after)
    elif before == "PENDING" and after == "PENDING":
        # Votes from Teams reach the gateway together, when they are enough; each was told of at its click.
        if not any(click.verb == "approve" and click.shown != "message" for click in review.clicks):
            review.add(Step(event.at, StepKind.VOTED, event.detail["by"]))
    elif before == "APPROVED" and after in ("REVOKED", "REJECTED"):
        done = _latest(review, ("done",))
        if done is None:
            review.add(Step(event.at, StepKind.REVOKED, event.detail["by"]))
        else:
            review.add(_step(done, event.at, StepKind.GIVEN_BACK))


def _decide(review: Review, event: GatewayEvent, after: str) -> None:
    click = _latest(review, _DECIDING[after])
    kind = StepKind.APPROVED if after == "APPROVED" else StepKind.REJECTED
    if click is None:
        review.decision = review.add(Step(event.at, kind, event.detail["by"]))
        return
    click.counted = True
    forced = click.verb == "break-glass"
    review.steps = [one for one in review.steps if not (one.kind is StepKind.VOTED and _is_of(one, click))]
    review.decision = review.add(_step(click, event.at, StepKind.FORCED if forced else kind))


def _session(review: Review, event: GatewayEvent) -> None:
    if event.kind == "session-opened":
        # For whoever clicked, the session opens so long after the click.
        since = review.decision.at - (review.decision.took or 0) if review.decision else event.at
        review.add(Step(event.at, StepKind.OPENED, took=event.at - since))
    elif review.is_waiting:
        review.hung_up = True
        review.add(Step(event.at, StepKind.HUNG_UP))
    elif review.decision and review.decision.kind in GRANTED:
        review.add(Step(event.at, StepKind.ENDED, why=str(event.detail.get("reason") or "")))


def _post(review: Review, event: TeamsEvent, name: str, *, is_channel: bool) -> None:
    place = f"#{name}" if is_channel else name
    kind = StepKind.TOLD if review.decision else StepKind.CARD
    same = next((one for one in reversed(review.steps) if one.kind is kind), None)
    if same is not None and event.at - same.at <= TOGETHER_SECONDS:
        # Channels come first: a "#" sorts before every name.
        same.places = sorted({*same.places, place})
        return
    if kind is StepKind.CARD and same is not None:
        kind = StepKind.REMINDER
    since = review.decision.at if review.decision else review.at
    took = None if kind is StepKind.REMINDER else event.at - since
    review.add(Step(event.at, kind, places=[place], took=took))


def _update(review: Review, event: TeamsEvent) -> None:
    if review.decision is None or event.activity_id in review.updated:
        return
    review.updated.add(event.activity_id)
    step = next((one for one in review.steps if one.kind is StepKind.UPDATED), None)
    step = step or review.add(Step(event.at, StepKind.UPDATED))
    step.at, step.took, step.why = event.at, event.at - review.decision.at, str(len(review.updated))


def _show(review: Review, event: TeamsEvent, world: TeamsWorld) -> None:
    mine = [one for one in review.clicks if (one.activity_id, one.person_id) == (event.activity_id, event.person_id)]
    click = next((one for one in mine if not one.shown), None)
    if click is None:
        return
    click.shown = event.shown
    if event.shown == "card":
        if review.is_waiting and click.verb == "approve":
            review.add(_step(click, event.at, StepKind.VOTED))
        return
    if event.shown != "message":
        review.add(_step(click, event.at, StepKind.UNANSWERED))
        return
    told = world.told.get((event.activity_id, event.person_id), [])
    index = sum(one.shown not in ("", "card") for one in mine) - 1
    refusal = review.add(_step(click, event.at, StepKind.REFUSED))
    refusal.why = told[index] if index < len(told) else ""


def _latest(review: Review, verbs: tuple[str, ...]) -> Click | None:
    """The newest click with one of these verbs that was not refused."""
    live = (one for one in reversed(review.clicks) if one.verb in verbs and one.shown in ("", "card"))
    return next(live, None)


def _step(click: Click, at: float, kind: StepKind) -> Step:
    return Step(at, kind, click.person_id, in_teams=True, took=at - click.at, verb=click.verb)


def _is_of(step: Step, click: Click) -> bool:
    return step.in_teams and step.who == click.person_id

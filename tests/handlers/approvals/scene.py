"""The cast of approvals: who asks, who may answer for which reviewer group, and what everybody sees in Teams."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from shared.domain.activities import Activity, ActivityKind, CardAction, ConversationKind
from shared.domain.activities import Person as Sender
from shared.domain.approval import Approval, ApprovalState, Choice
from shared.domain.card_copy import CardCopy, CopyState
from shared.domain.card_token import CardTokenKeys
from shared.domain.gateway import IdentityRef, ReviewType
from shared.domain.identity_map import IdentityMap
from shared.domain.reach import AccessPolicy
from shared.domain.reviews import Question, ReviewEvent, ReviewStatus
from shared.domain.routes import ApprovalRoutes, BreakGlass, Route, Timing
from shared.handlers.faces import face_of
from shared.handlers.receive_activity import CARD_ACTION, receive_activity
from shared.ports import ApprovalRules
from tests.fakes.entra import TENANT, guid
from tests.fakes.queue import CARD_UPDATES, REVIEW_EVENTS
from tests.fakes.teams import SERVICE_URL, Message
from tests.fakes.worker import CrashError, Fate
from tests.fakes.world import World, rules

DBA, SECURITY, ONCALL = "19:dba@thread.tacv2", "19:security@thread.tacv2", "19:oncall@thread.tacv2"
ALARM, LOUD = "19:alarm@thread.tacv2", "19:loud@thread.tacv2"
COMMAND = "DELETE FROM invoices WHERE secret = 'hunter2'"
MINUTE, HOUR = 60.0, 3600.0
TOKENS = CardTokenKeys(TENANT, (b"a card token key of thirty-two bytes",))
DBA_ROUTE = Route("dba", guid("dba-approvers"), DBA, escalation_channel=ONCALL)
SECURITY_ROUTE = Route("security", guid("security-approvers"), SECURITY)
OPS_ROUTE = Route("ops", guid("ops-approvers"), ONCALL)
FORCE = BreakGlass(guid("break-glass"), LOUD)
POLICY = AccessPolicy(enforced=True, connections=frozenset({"pg1"}), groups_of_connection={"pg1": frozenset({"dev"})})
DECIDED = (ApprovalState.APPROVED, ApprovalState.DENIED, ApprovalState.EXPIRED, ApprovalState.WITHDRAWN)
Json = dict[str, Any]


def asking(*routes: Route, break_glass: BreakGlass | None = FORCE, **changes: Any) -> ApprovalRules:  # noqa: ANN401 - any field
    """The rules: each reviewer group in its own channel, one group that may break glass."""
    given = ApprovalRoutes(routes or (DBA_ROUTE, SECURITY_ROUTE, OPS_ROUTE), ALARM, break_glass=break_glass)
    return replace(
        ApprovalRules(given, TOKENS, SERVICE_URL, "https://gateway.example/sessions/{session_id}"), **changes
    )


@dataclass
class Scene:
    """A world in which rita asks: ada and ben answer for dba, cleo for security, dora for both, olaf for ops.

    Eve may break glass; mallory may nothing. `question` is the latest that was asked.
    """

    world: World
    rita_at: IdentityRef
    question: Question | None = None

    # --- what happens -----------------------------------------------------------------------------------------------

    async def ask(
        self,
        *groups: str,
        needed: int | None = None,
        by: IdentityRef | None = None,
        command: str = COMMAND,
        review_type: ReviewType = ReviewType.JIT,
        announced: bool = True,
    ) -> str:
        """A review, looked at and shown when it was announced; the review's id."""
        self.question = self.world.reviews.ask(
            by or self.rita_at,
            *(groups or ("dba",)),
            min_approvals=needed,
            command=command,
            review_type=review_type,
        )
        if announced:
            await self.look("webhook")
            await self.world.settle()
        return self.question.review.review_id

    async def look(self, source: str = "poll", ref: str | None = None) -> None:
        """A look is on the queue."""
        world = self.world
        event = ReviewEvent(ref or self.asked.session.session_id, source, world.clock.now(), world.clock.new_id())
        await world.queue.send_review_events([event])

    async def click(
        self,
        who: str,
        verb: str = "approve",
        place: str = DBA,
        *,
        reason: str = "",
        message: Message | None = None,
        fate: Fate | None = None,
        **changes: Any,  # noqa: ANN401 - any field of a card action
    ) -> Json:
        """What somebody is answered who clicks on the newest card of a place."""
        activity = self.activity(who, verb, message or self.card_message(place), reason, **changes)
        answer = await receive_activity(activity, self.world.worker(fate), self.rules)
        assert answer is not None
        check_well_formed(answer)
        return answer

    async def click_and_die(self, fate: Fate, who: str, verb: str = "approve", place: str = DBA, **more: Any) -> bool:  # noqa: ANN401 - as above
        """Whether the process died of it; all that it left undone is undone by others."""
        try:
            await self.click(who, verb, place, fate=fate, **more)
        except CrashError:
            return True
        return False

    def activity(self, who: str, verb: str, message: Message, reason: str = "", **changes: Any) -> Activity:  # noqa: ANN401 - as above
        """The activity that Teams sends for a click."""
        person = who if "-" in who else guid(who)
        token = next(iter(tokens_in(card_in(message))), "no-token")
        action = replace(CardAction(verb, token, reason, automatic=False), **changes)
        in_channel = message.conversation_id.startswith("19:")
        kind = ConversationKind.CHANNEL if in_channel else ConversationKind.PERSONAL
        channel = message.conversation_id.partition(";")[0] if in_channel else None
        return Activity(
            ActivityKind.INVOKE,
            CARD_ACTION,
            self.world.clock.new_id(),
            SERVICE_URL,
            message.conversation_id,
            kind,
            channel,
            None,
            TENANT,
            Sender(person, f"29:{who}", who),
            message.activity_id,
            action,
        )

    async def at_gateway(self, group: str = "dba", *, deny: bool = False, name: str = "somebody") -> None:
        """Somebody answers in the gateway's own web page."""
        from tests.fakes.reviews import Voter  # noqa: PLC0415 - cyclic otherwise

        status = ReviewStatus.REJECTED if deny else ReviewStatus.APPROVED
        self.world.reviews.vote(self.review_id, Voter(name, frozenset({group})), status, "no" if deny else "")

    async def after(self, seconds: float) -> None:
        """Time passes, the poll ticks."""
        await self.world.run_and_poll(seconds)

    # --- what can be seen -------------------------------------------------------------------------------------------

    @property
    def rules(self) -> ApprovalRules:
        assert self.world.asking is not None
        return self.world.asking

    @property
    def asked(self) -> Question:
        assert self.question is not None
        return self.question

    @property
    def review_id(self) -> str:
        return self.asked.review.review_id

    @property
    def approval(self) -> Approval:
        return self.world.approvals.stored[self.review_id]

    @property
    def at_the_gateway(self) -> ReviewStatus:
        return self.world.reviews.shown(self.review_id).review.status

    @property
    def story(self) -> list[str]:
        """What the review's evidence says, in order; its chain is whole."""
        return self.world.story(f"reviews/{self.review_id}")

    @property
    def effects(self) -> list[tuple[str, str]]:
        """What Tether wrote about the review at the gateway: verb and group."""
        return [(verb, group) for verb, review_id, group in self.world.reviews.effects if review_id == self.review_id]

    def card_message(self, place: str = DBA) -> Message:
        """The newest card in a channel or chat."""
        return self.cards_in(place)[-1]

    def cards_in(self, place: str = DBA) -> list[Message]:
        """The cards in a channel or chat, without the texts beside them."""
        return [message for message in self.world.teams.in_place(place) if "attachments" in json.loads(message.shows)]

    def texts_in(self, place: str = DBA) -> list[Json]:
        """The texts in a channel or chat."""
        shown = [json.loads(message.shows) for message in self.world.teams.in_place(place)]
        return [face for face in shown if "text" in face]

    def copies(self) -> list[CardCopy]:
        return [copy for (review_id, _), copy in self.world.copies.stored.items() if review_id == self.review_id]


async def set_scene(rules_of_asking: ApprovalRules | None = None, identity_map: IdentityMap | None = None) -> Scene:
    """The cast in place; nothing has been asked yet."""
    world = World(rules(identity_map or IdentityMap()), asking=rules_of_asking or asking())
    people = {name: world.entra.user(name) for name in ("rita", "ada", "ben", "cleo", "dora", "olaf", "eve", "mallory")}
    world.entra.group("developers", people["rita"])
    world.gateway.policy = POLICY
    world.entra.group("dba-approvers", people["ada"], people["ben"], people["dora"])
    world.entra.group("security-approvers", people["cleo"], people["dora"])
    world.entra.group("ops-approvers", people["olaf"])
    world.entra.group("break-glass", people["eve"])
    rita_at = world.gateway.person("rita@tether.example", "dev")
    await world.met()
    return Scene(world, rita_at)


def card_in(message: Message) -> Json:
    """The card that a message shows."""
    (attachment,) = json.loads(message.shows)["attachments"]
    card: Json = attachment["content"]
    return card


def tokens_in(part: object) -> list[str]:
    """Every token in a card."""
    if isinstance(part, dict):
        own = [part["token"]] if isinstance(part.get("token"), str) else []
        return own + [token for each in part.values() for token in tokens_in(each)]
    return [token for each in part for token in tokens_in(each)] if isinstance(part, list) else []


def verbs_in(card: Json) -> list[str]:
    """What a card lets people do, its refresh aside."""
    return [action["verb"] for action in card.get("actions", []) if action["type"] == "Action.Execute"]


def check_well_formed(answer: Json) -> None:
    """An invoke's answer as Teams wants it; a refusal is a message, never a failure."""
    assert answer.keys() == {"statusCode", "type", "value"}
    kinds = {
        "application/vnd.microsoft.card.adaptive": (200, dict),
        "application/vnd.microsoft.activity.message": (200, str),
        "application/vnd.microsoft.activity.loginRequest": (401, dict),
    }
    status, kind = kinds[answer["type"]]
    assert answer["statusCode"] == status
    assert isinstance(answer["value"], kind)
    assert answer["value"]


def is_card(answer: Json) -> bool:
    """Whether the answer is a card, and not a sentence."""
    return str(answer["type"]) == "application/vnd.microsoft.card.adaptive"


def told(answer: Json) -> str:
    """The sentence that somebody was told instead of a card."""
    assert answer["type"] == "application/vnd.microsoft.activity.message", answer["type"]
    return str(answer["value"])


# --- what always holds --------------------------------------------------------------------------------------------


STATUSES = {
    ApprovalState.PENDING: {ReviewStatus.PENDING},
    ApprovalState.APPROVED: {ReviewStatus.APPROVED, ReviewStatus.EXECUTED, ReviewStatus.REVOKED},
    ApprovalState.DENIED: {ReviewStatus.REJECTED},
    ApprovalState.EXPIRED: {ReviewStatus.REJECTED},
    ApprovalState.WITHDRAWN: {ReviewStatus.REJECTED, ReviewStatus.REVOKED},
}


def check_agreement(scene: Scene) -> None:
    """Tether, the gateway and every card say the same, each card is there once, and the evidence is whole."""
    approval = scene.approval
    assert scene.at_the_gateway in STATUSES[approval.state]
    assert approval.claim is None or not approval.claim.is_held(scene.world.clock.now())
    check_cards(scene)
    check_votes(scene)
    check_evidence(scene)
    assert not scene.world.queue.on(CARD_UPDATES)
    if not approval.is_open:
        assert not [m for m in scene.world.queue.on(REVIEW_EVENTS) if m.visible_at <= scene.world.clock.now()]
        assert approval.excerpt == ""


def check_cards(scene: Scene) -> None:
    """Every card shows what it should show now, the strays included, and there is none besides."""
    shown = scene.world.teams.messages
    known = 0
    for copy in scene.copies():
        assert copy.state in (CopyState.POSTED, CopyState.LOST), copy
        if copy.state is CopyState.POSTED:
            face = face_of(scene.approval, copy.spec, copy.conversation_id, scene.rules).activity
            ids = (copy.activity_id, *copy.strays)
            known += len(ids)
            for activity_id in ids:
                assert shown[copy.conversation_id.partition(";")[0], activity_id].shows == face
    assert known == len([m for m in shown.values() if _is_about(m, scene)])


def _is_about(message: Message, scene: Scene) -> bool:
    return len(scene.world.reviews._reviews) == 1 or scene.asked.session.session_id in message.faces[0]


def check_votes(scene: Scene) -> None:
    """One vote per person, one person per group, each entitled, and each given with the key of exactly its group."""
    review = scene.world.reviews.shown(scene.review_id).review
    votes = scene.approval.votes
    people = [vote.approver.principal_id for vote in votes]
    assert len(people) == len(set(people))
    assert scene.approval.requester.principal_id not in [v.approver.principal_id for v in votes if v.choice != "deny"]
    groups = [vote.group for vote in votes if vote.applied and vote.group]
    assert len(groups) == len(set(groups))
    for vote in votes:
        assert vote.choice is Choice.BREAK_GLASS or vote.groups
        assert vote.group is None or vote.group in vote.groups
    for row in review.groups:
        assert row.reviewed_by in ("", "somebody", f"tether:{row.group}", "tether:break-glass"), row
    assert len({e for e in scene.effects if e[0] == "approve"}) <= len(review.groups)


def check_evidence(scene: Scene) -> None:
    """The chain is whole, and holds neither a command nor a token."""
    scene.world.proven()
    text = scene.world.evidence.chains[f"reviews/{scene.review_id}"].decode()
    assert "hunter2" not in text
    assert scene.approval.input_digest in text
    for message in scene.world.teams.messages.values():
        for face in message.faces:
            assert not [token for token in tokens_in(json.loads(face)) if token in text]


def ended_once(scene: Scene) -> bool:
    """Whether the evidence tells of exactly one end."""
    return sum(what in DECIDED for what in scene.story) == 1


def timing(remind: float, escalate: float, expire: float) -> Timing:
    """The same in minutes."""
    return Timing(timedelta(minutes=remind), timedelta(minutes=escalate), timedelta(minutes=expire))

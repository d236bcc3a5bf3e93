"""A world on one clock: Entra, the gateway, storage, queues, and the workers that the app's triggers would start."""

import asyncio
import functools
import json
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.domain.evidence import ChainHead, verify
from shared.domain.identity_map import IdentityMap
from shared.domain.ledger import RestoreRules
from shared.domain.plan import Escalation
from shared.domain.sweep import SweepLimit
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers.hold_sweep import release_hold
from shared.handlers.keep_subscriptions import SubscriptionPlan
from shared.handlers.look_at_principal import look_at_principal
from shared.handlers.look_at_review import look_at_review
from shared.handlers.poll_reviews import poll_reviews
from shared.handlers.process_directory_event import process_directory_event
from shared.handlers.receive_notifications import receive_notifications
from shared.handlers.reconcile_roster import Reconciliation, reconcile_roster
from shared.handlers.settle_message import settle_card_update, settle_change, settle_event, settle_review_event
from shared.handlers.show_card import show_card
from shared.handlers.sweep_directory import RESOURCES, sweep_directory
from shared.ports import ApprovalPorts, ApprovalRules, Ports, PosturePorts, Rules, SignIn
from tests.fakes.approvals import FakeApprovals, FakeCardCopies, FakeConversations
from tests.fakes.clock import FakeAlerts, FakeClock
from tests.fakes.entra import KEYS, FakeEntra
from tests.fakes.gateway import FakeGateway
from tests.fakes.queue import CARD_UPDATES, EVENTS, REVIEW_EVENTS, FakeQueue, Message
from tests.fakes.reviews import FakeReviews
from tests.fakes.storage import FakeDeltaLinks, FakeEvidence, FakeHolds, FakeRecords
from tests.fakes.subscriptions import FakeSubscriptions
from tests.fakes.teams import FakeTeams
from tests.fakes.worker import CrashError, Fate, Fault, no_fault, seen_by_a_worker

MAX_DELIVERIES = 10
URL = "https://tether.example/api/graph/notifications"


def rules(identity_map: IdentityMap | None = None, **changes: Any) -> Rules:  # noqa: ANN401 - any field of Rules
    """The defaults, with a sweep limit that small tests do not meet."""
    given: dict[str, Any] = {
        "identity_map": identity_map or IdentityMap(),
        "restore": RestoreRules(),
        "sweep_limit": SweepLimit(minimum=100),
        "escalation": Escalation.DEACTIVATE,
    }
    return Rules(**(given | changes))


@dataclass
class World:
    """Everything outside, and what becomes of the app's messages in it; approvals are on where `asking` is given."""

    rules: Rules = field(default_factory=rules)
    clock: FakeClock = field(default_factory=FakeClock)
    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    records: FakeRecords = field(default_factory=FakeRecords)
    evidence: FakeEvidence = field(default_factory=FakeEvidence)
    delta_links: FakeDeltaLinks = field(default_factory=FakeDeltaLinks)
    holds: FakeHolds = field(default_factory=FakeHolds)
    subscriptions: FakeSubscriptions = field(default_factory=FakeSubscriptions)
    fault: Fault = no_fault
    asking: ApprovalRules | None = None
    approvals: FakeApprovals = field(default_factory=FakeApprovals)
    copies: FakeCardCopies = field(default_factory=FakeCardCopies)
    conversations: FakeConversations = field(default_factory=FakeConversations)
    teams: FakeTeams = field(default_factory=FakeTeams)
    sign_in: SignIn | None = None
    posture: PosturePorts | None = None

    def __post_init__(self) -> None:
        self.entra = FakeEntra(self.clock)
        self.queue = FakeQueue(self.clock)
        self.reviews = FakeReviews(self.gateway, self.clock)
        self.plan = SubscriptionPlan(KEYS, 1, URL)

    @property
    def ports(self) -> Ports:
        """The ports without any fate of their own."""
        return Ports(
            directory=self.entra,
            subscriptions=self.subscriptions,
            gateway=self.gateway,
            records=self.records,
            evidence=self.evidence,
            queue=self.queue,
            delta_links=self.delta_links,
            holds=self.holds,
            clock=self.clock,
            alerts=self.alerts,
            approval=self._approval_ports() if self.asking else None,
            posture=self.posture,
        )

    def _approval_ports(self) -> ApprovalPorts:
        return ApprovalPorts(self.reviews, self.approvals, self.copies, self.conversations, self.teams, self.sign_in)

    def worker(self, fate: Fate | None = None) -> Ports:
        """The ports of one worker, under the world's faults or its own fate."""
        return seen_by_a_worker(self.ports, fate or Fate(self.fault))

    # --- what wakes the app ---------------------------------------------------------------------------------------

    async def notify(self) -> None:
        """Graph delivers everything it has to tell."""
        for body in self.entra.outbox[:]:
            await receive_notifications(body, KEYS, self.worker())
            self.entra.outbox.remove(body)

    def lose_notifications(self) -> None:
        self.entra.outbox.clear()

    async def sweep(self) -> None:
        """One tick of the sweeps; what failed is for the next one."""
        for resource in RESOURCES:
            await self._tick(sweep_directory(resource, self.worker(), self.rules))

    async def sweep_quietly(self) -> None:
        """The notifications are lost, the sweep is not."""
        self.lose_notifications()
        await self.sweep()
        await self.settle()

    async def release(self, hold_id: str) -> int:
        return await release_hold(hold_id, self.worker())

    async def already_decided(self, _: object) -> None:
        raise AlreadyDecidedError("decided")

    async def reconcile(self) -> Reconciliation:
        return await reconcile_roster(self.worker(), self.rules)

    async def met(self) -> None:
        """The app has started: links are there, everybody at the gateway is known, nothing waits."""
        await self.sweep()
        await self.settle()
        self.lose_notifications()
        self.alerts.raised.clear()
        assert not self.queue.waiting

    # --- what becomes of messages -----------------------------------------------------------------------------------

    async def process(self, message: Message, fate: Fate | None = None) -> bool:
        """Whether a worker settled the message; otherwise the broker has it again, or has given up on it."""
        self.queue.waiting.remove(message)
        message.deliveries += 1
        ports = self.worker(fate)
        try:
            await self._handle(message, ports)
        except (CrashError, RetryLaterError):
            if message.deliveries >= MAX_DELIVERIES:
                await self.queue.dead_letter(message.body, message.queue, "MaxDeliveryCountExceeded", "")
            else:
                self.queue.waiting.append(message)
            return False
        return True

    async def process_together(self, *messages: Message) -> None:
        """As many workers as messages, all at once."""
        await asyncio.gather(*(self.process(message) for message in messages))

    async def settle_once(self) -> None:
        """Process what is visible now, each message once."""
        for message in self.queue.visible():
            await self.process(message)

    async def settle(self) -> None:
        """Process what is visible until nothing is."""
        while visible := self.queue.visible():
            for message in visible:
                await self.process(message)

    async def run(self, seconds: float) -> None:
        """Let time pass, each message being processed when it is due."""
        end = self.clock.now() + timedelta(seconds=seconds)
        await self.settle()
        while due := [m.visible_at for m in self.queue.waiting if m.visible_at <= end]:
            self.clock.time = max(self.clock.now(), min(due))
            await self.settle()
        self.clock.time = end

    async def poll(self) -> None:
        """One tick of the poll; what failed is for the next one."""
        await self._tick(poll_reviews(self.worker()))

    async def run_and_poll(self, seconds: float) -> None:
        """Let time pass with a poll every ten seconds."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < end:
            await self.poll()
            await self.run(min(10.0, (end - self.clock.now()).total_seconds()))

    async def deliver(self) -> None:
        """Graph tells, and the app acts, in no time."""
        await self.notify()
        await self.settle()

    # --- what can be seen -----------------------------------------------------------------------------------------

    def proven(self) -> dict[str, ChainHead]:
        """The heads of all chains, each verified."""
        return {principal_id: verify(lines) for principal_id, lines in self.evidence.chains.items()}

    def story(self, principal_id: str) -> list[str]:
        """What the evidence of one principal says, in order."""
        self.proven()
        return [entry["what"] for entry in self.entries(principal_id)]

    def entries(self, principal_id: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.evidence.chains.get(principal_id, b"").splitlines()]

    async def _handle(self, message: Message, ports: Ports) -> None:
        if message.queue == EVENTS:
            process = functools.partial(process_directory_event, wanted=self.plan, ports=ports, rules=self.rules)
            await settle_event(message.body, message.queue, process, ports)
        elif message.queue == REVIEW_EVENTS:
            assert self.asking
            review = functools.partial(look_at_review, ports=ports, rules=self.rules, asking=self.asking)
            await settle_review_event(message.body, message.queue, review, ports)
        elif message.queue == CARD_UPDATES:
            assert self.asking
            show = functools.partial(show_card, ports=ports, asking=self.asking)
            await settle_card_update(message.body, message.queue, show, ports)
        else:
            look = functools.partial(look_at_principal, ports=ports, rules=self.rules)
            await settle_change(message.body, message.queue, look, ports)

    async def _tick(self, work: Awaitable[object]) -> None:
        try:
            await work
        except (RejectedError, RetryLaterError) as error:
            self.alerts.raise_alert("tick-failed", because=error.reason)

"""The story's chapter about approvals: what an agent asks for, a person approves in Teams."""

from functools import partial

from sandbox import cast
from sandbox.cast import Agent, Person
from sandbox.demo.teams import Asked, Card, Teams
from sandbox.demo.timeline import Timeline
from sandbox.supervisor import Sandbox
from sandbox.teams.ids import chat_id
from sandbox.teams.world import APPROVALS_CHANNEL, SECURITY_CHANNEL

SECONDS_TO_CARD = 12
SECONDS_TO_UPDATE = 5


class Approvals:
    """One run of the chapter in one sandbox."""

    def __init__(self, sandbox: Sandbox, timeline: Timeline) -> None:
        self._teams = Teams(sandbox)
        self._timeline = timeline

    async def tell(self) -> None:
        """One click for an agent, two people for a vault, a denial, and break-glass."""
        await self._one_click()
        await self._two_people()
        await self._denied()
        await self._break_glass()

    async def _one_click(self) -> None:
        asked = await self._asked(cast.SYNC_AGENT, cast.CUSTOMERS_DB)
        card = await self._card(APPROVALS_CHANNEL, cast.ALAN, asked)
        if card is None:
            return
        await self._refused(card, cast.ADA, "approve", "Ada, who owns the agent, clicks Approve: refused")
        await self._clicks(
            card, cast.ALAN, "approve", "Alan clicks Approve: the gateway obeyed before the card said so"
        )
        await self._timeline.until("the session that waited is open", partial(self._teams.is_live, asked), 5)
        await self._sees(APPROVALS_CHANNEL, cast.GRACE, "By Alan Turing", "Grace sees the decided card, too")
        await self._sees(chat_id(cast.ROOT.id), cast.ROOT, "approved", "Root, the agent's sponsor, is told in a chat")

    async def _two_people(self) -> None:
        asked = await self._asked(cast.GRACE, cast.VAULT_DB)
        card = await self._card(APPROVALS_CHANNEL, cast.ALAN, asked)
        if card is None:
            return
        await self._refused(card, cast.GRACE, "approve", "Grace clicks Approve on her own request: refused")
        await self._clicks(card, cast.ALAN, "approve", "Alan approves for the DBAs; security is still needed")
        other = await self._card(SECURITY_CHANNEL, cast.ROOT, asked)
        if other is not None:
            await self._clicks(other, cast.ROOT, "approve", "Root approves for security")
        await self._timeline.until("Grace's session is open", partial(self._teams.is_live, asked), 5)

    async def _denied(self) -> None:
        asked = await self._asked(cast.GRACE, cast.CUSTOMERS_DB)
        card = await self._card(APPROVALS_CHANNEL, cast.ALAN, asked)
        if card is None:
            return
        await self._refused(card, cast.ALAN, "deny", "Alan clicks Deny without a reason: he is asked for one")
        await self._clicks(card, cast.ALAN, "deny", "Alan denies it with a reason", reason="not before the audit")
        await self._timeline.holds("the gateway rejected it", partial(self._stands, asked, "REJECTED"))
        await self._sees(chat_id(cast.GRACE.id), cast.GRACE, "not before the audit", "Grace reads why in her chat")

    async def _break_glass(self) -> None:
        asked = await self._asked(cast.GRACE, cast.CUSTOMERS_DB)
        card = await self._card(APPROVALS_CHANNEL, cast.ROOT, asked)
        if card is None:
            return
        await self._clicks(card, cast.ROOT, "break-glass", "Root breaks the glass, with a reason", reason="outage 4711")
        await self._timeline.holds("the gateway was forced", partial(self._stands, asked, "APPROVED"))
        await self._sees(SECURITY_CHANNEL, cast.ADA, "outage 4711", "the security channel hears it loudly")

    async def _asked(self, actor: Person | Agent, connection: str) -> Asked:
        self._timeline.say(f"{actor.name} asks for {connection}; the gateway holds the request")
        return await self._teams.ask(actor, connection)

    async def _card(self, place: str, person: Person, asked: Asked) -> Card | None:
        found: list[Card] = []

        async def is_there() -> bool:
            card = await self._teams.card(place, person, asked.review_id)
            found.extend([card] if card is not None else [])
            return bool(found)

        channel = "security" if place == SECURITY_CHANNEL else "approvals"
        await self._timeline.until(f"the card is in the channel {channel}", is_there, SECONDS_TO_CARD)
        return found[0] if found else None

    async def _clicks(self, card: Card, person: Person, verb: str, words: str, reason: str = "") -> None:
        async def is_answered() -> bool:
            return "card" in (await self._teams.click(card, person, verb, reason))["shown"]

        await self._timeline.until(words, is_answered, 5)

    async def _refused(self, card: Card, person: Person, verb: str, words: str) -> None:
        async def is_refused() -> bool:
            return "message" in (await self._teams.click(card, person, verb))["shown"]

        await self._timeline.holds(words, is_refused)

    async def _sees(self, place: str, person: Person, text: str, words: str) -> None:
        async def is_seen() -> bool:
            return any(text in card.words for card in await self._teams.cards(place, person))

        await self._timeline.until(words, is_seen, SECONDS_TO_UPDATE)

    async def _stands(self, asked: Asked, status: str) -> bool:
        return await self._teams.status(asked) == status

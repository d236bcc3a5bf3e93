"""The story of whom a report asks: an owner keeps something and somebody else accepts it, and unused access goes."""

from datetime import UTC, datetime, timedelta
from functools import partial

from sandbox import cast
from sandbox.cast import Person
from sandbox.demo.forgotten import Forgotten, bring_owners_to_teams, forget_access, meet
from sandbox.demo.teams import Card, Teams
from sandbox.demo.timeline import Timeline
from sandbox.supervisor import Sandbox
from sandbox.teams.ids import chat_id
from sandbox.teams.world import SECURITY_CHANNEL

SECONDS_TO_CARD, SECONDS_TO_ANSWER = 15, 5
KEPT_FOR = timedelta(days=30)
KEPT, SHRUNK = "Kept for a while", "Unused access is gone"


class Owners:
    """One run of the chapter in one sandbox."""

    def __init__(self, sandbox: Sandbox, timeline: Timeline) -> None:
        self._sandbox = sandbox
        self._timeline = timeline
        self._teams = Teams(sandbox)
        self._agents: list[Forgotten] = []

    async def appear(self) -> None:
        """Grace and Alan answer for an agent each, which can open an archive that it never opened."""
        people = await bring_owners_to_teams(self._sandbox)
        for name, sponsor in (("payroll", cast.GRACE), ("invoices", cast.ALAN)):
            self._agents += await forget_access(self._sandbox, [name], sponsor)
        await meet(self._sandbox)
        owners = ", ".join(f"{one.sponsor.name} for {one.agent.name}" for one in self._agents)
        self._timeline.say(f"{people} people own or sponsor what is in it; {owners}")

    async def tell(self) -> None:
        """Who was asked, and what came of two of the answers."""
        await self._timeline.until("the digest is in the channel security", self._is_posted, SECONDS_TO_CARD)
        keeping, shrinking = self._agents
        questions = [await self._asked(one) for one in self._agents]
        self._timeline.say(await self._whom())
        if questions[0] is not None:
            await self._kept(keeping, questions[0])
        if questions[1] is not None:
            await self._shrunk(shrinking, questions[1])

    async def _kept(self, one: Forgotten, question: Card) -> None:
        day = f"{datetime.now(UTC) + KEPT_FOR:%Y-%m-%d}"
        terms = {"reason": "The audit at the end of the year", "until": day}
        words = f"{one.sponsor.name} clicks Keep, with a reason and until {day}: it waits for somebody else"
        await self._clicks(question, one.sponsor, "keep", "The wish to keep it waits", words, **terms)
        wish = await self._card(SECURITY_CHANNEL, cast.ROOT, one, "accept", "the wish is in the channel security")
        if wish is not None:
            words = "Root, who is no owner of it, clicks Accept"
            await self._clicks(wish, cast.ROOT, "accept", KEPT, words)
            words = f"{one.sponsor.name} sees until when it is accepted"
            await self._timeline.until(words, partial(self._says, one, KEPT), SECONDS_TO_ANSWER)

    async def _shrunk(self, one: Forgotten, question: Card) -> None:
        words = f"{one.sponsor.name} clicks Shrink: the group that nobody uses is gone at the gateway"
        await self._clicks(question, one.sponsor, "shrink", SHRUNK, words)
        await self._timeline.holds(f"{one.agent.name} works on: its session is live", partial(self._works, one))
        call = f"DELETE /groups/{one.unused.id}/members/{one.agent.id}/$ref"
        await self._timeline.holds(f"the card shows what makes it last: {call}", partial(self._says, one, call))

    async def _asked(self, one: Forgotten) -> Card | None:
        words = f"{one.sponsor.name} is asked about {one.agent.name} in a chat"
        return await self._card(chat_id(one.sponsor.id), one.sponsor, one, "keep", words)

    async def _card(self, place: str, person: Person, one: Forgotten, verb: str, words: str) -> Card | None:
        found: list[Card] = []

        async def is_there() -> bool:
            cards = await self._teams.cards(place, person)
            found.extend(card for card in cards if card.is_about(one.attestation_id) and card.offers(verb))
            return bool(found)

        await self._timeline.until(words, is_there, SECONDS_TO_CARD)
        return found[0] if found else None

    async def _clicks(self, card: Card, person: Person, verb: str, heading: str, words: str, **inputs: str) -> None:
        async def is_answered() -> bool:
            shown = (await self._teams.click(card, person, verb, **inputs))["shown"]
            return Card("", "", shown.get("card", {})).words.startswith(heading)

        await self._timeline.until(words, is_answered, SECONDS_TO_ANSWER)

    async def _says(self, one: Forgotten, text: str) -> bool:
        cards = await self._teams.cards(chat_id(one.sponsor.id), one.sponsor)
        return any(text in card.words for card in cards if card.is_about(one.attestation_id))

    async def _works(self, one: Forgotten) -> bool:
        shown = (await self._sandbox.gateway.get(f"/sandbox/streams?subject={one.agent.id}")).raise_for_status().json()
        return [stream["connection"] for stream in shown["streams"]] == [one.used.name]

    async def _is_posted(self) -> bool:
        cards = await self._teams.cards(SECURITY_CHANNEL, cast.ROOT)
        return any(card.words.startswith("Identity posture") for card in cards)

    async def _whom(self) -> str:
        """Whom the report asks, once everybody has their card."""
        shown = (await self._sandbox.teams.get("/sandbox/snapshot")).raise_for_status().json()
        cards: dict[str, int] = {}
        for place in shown["conversations"]:
            heads = (str(each["versions"][-1]["summary"]) for each in place["messages"])
            cards[place["id"]] = sum(head.startswith(("Is this still needed", "Nobody answers for")) for head in heads)
        unowned = cards.pop(SECURITY_CHANNEL, 0)
        asked = [count for count in cards.values() if count]
        return f"{len(asked)} people were asked {sum(asked)} questions, the security team {unowned} that nobody owns"

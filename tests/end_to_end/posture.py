"""A stage for posture: reports that are asked for, what Teams shows of them, who answers, and what is on record."""

import csv
import io
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient
from playwright.async_api import Page, async_playwright

from sandbox import cast
from sandbox.bench.crowd import settle, until
from sandbox.cast import Person
from sandbox.demo.forgotten import Forgotten, bring_owners_to_teams
from sandbox.demo.posture import read_as
from sandbox.demo.teams import Card, Teams
from sandbox.past import plant_past
from sandbox.seed import create_user
from sandbox.supervisor import Sandbox, running_sandbox
from sandbox.supervisor.settings import POSTURE_RULES
from sandbox.teams.ids import chat_id
from sandbox.teams.world import SECURITY_CHANNEL
from shared.domain.evidence import verify
from tests.sandbox.door_under_test import CHROMIUM

Json = dict[str, Any]
WITHIN, TO_REPORT = 20.0, 60.0
APPLICATIONS, SERVICE_PRINCIPALS = 200, 300
APP_THAT_IS_GONE = cast.object_id(0x3FF)
DIGEST, ROTATION = "Identity posture", "Secret rotation"


@asynccontextmanager
async def running_office(folder: Path) -> AsyncIterator["Office"]:
    """A sandbox of its own with a generated tenant and a past; so many are asked that nobody waits for a turn."""
    rules = folder / "posture.yaml"
    rules.write_text(POSTURE_RULES.read_text().replace("most: 25", "most: 100, most-unowned: 100"))
    async with running_sandbox(without=("door",), environment={"POSTURE_RULES_FILE": str(rules)}) as sandbox:
        size = {"seed": 7, "applications": APPLICATIONS, "service_principals": SERVICE_PRINCIPALS, "planted": True}
        (await sandbox.graph.post("/sandbox/posture", json=size)).raise_for_status()
        await bring_owners_to_teams(sandbox)
        left_over = {"name": "billing", "keyId": str(uuid4()), "appObjectId": APP_THAT_IS_GONE}
        (await sandbox.vault.post("/sandbox/secrets", json=left_over)).raise_for_status()
        yield Office(sandbox)


class Office:
    """One running sandbox in which reports are made and owners are asked."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.teams = Teams(sandbox)

    async def has_a_past(self) -> None:
        """There were sessions and tokens before the sandbox started."""
        await plant_past(self.sandbox.graph, self.sandbox.gateway)

    async def report(self) -> None:
        """A report is made and announced: its digest is in the channel, and every card is where it belongs."""
        await self.ask_for_report()
        await self.is_announced(1 + len(await self.headed(SECURITY_CHANNEL, cast.ADA, DIGEST)))

    async def ask_for_report(self) -> None:
        """A report is on its way."""
        assert (await self.sandbox.functions.post("/api/reports")).status_code == 202

    async def is_announced(self, digests: int, within: float = TO_REPORT) -> None:
        """Return once so many digests are there and nothing is in work any more."""

        async def are_there() -> bool:
            return len(await self.headed(SECURITY_CHANNEL, cast.ADA, DIGEST)) >= digests

        await until(are_there, within)
        await settle(self.sandbox)

    async def rotation(self) -> None:
        """Rotation was checked, and whoever has to hear of it has."""
        before = await self.scans()

        async def is_checked() -> bool:
            return await self.scans() > before

        await self.sandbox.run_function("ask_for_rotation")
        await until(is_checked, WITHIN)
        await settle(self.sandbox)

    async def scans(self) -> int:
        """How often Graph was asked for the first page of applications."""
        counted = (await self.sandbox.graph.get("/sandbox/posture/requests")).raise_for_status().json()["routes"]
        return int(counted.get("GET /applications", 0))

    async def headed(self, place: str, person: Person, heading: str) -> list[Card]:
        """The cards there that begin like this, as this person sees them."""
        return [card for card in await self.teams.cards(place, person) if card.words.startswith(heading)]

    async def cards(self, place: str, person: Person, one: Forgotten) -> list[Card]:
        """The cards about an agent that this person sees there."""
        return [card for card in await self.teams.cards(place, person) if card.is_about(one.attestation_id)]

    async def shown(self, place: str, person: Person, one: Forgotten, heading: str) -> Card:
        """The card about an agent, once it begins like this."""
        seen: list[Card] = []

        async def is_there() -> bool:
            seen[:] = await self.cards(place, person, one)
            return any(card.words.startswith(heading) for card in seen)

        try:
            await until(is_there, WITHIN)
        except TimeoutError:
            words = [card.words for card in seen]
            raise AssertionError(f"{heading!r} was not shown to {person.name}, but: {words}") from None
        return next(card for card in seen if card.words.startswith(heading))

    async def asked(self, one: Forgotten) -> Card:
        """The question as the sponsor has it in their chat."""
        return await self.shown(chat_id(one.sponsor.id), one.sponsor, one, "Is this still needed?")

    async def wish(self, one: Forgotten, person: Person) -> Card:
        """The wish to keep an agent's access, as somebody in the security channel sees it."""
        return await self.shown(SECURITY_CHANNEL, person, one, "An owner wants to keep this")

    @asynccontextmanager
    async def page(self, person: Person, width: int) -> AsyncIterator[Page]:
        """Somebody's own chat with Tether on the page of Teams; no script of it goes wrong."""
        wrong: list[str] = []
        address = urlencode({"as": person.id, "in": chat_id(person.id)})
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = await browser.new_page(viewport={"width": width, "height": 844})
            page.on("pageerror", lambda error: wrong.append(str(error)))
            await page.goto(f"{self.sandbox.url('teams')}/#{address}")
            yield page
            await browser.close()
        assert wrong == []

    async def click(self, card: Card, person: Person, verb: str, **inputs: str) -> str:
        """What the card, or else the message beside it, says after somebody has pressed its button."""
        where = {"conversation": card.conversation, "activity_id": card.activity_id, "person": person.id}
        body = {**where, "verb": verb, "data": card.data_of(verb) | inputs}
        answer = (await self.sandbox.teams.post("/sandbox/click", json=body)).raise_for_status().json()
        told: Json = answer["shown"]
        return Card("", "", told["card"]).words if "card" in told else str(told.get("message", told))

    async def places(self, one: Forgotten) -> Counter[str]:
        """How many messages carry a card about an agent, by channel or chat."""
        found: Counter[str] = Counter()
        shown = (await self.sandbox.teams.get("/sandbox/snapshot")).raise_for_status().json()
        for place in shown["conversations"]:
            for message in place["messages"]:
                cards = [Card(place["id"], message["id"], each["card"]) for each in message["versions"] if each["card"]]
                found[place["id"]] += any(card.is_about(one.attestation_id) for card in cards)
        return +found

    async def messages(self) -> Counter[tuple[str, str]]:
        """How many messages there are, by channel or chat and by what a notification said of them at first."""
        shown = (await self.sandbox.teams.get("/sandbox/snapshot")).raise_for_status().json()
        told = ((place["id"], each) for place in shown["conversations"] for each in place["messages"])
        return Counter((place, str(each["versions"][0]["summary"])) for place, each in told)

    async def findings(self, check_id: str, object_id: str) -> list[dict[str, str]]:
        """What the newest report says of an object by one check, as a reader gets it."""
        content = await read_as(self.sandbox, cast.ROOT.id, "/api/reports/newest/findings.csv")
        rows = csv.DictReader(io.StringIO((content or b"").decode("utf-8-sig")))
        return [row for row in rows if row["object_id"] == object_id and row["check"] == check_id]

    async def groups(self, one: Forgotten) -> list[str]:
        """What an agent has at the gateway."""
        rows = (await self.sandbox.gateway.get("/api/serviceaccounts")).raise_for_status().json()
        return list(next(row["groups"] or [] for row in rows if row["subject"] == one.agent.id))

    async def writes(self, one: Forgotten) -> int:
        """How often an agent was written at the gateway."""
        events = (await self.sandbox.gateway.get("/sandbox/events?after=0")).raise_for_status().json()["events"]
        return sum(event["kind"] == "service-account-updated" and event["subject"] == one.agent.id for event in events)

    async def streams(self) -> list[tuple[str, str]]:
        """Every live session, as subject and connection."""
        shown = (await self.sandbox.gateway.get("/sandbox/streams")).raise_for_status().json()["streams"]
        return sorted((stream["subject"], stream["connection"]) for stream in shown)

    async def in_entra(self, one: Forgotten) -> tuple[bool, list[str]]:
        """Whether an agent is enabled in Entra, and whom the group behind its unused access holds there."""
        agent = (await self.sandbox.graph.get(f"/v1.0/servicePrincipals/{one.agent.id}")).raise_for_status().json()
        answer = await self.sandbox.graph.get(f"/v1.0/groups/{one.unused.id}/members")
        members = [row["id"] for row in answer.raise_for_status().json()["value"]]
        return bool(agent["accountEnabled"]), members

    async def kinds(self, one: Forgotten) -> list[str]:
        """What is on record about the question, in order; its chain has been verified."""
        async with BlobServiceClient.from_connection_string(self.sandbox.settings["AzureWebJobsStorage"]) as blobs:
            container, name = blobs.get_container_client("evidence"), f"attestations/{one.attestation_id}.jsonl"
            try:
                lines = bytes(await (await container.download_blob(name)).readall())
            except ResourceNotFoundError:
                return []
        verify(lines)
        return [json.loads(line)["what"].removeprefix("attestation-") for line in lines.splitlines()]

    async def told_of_rotation(self) -> int:
        """How many people have a card about the rotation of what they own."""
        shown = (await self.sandbox.teams.get("/sandbox/snapshot")).raise_for_status().json()
        chats = (place for place in shown["conversations"] if place["id"] != SECURITY_CHANNEL)
        return sum(
            any(each["versions"][-1]["summary"].startswith("Credentials of") for each in one["messages"])
            for one in chats
        )

    async def is_announcing(self) -> bool:
        """Whether a report is being announced at this moment, and the first of its cards has been sent to Teams."""
        queues = (await self.sandbox.graph.get(f"{self.sandbox.broker_control_url}/sandbox/queues")).json()
        counters = (await self.sandbox.teams.get("/sandbox/counters")).raise_for_status().json()["requests"]
        return bool(queues["posture-jobs"]["locked"]) and any(name.endswith(" 429") for name in counters)

    async def at_gateway(self, **switches: object) -> None:
        """What goes wrong at the gateway from now on."""
        (await self.sandbox.gateway.put("/sandbox/switches", json=switches)).raise_for_status()

    async def at_teams(self, **switches: object) -> None:
        """What alone goes wrong at the connector from now on."""
        (await self.sandbox.teams.put("/sandbox/switches?reset=1", json=switches)).raise_for_status()

    async def newcomer(self, name: str) -> Person:
        """Somebody new in Entra and in Teams."""
        person = Person(str(uuid4()), name, f"{name.lower()}@contoso.example", ())
        await create_user(self.sandbox.graph, person.id, person.name, person.email)
        row = {"id": person.id, "name": person.name, "email": person.email}
        (await self.sandbox.teams.post("/sandbox/people", json=row)).raise_for_status()
        return person

    async def kill_and_start_the_app(self) -> None:
        """The app dies without a word, and another one takes over."""
        await self.sandbox.kill("functions")
        await self.sandbox.start("functions")
        (await self.sandbox.functions.get("/api/health")).raise_for_status()

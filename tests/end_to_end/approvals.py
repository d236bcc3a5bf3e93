"""A stage for approvals: who asks, what Teams shows, what the gateway did, what is on record, and putting all back."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient

from sandbox import cast
from sandbox.bench.crowd import until
from sandbox.cast import Agent, Group, Person
from sandbox.demo.teams import Asked, Card, Teams
from sandbox.seed import create_user
from sandbox.supervisor import Sandbox
from sandbox.teams.world import APPROVALS_CHANNEL
from shared.domain.evidence import verify

Json = dict[str, Any]
WITHIN = 20.0
ENDED = {"PENDING": "REJECTED", "APPROVED": "REVOKED"}


class Stage:
    """One running sandbox on which people ask and answer."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.teams = Teams(sandbox)

    async def ask(self, actor: Person | Agent, connection: str = cast.CUSTOMERS_DB) -> Asked:
        """A request that waits at the gateway."""
        return await self.teams.ask(actor, connection)

    async def asked_in(self, asked: Asked, place: str = APPROVALS_CHANNEL, person: Person = cast.ALAN) -> Card:
        """The question as this person sees it there, once it is there."""
        return await self.shown(asked, "Access request", place, person)

    async def shown(
        self, asked: Asked, heading: str, place: str = APPROVALS_CHANNEL, person: Person = cast.ALAN
    ) -> Card:
        """The card about a request, once its heading begins like this."""
        seen: list[Card] = []

        async def is_there() -> bool:
            card = await self.teams.card(place, person, asked.review_id)
            seen[:] = [card] if card else []
            return card is not None and card.words.startswith(heading)

        try:
            await until(is_there, WITHIN)
        except TimeoutError:
            words = seen[0].words if seen else "no card"
            raise AssertionError(f"{heading!r} was not shown to {person.name}, but: {words}") from None
        return seen[0]

    async def click(self, asked: Asked, person: Person, verb: str, reason: str = "") -> Json:
        """What Teams shows a person who presses a button of the card in the channel of approvals."""
        card = await self.asked_in(asked, person=person)
        return dict((await self.teams.click(card, person, verb, reason))["shown"])

    async def chat(self, person: Person) -> str:
        """The conversation id of somebody's own chat with Tether."""
        people = (await self.snapshot())["people"]
        return str(next(one["chat"] for one in people if one["id"] == person.id))

    async def snapshot(self) -> Json:
        """Everything that Teams holds."""
        shown: Json = (await self.sandbox.teams.get("/sandbox/snapshot")).raise_for_status().json()
        return shown

    async def places(self, asked: Asked) -> Counter[str]:
        """How many messages carry a card about a request, by channel or chat."""
        found: Counter[str] = Counter()
        for place in (await self.snapshot())["conversations"]:
            for message in place["messages"]:
                cards = [Card(place["id"], message["id"], v["card"]) for v in message["versions"] if v["card"]]
                found[place["id"]] += any(card.is_about(asked.review_id) for card in cards)
        return +found

    async def kinds(self, asked: Asked) -> list[str]:
        """What is on record about a request, in order; its chain has been verified."""
        return [entry["what"] for entry in await self.evidence(asked)]

    async def evidence(self, asked: Asked) -> list[Json]:
        """The whole record, verified; empty while there is none."""
        lines = await self.evidence_lines(asked)
        verify(lines)
        return [json.loads(line) for line in lines.splitlines()]

    async def evidence_lines(self, asked: Asked) -> bytes:
        """The record as it lies in Storage."""
        async with BlobServiceClient.from_connection_string(self.sandbox.settings["AzureWebJobsStorage"]) as blobs:
            try:
                blob = await blobs.get_container_client("evidence").download_blob(f"reviews/{asked.review_id}.jsonl")
                return bytes(await blob.readall())
            except ResourceNotFoundError:
                return b""

    async def on_record(self, asked: Asked, what: str) -> None:
        """Return once the record holds this."""

        async def is_there() -> bool:
            return what in await self.kinds(asked)

        await until(is_there, WITHIN, look_again=0.02)

    async def download(self, folder: Path, *asked: Asked) -> None:
        """The records as `tools.verify_evidence` wants them."""
        (folder / "reviews").mkdir()
        for one in asked:
            (folder / "reviews" / f"{one.review_id}.jsonl").write_bytes(await self.evidence_lines(one))

    async def review(self, asked: Asked) -> Json:
        """The review as the gateway shows it."""
        shown: Json = (await self.sandbox.gateway.get(f"/api/reviews/{asked.review_id}")).raise_for_status().json()
        return shown

    async def statuses(self, asked: Asked) -> list[str]:
        """What each change of the review at the gateway made of it, in order."""
        events = (await self.sandbox.gateway.get("/sandbox/events?after=0")).raise_for_status().json()["events"]
        details = [event["detail"] for event in events if event["kind"] == "review-changed"]
        return [detail["after"] for detail in details if detail["review_id"] == asked.review_id]

    async def has_status(self, asked: Asked, status: str) -> None:
        """Return once the gateway says so."""

        async def says_so() -> bool:
            return await self.teams.status(asked) == status

        await until(says_so, WITHIN)

    async def counted(self, is_enough: Callable[[Json], bool]) -> None:
        """Return once the connector's counters are enough."""

        async def are_enough() -> bool:
            return is_enough((await self.sandbox.teams.get("/sandbox/counters")).raise_for_status().json())

        await until(are_enough, WITHIN)

    async def is_quiet(self) -> None:
        """Return once nothing about reviews or cards is in work."""

        async def idle() -> bool:
            queues = (await self.sandbox.graph.get(f"{self.sandbox.broker_control_url}/sandbox/queues")).json()
            return not any(
                queues[name]["active"] + queues[name]["locked"] for name in ("review-events", "card-updates")
            )

        for _ in range(2):
            await until(idle, WITHIN)
            await asyncio.sleep(0.1)

    async def at_gateway(self, **switches: object) -> None:
        """What goes wrong at the gateway from now on."""
        (await self.sandbox.gateway.put("/sandbox/switches", json=switches)).raise_for_status()

    async def at_teams(self, **switches: object) -> None:
        """What goes wrong at the connector from now on."""
        (await self.sandbox.teams.put("/sandbox/switches", json=switches)).raise_for_status()

    async def newcomer(self, *groups: Group, gateway_groups: tuple[str, ...] = ()) -> Person:
        """Somebody new in Entra and in Teams, in these groups; with groups at the gateway also there."""
        name = f"newcomer-{uuid4().hex[:6]}"
        person = Person(str(uuid4()), name, f"{name}@contoso.example", gateway_groups)
        await create_user(self.sandbox.graph, person.id, person.name, person.email)
        for group in groups:
            reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{person.id}"}
            path = f"/v1.0/groups/{group.id}/members/$ref"
            (await self.sandbox.graph.post(path, json=reference)).raise_for_status()
        row = {"id": person.id, "name": person.name, "email": person.email}
        (await self.sandbox.teams.post("/sandbox/people", json=row)).raise_for_status()
        if gateway_groups:
            sign_in = {"sub": person.subject, "email": person.email, "name": name, "groups": list(gateway_groups)}
            (await self.sandbox.gateway.post("/sandbox/login", json=sign_in)).raise_for_status()
        return person

    async def leave(self, person: Person, group: Group) -> None:
        """Somebody is taken out of a group."""
        path = f"/v1.0/groups/{group.id}/members/{person.id}/$ref"
        (await self.sandbox.graph.delete(path)).raise_for_status()

    async def disable(self, person: Person) -> None:
        """Somebody's account is disabled."""
        path = f"/v1.0/users/{person.id}"
        (await self.sandbox.graph.patch(path, json={"accountEnabled": False})).raise_for_status()

    async def compose(self, card: Card, person: Person, verb: str, reason: str = "") -> Json:
        """The activity that a click would send."""
        where = {"conversation": card.conversation, "activity_id": card.activity_id, "person": person.id}
        data = card.data_of(verb) | ({"reason": reason} if reason else {})
        body = {**where, "verb": verb, "data": data}
        answer = (await self.sandbox.teams.post("/sandbox/compose", json=body)).raise_for_status().json()
        return dict(answer["activity"])

    async def deliver(self, activity: Json, **changes: object) -> Json:
        """What the app answers to an activity that nobody in Teams would send."""
        body = {"activity": activity, **changes}
        answer: Json = (await self.sandbox.teams.post("/sandbox/deliver", json=body)).raise_for_status().json()
        return answer

    async def deliver_to(self, app: httpx.AsyncClient, activity: Json) -> Json:
        """What one instance of the app answers, which has to be 200."""
        token = (await self.sandbox.teams.post("/sandbox/token", json={})).raise_for_status().json()["token"]
        answer = await app.post("/api/teams/messages", json=activity, headers={"Authorization": f"Bearer {token}"})
        body: Json = answer.raise_for_status().json()
        return body

    async def put_back(self) -> None:
        """Nothing waits, nothing is granted, and every server behaves again."""
        for server in (self.sandbox.gateway, self.sandbox.teams, self.sandbox.graph):
            (await server.put("/sandbox/switches?reset=1", json={})).raise_for_status()
        reviews = (await self.sandbox.gateway.get("/api/reviews")).raise_for_status().json()
        for review in reviews:
            if review["status"] in ENDED:
                body = {"status": ENDED[review["status"]]}
                (await self.sandbox.gateway.put(f"/api/reviews/{review['id']}", json=body)).raise_for_status()
        await self.sandbox.run_function("poll_reviews")

"""Sends activities to the bot as Teams does: signed, invokes again when unanswered, silence after too many failures."""

import asyncio
import json
import time
from dataclasses import dataclass
from uuid import uuid4

import httpx

from sandbox.teams.answers import is_well_formed
from sandbox.teams.keys import claims_for
from sandbox.teams.records import Json
from sandbox.teams.state import TeamsState


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot answered: status 0 for nothing at all; the body parsed when it is JSON, its text otherwise."""

    status: int
    body: object
    ms: float

    @property
    def settles(self) -> bool:
        """Whether Teams takes this for an answer to an invoke."""
        return 400 <= self.status < 500 or (self.status == 200 and is_well_formed(self.body))

    def json(self) -> Json:
        """The answer for those who look at it."""
        return {"status": self.status, "body": self.body, "ms": self.ms}


class Delivery:
    """Posts to the bot's endpoint and watches how that goes."""

    def __init__(self, state: TeamsState) -> None:
        self.state = state
        self._client = httpx.AsyncClient(trust_env=False, timeout=None, limits=httpx.Limits())  # noqa: S113 - below

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def invoke(self, activity: Json) -> Answer:
        """The answer to an invoke; without one the same again, then once more under a new id."""
        answer = await self._deliver(activity, attempt=1)
        repeats = [activity, {**activity, "id": f"f:{uuid4()}"}]
        for attempt, repeat in enumerate(repeats, 2):
            if answer.settles or self.state.switches.values["noRetry"] or self.state.silent:
                break
            answer = await self._deliver(repeat, attempt)
        return answer

    async def announce(self, activity: Json) -> Answer:
        """The answer to anything but an invoke, sent once; five failures in a row and Teams falls silent."""
        answer = await self._deliver(activity, attempt=1)
        if 0 < answer.status < 500:
            self.state.failures = 0
        elif not self.state.silent:
            self.state.failures += 1
            if self.state.silent:
                self.state.events.record("delivery-stopped")
        return answer

    async def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        """The answer to exactly these bytes, whatever they are and however deliveries go."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self.state.switches.values["retryMs"] / 1000):
                answer = await self._client.post(self.state.endpoint, content=body, headers=headers)
        except (httpx.HTTPError, TimeoutError) as error:
            return Answer(0, f"no answer: {type(error).__name__}", _since(started))
        return Answer(answer.status_code, _parsed(answer), _since(started))

    async def _deliver(self, activity: Json, attempt: int) -> Answer:
        if self.state.silent:
            return Answer(0, "deliveries are stopped", 0.0)
        token = self.state.keys.sign(claims_for(self.state.service_url), {})
        answer = await self.post(json.dumps(activity).encode(), headers_for(activity, token))
        self._record(activity, answer, attempt)
        return answer

    def _record(self, activity: Json, answer: Answer, attempt: int) -> None:
        action = activity.get("value", {}).get("action", {}) if activity["type"] == "invoke" else {}
        self.state.events.record(
            "delivered",
            activity["conversation"]["id"],
            activity.get("replyToId", ""),
            type=activity["type"],
            id=activity["id"],
            person=activity["from"].get("aadObjectId", ""),
            verb=action.get("verb", ""),
            trigger=activity.get("value", {}).get("trigger", "") if action else "",
            attempt=attempt,
            status=answer.status,
            ms=answer.ms,
        )


def headers_for(activity: Json, token: str) -> dict[str, str]:
    """The headers of a delivery; all but the token are unsigned hints for routing."""
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Microsoft-SkypeBotApi (Microsoft-BotFramework/3.0)",
        "x-ms-tenant-id": str(_at(activity, "conversation", "tenantId")),
        "x-ms-conversation-id": str(_at(activity, "conversation", "id")),
    }


def _at(activity: Json, *path: str) -> object:
    found: object = activity
    for key in path:
        found = found.get(key, "") if isinstance(found, dict) else ""
    return found


def _parsed(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)

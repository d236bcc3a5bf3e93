"""Approvals: from the gateway's question to the card, from the click to the answer, and to everybody's card."""

import asyncio
from datetime import datetime

from sandbox import cast
from sandbox.bench.crowd import until
from sandbox.bench.result import Result, percentile, spread
from sandbox.demo.teams import Asked, Card, Teams
from sandbox.supervisor import Sandbox
from sandbox.teams.world import APPROVALS_CHANNEL

GATEWAY_MS = 100
# A bot may say 60 things in 30 seconds in one channel; every request here is one of them.
PACE_SECONDS = 0.6
POLLED = 10


async def measure_approvals(sandbox: Sandbox, count: int) -> list[Result]:
    """So many requests, each announced by webhook, approved by one click at a gateway that takes 100 ms."""
    teams = Teams(sandbox)
    await _switch(sandbox, latencyMs=GATEWAY_MS)
    asked = [await _ask(teams, PACE_SECONDS) for _ in range(count)]
    posted = await _posted(sandbox, teams, asked)
    # Before the first approval: whoever has one does not have to ask again.
    polled = await _polled(sandbox, teams)
    clicks = [await _approve(teams, one) for one in asked]
    shown = await _shown_everywhere(sandbox, teams, asked)
    await _switch(sandbox, latencyMs=0)
    return [
        _result(f"gateway event → card posted, by webhook ({count})", "p99 ≤ 2 s", posted, 2.0),
        _result(f"gateway event → card posted, by poll ({len(polled)})", "≤ 12 s", polled, 12.0),
        _result(f"click → decided and answered, gateway at {GATEWAY_MS} ms ({count})", "p99 ≤ 1.5 s", clicks, 1.5),
        _result(f"decided → every copy of the card updated ({count})", "p99 ≤ 3 s", shown, 3.0),
    ]


async def _ask(teams: Teams, wait: float) -> Asked:
    asked = await teams.ask(cast.SYNC_AGENT, cast.CUSTOMERS_DB)
    await asyncio.sleep(wait)
    return asked


async def _posted(sandbox: Sandbox, teams: Teams, asked: list[Asked]) -> list[float]:
    """Seconds from the gateway's own event to the post, by the stand-ins' logs."""

    async def all_there() -> bool:
        cards = await teams.cards(APPROVALS_CHANNEL, cast.ALAN)
        return all(any(card.is_about(one.review_id) for card in cards) for one in asked)

    await until(all_there, within=120)
    created = await _gateway_times(sandbox, "review-created")
    cards = await teams.cards(APPROVALS_CHANNEL, cast.ALAN)
    at = {
        event["activity_id"]: _time(event["at"]) for event in await _teams_events(sandbox) if event["kind"] == "posted"
    }
    activity = {one.review_id: card.activity_id for one in asked for card in cards if card.is_about(one.review_id)}
    return [at[activity[one.review_id]] - created[one.review_id] for one in asked]


async def _approve(teams: Teams, asked: Asked) -> float:
    card = await teams.card(APPROVALS_CHANNEL, cast.ALAN, asked.review_id)
    if card is None:
        raise TimeoutError("the card is gone")
    answer = await teams.click(card, cast.ALAN, "approve")
    if "card" not in answer["shown"] or await teams.status(asked) != "APPROVED":
        raise ValueError(f"the click was answered with {answer['shown']}")
    await asyncio.sleep(PACE_SECONDS)
    return float(answer["ms"]) / 1000


async def _shown_everywhere(sandbox: Sandbox, teams: Teams, asked: list[Asked]) -> list[float]:
    """Seconds from the gateway's decision to the last update of a copy of its card."""

    async def all_updated() -> bool:
        return not any(card.offers("approve") for card in await _cards(teams, asked))

    await until(all_updated, within=120)
    await asyncio.sleep(2)
    decided = await _gateway_times(sandbox, "review-changed")
    activity = {card.activity_id: one.review_id for one in asked for card in await _cards(teams, [one])}
    last: dict[str, float] = {}
    for event in await _teams_events(sandbox):
        if event["kind"] == "updated" and event["activity_id"] in activity:
            last[activity[event["activity_id"]]] = _time(event["at"])
    return [last[one.review_id] - decided[one.review_id] for one in asked]


async def _polled(sandbox: Sandbox, teams: Teams) -> list[float]:
    """The same as the webhook's, with the webhook lost."""
    asked = []
    for number in range(POLLED):
        await _switch(sandbox, webhookDrop=20)
        await asyncio.sleep(number % 10 / 2)
        asked.append(await _ask(teams, 0))
    found = await _posted(sandbox, teams, asked)
    await _switch(sandbox, webhookDrop=0)
    return found


async def _cards(teams: Teams, asked: list[Asked]) -> list[Card]:
    wanted = {one.review_id for one in asked}
    cards = await teams.cards(APPROVALS_CHANNEL, cast.ALAN)
    return [card for card in cards if any(card.is_about(review_id) for review_id in wanted)]


async def _gateway_times(sandbox: Sandbox, kind: str) -> dict[str, float]:
    events = (await sandbox.gateway.get("/sandbox/events?after=0")).raise_for_status().json()["events"]
    return {event["detail"]["review_id"]: _time(event["at"]) for event in events if event["kind"] == kind}


async def _teams_events(sandbox: Sandbox) -> list[dict[str, str]]:
    shown = (await sandbox.teams.get("/sandbox/events?after=0")).raise_for_status().json()
    return list(shown["events"])


async def _switch(sandbox: Sandbox, **values: object) -> None:
    (await sandbox.gateway.put("/sandbox/switches", json=values)).raise_for_status()


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _result(promise: str, bound: str, seconds: list[float], limit: float) -> Result:
    p99 = percentile(seconds, 99)
    measured = f"p50 {percentile(seconds, 50) * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms"
    return Result(promise, bound, measured, holds=p99 <= limit, details=spread(seconds))

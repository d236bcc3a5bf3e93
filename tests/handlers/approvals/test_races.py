"""Everybody answers at once, again and again, while others look and show: one decision each, and everybody told."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from shared.domain.approval import ApprovalState, Choice, decide_votes
from tests.fakes.worker import CrashError, Fate
from tests.handlers.approvals.scene import (
    DBA,
    DECIDED,
    ONCALL,
    SECURITY,
    Json,
    Scene,
    asking,
    check_agreement,
    ended_once,
    is_card,
    set_scene,
)

RACES, PART, TOGETHER = 1000, 250, 50
PLACES = {"dba": DBA, "security": SECURITY, "ops": ONCALL}
GROUPS_OF = {
    "ada": {"dba"},
    "ben": {"dba"},
    "cleo": {"security"},
    "dora": {"dba", "security"},
    "olaf": {"ops"},
    "rita": set[str](),
}


@dataclass(frozen=True)
class Trouble:
    """Most answers that the gateway loses, most writes that it forgets, and how likely a process dies."""

    unheard: int = 0
    overwritten: int = 0
    deaths: float = 0.0


NO_TROUBLE = Trouble()


@dataclass
class Race:
    """One review, the people who answer it at once, and what each of them was told, by their last click."""

    seed: int
    scene: Scene
    chance: random.Random
    trouble: Trouble
    told: dict[str, list[tuple[str, Json]]] = field(default_factory=dict)

    def worker(self) -> Fate:
        dies_at = self.chance.randint(1, 40) if self.chance.random() < self.trouble.deaths else None
        return Fate(on_the_way=self.on_the_way, dies_at=dies_at, heard=self.chance.random() < 0.5)

    async def on_the_way(self) -> None:
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)

    async def answer(self, who: str, verb: str, place: str, times: int) -> None:
        """The same click, repeated while its first answer is on its way."""

        async def once() -> None:
            await self.on_the_way()
            try:
                answer = await self.scene.click(who, verb, place, reason=f"{who} says so", fate=self.worker())
            except CrashError:
                return
            self.told.setdefault(who, []).append((verb, answer))

        await asyncio.gather(*(once() for _ in range(times)))

    async def others(self) -> None:
        """Looks and cards, two of each at once."""
        world = self.scene.world
        for source in ("poll", "webhook"):
            await self.scene.look(source)
        while visible := world.queue.visible():
            pair = self.chance.sample(visible, min(2, len(visible)))
            await asyncio.gather(*(world.process(message, self.worker()) for message in pair))
            await self.on_the_way()

    async def look_at_cards(self) -> None:
        """Whoever died while posting left a card that is not known until somebody looks at it."""
        for message in list(self.scene.world.teams.messages.values()):
            await self.scene.click("rita", "refresh", message=message, automatic=True)
        await self.scene.after(60)


async def run_race(seed: int, trouble: Trouble = NO_TROUBLE) -> Race:
    chance = random.Random(seed)  # noqa: S311 - a race, not a secret
    # Nobody waits long for the claim of a process that died.
    scene = await set_scene(asking(click_seconds=0.5 if trouble.deaths else 60, work_seconds=60))
    groups = chance.sample(sorted(PLACES), chance.randint(1, 3))
    await scene.ask(*groups, needed=chance.randint(1, len(groups)), announced=False)
    await scene.look("webhook")
    await scene.world.settle()
    scene.world.reviews.unheard = chance.randint(0, trouble.unheard)
    scene.world.reviews.overwritten = chance.randint(0, trouble.overwritten)
    race = Race(seed, scene, chance, trouble)
    places = [PLACES[group] for group in groups]
    people = chance.sample(sorted(GROUPS_OF), chance.randint(2, 5))
    clicks = [
        race.answer(who, chance.choice(["approve"] * 4 + ["deny"]), chance.choice(places), chance.choice([1, 1, 2, 3]))
        for who in people
    ]
    await asyncio.gather(*clicks, race.others())
    await scene.after(60)
    if trouble.deaths:
        await race.look_at_cards()
    return race


def check_race(race: Race) -> None:
    scene, approval = race.scene, race.scene.approval
    check_agreement(scene)
    groups = set(approval.groups)
    if approval.is_open:
        assert decide_votes(approval, scene.world.reviews.shown(scene.review_id).review) is None
        assert not scene.effects
    else:
        assert ended_once(scene)
        assert approval.state in (ApprovalState.APPROVED, ApprovalState.DENIED)
    if approval.state is ApprovalState.APPROVED:
        given = [vote for vote in approval.votes if vote.applied]
        assert len(given) == approval.needed
        assert sorted(scene.effects) == sorted(("approve", vote.group) for vote in given)
    if approval.state is ApprovalState.DENIED:
        assert [verb for verb, _ in scene.effects] == ["deny"]
    for who, answers in race.told.items():
        entitled = bool(GROUPS_OF[who] & groups)
        vote = next((vote for vote in approval.votes if vote.approver.name == who), None)
        for verb, answer in answers:
            if verb == "deny" and entitled:
                assert not approval.is_open
            if verb == "approve" and approval.is_open:
                assert (vote is not None and vote.choice is Choice.APPROVE) == is_card(answer), (who, answer)
        if not entitled:
            assert vote is None


def check_troubled_race(race: Race) -> None:
    """However bad the day: nobody counts twice, nothing is half-done, and everybody sees the same."""
    scene, approval = race.scene, race.scene.approval
    check_agreement(scene)
    if approval.is_open:
        assert decide_votes(approval, scene.world.reviews.shown(scene.review_id).review) is None
    else:
        assert scene.story.count(approval.state) >= 1
        assert len({what for what in scene.story if what in DECIDED}) == 1
    if approval.state is ApprovalState.APPROVED:
        assert len({vote.approver.name for vote in approval.votes if vote.applied}) == approval.needed


async def run_races(seeds: range, trouble: Trouble, check: Callable[[Race], None]) -> Counter[ApprovalState]:
    states: Counter[ApprovalState] = Counter()
    for start in range(seeds.start, seeds.stop, TOGETHER):
        batch = range(start, min(start + TOGETHER, seeds.stop))
        for race in await asyncio.gather(*(run_race(seed, trouble) for seed in batch)):
            try:
                check(race)
            except AssertionError as error:
                raise AssertionError(f"the race with seed {race.seed}") from error
            states[race.scene.approval.state] += 1
    return states


@pytest.mark.parametrize("first", range(0, RACES, PART))
async def test_races_end_in_one_decision_each_with_no_vote_lost_and_no_card_twice(first: int) -> None:
    states = await run_races(range(first, first + PART), NO_TROUBLE, check_race)

    assert min(states.values()) > PART // 20
    assert states.keys() == {ApprovalState.PENDING, ApprovalState.APPROVED, ApprovalState.DENIED}


async def test_races_on_a_bad_day_count_nobody_twice_and_leave_nothing_half_done() -> None:
    states = await run_races(range(300), Trouble(unheard=2, overwritten=3, deaths=0.3), check_troubled_race)

    assert states[ApprovalState.APPROVED] > 30

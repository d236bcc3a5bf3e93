"""Reviews at the gateway: what the handlers rely on, kept in memory and by the REST adapter on the stand-in alike."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

import httpx
import pytest

from sandbox.tenant import GATEWAY_CLIENT_ID, TETHER_OBJECT_ID
from sandbox.tokens import issue_token
from shared.adapters.hoop_reviews import HoopReviews
from shared.adapters.json_api import JsonApi
from shared.adapters.tokens import api_key
from shared.domain.gateway import IdentityRef, ReviewType
from shared.domain.reviews import Question, ReviewStatus
from shared.errors import RejectedError, RetryLaterError, UnknownOutcomeError
from shared.ports import Reviews
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import FakeGateway
from tests.fakes.reviews import FakeReviews, Voter
from tests.sandbox.gateway_under_test import LEGACY_KEY, running_gateway
from tests.sandbox.gateway_under_test import Gateway as Server

NOBODY = "6d1c0000-0000-4000-8000-00000000dead"
GROUPS = ("sre", "sec")
APPROVED, PENDING, REJECTED = ReviewStatus.APPROVED, ReviewStatus.PENDING, ReviewStatus.REJECTED


class Stage(Protocol):
    """One implementation: `dev` asks, a key per group answers, and people may answer themselves."""

    @property
    def port(self) -> Reviews: ...

    async def ask(self, *groups: str, needed: int = 1) -> str: ...
    async def person(self, name: str, *groups: str) -> str: ...
    async def use_key(self, group: str, *groups: str, admin: bool = False) -> None: ...
    async def use_no_key(self, group: str) -> None: ...


@dataclass
class InMemory:
    """The fake."""

    port: FakeReviews
    dev: IdentityRef

    async def ask(self, *groups: str, needed: int = 1) -> str:
        return self.port.ask(self.dev, *groups, min_approvals=needed).session.session_id

    async def person(self, name: str, *groups: str) -> str:
        subject = self.dev.key if name == "dev" else name
        self.port.people[name] = Voter(name, frozenset(groups), subject)
        return name

    async def use_key(self, group: str, *groups: str, admin: bool = False) -> None:
        self.port.keys[group] = Voter("wrong", frozenset(groups), is_admin=admin)
        self.port.break_glass = self.port.keys.get("break-glass", self.port.break_glass)

    async def use_no_key(self, group: str) -> None:
        self.port.keys.pop(group, None)
        self.port.break_glass = None


@dataclass
class OverRest:
    """The adapter on a stand-in process."""

    server: Server
    keys: dict[str, JsonApi]
    made: int = 0

    @property
    def port(self) -> HoopReviews:
        return self.port_on(self.server.client)

    def port_on(self, client: httpx.AsyncClient, **given: float) -> HoopReviews:
        voters = {group: key for group, key in self.keys.items() if group != "break-glass"}
        return HoopReviews(
            JsonApi("gateway", client, own_headers),
            voters,
            self.keys.get("break-glass"),
            lambda token: JsonApi("gateway", client, bearing(token)),
            **given,
        )

    async def ask(self, *groups: str, needed: int = 1) -> str:
        await self.server.admin("DELETE", "/access-requests/rules/rule-one")
        await self.server.rule(*groups, min_approvals=needed, force_approval_groups=["break-glass"])
        return str((await self.server.asked("dev"))["session"])

    async def person(self, name: str, *groups: str) -> str:
        await self.server.logged_in(name, *groups)
        return issue_token(audience=GATEWAY_CLIENT_ID, object_id=name)

    async def use_key(self, group: str, *groups: str, admin: bool = False) -> None:
        self.made += 1
        made = await self.server.key(f"key-{self.made}", *groups, *(["admin"] if admin else []))
        self.keys[group] = JsonApi("gateway", self.server.client, api_key(made["key"]))

    async def use_no_key(self, group: str) -> None:
        self.keys.pop(group, None)


async def own_headers() -> Mapping[str, str]:
    return await bearing(issue_token(audience=GATEWAY_CLIENT_ID, object_id=TETHER_OBJECT_ID))()


def bearing(token: str) -> Callable[[], Awaitable[Mapping[str, str]]]:
    async def headers() -> Mapping[str, str]:
        return {"Authorization": f"Bearer {token}"}

    return headers


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Server]:
    async with running_gateway("--api-key", LEGACY_KEY) as server:
        yield server


@pytest.fixture
async def real(process: Server) -> OverRest:
    await process.client.put("/sandbox/switches?reset=1", json={})
    await process.populated()
    stage = OverRest(process, {})
    for group in (*GROUPS, "break-glass"):
        await stage.use_key(group, group)
    return stage


@pytest.fixture(params=["in memory", "over REST"])
def stage(request: pytest.FixtureRequest) -> Stage:
    if request.param == "over REST":
        found: Stage = request.getfixturevalue("real")
        return found
    gateway = FakeGateway()
    return InMemory(FakeReviews(gateway, FakeClock()), gateway.person("dev@sandbox.example", "dev"))


async def read(stage: Stage, ref: str) -> Question:
    found = await stage.port.read(ref)
    assert found is not None
    return found


async def test_review_is_read_by_its_id_and_by_its_sessions(stage: Stage) -> None:
    session_id = await stage.ask("sre", "sec", needed=2)

    question = await read(stage, session_id)

    review, session = question.review, question.session
    assert await read(stage, review.review_id) == question
    assert (review.session_id, session.session_id) == (session_id, session_id)
    assert (review.status, review.type, review.duration) == (PENDING, ReviewType.JIT, timedelta(minutes=30))
    assert (review.open_groups, review.needed, review.missing) == (("sre", "sec"), 2, 2)
    assert review.created_at.tzinfo is not None
    assert (session.connection, session.email) == ("pg1", "dev@sandbox.example")


async def test_review_that_the_gateway_does_not_have_is_none(stage: Stage) -> None:
    assert await stage.port.read(NOBODY) is None
    assert await stage.port.read("no-id") is None


async def test_pending_are_the_sessions_of_pending_reviews(stage: Stage) -> None:
    first, second = await stage.ask("sre"), await stage.ask("sre")
    await stage.port.approve(await read(stage, first), "sre")

    assert await stage.port.pending() == [second]


async def test_approval_of_the_only_group_grants(stage: Stage) -> None:
    session_id = await stage.ask("sre")

    await stage.port.approve(await read(stage, session_id), "sre")

    review = (await read(stage, session_id)).review
    assert review.status is APPROVED
    assert review.approved == {"sre"}
    assert review.groups[0].reviewed_by
    assert review.revoke_at is not None


async def test_approval_counts_for_one_group_only(stage: Stage) -> None:
    session_id = await stage.ask("sre", "sec", needed=2)

    await stage.port.approve(await read(stage, session_id), "sre")

    review = (await read(stage, session_id)).review
    assert (review.status, set(review.approved), review.open_groups) == (PENDING, {"sre"}, ("sec",))


async def test_approval_that_is_given_again_changes_no_count(stage: Stage) -> None:
    session_id = await stage.ask("sre", "sec", needed=2)
    await stage.port.approve(await read(stage, session_id), "sre")

    await stage.port.approve(await read(stage, session_id), "sre")

    assert (await read(stage, session_id)).review.missing == 1


async def test_denial_rejects_with_its_reason(stage: Stage) -> None:
    session_id = await stage.ask("sre", "sec", needed=2)

    await stage.port.deny(await read(stage, session_id), "sec", "not today")

    review = (await read(stage, session_id)).review
    assert (review.status, review.rejection_reason) == (REJECTED, "not today")


async def test_answer_to_what_is_decided_changes_nothing_and_is_no_error(stage: Stage) -> None:
    session_id = await stage.ask("sre", "sec", needed=2)
    question = await read(stage, session_id)
    await stage.port.deny(question, "sre", "no")

    await stage.port.approve(question, "sec")
    await stage.port.deny(question, "sec", "no!")
    await stage.port.force(question, "now")

    review = (await read(stage, session_id)).review
    assert (review.status, review.rejection_reason) == (REJECTED, "no")


async def test_forced_approval_grants_without_the_groups(stage: Stage) -> None:
    session_id = await stage.ask("sre", "sec", needed=2)

    await stage.port.force(await read(stage, session_id), "outage")

    review = (await read(stage, session_id)).review
    assert review.status is APPROVED
    assert set(review.open_groups) == {"sre", "sec"}


async def test_group_without_a_key_is_not_answered_for(stage: Stage) -> None:
    session_id = await stage.ask("sre")
    question = await read(stage, session_id)
    await stage.use_no_key("sre")
    await stage.use_no_key("break-glass")

    for work in (
        stage.port.approve(question, "sre"),
        stage.port.deny(question, "sre", "no"),
        stage.port.force(question, "now"),
    ):
        with pytest.raises(RejectedError) as refused:
            await work
        assert refused.value.reason == "no-key"
    assert (await read(stage, session_id)).review == question.review


@pytest.mark.parametrize(
    ("groups", "admin"), [((), False), (("sec",), False), (GROUPS, False), (("sre",), True)], ids=str
)
async def test_key_that_is_not_a_member_of_exactly_its_group_is_not_used(
    stage: Stage,
    groups: Sequence[str],
    admin: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    session_id = await stage.ask("sre", "sec")
    question = await read(stage, session_id)
    await stage.use_key("sre", *groups, admin=admin)

    for work in (stage.port.approve(question, "sre"), stage.port.deny(question, "sre", "no")):
        with pytest.raises(RejectedError) as refused:
            await work
        assert refused.value.reason == "reviewer-key-wrong"
    assert (await read(stage, session_id)).review == question.review


@pytest.mark.parametrize(("groups", "admin"), [((), False), (("break-glass",), True)], ids=str)
async def test_break_glass_key_that_is_an_admins_or_nobodys_is_not_used(
    stage: Stage,
    groups: Sequence[str],
    admin: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    session_id = await stage.ask("sre")
    await stage.use_key("break-glass", *groups, admin=admin)

    with pytest.raises(RejectedError) as refused:
        await stage.port.force(await read(stage, session_id), "now")

    assert refused.value.reason == "reviewer-key-wrong"
    assert (await read(stage, session_id)).review.status is PENDING


async def test_person_in_the_group_approves_in_their_own_name(stage: Stage) -> None:
    session_id = await stage.ask("sre", "sec", needed=2)
    token = await stage.person("valery", "sre", "cooks")

    await stage.port.approve(await read(stage, session_id), "sre", token)

    review = (await read(stage, session_id)).review
    assert review.approved == {"sre"}
    assert "valery" in next(row.reviewed_by for row in review.groups if row.group == "sre")


@pytest.mark.parametrize("groups", [(), ("sec",), GROUPS], ids=str)
async def test_vote_of_a_person_whom_the_gateway_would_count_otherwise_goes_out_under_the_groups_key(
    stage: Stage, groups: Sequence[str]
) -> None:
    session_id = await stage.ask("sre", "sec", needed=1)
    token = await stage.person("valery", *groups)

    await stage.port.approve(await read(stage, session_id), "sre", token)

    review = (await read(stage, session_id)).review
    assert (review.status, set(review.approved)) == (APPROVED, {"sre"})
    assert "valery" not in next(row.reviewed_by for row in review.groups if row.group == "sre")


async def test_person_whom_the_gateway_does_not_know_is_answered_for_by_key(stage: Stage) -> None:
    session_id = await stage.ask("sre")

    await stage.port.approve(
        await read(stage, session_id), "sre", issue_token(audience=GATEWAY_CLIENT_ID, object_id="x")
    )

    assert (await read(stage, session_id)).review.status is APPROVED


async def test_own_request_is_refused_by_the_gateway_and_not_forced_with_a_key(stage: Stage) -> None:
    session_id = await stage.ask("sre")
    token = await stage.person("dev", "dev", "sre")

    with pytest.raises(RejectedError) as refused:
        await stage.port.approve(await read(stage, session_id), "sre", token)

    assert refused.value.reason == "own-request"
    assert (await read(stage, session_id)).review.status is PENDING


class TestRest:
    """What only the real adapter can get wrong."""

    async def test_pending_go_past_the_first_page(self, real: OverRest) -> None:
        await real.ask("sre")
        for _ in range(104):
            await real.server.asked("dev")

        assert len(set(await real.port.pending())) == 105

    async def test_connection_says_how_many_approvals_it_takes_where_no_rule_does(self, real: OverRest) -> None:
        await real.server.connection("pg2", reviewers=["sre", "sec"], min_review_approvals=1)
        one = await real.server.provisioned("dev@sandbox.example", connection="pg2")

        question = await read(real, one["id"])

        assert (question.review.type, question.review.min_approvals) == (ReviewType.ONETIME, 1)
        assert question.session.input == "select 1"

    async def test_connection_that_says_nothing_or_is_gone_takes_all_approvals(self, real: OverRest) -> None:
        made = await real.server.connection("pg3", reviewers=["sre", "sec"])
        session_id = (await real.server.provisioned("dev@sandbox.example", connection="pg3"))["session"]

        needed = [(await read(real, session_id)).review.needed]
        await real.server.admin("PUT", "/connections/pg3", made | {"min_review_approvals": 1})
        needed.append((await read(real, session_id)).review.needed)
        await real.server.admin("DELETE", "/connections/pg3")
        needed.append((await read(real, session_id)).review.needed)

        assert needed == [2, 1, 2]

    async def test_session_without_a_review_is_none(self, real: OverRest) -> None:
        session_id = await real.server.live("dev")

        assert await real.port.read(session_id) is None

    async def test_key_is_checked_once_and_again_after_the_gateway_refused_it(self, real: OverRest) -> None:
        made = await real.server.key("sre-own", "sre")
        real.keys["sre"] = JsonApi("gateway", real.server.client, api_key(made["key"]))
        port = real.port
        first, second, third = [await real.ask("sre") for _ in range(3)]
        await port.approve(await read(real, first), "sre")
        await real.server.switched(status={"code": 500, "path": "/userinfo"})
        await port.approve(await read(real, second), "sre")
        await real.server.switched(status=None)

        await real.server.admin("DELETE", f"/api-keys/{made['id']}")
        for _ in range(2):
            with pytest.raises(RejectedError, match="reviewer-key-wrong"):
                await port.approve(await read(real, third), "sre")
        await real.server.admin("POST", f"/api-keys/{made['id']}/reactivate")
        await port.approve(await read(real, third), "sre")

        assert (await read(real, third)).review.status is APPROVED

    async def test_key_that_was_moved_to_another_group_since_is_wrong(self, real: OverRest) -> None:
        made = await real.server.key("sre-own", "sre")
        real.keys["sre"] = JsonApi("gateway", real.server.client, api_key(made["key"]))
        port = real.port
        first, second = await real.ask("sre"), await real.ask("sre")
        await port.approve(await read(real, first), "sre")
        await real.server.admin("PUT", f"/api-keys/{made['id']}", {"name": "sre-own", "groups": ["cooks"]})

        for _ in range(2):
            with pytest.raises(RejectedError, match="reviewer-key-wrong"):
                await port.approve(await read(real, second), "sre")

    async def test_key_that_was_given_a_second_group_since_is_not_used_for_long(self, real: OverRest) -> None:
        made = await real.server.key("sre-own", "sre")
        real.keys["sre"] = JsonApi("gateway", real.server.client, api_key(made["key"]))
        port = real.port_on(real.server.client, trusted_for=0.0)
        first, second = await real.ask("sre"), await real.ask("sre", "sec", needed=2)
        await port.approve(await read(real, first), "sre")
        await real.server.admin("PUT", f"/api-keys/{made['id']}", {"name": "sre-own", "groups": ["sre", "sec"]})

        with pytest.raises(RejectedError, match="reviewer-key-wrong"):
            await port.approve(await read(real, second), "sre")

        assert (await read(real, second)).review.approved == frozenset()

    @pytest.mark.parametrize(
        ("switch", "reason"),
        [({"code": 422}, "answer-refused"), ({"code": 403}, "token-refused"), ({"code": 400}, "answer-refused")],
        ids=str,
    )
    async def test_refusal_of_a_persons_answer_is_final(
        self, real: OverRest, switch: dict[str, Any], reason: str
    ) -> None:
        question = await read(real, await real.ask("sre"))
        token = await real.person("valery", "sre")
        await real.server.switched(status={**switch, "method": "PUT"})

        with pytest.raises(RejectedError) as refused:
            await real.port.approve(question, "sre", token)

        await real.server.switched(status=None)
        assert refused.value.reason == reason
        assert (await read(real, question.session.session_id)).review.status is PENDING

    async def test_busy_gateway_is_a_reason_to_try_later(self, real: OverRest) -> None:
        question = await read(real, await real.ask("sre"))
        await real.server.switched(status={"code": 429, "retryAfter": 3, "method": "PUT"})

        with pytest.raises(RetryLaterError, match="gateway-429") as refused:
            await real.port.approve(question, "sre")

        await real.server.switched(status=None)
        assert refused.value.retry_after == 3
        assert not isinstance(refused.value, UnknownOutcomeError)

    async def test_check_that_failed_is_not_remembered(self, real: OverRest) -> None:
        port, session_id = real.port, await real.ask("sre")
        question = await read(real, session_id)
        await real.server.switched(status={"code": 503, "path": "/userinfo"})
        with pytest.raises(RetryLaterError) as refused:
            await port.approve(question, "sre")
        await real.server.switched(status=None)

        await port.approve(question, "sre")

        assert not isinstance(refused.value, UnknownOutcomeError)
        assert (await read(real, session_id)).review.status is APPROVED

    async def test_legacy_key_is_not_used(self, real: OverRest) -> None:
        session_id = await real.ask("sre")
        real.keys["sre"] = JsonApi("gateway", real.server.client, api_key(LEGACY_KEY))

        with pytest.raises(RejectedError, match="reviewer-key-wrong"):
            await real.port.approve(await read(real, session_id), "sre")

    async def test_review_of_a_deleted_connection_is_read_and_its_answer_has_no_known_outcome(
        self, real: OverRest
    ) -> None:
        session_id = await real.ask("sre")
        await real.server.admin("DELETE", "/connections/pg1")
        question = await read(real, session_id)

        with pytest.raises(UnknownOutcomeError, match="gateway-500"):
            await real.port.approve(question, "sre")

    async def test_review_that_the_gateway_says_is_not_there_has_no_known_outcome(self, real: OverRest) -> None:
        question = await read(real, await real.ask("sre"))
        gone = replace(question, review=replace(question.review, review_id=NOBODY))

        with pytest.raises(UnknownOutcomeError, match="gateway-500"):
            await real.port.approve(gone, "sre")

    @pytest.mark.parametrize("switches", [{"latencyMs": 2000}, {"down": True}, {"emptyBody": 1}], ids=str)
    async def test_answer_that_does_not_come_leaves_the_outcome_unknown(
        self, real: OverRest, switches: dict[str, Any]
    ) -> None:
        first, session_id = await real.ask("sre"), await real.ask("sre")
        async with httpx.AsyncClient(base_url=real.server.client.base_url, timeout=0.4) as client:
            key = await real.server.key("sre-fast", "sre")
            real.keys["sre"] = JsonApi("gateway", client, api_key(key["key"]))
            port = real.port_on(client)
            question = await read(real, session_id)
            await port.approve(await read(real, first), "sre")
            await real.server.switched(**switches)

            with pytest.raises(UnknownOutcomeError):
                await port.approve(question, "sre")
        await real.server.switched(latencyMs=0, down=False, emptyBody=0)

    @pytest.mark.parametrize("path", ["/reviews", "/sessions", "/connections"])
    async def test_refusal_of_one_read_is_a_reason_to_try_later(self, real: OverRest, path: str) -> None:
        await real.server.connection("pg2", reviewers=["sre"])
        one = await real.server.provisioned("dev@sandbox.example", connection="pg2")
        await real.server.switched(status={"code": 503, "path": path})

        with pytest.raises(RetryLaterError, match="gateway-503"):
            await real.port.read(one["session"])

    @pytest.mark.parametrize("path", ["/reviews", "/sessions"])
    async def test_review_without_its_session_and_the_reverse_is_a_reason_to_try_later(
        self, real: OverRest, path: str
    ) -> None:
        session_id = await real.ask("sre")
        await real.server.switched(status={"code": 404, "path": path})

        with pytest.raises(RetryLaterError, match="gateway-review-incomplete"):
            await real.port.read(session_id)

    async def test_approvals_at_once_that_overwrite_each_other_show_when_read(self, real: OverRest) -> None:
        session_id = await real.ask("sre", "sec", needed=2)
        question = await read(real, session_id)
        await real.server.switched(reviewPauseMs=150)

        await asyncio.gather(real.port.approve(question, "sre"), real.port.approve(question, "sec"))

        await real.server.switched(reviewPauseMs=0)
        assert (await read(real, session_id)).review.missing == 1


class TestInMemory:
    """What only the fake can do: the traps that tests set."""

    @pytest.fixture
    def fake(self) -> InMemory:
        gateway = FakeGateway()
        return InMemory(FakeReviews(gateway, FakeClock()), gateway.person("dev@sandbox.example", "dev"))

    async def test_review_that_the_gateway_port_closes_is_closed(self, fake: InMemory) -> None:
        question = fake.port.ask(fake.dev, "sre")
        review = fake.port.gateway.reviews[question.review.review_id][0]

        await fake.port.gateway.close_review(review, "gone")

        assert (await read(fake, question.review.review_id)).review.status is REJECTED
        assert await fake.port.pending() == []

    async def test_granted_review_is_among_the_holdings(self, fake: InMemory) -> None:
        question = fake.port.ask(fake.dev, "sre")
        await fake.port.approve(question, "sre")

        holdings = await fake.port.gateway.holdings(fake.port.gateway.identities[fake.dev])

        assert [(review.review_id, review.pending) for review in holdings.reviews] == [
            (question.review.review_id, False)
        ]

    async def test_count_past_the_threshold_is_stuck(self, fake: InMemory) -> None:
        question = fake.port.ask(fake.dev, "a", "b", "c", min_approvals=2)

        fake.port.vote(question.review.review_id, Voter("eager", frozenset("abc")))

        assert fake.port.shown(question.review.review_id).review.is_stuck

    async def test_unheard_answer_takes_effect_and_overwritten_does_not(self, fake: InMemory) -> None:
        question = fake.port.ask(fake.dev, "a", "b")
        fake.port.unheard = fake.port.overwritten = 1

        await fake.port.approve(question, "a")
        with pytest.raises(UnknownOutcomeError):
            await fake.port.approve(question, "b")

        assert fake.port.shown(question.review.review_id).review.approved == {"b"}

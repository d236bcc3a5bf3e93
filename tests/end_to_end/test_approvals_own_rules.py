"""Approvals under other rules: a patience of seconds, and approvers who answer the gateway as themselves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox import cast
from sandbox.bench.crowd import until
from sandbox.cast import Person
from sandbox.supervisor import running_sandbox
from sandbox.supervisor.settings import APPROVAL_ROUTES
from sandbox.teams.world import APPROVALS_CHANNEL, ON_CALL_CHANNEL, SECURITY_CHANNEL
from shared.wire.cards.sentences import sentence
from tests.end_to_end.approvals import WITHIN, Stage

PATIENT, IMPATIENT = "expire-after: 2h", "remind-after: 2s\n    escalate-after: 3s\n    expire-after: 6s"


@pytest.fixture(scope="module")
def impatient_routes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sandbox's routes, with seconds for security instead of hours."""
    written = APPROVAL_ROUTES.read_text(encoding="utf-8")
    routes = tmp_path_factory.mktemp("routes") / "approval-routes.yaml"
    routes.write_text(written.replace(PATIENT, IMPATIENT), encoding="utf-8")
    assert PATIENT in written
    return routes


@pytest.fixture(scope="module")
async def own_rules(impatient_routes: Path) -> AsyncIterator[Stage]:
    """Security has seconds to answer, and whoever signs in answers the gateway under their own name."""
    environment = {"APPROVAL_ROUTES_FILE": str(impatient_routes), "TEAMS_ON_BEHALF_OF": "true"}
    async with running_sandbox(without=("door",), environment=environment) as own:
        yield Stage(own)


@pytest.fixture
async def stage(own_rules: Stage) -> AsyncIterator[Stage]:
    yield own_rules
    (await own_rules.sandbox.login.put("/sandbox/switches", json={"consentMissing": False})).raise_for_status()
    await own_rules.put_back()


async def test_request_that_nobody_answers_is_reminded_of_escalated_and_rejected(stage: Stage) -> None:
    asked = await stage.ask(cast.GRACE, cast.VAULT_DB)
    card = await stage.asked_in(asked)

    escalated = await stage.asked_in(asked, ON_CALL_CHANNEL)
    await stage.has_status(asked, "REJECTED")
    late = await stage.teams.click(card, cast.ALAN, "approve")

    assert "Escalated" in escalated.words
    assert "Expired" in str(late["shown"]["card"])
    assert await stage.statuses(asked) == ["REJECTED"]
    assert (await stage.review(asked))["rejection_reason"].startswith("Tether: ")
    for place in (APPROVALS_CHANNEL, SECURITY_CHANNEL, ON_CALL_CHANNEL):
        assert not (await stage.shown(asked, "Expired", place)).offers("approve")
    await stage.shown(asked, "Your request has expired", await stage.chat(cast.GRACE), cast.GRACE)
    await until(lambda: are_settled(stage, 2), WITHIN)
    assert await stage.kinds(asked) == ["requested", "expired"]


async def test_approver_known_to_the_gateway_answers_as_themselves(stage: Stage) -> None:
    await sign_in_at_gateway(stage, cast.ALAN, (*cast.ALAN.gateway_groups, cast.DBA_REVIEWERS))
    asked = await stage.ask(cast.SYNC_AGENT)

    answer = await stage.click(asked, cast.ALAN, "approve")

    assert "card" in answer
    (row,) = (await stage.review(asked))["review_groups_data"]
    assert (row["status"], row["reviewed_by"]["id"]) == ("APPROVED", cast.ALAN.subject)
    assert await signed_in(stage, cast.ALAN) == 1
    assert "Alan Turing" in (await stage.shown(asked, "Approved", person=cast.GRACE)).words


async def test_approver_unknown_to_the_gateway_answers_through_the_key_of_the_group(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)

    await stage.click(asked, cast.GRACE, "approve")

    (row,) = (await stage.review(asked))["review_groups_data"]
    assert (row["status"], row["reviewed_by"]["name"]) == ("APPROVED", f"teams-approvals:{cast.DBA_REVIEWERS}")
    assert "Grace Hopper" in (await stage.shown(asked, "Approved")).words


async def test_approver_who_has_not_consented_is_told_and_decides_nothing(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)
    (await stage.sandbox.login.put("/sandbox/switches", json={"consentMissing": True})).raise_for_status()

    answer = await stage.click(asked, cast.ALAN, "approve")

    assert answer == {"message": sentence("consent-needed")}
    assert await stage.teams.status(asked) == "PENDING"
    assert await stage.kinds(asked) == ["requested"]


async def test_token_of_somebody_else_decides_nothing(stage: Stage) -> None:
    asked = await stage.ask(cast.SYNC_AGENT)
    click = await stage.compose(await stage.asked_in(asked), cast.ALAN, "approve")
    theirs = await stage.sandbox.login.post("/sandbox/sso-token", json={"object_id": cast.GRACE.id})
    proof = {"id": "", "connectionName": "", "token": theirs.raise_for_status().json()["token"]}

    answer = await stage.deliver({**click, "value": {**click["value"], "authentication": proof}})

    assert answer["body"]["value"] == sentence("sign-in-refused")
    assert await stage.kinds(asked) == ["requested"]


async def are_settled(stage: Stage, count: int) -> bool:
    """Whether so many reminders were posted, in threads of their cards, and each says by now that nobody waits."""
    places = (APPROVALS_CHANNEL, SECURITY_CHANNEL)
    shown = [
        (await stage.sandbox.teams.get(f"/sandbox/conversations/{place}/messages", params={"person": cast.ALAN.id}))
        .raise_for_status()
        .json()["messages"]
        for place in places
    ]
    texts = [message["text"] for messages in shown for message in messages if message["reply_to"]]
    return len(texts) == count and all(text.startswith("No longer waiting") for text in texts)


async def signed_in(stage: Stage, person: Person) -> int:
    """How often somebody's client has signed in for a click."""
    events = (await stage.sandbox.teams.get("/sandbox/events?after=0")).raise_for_status().json()["events"]
    return sum(event["kind"] == "signed-in" and event["person"] == person.id for event in events)


async def sign_in_at_gateway(stage: Stage, person: Person, groups: tuple[str, ...]) -> None:
    body = {"sub": person.subject, "email": person.email, "name": person.name, "groups": list(groups)}
    (await stage.sandbox.gateway.post("/sandbox/login", json=body)).raise_for_status()

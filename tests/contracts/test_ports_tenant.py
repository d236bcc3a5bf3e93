"""What is asked about the tenant as a whole: its policy of Graph, and its hosts of name servers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

import httpx
import pytest

from sandbox.graph.posture.names import NameServer
from sandbox.graph.testing import Tenant, bearer
from sandbox.tenant import HOST
from shared.adapters.graph_policies import GraphPolicies
from shared.adapters.name_servers import DnsNameServers
from shared.adapters.patient_graph import PatientGraph
from shared.domain.posture.estate_facts import HostAnswers, OwnPolicy, Policy
from shared.errors import RejectedError, RetryLaterError
from tests.fakes.scan import Ticks
from tests.sandbox.host_process import free_port


@pytest.fixture
async def tenant() -> AsyncIterator[Tenant]:
    tenant = Tenant()
    yield tenant
    await tenant.close()


def policies(client: httpx.AsyncClient, *roles: str) -> GraphPolicies:
    async def headers() -> Mapping[str, str]:
        return bearer(*roles)

    ticks = Ticks()
    return GraphPolicies(PatientGraph(client, headers, str(client.base_url), clock=ticks, sleep=ticks.sleep))


def answering(status: int, document: object = None) -> httpx.AsyncClient:
    answer = httpx.Response(status, json=document)
    return httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer), base_url="https://graph.example")


class TestPolicies:
    @pytest.mark.parametrize(("policy", "days"), [("strict", 181), ("lax", 730), ("empty", None)])
    async def test_policy_of_the_tenant_is_read(self, tenant: Tenant, policy: str, days: int | None) -> None:
        wish = {"seed": 7, "applications": 0, "service_principals": 0, "policy": policy}
        (await tenant.client.post("/sandbox/posture", json=wish)).raise_for_status()

        found = await policies(tenant.client, "Policy.Read.All").app_management()

        assert (found.enabled, found.max_secret_days) == (True, days)

    async def test_policies_of_single_applications_are_read_with_whom_they_apply_to(self, tenant: Tenant) -> None:
        wish = {"seed": 7, "applications": 0, "service_principals": 0}
        (await tenant.client.post("/sandbox/posture", json=wish)).raise_for_status()
        truth = (await tenant.client.get("/sandbox/posture/expected")).json()

        found = await policies(tenant.client, "Policy.Read.All").own_app_management()

        bound = {object_id: one for one in found for object_id in one.applies_to}
        (guilty,) = [one["object_id"] for one in truth["positives"] if "its own policy allows 60" in one["shape"]]
        (off,) = [one["object_id"] for one in truth["innocents"] if "its own policy is off" in one["why"]]
        assert (len(found), len(bound)) == (3, 29)
        assert bound[guilty] == OwnPolicy(
            Policy(True, 61, binds_after=datetime(2019, 10, 19, 10, 37, tzinfo=UTC)),
            frozenset({"max_secret_days"}),
            bound[guilty].applies_to,
        )
        assert not bound[off].policy.enabled

    async def test_policy_that_applies_to_more_than_a_row_shows_is_read_to_its_end(self) -> None:
        ids = [f"object-{number}" for number in range(25)]
        row = {"id": "policy", "isEnabled": True, "restrictions": {}, "appliesTo": [{"id": one} for one in ids[:20]]}
        asked = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            if request.url.path.endswith("/appliesTo"):
                rest = ids[20:] if "$skiptoken" in request.url.params else ids[:20]
                more = {} if rest[0] == ids[20] else {"@odata.nextLink": f"{request.url}&$skiptoken=x"}
                return httpx.Response(200, json={"value": [{"id": one} for one in rest]} | more)
            return httpx.Response(200, json={"value": [row]})

        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(transport=transport, base_url="https://graph.example") as client:
            (found,) = await policies(client).own_app_management()

        assert found.applies_to == set(ids)
        assert len(asked) == 3

    @pytest.mark.parametrize(("status", "error"), [(403, RejectedError), (503, RetryLaterError)])
    async def test_policies_of_single_applications_that_cannot_be_read_say_why(
        self, status: int, error: type[Exception]
    ) -> None:
        async with answering(status, {}) as client:
            with pytest.raises(error, match=f"graph-{status}"):
                await policies(client).own_app_management()

    @pytest.mark.parametrize("status", [400, 401, 403, 404])
    async def test_policy_that_may_not_be_read_is_refused_with_what_graph_said(self, status: int) -> None:
        async with answering(status, {"error": {"code": "Authorization_RequestDenied"}}) as client:
            with pytest.raises(RejectedError, match=f"graph-{status}"):
                await policies(client).app_management()

    @pytest.mark.parametrize(("status", "reason"), [(429, "graph-429"), (503, "graph-503"), (200, "nonsense")])
    async def test_graph_that_is_busy_or_answers_nonsense_is_asked_later(self, status: int, reason: str) -> None:
        async with answering(status, {}) as client:
            with pytest.raises(RetryLaterError, match=reason):
                await policies(client).app_management()


@pytest.fixture
async def names() -> AsyncIterator[tuple[NameServer, tuple[str, int]]]:
    """The sandbox's name server, and where it listens."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=(HOST, 0))
    yield server, transport.get_extra_info("sockname")
    transport.close()


class TestNameServers:
    async def test_host_that_does_not_exist_is_told_from_those_that_do(
        self, names: tuple[NameServer, tuple[str, int]]
    ) -> None:
        hosts = {"portal.contoso.example", "gone-shop.azurewebsites.net", "api.contoso.example"}

        answers = await DnsNameServers([names[1]]).answers(hosts)

        assert answers == HostAnswers(frozenset({"gone-shop.azurewebsites.net"}))
        assert names[0].asked == dict.fromkeys(hosts, 1)

    async def test_failure_and_silence_are_no_answer(
        self, names: tuple[NameServer, tuple[str, int]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shared.adapters.name_servers.SECONDS_EACH", 0.05)

        answers = await DnsNameServers([names[1]]).answers({"mute-a.example", "broken-b.example", "gone-c.example"})

        assert answers == HostAnswers(frozenset({"gone-c.example"}), frozenset({"mute-a.example", "broken-b.example"}))

    async def test_what_can_be_no_name_is_no_answer(self, names: tuple[NameServer, tuple[str, int]]) -> None:
        hosts = {"a..example", f"{'a' * 64}.example", ".".join(["a" * 60] * 5), "\ud800.example"}

        answers = await DnsNameServers([names[1]]).answers(hosts)

        assert answers == HostAnswers(frozenset(), frozenset(hosts))

    async def test_everything_is_unanswered_when_the_time_is_over(self) -> None:
        nobody = DnsNameServers([(HOST, free_port())], seconds_in_all=0.1)

        answers = await nobody.answers({f"host-{number}.example" for number in range(200)})

        assert (len(answers.unresolved), len(answers.unanswered)) == (0, 200)

    async def test_many_hosts_are_each_asked_about_once(self, names: tuple[NameServer, tuple[str, int]]) -> None:
        hosts = {f"{'gone-' if number % 10 == 0 else ''}host-{number}.example" for number in range(300)}

        answers = await DnsNameServers([names[1]]).answers(hosts)

        assert (len(answers.unresolved), len(answers.unanswered)) == (30, 0)
        assert set(names[0].asked.values()) == {1}

    async def test_nobody_is_asked_about_nothing(self) -> None:
        assert await DnsNameServers([(HOST, 1)]).answers(()) == HostAnswers()

"""Clouds: each has its own addresses, and nothing else in the app names one."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.domain.clouds import CHINA, CLOUDS, US_DEFENCE, US_GOVERNMENT, WORLDWIDE, Cloud

ROOT = Path(__file__).parents[2]
VENDOR_HOSTS = re.compile(
    r"graph\.microsoft\.(com|us)|microsoftgraph\.|login\.microsoftonline\.|api\.botframework\.|login\.botframework\."
    r"|smba\.|servicebus\.(windows|usgovcloudapi|chinacloudapi)|AzureADTokenExchange"
)
# Documents and documentation pages are no addresses that the app connects to.
PROSE = re.compile(r"^\s*(#|https://learn)|learn\.microsoft\.com")


@pytest.mark.parametrize("cloud", CLOUDS.values())
def test_every_address_is_secure_and_bare(cloud: Cloud) -> None:
    addresses = (cloud.graph_url, cloud.authority_url, cloud.bot_openid_metadata_url, cloud.bot_resource)

    parts = [urlsplit(address) for address in (*addresses, cloud.teams_service_url) if address]

    assert {part.scheme for part in parts} == {"https"}
    assert not [part for part in parts if part.query or part.path.endswith("/")]


@pytest.mark.parametrize("cloud", [WORLDWIDE, US_GOVERNMENT, US_DEFENCE])
def test_first_message_goes_to_a_host_that_may_answer(cloud: Cloud) -> None:
    assert urlsplit(cloud.teams_service_url or "").hostname in cloud.teams_hosts


def test_scopes_and_the_issuer_belong_to_the_cloud() -> None:
    assert (CHINA.graph_scope, CHINA.bot_scope, CHINA.bot_issuer) == (
        "https://microsoftgraph.chinacloudapi.cn/.default",
        "https://api.botframework.azure.cn/.default",
        "https://api.botframework.azure.cn",
    )
    assert US_DEFENCE.graph_scope == "https://dod-graph.microsoft.us/.default"
    assert US_GOVERNMENT.federation_scope == "api://AzureADTokenExchangeUSGov/.default"


def test_no_teams_host_is_trusted_in_two_clouds() -> None:
    hosts = [host for cloud in CLOUDS.values() for host in cloud.teams_hosts]

    assert len(hosts) == len(set(hosts))


def test_nothing_but_this_list_names_an_address_that_differs_between_clouds() -> None:
    sources = [path for folder in ("shared", "functions") for path in (ROOT / folder).rglob("*.py")]

    naming = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sources
        if path.name != "clouds.py" and "posture" not in path.parts
        for line in path.read_text().splitlines()
        if VENDOR_HOSTS.search(line) and not PROSE.search(line)
    }

    assert naming == set()

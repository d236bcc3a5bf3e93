"""AZURE_CLOUD: one setting moves every address of Microsoft's, and an address that is given stays."""

import pytest

from shared.domain.clouds import CLOUDS, CloudName
from shared.errors import SettingsError
from shared.settings import Settings, read_settings
from tests.test_settings import SOUND

NAMESPACES = {
    CloudName.WORLDWIDE: "tether.servicebus.windows.net",
    CloudName.US_GOVERNMENT: "tether.servicebus.usgovcloudapi.net",
    CloudName.US_DEFENCE: "tether.servicebus.usgovcloudapi.net",
    CloudName.CHINA: "tether.servicebus.chinacloudapi.cn",
}
ASKING = {
    "APPROVAL_ROUTES_FILE": "approval-routes.yaml",
    "BOT_APP_ID": "eeeeeeee-0000-4000-8000-0000000000b0",
    "CARD_TOKEN_KEY": "another made-up key for tests, 32 bytes",
}


def in_cloud(name: str, **more: str) -> Settings:
    namespace = {"ServiceBus__fullyQualifiedNamespace": NAMESPACES.get(CloudName(name), "")}
    return read_settings(SOUND | namespace | {"AZURE_CLOUD": name} | more)


@pytest.mark.parametrize("name", list(CloudName))
def test_cloud_says_where_graph_sign_in_and_the_bots_keys_are(name: CloudName) -> None:
    found, cloud = in_cloud(name), CLOUDS[name]

    assert found.cloud is cloud
    assert (found.graph_base_url, found.authority_host) == (cloud.graph_url, cloud.authority_url)
    assert found.bot_openid_metadata_url == cloud.bot_openid_metadata_url


@pytest.mark.parametrize("name", [CloudName.WORLDWIDE, CloudName.US_GOVERNMENT, CloudName.US_DEFENCE])
def test_cloud_says_where_the_first_message_goes(name: CloudName) -> None:
    assert in_cloud(name, **ASKING).teams_service_url == CLOUDS[name].teams_service_url


def test_worldwide_is_the_cloud_of_whoever_names_none() -> None:
    assert read_settings(SOUND) == in_cloud("AzureCloud")


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ("GRAPH_BASE_URL", "graph_base_url"),
        ("AZURE_AUTHORITY_HOST", "authority_host"),
        ("BOT_OPENID_METADATA_URL", "bot_openid_metadata_url"),
        ("TEAMS_SERVICE_URL", "teams_service_url"),
    ],
)
def test_address_that_is_given_wins_over_the_clouds_and_the_scope_stays(setting: str, field: str) -> None:
    found = in_cloud("AzureUSGovernment", **{setting: "https://proxy.example/teams"})

    assert getattr(found, field) == "https://proxy.example/teams"
    assert found.cloud.graph_scope == "https://graph.microsoft.us/.default"


def test_address_that_is_empty_is_the_clouds() -> None:
    assert in_cloud("AzureChinaCloud", GRAPH_BASE_URL=" ").graph_base_url == "https://microsoftgraph.chinacloudapi.cn"


def test_unknown_cloud_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(SettingsError, match=r"AZURE_CLOUD: .*'AzureUSGovernmentL5'"):
        read_settings(SOUND | {"AZURE_CLOUD": "AzureGermanCloud"})


@pytest.mark.parametrize("namespace", ["tether.servicebus.windows.net", "TETHER.servicebus.chinacloudapi.cn."])
def test_service_bus_of_another_cloud_is_refused(namespace: str) -> None:
    with pytest.raises(SettingsError, match="in another cloud than AzureUSGovernment"):
        in_cloud("AzureUSGovernment", ServiceBus__fullyQualifiedNamespace=namespace)


def test_approvals_in_china_need_the_address_that_nobody_publishes() -> None:
    with pytest.raises(SettingsError, match="set TEAMS_SERVICE_URL to the serviceUrl"):
        in_cloud("AzureChinaCloud", **ASKING)

    given = "https://frontend.botapi.msg.infra.teams.microsoftonline.cn/cn"
    assert in_cloud("AzureChinaCloud", TEAMS_SERVICE_URL=given, **ASKING).teams_service_url == given

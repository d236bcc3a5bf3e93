"""Microsoft's clouds: where Graph, sign-in, the Bot Connector and Service Bus are in each of them.

https://learn.microsoft.com/graph/deployments, https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
and, for bots, https://learn.microsoft.com/azure/bot-service/how-to-deploy-gov-cloud-high with the Teams SDK's presets.
"""

from dataclasses import dataclass
from enum import StrEnum


class CloudName(StrEnum):
    """The clouds by the names that the Azure CLI gives them; the second one for defence has none there."""

    WORLDWIDE = "AzureCloud"
    US_GOVERNMENT = "AzureUSGovernment"
    US_DEFENCE = "AzureUSGovernmentL5"
    CHINA = "AzureChinaCloud"


@dataclass(frozen=True, slots=True)
class Cloud:
    """The addresses of one cloud. `teams_service_url` is `None` where Microsoft publishes none."""

    graph_url: str
    authority_url: str
    bot_openid_metadata_url: str
    bot_resource: str
    teams_service_url: str | None
    teams_hosts: tuple[str, ...]
    service_bus_suffix: str
    federation_audience: str

    @property
    def graph_scope(self) -> str:
        """What a token for Graph is asked for with, wherever Graph is reached."""
        return f"{self.graph_url}/.default"

    @property
    def bot_scope(self) -> str:
        """What a token for the Bot Connector is asked for with."""
        return f"{self.bot_resource}/.default"

    @property
    def bot_issuer(self) -> str:
        """Who issues the tokens of the Bot Connector, everywhere the resource itself."""
        return self.bot_resource

    @property
    def federation_scope(self) -> str:
        """What the managed identity vouches with, for an application that trusts it."""
        return f"{self.federation_audience}/.default"


WORLDWIDE = Cloud(
    graph_url="https://graph.microsoft.com",
    authority_url="https://login.microsoftonline.com",
    bot_openid_metadata_url="https://login.botframework.com/v1/.well-known/openidconfiguration",
    bot_resource="https://api.botframework.com",
    teams_service_url="https://smba.trafficmanager.net/teams",
    # The Government Community Cloud (GCC) is worldwide Azure and Entra, with Teams in a place of its own.
    teams_hosts=("smba.trafficmanager.net", "smba.infra.gcc.teams.microsoft.com"),
    service_bus_suffix="servicebus.windows.net",
    federation_audience="api://AzureADTokenExchange",
)
US_GOVERNMENT = Cloud(
    graph_url="https://graph.microsoft.us",
    authority_url="https://login.microsoftonline.us",
    bot_openid_metadata_url="https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
    bot_resource="https://api.botframework.us",
    teams_service_url="https://smba.infra.gov.teams.microsoft.us/teams",
    teams_hosts=("smba.infra.gov.teams.microsoft.us",),
    service_bus_suffix="servicebus.usgovcloudapi.net",
    federation_audience="api://AzureADTokenExchangeUSGov",
)
US_DEFENCE = Cloud(
    graph_url="https://dod-graph.microsoft.us",
    authority_url="https://login.microsoftonline.us",
    bot_openid_metadata_url="https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
    bot_resource="https://api.botframework.us",
    teams_service_url="https://smba.infra.dod.teams.microsoft.us/teams",
    teams_hosts=("smba.infra.dod.teams.microsoft.us",),
    service_bus_suffix="servicebus.usgovcloudapi.net",
    federation_audience="api://AzureADTokenExchangeUSGov",
)
CHINA = Cloud(
    graph_url="https://microsoftgraph.chinacloudapi.cn",
    authority_url="https://login.partner.microsoftonline.cn",
    bot_openid_metadata_url="https://login.botframework.azure.cn/v1/.well-known/openidconfiguration",
    bot_resource="https://api.botframework.azure.cn",
    teams_service_url=None,
    teams_hosts=("frontend.botapi.msg.infra.teams.microsoftonline.cn",),
    service_bus_suffix="servicebus.chinacloudapi.cn",
    federation_audience="api://AzureADTokenExchangeChina",
)
CLOUDS = {
    CloudName.WORLDWIDE: WORLDWIDE,
    CloudName.US_GOVERNMENT: US_GOVERNMENT,
    CloudName.US_DEFENCE: US_DEFENCE,
    CloudName.CHINA: CHINA,
}

"""What has to hold for the deployment to be secure when it lands: roles, and what is switched off."""

import re
from collections.abc import Iterator
from typing import Any

from tests.infra.bicep import Choice, Expression, at, text_of
from tests.infra.infrastructure import Infrastructure

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
BUILT_IN_ROLES = {
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "serviceBusDataReceiver": "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
    "serviceBusDataSender": "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
    "keyVaultSecretsUser": "4633458b-17de-408a-b874-0445c86b69e6",
    "keyVaultSecretsOfficer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
}
STORAGE, BUS = "Microsoft.Storage/storageAccounts", "Microsoft.ServiceBus/namespaces"
VAULT, INSIGHTS, APP = "Microsoft.KeyVault/vaults", "Microsoft.Insights/components", "Microsoft.Web/sites"
# Who may do what on what: nothing less works, and nothing more is granted.
ASSIGNMENTS = {
    ("storageBlobDataOwner", STORAGE, "principalId"),
    ("storageTableDataContributor", STORAGE, "principalId"),
    ("serviceBusDataReceiver", BUS, "principalId"),
    ("serviceBusDataSender", BUS, "principalId"),
    ("keyVaultSecretsUser", VAULT, "principalId"),
    ("monitoringMetricsPublisher", INSIGHTS, "principalId"),
    ("keyVaultSecretsOfficer", VAULT, "secretsOfficerId"),
}
POLICY = f"{STORAGE}/blobServices/containers/immutabilityPolicies"
# What every resource of a type says, whatever else it says.
MUST_SAY: list[tuple[str, str, Any]] = [
    (STORAGE, "properties.allowSharedKeyAccess", False),
    (STORAGE, "properties.allowBlobPublicAccess", False),
    (STORAGE, "properties.allowCrossTenantReplication", False),
    (STORAGE, "properties.minimumTlsVersion", "TLS1_2"),
    (STORAGE, "properties.supportsHttpsTrafficOnly", True),
    (STORAGE, "properties.publicNetworkAccess", Choice("isPrivate ? 'Disabled' : 'Enabled'")),
    (f"{STORAGE}/blobServices/containers", "properties.publicAccess", "None"),
    (POLICY, "name", Expression("'${storage.name}/default/evidence/default'")),
    (POLICY, "properties.allowProtectedAppendWrites", True),
    (POLICY, "properties.immutabilityPeriodSinceCreationInDays", Expression("evidenceDays")),
    (BUS, "properties.disableLocalAuth", True),
    (BUS, "properties.minimumTlsVersion", "1.2"),
    (BUS, "properties.publicNetworkAccess", Choice("isPrivate ? 'Disabled' : 'Enabled'")),
    (VAULT, "properties.enableRbacAuthorization", True),
    (VAULT, "properties.enablePurgeProtection", True),
    (VAULT, "properties.enableSoftDelete", True),
    (VAULT, "properties.publicNetworkAccess", Choice("isPrivate ? 'Disabled' : 'Enabled'")),
    (INSIGHTS, "properties.DisableLocalAuth", True),
    ("Microsoft.OperationalInsights/workspaces", "properties.features.disableLocalAuth", True),
    (APP, "identity.type", "UserAssigned"),
    (APP, "properties.httpsOnly", True),
    (APP, "properties.publicNetworkAccess", "Enabled"),
    (APP, "properties.siteConfig.minTlsVersion", "1.2"),
    (APP, "properties.siteConfig.scmMinTlsVersion", "1.2"),
    (APP, "properties.siteConfig.ftpsState", "Disabled"),
    (APP, "properties.siteConfig.remoteDebuggingEnabled", False),
    (APP, "properties.keyVaultReferenceIdentity", Expression("identityId")),
    (APP, "properties.functionAppConfig.runtime.name", "python"),
    (APP, "properties.functionAppConfig.runtime.version", "3.13"),
    (APP, "properties.functionAppConfig.deployment.storage.type", "blobContainer"),
    (APP, "properties.functionAppConfig.deployment.storage.authentication.type", "UserAssignedIdentity"),
    (f"{APP}/basicPublishingCredentialsPolicies", "properties.allow", False),
    ("Microsoft.Web/serverfarms", "sku.name", "FC1"),
    ("Microsoft.BotService/botServices", "properties.disableLocalAuth", True),
    ("Microsoft.BotService/botServices", "properties.msaAppTenantId", Expression("tenantId")),
    (
        "Microsoft.BotService/botServices",
        "properties.msaAppType",
        Choice("empty(appId) ? 'UserAssignedMSI' : 'SingleTenant'"),
    ),
    ("Microsoft.BotService/botServices/channels", "name", "MsTeamsChannel"),
]
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def roles_differ(infra: Infrastructure) -> Iterator[str]:
    """Role assignments against those that the app needs, each to a built-in role by its real id."""
    granted = set()
    for path, file in infra.files.items():
        roles = file.of_kind("var").get("roles")
        ids: dict[str, str] = roles.value if roles is not None else {}
        yield from (
            f"{path}: {name} is {id_}, which it is not" for name, id_ in ids.items() if BUILT_IN_ROLES.get(name) != id_
        )
        for body in file.resources("Microsoft.Authorization/roleAssignments"):
            role = re.sub(r".*\broles\.(\w+)\)$", r"\1", text_of(at(body, "properties.roleDefinitionId")))
            scope = file.of_kind("resource").get(text_of(body.get("scope")))
            target = scope.target.partition("@")[0] if scope is not None else "the resource group"
            granted.add((role, target, text_of(at(body, "properties.principalId"))))
            if role not in text_of(at(body, "name")):
                yield f"{path}: the name of an assignment of {role} does not say so"
    yield from (f"nobody has {role} on {target} ({who})" for role, target, who in sorted(ASSIGNMENTS - granted))
    yield from (f"{who} has {role} on {target}, and should not" for role, target, who in sorted(granted - ASSIGNMENTS))


def is_left_open(infra: Infrastructure) -> Iterator[str]:
    """What is not switched off, not encrypted or not kept as it has to be."""
    for type_, path, expected in MUST_SAY:
        bodies = infra.deployed(type_)
        if not bodies:
            yield f"there is no {type_}"
        for body in bodies:
            found = at(body, path)
            if found != expected or type(found) is not type(expected):
                which = f"{type_} {text_of(body.get('name'))}"
                yield f"{which}: {path} is {text_of(found)} and should be {text_of(expected)}"
    policies = {text_of(at(one, "name")) for one in infra.deployed(f"{APP}/basicPublishingCredentialsPolicies")}
    if policies != {"ftp", "scm"}:
        yield f"basic publishing credentials: {sorted(policies)} are decided about, and not ftp and scm"


def shows_a_secret(infra: Infrastructure) -> Iterator[str]:
    """Keys that a deployment would carry: listed keys, connection strings and outputs of either."""
    for path, text in infra.texts.items():
        for word in ("listKeys", "listConnectionStrings", "AccountKey=", "SharedAccessKey", "clientSecret:"):
            if word in text:
                yield f"{path}: {word}"


def guids_are_foreign(infra: Infrastructure) -> Iterator[str]:
    """Ids that are no built-in role: of a tenant, a subscription or a person."""
    for path, text in infra.texts.items():
        ids = {found[0] for found in _GUID.finditer(text)} - set(BUILT_IN_ROLES.values())
        yield from (f"{path}: {id_}" for id_ in sorted(ids))

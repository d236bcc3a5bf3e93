// Tether in one resource group. Parameters and module calls only; what an app setting means is said in
// local.settings.example.json. Secrets are put into the vault by people, before the code is deployed.
targetScope = 'resourceGroup'

@description('A short name; the names of all resources start with it.')
@minLength(2)
@maxLength(12)
param name string = 'tether'

@description('Unique in the world, because it is part of public host names.')
@maxLength(19)
param uniqueName string = '${toLower(name)}-${take(uniqueString(resourceGroup().id), 6)}'
param location string = resourceGroup().location
param tags object = {}

@description('The Entra tenant whose directory decides about access.')
param tenantId string = tenant().tenantId

@description('AzureUSGovernmentL5 in the cloud for defence; empty: the cloud that this is deployed to.')
param cloud string = ''

@description('The gateway, without /api.')
param gatewayBaseUrl string

@description('The gateway\'s application id in Entra; empty: the secret gateway-api-key is in the vault.')
param gatewayClientId string = ''

@description('The gateway\'s web pages, to which cards link; empty: they are at gatewayBaseUrl.')
param gatewayWebUrl string = ''

@description('Whether the secret gateway-webhook-secrets is in the vault; otherwise the gateway only is polled.')
param gatewaySignsWebhooks bool = false
param gatewayTimeoutSeconds int = 30

@description('Whether client-state-previous-key and card-token-previous-key are in the vault, too: during a rotation.')
param keysAreRotating bool = false
param clientStateGeneration int = 1

@description('Which reviewer group is asked where, such as approval-routes.yaml; empty: no approvals, and no bot.')
param approvalRoutesFile string = ''

@description('The key-settings of the routes, separated by commas. GATEWAY_KEY_DBA is the secret gateway-key-dba.')
param reviewerKeySettings string = ''

@description('The bot\'s app registration, which trusts the managed identity; empty: the managed identity is the bot.')
param botAppId string = ''
@allowed([
  'F0'
  'S1'
])
param botTier string = 'F0'
param teamsServiceUrl string = ''
param teamsOnBehalfOf bool = false

@description('The registration that readers of reports sign in to; empty: nobody signs in, and nobody reads.')
param readersClientId string = ''
param reportReadersGroup string = ''

@description('What posture reports expect and except; empty: the defaults.')
param postureRulesFile string = ''

@description('Name servers that tell whether redirects dangle; empty: Azure\'s.')
param nameServers string = ''

param identityMapFile string = 'identity-map.yaml'
@allowed([
  'deactivate'
  'alert'
])
param onUnenforceableRemoval string = 'deactivate'
param restoreAfterSeconds int = 60
param replicationHorizonSeconds int = 900
param tokenLifetimeSeconds int = 5400
param sweepLimitPercent int = 20
param sweepLimitMinimum int = 5

@description('Instances that always run: for HTTP, and for revocations.')
param httpInstances int = 1
param revocationInstances int = 1
param maximumInstances int = 40
@allowed([
  512
  2048
  4096
])
param instanceMemory int = 2048

@description('Survive the loss of a datacentre, where the region has three. Then keep two instances of each at least.')
param zoneRedundant bool = false
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GZRS'
])
param storageRedundancy string = 'Standard_ZRS'

@description('Private networking makes it Premium, whatever is said here.')
@allowed([
  'Standard'
  'Premium'
])
param serviceBusTier string = 'Standard'
param evidenceDays int = 365
param logDays int = 90

@description('Reach Storage, Service Bus and Key Vault over private endpoints alone.')
param privateNetworking bool = false
param networkPrefix string = '10.64.0.0/24'
param outboundPrefix string = '10.64.0.0/26'
param privatePrefix string = '10.64.0.64/27'

@description('Who puts the secrets into the vault: the object id of a person or group; empty: you assign it yourself.')
param secretsOfficerId string = ''

@description('Where alerts are mailed to.')
param alertMailAddress string = ''

@description('What 99 of 100 revocations must stay below, in seconds.')
param revocationSeconds int = 5

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    uniqueName: uniqueName
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    uniqueName: uniqueName
    location: location
    tags: tags
    retentionDays: logDays
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    uniqueName: uniqueName
    location: location
    tags: tags
    redundancy: storageRedundancy
    isPrivate: privateNetworking
    evidenceDays: evidenceDays
  }
}

module serviceBus 'modules/service-bus.bicep' = {
  name: 'service-bus'
  params: {
    uniqueName: uniqueName
    location: location
    tags: tags
    tier: privateNetworking ? 'Premium' : serviceBusTier
    isPrivate: privateNetworking
  }
}

module vault 'modules/key-vault.bicep' = {
  name: 'key-vault'
  params: {
    uniqueName: uniqueName
    location: location
    tags: tags
    tenantId: tenantId
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: privateNetworking
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    principalId: identity.outputs.principalId
    storageName: storage.outputs.name
    serviceBusName: serviceBus.outputs.name
    vaultName: vault.outputs.name
    insightsName: monitoring.outputs.insightsName
    secretsOfficerId: secretsOfficerId
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'network'
  params: {
    uniqueName: uniqueName
    location: location
    tags: tags
    networkPrefix: networkPrefix
    outboundPrefix: outboundPrefix
    privatePrefix: privatePrefix
    storageId: storage.outputs.id
    serviceBusId: serviceBus.outputs.id
    serviceBusHostName: serviceBus.outputs.hostName
    vaultId: vault.outputs.id
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  params: {
    uniqueName: uniqueName
    location: location
    tags: tags
    identityId: identity.outputs.id
    deploymentUri: storage.outputs.deploymentUri
    httpInstances: httpInstances
    revocationInstances: revocationInstances
    maximumInstances: maximumInstances
    instanceMemory: instanceMemory
    zoneRedundant: zoneRedundant
    subnetId: privateNetworking ? network.outputs.appSubnetId : ''
  }
  dependsOn: [
    roles
  ]
}

module signIn 'modules/sign-in.bicep' = if (!empty(readersClientId)) {
  name: 'sign-in'
  params: {
    appName: app.outputs.name
    tenantId: tenantId
    clientId: readersClientId
  }
}

module bot 'modules/bot.bicep' = if (!empty(approvalRoutesFile)) {
  name: 'bot'
  params: {
    uniqueName: uniqueName
    tags: tags
    tenantId: tenantId
    tier: botTier
    appId: botAppId
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostName: app.outputs.hostName
  }
}

module appSettings 'modules/app-settings.bicep' = {
  name: 'app-settings'
  params: {
    appName: app.outputs.name
    hostName: app.outputs.hostName
    vaultUri: vault.outputs.uri
    blobUri: storage.outputs.blobUri
    tableUri: storage.outputs.tableUri
    serviceBusHostName: serviceBus.outputs.hostName
    identityClientId: identity.outputs.clientId
    insightsConnectionString: monitoring.outputs.connectionString
    tenantId: tenantId
    cloud: empty(cloud) ? environment().name : cloud
    clientStateGeneration: clientStateGeneration
    gatewayBaseUrl: gatewayBaseUrl
    gatewayClientId: gatewayClientId
    gatewayTimeoutSeconds: gatewayTimeoutSeconds
    gatewayWebUrl: empty(gatewayWebUrl) ? gatewayBaseUrl : gatewayWebUrl
    gatewaySignsWebhooks: gatewaySignsWebhooks
    keysAreRotating: keysAreRotating
    approvalRoutesFile: approvalRoutesFile
    reviewerKeySettings: reviewerKeySettings
    botAppId: empty(botAppId) ? identity.outputs.clientId : botAppId
    teamsServiceUrl: teamsServiceUrl
    teamsOnBehalfOf: teamsOnBehalfOf
    reportReadersGroup: reportReadersGroup
    identityMapFile: identityMapFile
    postureRulesFile: postureRulesFile
    nameServers: nameServers
    onUnenforceableRemoval: onUnenforceableRemoval
    restoreAfterSeconds: restoreAfterSeconds
    replicationHorizonSeconds: replicationHorizonSeconds
    tokenLifetimeSeconds: tokenLifetimeSeconds
    sweepLimitPercent: sweepLimitPercent
    sweepLimitMinimum: sweepLimitMinimum
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    uniqueName: uniqueName
    location: location
    tags: tags
    insightsId: monitoring.outputs.insightsId
    serviceBusId: serviceBus.outputs.id
    mailAddress: alertMailAddress
    revocationSeconds: revocationSeconds
  }
}

// azd keeps these as variables, so none may be called as a variable that a parameter is read from.
output APP_NAME string = app.outputs.name
output APP_HOST_NAME string = app.outputs.hostName
output KEY_VAULT_NAME string = vault.outputs.name
output IDENTITY_CLIENT_ID string = identity.outputs.clientId
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output TEAMS_BOT_ID string = empty(botAppId) ? identity.outputs.clientId : botAppId
output STORAGE_ACCOUNT_NAME string = storage.outputs.name
output SERVICE_BUS_NAME string = serviceBus.outputs.name

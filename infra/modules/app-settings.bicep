// Every setting of the app, in the order of local.settings.example.json, which says what each one means.

param appName string
param hostName string
param vaultUri string
param blobUri string
param tableUri string
param serviceBusHostName string
param identityClientId string
param insightsConnectionString string
param tenantId string
param cloud string
param clientStateGeneration int
param gatewayBaseUrl string
param gatewayClientId string
param gatewayTimeoutSeconds int
param gatewayWebUrl string
param gatewaySignsWebhooks bool
param keysAreRotating bool
param approvalRoutesFile string
param reviewerKeySettings string
param botAppId string
param teamsServiceUrl string
param teamsOnBehalfOf bool
param reportReadersGroup string
param identityMapFile string
param postureRulesFile string
param nameServers string
param onUnenforceableRemoval string
param restoreAfterSeconds int
param replicationHorizonSeconds int
param tokenLifetimeSeconds int
param sweepLimitPercent int
param sweepLimitMinimum int

// A reference to a secret that is not there would reach the app as it is written here, for everybody to read. So what
// is optional is referred to only where a parameter says that it is in the vault, and the app refuses a bare reference.
var secret = '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/'

var reviewerKeys = empty(reviewerKeySettings) ? [] : split(replace(reviewerKeySettings, ' ', ''), ',')
var reviewerPairs = [for name in reviewerKeys: '"${name}":"${secret}${toLower(replace(name, '_', '-'))})"']
var reviewerSettings = json('{${join(reviewerPairs, ',')}}')

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName
}

resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  // checkov:skip=CKV_AZURE_13: this holds app settings; what the check looks for is elsewhere
  // checkov:skip=CKV_AZURE_63: this holds app settings; what the check looks for is elsewhere
  // checkov:skip=CKV_AZURE_65: this holds app settings; what the check looks for is elsewhere
  // checkov:skip=CKV_AZURE_66: this holds app settings; what the check looks for is elsewhere
  // checkov:skip=CKV_AZURE_80: this holds app settings; what the check looks for is elsewhere
  // checkov:skip=CKV_AZURE_88: this holds app settings; what the check looks for is elsewhere
  // checkov:skip=CKV_AZURE_222: this holds app settings; what the check looks for is elsewhere
  parent: app
  name: 'appsettings'
  properties: union(reviewerSettings, {
    TENANT_ID: tenantId
    NOTIFICATION_URL: 'https://${hostName}/api/graph/notifications'
    CLIENT_STATE_KEY: '${secret}client-state-key)'
    CLIENT_STATE_PREVIOUS_KEY: keysAreRotating ? '${secret}client-state-previous-key)' : ''
    CLIENT_STATE_GENERATION: string(clientStateGeneration)
    AZURE_CLOUD: cloud
    GRAPH_BASE_URL: ''
    AZURE_CLIENT_ID: identityClientId
    GATEWAY_BASE_URL: gatewayBaseUrl
    GATEWAY_CLIENT_ID: gatewayClientId
    GATEWAY_API_KEY: empty(gatewayClientId) ? '${secret}gateway-api-key)' : ''
    GATEWAY_TIMEOUT_SECONDS: string(gatewayTimeoutSeconds)
    AzureWebJobsStorage__blobServiceUri: blobUri
    AzureWebJobsStorage__tableServiceUri: tableUri
    ServiceBus__fullyQualifiedNamespace: serviceBusHostName
    APPROVAL_ROUTES_FILE: approvalRoutesFile
    BOT_APP_ID: empty(approvalRoutesFile) ? '' : botAppId
    BOT_OPENID_METADATA_URL: ''
    TEAMS_SERVICE_URL: teamsServiceUrl
    CARD_TOKEN_KEY: empty(approvalRoutesFile) ? '' : '${secret}card-token-key)'
    CARD_TOKEN_PREVIOUS_KEY: keysAreRotating ? '${secret}card-token-previous-key)' : ''
    GATEWAY_WEBHOOK_SECRETS: gatewaySignsWebhooks ? '${secret}gateway-webhook-secrets)' : ''
    GATEWAY_WEB_URL: gatewayWebUrl
    TEAMS_ON_BEHALF_OF: string(teamsOnBehalfOf)
    AZURE_AUTHORITY_HOST: ''
    REPORT_READERS_GROUP: reportReadersGroup
    POSTURE_RULES_FILE: postureRulesFile
    NAME_SERVERS: nameServers
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identityClientId}'
    IDENTITY_MAP_FILE: identityMapFile
    ON_UNENFORCEABLE_REMOVAL: onUnenforceableRemoval
    RESTORE_AFTER_SECONDS: string(restoreAfterSeconds)
    REPLICATION_HORIZON_SECONDS: string(replicationHorizonSeconds)
    TOKEN_LIFETIME_SECONDS: string(tokenLifetimeSeconds)
    SWEEP_LIMIT_PERCENT: string(sweepLimitPercent)
    SWEEP_LIMIT_MINIMUM: string(sweepLimitMinimum)

    // What only the platform reads.
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    ServiceBus__credential: 'managedidentity'
    ServiceBus__clientId: identityClientId
    OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: identityClientId
  })
}

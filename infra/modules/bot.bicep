// The bot in Teams: single-tenant and without a secret. The managed identity is the bot, or vouches for its registration.

@description('Part of every name.')
param uniqueName string
param tags object
param tenantId string

@description('The F0 tier is free and enough: messages over the Teams channel are not counted.')
param tier string

@description('The bot in Entra: an app registration with a federated credential; empty: the managed identity itself.')
param appId string
param identityId string
param identityClientId string
param hostName string

resource bot 'Microsoft.BotService/botServices@2022-09-15' = {
  name: '${uniqueName}-bot'
  location: 'global'
  tags: tags
  kind: 'azurebot'
  sku: {
    name: tier
  }
  properties: {
    displayName: 'Tether'
    description: 'Asks approvers, and takes their answers.'
    endpoint: 'https://${hostName}/api/teams/messages'
    msaAppType: empty(appId) ? 'UserAssignedMSI' : 'SingleTenant'
    msaAppId: empty(appId) ? identityClientId : appId
    msaAppMSIResourceId: empty(appId) ? identityId : null
    msaAppTenantId: tenantId
    disableLocalAuth: true
    isStreamingSupported: false
  }
}

resource teams 'Microsoft.BotService/botServices/channels@2022-09-15' = {
  parent: bot
  name: 'MsTeamsChannel'
  location: 'global'
  properties: {
    channelName: 'MsTeamsChannel'
    properties: {
      isEnabled: true
      enableCalling: false
      acceptedTerms: true
    }
  }
}


// The app: a Flex Consumption plan, and a function app that no password opens.

@description('Part of every name.')
param uniqueName string
param location string
param tags object
param identityId string

@description('The container that the code is deployed to, with its address.')
param deploymentUri string

@description('Instances that are never cold and answer HTTP: Graph drops notifications after slow answers.')
@minValue(1)
param httpInstances int

@description('Instances that are never cold and revoke: the first revocation after a quiet hour counts, too.')
@minValue(1)
param revocationInstances int

@description('How far the app may scale out.')
@minValue(1)
@maxValue(1000)
param maximumInstances int

@description('Memory of an instance in MB.')
param instanceMemory int

@description('Whether instances are spread over availability zones.')
param zoneRedundant bool

@description('The subnet the app leaves through; empty: the public network.')
param subnetId string

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  // checkov:skip=CKV_AZURE_225: not every region has zones, so it is a parameter
  name: '${uniqueName}-plan'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

// No health check path: Flex Consumption has no such check, and /api/health tells people what waits for them, which no
// restart would mend. An app that is dead stops sweeping, and the sweep alert says so.
resource app 'Microsoft.Web/sites@2024-04-01' = {
  // checkov:skip=CKV_AZURE_222: Graph, Teams and the gateway have to reach it
  // checkov:skip=CKV_AZURE_17: none of them brings a client certificate; each has a proof of its own
  // checkov:skip=CKV_AZURE_212: a Flex Consumption app counts always-ready instances instead
  // checkov:skip=CKV_AZURE_213: Flex Consumption has no health check
  name: '${uniqueName}-app'
  location: location
  tags: union(tags, {
    'azd-service-name': 'tether'
  })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      remoteDebuggingEnabled: false
    }
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: '3.13'
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentUri
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstances
        instanceMemoryMB: instanceMemory
        alwaysReady: [
          {
            name: 'http'
            instanceCount: httpInstances
          }
          {
            name: 'function:process_principal_changes'
            instanceCount: revocationInstances
          }
        ]
      }
    }
  }
}

resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

output name string = app.name
output hostName string = app.properties.defaultHostName

// What Tether remembers: its tables and containers, and the container that the app's code is deployed to.

@description('Part of every name.')
param uniqueName string
param location string
param tags object

@description('How Storage copies what it holds; zone-redundant survives the loss of a datacentre.')
param redundancy string

@description('Whether only private endpoints reach the account.')
param isPrivate bool

@description('For how many days nobody can change or delete evidence. Lock the policy once you are sure of the number.')
@minValue(1)
@maxValue(146000)
param evidenceDays int

var containers = [
  'evidence'
  'holds'
  'scans'
  'reports'
  'notices'
]
var tables = [
  'principals'
  'sweeps'
  'approvals'
  'conversations'
  'attestations'
]
var deploymentContainer = 'deployments'

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  // checkov:skip=CKV_AZURE_35: the firewall closes with private networking; without it, the app has no fixed address
  // checkov:skip=CKV_AZURE_43: the name is made of a name and a hash, and their lengths are bounded
  // checkov:skip=CKV_AZURE_206: redundancy is a parameter, zone-redundant unless you say otherwise
  name: replace('${uniqueName}data', '-', '')
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: storage
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: 14
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 14
    }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = [for name in containers: {
  parent: blobs
  name: name
  properties: {
    publicAccess: 'None'
  }
}]

resource deployments 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: deploymentContainer
  properties: {
    publicAccess: 'None'
  }
}

// Evidence is kept in append blobs: their past can be neither changed nor deleted, and they still grow.
resource evidencePolicy 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2024-01-01' = {
  name: '${storage.name}/default/evidence/default'
  properties: {
    immutabilityPeriodSinceCreationInDays: evidenceDays
    allowProtectedAppendWrites: true
  }
  dependsOn: [
    container
  ]
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' = {
  parent: storage
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' = [for name in tables: {
  parent: tableService
  name: name
}]

output id string = storage.id
output name string = storage.name
output blobUri string = storage.properties.primaryEndpoints.blob
output tableUri string = storage.properties.primaryEndpoints.table
output deploymentUri string = '${storage.properties.primaryEndpoints.blob}${deploymentContainer}'

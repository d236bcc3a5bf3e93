// What waits to be done: one namespace, its queues, and the queue in which every dead letter ends.

@description('Part of every name.')
param uniqueName string
param location string
param tags object

@description('Standard, or Premium: dedicated capacity, and the only tier with private endpoints.')
param tier string

@description('Whether only private endpoints reach the namespace.')
param isPrivate bool

// Locks and counts as in the sandbox. Nothing is deduplicated: removed, added and removed again are three real events.
var queues = [
  {
    name: 'principal-changes'
    lockDuration: 'PT60S'
    maxDeliveryCount: 10
  }
  {
    name: 'verifications'
    lockDuration: 'PT60S'
    maxDeliveryCount: 10
  }
  {
    name: 'subscription-events'
    lockDuration: 'PT60S'
    maxDeliveryCount: 10
  }
  {
    name: 'review-events'
    lockDuration: 'PT60S'
    maxDeliveryCount: 10
  }
  {
    name: 'card-updates'
    lockDuration: 'PT60S'
    maxDeliveryCount: 10
  }
  {
    name: 'posture-jobs'
    lockDuration: 'PT60S'
    maxDeliveryCount: 10
  }
]

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: '${uniqueName}-bus'
  location: location
  tags: tags
  sku: {
    name: tier
    tier: tier
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
  }
}

resource deadLetters 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'dead-letters'
  properties: {
    lockDuration: 'PT60S'
    maxDeliveryCount: 100
    requiresDuplicateDetection: false
    requiresSession: false
  }
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [for each in queues: {
  parent: namespace
  name: each.name
  properties: {
    lockDuration: each.lockDuration
    maxDeliveryCount: each.maxDeliveryCount
    forwardDeadLetteredMessagesTo: deadLetters.name
    deadLetteringOnMessageExpiration: true
    requiresDuplicateDetection: false
    requiresSession: false
  }
}]

output id string = namespace.id
output name string = namespace.name
output hostName string = split(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':')[0]

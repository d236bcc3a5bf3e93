// Who Tether is: one user-assigned managed identity, for Graph, the gateway, Service Bus, Storage, Key Vault and the bot.

@description('Part of every name.')
param uniqueName string
param location string
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${uniqueName}-identity'
  location: location
  tags: tags
}

output id string = identity.id
output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId

// Private networking: the app leaves through a subnet of its own, and what it needs answers on private addresses alone.
// The app's own address stays public: Graph, Teams and the gateway have to reach it.

@description('Part of every name.')
param uniqueName string
param location string
param tags object

@description('The address space, and its parts: what the app leaves through, and where its neighbours answer.')
param networkPrefix string
param outboundPrefix string
param privatePrefix string

param storageId string
param serviceBusId string
param vaultId string

@description('The host name of the Service Bus namespace, which says in which cloud it is.')
param serviceBusHostName string

var zones = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.table.${environment().suffixes.storage}'
  'privatelink.${join(skip(split(serviceBusHostName, '.'), 1), '.')}'
  replace(environment().suffixes.keyvaultDns, '.vault.', 'privatelink.vaultcore.')
]
var neighbours = [
  {
    name: 'blob'
    id: storageId
  }
  {
    name: 'table'
    id: storageId
  }
  {
    name: 'namespace'
    id: serviceBusId
  }
  {
    name: 'vault'
    id: vaultId
  }
]

resource outboundGroup 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: '${uniqueName}-outbound-nsg'
  location: location
  tags: tags
}

resource privateGroup 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: '${uniqueName}-private-nsg'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: '${uniqueName}-network'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        networkPrefix
      ]
    }
    subnets: [
      {
        name: 'outbound'
        properties: {
          addressPrefix: outboundPrefix
          networkSecurityGroup: {
            id: outboundGroup.id
          }
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'private'
        properties: {
          addressPrefix: privatePrefix
          networkSecurityGroup: {
            id: privateGroup.id
          }
        }
      }
    ]
  }
}

resource outbound 'Microsoft.Network/virtualNetworks/subnets@2024-05-01' existing = {
  parent: network
  name: 'outbound'
}

resource private 'Microsoft.Network/virtualNetworks/subnets@2024-05-01' existing = {
  parent: network
  name: 'private'
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [for name in zones: {
  name: name
  location: 'global'
  tags: tags
}]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (name, i) in zones: {
  parent: zone[i]
  name: '${uniqueName}-link'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: network.id
    }
  }
}]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = [for neighbour in neighbours: {
  name: '${uniqueName}-${neighbour.name}'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: private.id
    }
    privateLinkServiceConnections: [
      {
        name: neighbour.name
        properties: {
          privateLinkServiceId: neighbour.id
          groupIds: [
            neighbour.name
          ]
        }
      }
    ]
  }
}]

resource record 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [for (neighbour, i) in neighbours: {
  parent: endpoint[i]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: neighbour.name
        properties: {
          privateDnsZoneId: zone[i].id
        }
      }
    ]
  }
}]

output appSubnetId string = outbound.id

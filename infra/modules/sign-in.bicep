// Who signs in: App Service asks Entra who a reader of reports is. Everything else proves itself to the app.

param appName string
param tenantId string

@description('The application (client) id of the registration that readers sign in to.')
param clientId string

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName
}

resource signIn 'Microsoft.Web/sites/config@2024-04-01' = {
  // checkov:skip=CKV_AZURE_13: this holds the sign-in; what the check looks for is elsewhere
  // checkov:skip=CKV_AZURE_63: this holds the sign-in; what the check looks for is elsewhere
  // checkov:skip=CKV_AZURE_65: this holds the sign-in; what the check looks for is elsewhere
  // checkov:skip=CKV_AZURE_66: this holds the sign-in; what the check looks for is elsewhere
  // checkov:skip=CKV_AZURE_80: this holds the sign-in; what the check looks for is elsewhere
  // checkov:skip=CKV_AZURE_88: this holds the sign-in; what the check looks for is elsewhere
  // checkov:skip=CKV_AZURE_222: this holds the sign-in; what the check looks for is elsewhere
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
      runtimeVersion: '~1'
    }
    globalValidation: {
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
      // Graph, Teams and the gateway bring proofs of their own; a token that is not Entra's for us is no error there.
      excludedPaths: [
        '/api/graph/notifications'
        '/api/teams/messages'
        '/api/gateway/events'
      ]
    }
    httpSettings: {
      requireHttps: true
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          // Not a secret: this name makes App Service sign in with the managed identity as a federated credential.
          clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            clientId
            'api://${clientId}'
          ]
        }
      }
    }
  }
}

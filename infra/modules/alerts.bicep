// Who hears what: an action group, and the alerts on what the app writes to its log and leaves in its queues.

@description('Part of every name.')
param uniqueName string
param location string
param tags object
param insightsId string
param serviceBusId string

@description('Where alerts are mailed to: a person, a list or a Teams channel; empty: nobody is mailed.')
param mailAddress string

@description('What 99 of 100 revocations must stay below, from notification to verified, in seconds.')
@minValue(1)
param revocationSeconds int

var rules = [
  {
    name: 'subscription-missing'
    severity: 1
    window: 'PT5M'
    description: 'A Graph subscription was gone and had to be made anew, or could be neither watched nor renewed.'
    query: 'traces | where message startswith "alert subscription-made-anew" or (message startswith "alert tick-failed" and (message contains "watch subscriptions" or message contains "renew subscriptions"))'
  }
  {
    name: 'sweep-lag'
    severity: 1
    window: 'PT5M'
    description: 'For five minutes, one of the four directory resources was not swept: nothing finds what notifications missed.'
    query: 'traces | where message startswith "measured sweep " | extend resource = tostring(parse_json(substring(message, indexof(message, "{"))).resource) | summarize swept = dcount(resource) | where swept < 4'
  }
  {
    name: 'revocation-slow'
    severity: 2
    window: 'PT15M'
    description: 'Of the last quarter of an hour\'s revocations, one in a hundred took longer than promised.'
    query: 'traces | where message startswith "measured notification-to-revocation " | parse message with "measured notification-to-revocation " seconds:double " s " * | summarize p99 = percentile(seconds, 99) | where p99 > ${revocationSeconds}'
  }
  {
    name: 'scan-failed'
    severity: 2
    window: 'PT1H'
    description: 'A posture report could not be asked for, made or announced.'
    query: 'traces | where (message startswith "alert tick-failed" and (message contains "ask for weekly report" or message contains "ask for rotation")) or (message startswith "alert dead-lettered" and message contains "posture-jobs")'
  }
  {
    name: 'somebody-has-to-look'
    severity: 2
    window: 'PT15M'
    description: 'The app raised an alert that no other rule tells of; docs/operations.md says what each reason asks for.'
    query: 'traces | where message startswith "alert " | extend reason = tostring(split(message, " ")[1]) | where reason !in ("subscription-made-anew", "dead-lettered") and not(reason == "tick-failed" and (message contains "sweep " or message contains "poll reviews" or message contains "subscriptions" or message contains "ask for "))'
  }
]

var heaps = [
  {
    name: 'dead-letters'
    metric: 'ActiveMessages'
    queues: [
      'dead-letters'
    ]
    description: 'A message that nobody will try again waits in the queue of dead letters.'
  }
  {
    name: 'dead-letters-left-behind'
    metric: 'DeadletteredMessages'
    queues: [
      '*'
    ]
    description: 'A dead letter could not be forwarded and waits beside the queue it came from.'
  }
]

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${uniqueName}-operators'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'tether'
    enabled: true
    emailReceivers: empty(mailAddress) ? [] : [
      {
        name: 'operators'
        emailAddress: mailAddress
        useCommonAlertSchema: true
      }
    ]
  }
}

resource logAlert 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = [for rule in rules: {
  name: '${uniqueName}-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.name
    description: rule.description
    enabled: true
    severity: rule.severity
    scopes: [
      insightsId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: rule.window
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        operators.id
      ]
    }
  }
}]

resource queueAlert 'Microsoft.Insights/metricAlerts@2018-03-01' = [for heap in heaps: {
  name: '${uniqueName}-${heap.name}'
  location: 'global'
  tags: tags
  properties: {
    description: heap.description
    enabled: true
    severity: 1
    scopes: [
      serviceBusId
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: heap.name
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: heap.metric
          dimensions: [
            {
              name: 'EntityName'
              operator: 'Include'
              values: heap.queues
            }
          ]
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Maximum'
        }
      ]
    }
    actions: [
      {
        actionGroupId: operators.id
      }
    ]
  }
}]

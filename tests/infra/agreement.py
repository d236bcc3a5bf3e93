"""Where infrastructure and code have to agree: settings, queues, tables, containers, doors, alerts and versions."""

import re
from collections.abc import Iterator
from typing import Any

from tests.infra import code
from tests.infra.bicep import at, text_of
from tests.infra.infrastructure import Infrastructure

# Settings that Azure does not get, each with its reason.
ABSENT = {
    "FUNCTIONS_WORKER_RUNTIME": "functionAppConfig.runtime says it; a Flex Consumption app refuses the setting",
    "AzureWebJobsStorage": "a connection string; the managed identity signs in, and shared keys are off",
    "ServiceBus": "a connection string; the managed identity signs in, and local authentication is off",
}
# Settings that only the platform reads, each with its reason.
PLATFORM = {
    "AzureWebJobsStorage__credential": "the Functions host: sign in to Storage with an identity",
    "AzureWebJobsStorage__clientId": "the Functions host: which identity",
    "ServiceBus__credential": "the Functions host: sign in to Service Bus with an identity",
    "ServiceBus__clientId": "the Functions host: which identity",
    "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID": "App Service: readers sign in without a client secret of ours",
}
CONFIG = "Microsoft.Web/sites/config"
STORAGE = "Microsoft.Storage/storageAccounts"
ALERTS = {"subscription-missing", "sweep-lag", "revocation-slow", "scan-failed", "somebody-has-to-look"}
QUEUE_ALERTS = {"ActiveMessages": ["dead-letters"], "DeadletteredMessages": ["*"]}


def settings_differ(infra: Infrastructure) -> Iterator[str]:
    """Settings of the app against those that the code reads and the example shows."""
    wanted = code.settings() - set(ABSENT) | set(PLATFORM)
    given = set(at(_named(infra.deployed(CONFIG), "appsettings"), "properties") or {})
    yield from _differ("setting", wanted, given)


def queues_differ(infra: Infrastructure) -> Iterator[str]:
    """Queues against the sandbox's and against the triggers."""
    found = infra.deployed("Microsoft.ServiceBus/namespaces/queues")
    deployed = {text_of(at(queue, "name")): at(queue, "properties") or {} for queue in found}
    wanted = code.queues()
    yield from _differ("queue", set(wanted), set(deployed))
    yield from _differ("queue of a trigger", code.triggering_queues(), set(deployed) - {"dead-letters"})
    for name in set(wanted) & set(deployed):
        yield from _queue_differs(name, wanted[name], deployed[name])


def storage_differs(infra: Infrastructure) -> Iterator[str]:
    """Containers and tables against those that the code uses, and the one that the code is deployed to."""
    containers = {text_of(at(one, "name")) for one in infra.deployed(f"{STORAGE}/blobServices/containers")}
    tables = {text_of(at(one, "name")) for one in infra.deployed(f"{STORAGE}/tableServices/tables")}
    yield from _differ("container", code.CONTAINERS | {"deployments"}, containers)
    yield from _differ("table", code.TABLES, tables)


def doors_differ(infra: Infrastructure) -> Iterator[str]:
    """The addresses that need no sign-in of Entra's against those that bring proofs of their own."""
    validation = at(_named(infra.deployed(CONFIG), "authsettingsV2"), "properties.globalValidation")
    yield from _differ("open door", code.open_doors(), set(at(validation, "excludedPaths") or []))


def functions_differ(infra: Infrastructure) -> Iterator[str]:
    """Instances that are kept for functions which do not exist, or not kept where they have to be."""
    for app in infra.deployed("Microsoft.Web/sites"):
        kept = at(app, "properties.functionAppConfig.scaleAndConcurrency.alwaysReady") or []
        ready = {text_of(at(one, "name")) for one in kept}
        yield from _differ("group that is always ready", {"http", "function:process_principal_changes"}, ready)
    names = {f"function:{name}" for name, _ in code.bindings()}
    if "function:process_principal_changes" not in names:
        yield "process_principal_changes is no function any more"


def alerts_differ(infra: Infrastructure) -> Iterator[str]:
    """Alerts that are missing, or that wait for what the code never says."""
    log_alerts = infra.deployed("Microsoft.Insights/scheduledQueryRules")
    rules = {text_of(at(rule, "properties.displayName")): rule for rule in log_alerts}
    yield from _differ("alert", ALERTS, set(rules))
    counted = [at(rule, "properties.criteria.allOf.0") for rule in infra.deployed("Microsoft.Insights/metricAlerts")]
    metrics = {text_of(at(one, "metricName")): at(one, "dimensions.0.values") for one in counted}
    if metrics != QUEUE_ALERTS:
        yield f"alerts on queues: {metrics}"
    said = code.said("raise_alert") | code.said("measure") | code.said("_tick") | code.triggering_queues()
    for name, rule in rules.items():
        query = text_of(at(rule, "properties.criteria.allOf.0.query"))
        for word in _words(query):
            if not any(word in one or one.startswith(word) for one in said):
                yield f"alert {name}: the code never says {word!r}"
        if "swept <" in query and f"swept < {code.SWEPT}" not in query:
            yield f"alert {name}: {code.SWEPT} resources are swept"


def _words(query: str) -> set[str]:
    """What a query looks for: reasons, measures, timers and queues."""
    texts = set(re.findall(r'(?:startswith|contains|==|in \(|with) "([^"]+)"|, "([^"]+)"', query))
    words = {left or right for left, right in texts} - {" ", "{"}
    return {re.sub(r"^(alert|measured) ", "", word).strip() for word in words if word != "alert "}


def _queue_differs(name: str, wanted: dict[str, Any], given: dict[str, Any]) -> Iterator[str]:
    forward = text_of(given.get("forwardDeadLetteredMessagesTo"))
    expected = {
        "lockDuration": f"PT{wanted['lockSeconds']}S",
        "maxDeliveryCount": wanted["maxDeliveryCount"],
        "requiresDuplicateDetection": False,
        "requiresSession": False,
    }
    for key, value in expected.items():
        if given.get(key) != value:
            yield f"queue {name}: {key} is {given.get(key)} and should be {value}"
    if ("forwardDeadLetteredMessagesTo" in wanted) != (forward == "deadLetters.name"):
        yield f"queue {name}: dead letters go to {forward}"


def _named(bodies: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next((body for body in bodies if body.get("name") == name), {})


def _differ(what: str, wanted: set[str], given: set[str]) -> Iterator[str]:
    yield from (f"{what} {name} is missing in the infrastructure" for name in sorted(wanted - given))
    yield from (f"{what} {name} is in the infrastructure alone" for name in sorted(given - wanted))

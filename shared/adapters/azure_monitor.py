"""Azure Monitor: the app's metrics go to Application Insights once a minute; logs go there through the host."""

import os
from collections.abc import Callable

from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

EVERY_SECONDS = 60.0


def export_metrics(connection_string: str) -> Callable[[], None]:
    """Export what `Telemetry` counts from now on; call the returned function to send the rest and stop.

    `APPLICATIONINSIGHTS_AUTHENTICATION_STRING` lets the exporter sign in with the managed identity.
    """
    # Statistics about the exporter itself would go to other addresses than the one that the operator has set.
    os.environ.setdefault("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
    os.environ.setdefault("APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED", "true")
    exporter = AzureMonitorMetricExporter(connection_string=connection_string, disable_offline_storage=True)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=EVERY_SECONDS * 1000)
    provider = MeterProvider([reader])
    metrics.set_meter_provider(provider)
    return provider.shutdown

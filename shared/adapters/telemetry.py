"""Alerts and durations: structured log lines, and OpenTelemetry metrics named after the domain's words."""

import json
import logging

from opentelemetry import metrics

_LOG = logging.getLogger("tether")
_METER = metrics.get_meter("tether")


class Telemetry:
    """What operators see. Details are ids, counts and reasons; never a secret, a token or a command."""

    def __init__(self) -> None:
        self._alerts = _METER.create_counter("tether.alerts", description="what somebody has to look at, by reason")
        self._durations = _METER.create_histogram("tether.duration", unit="s", description="how long it took, by name")

    def raise_alert(self, reason: str, **details: object) -> None:
        """See `Alerts.raise_alert`."""
        self._alerts.add(1, {"reason": reason})
        _LOG.warning("alert %s %s", reason, json.dumps(details, default=str, sort_keys=True))

    def measure(self, name: str, seconds: float, **attributes: str) -> None:
        """See `Alerts.measure`."""
        self._durations.record(seconds, {"name": name, **attributes})
        _LOG.info("measured %s %.3f s %s", name, seconds, json.dumps(attributes, sort_keys=True))

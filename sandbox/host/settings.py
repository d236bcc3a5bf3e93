"""What the host reads before it starts anything: host.json, local.settings.json and app settings."""

import json
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.host.errors import AppError


@dataclass(frozen=True, slots=True)
class HostSettings:
    """The parts of host.json that this host honours; durations are seconds."""

    route_prefix: str = "api"
    function_timeout: float = 1800.0
    prefetch_count: int = 0
    max_concurrent_calls: int = 16
    auto_complete_messages: bool = True
    max_lock_renewal: float = 300.0


def read_host_settings(app_root: Path) -> HostSettings:
    """The host.json at the app root, with Azure's defaults for what it leaves out."""
    host_json = _read_json(app_root / "host.json")
    if host_json.get("version") != "2.0":
        raise AppError(f'{app_root / "host.json"} must say "version": "2.0"')
    extensions = host_json.get("extensions", {})
    bus = extensions.get("serviceBus", {})
    defaults = HostSettings()
    return HostSettings(
        route_prefix=extensions.get("http", {}).get("routePrefix", defaults.route_prefix).strip("/"),
        function_timeout=seconds(host_json.get("functionTimeout", "00:30:00")),
        prefetch_count=bus.get("prefetchCount", defaults.prefetch_count),
        max_concurrent_calls=bus.get("maxConcurrentCalls", defaults.max_concurrent_calls),
        auto_complete_messages=bus.get("autoCompleteMessages", defaults.auto_complete_messages),
        max_lock_renewal=seconds(bus.get("maxAutoLockRenewalDuration", "00:05:00")),
    )


def fill_environment(app_root: Path, environment: MutableMapping[str, str] = os.environ) -> None:
    """Gives unset variables the `Values` of local.settings.json; what is already set wins."""
    file = app_root / "local.settings.json"
    values = _read_json(file).get("Values", {}) if file.exists() else {}
    for name, value in values.items():
        environment.setdefault(name, str(value))


def resolve(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """`text` with each `%SETTING%` replaced by that app setting."""

    def value(match: re.Match[str]) -> str:
        try:
            return environment[match[1]]
        except KeyError:
            raise AppError(f"{match[0]} in a binding names an app setting that is not set") from None

    return re.sub(r"%([^%\s]+)%", value, text)


def seconds(duration: str) -> float:
    """The length of a .NET time span (`[d.]hh:mm:ss[.fff]`); "-1" means for ever."""
    if duration == "-1":
        return float("inf")
    match = re.fullmatch(r"(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)", duration)
    if match is None:
        raise AppError(f"{duration!r} in host.json is not a duration such as 00:05:00")
    days, hours, minutes, rest = match.groups()
    return float(days or 0) * 86_400 + int(hours) * 3600 + int(minutes) * 60 + float(rest)


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AppError(f"{file} is missing") from None
    except ValueError as error:
        raise AppError(f"{file} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise AppError(f"{file} must hold a JSON object")
    return content

"""Moments in the spellings that Graph and the event log use."""

from datetime import UTC, datetime


def graph_date(at: float) -> str:
    """Whole seconds, as directory objects carry them."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def precise_date(at: float) -> str:
    """Seven decimals, as subscriptions and notifications carry them."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def event_date(at: float) -> str:
    """Microseconds, as the sandbox's event log carries them."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_of(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 moment, UTC where it names no zone; raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

"""Results: one row per promise, with what was measured and whether it holds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """One promise. `measured` is what is compared with `bound`; `details` are the figures around it."""

    promise: str
    bound: str
    measured: str
    holds: bool
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The row as the JSON file holds it."""
        return asdict(self)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which so many percent lie; the largest for very small samples."""
    if len(values) < 2:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def spread(values: Sequence[float], scale: float = 1000, digits: int = 0) -> dict[str, float]:
    """p50, p99, extremes and count, scaled (milliseconds unless said)."""
    return {
        "count": len(values),
        "min": round(min(values) * scale, digits),
        "p50": round(median(values) * scale, digits),
        "p99": round(percentile(values, 99) * scale, digits),
        "max": round(max(values) * scale, digits),
    }

"""Lifetimes: durations as Entra's policies write them, in days."""

import re

_DURATION = re.compile(
    r"P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?(?P<time>T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?"
)
_HOURS = re.compile(r"(\d+(?:\.\d+)?)([HMS])")
_DAYS_OF = {"years": 365, "months": 30, "weeks": 7, "days": 1}
_SECONDS_OF = {"H": 3600, "M": 60, "S": 1}


def lifetime_days(duration: str) -> int | None:
    """Whole days of an ISO 8601 duration such as `P181D` or `P6M`; `None` for what is not one.

    A year counts 365 days and a month 30, so that nothing passes as short that could be longer than allowed.
    """
    found = _DURATION.fullmatch(duration.strip().upper())
    if found is None or duration.strip().upper().endswith(("P", "T")):
        return None
    days = sum(int(found[unit] or 0) * length for unit, length in _DAYS_OF.items())
    seconds = sum(float(count) * _SECONDS_OF[unit] for count, unit in _HOURS.findall(found["time"] or ""))
    return days + int(seconds // 86_400)

"""Charts: open findings by week, the age of secrets, what ends when, and how much of the reach is used."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from markupsafe import Markup

from shared.domain.posture.figures import AGE_BOUNDS, WEEKS, CredentialFigures, Reach, Week, monday_of
from shared.domain.posture.finding import Severity
from shared.wire.cards.words import counted
from shared.wire.report.svg import bar, figure, line, text, window
from shared.wire.report.text import shown

WIDTH = 420
_HEIGHT = 210
_LEFT, _BASE, _TOP = 34, 180, 14
_MOST_REACH = 9
_AGE_LOOKS = ("fine", "fine", "fine", "s2", "s3", "s4")
_WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_SHADES = (1, 3, 6)


def trend_chart(weeks: Sequence[Week], at: datetime) -> Markup:
    """Open findings by severity over 13 weeks; a week without a report stays empty."""
    most = _round_up(max((week.total for week in weeks), default=0))
    first = monday_of(at) - timedelta(weeks=WEEKS - 1)
    by_monday = {week.monday: week for week in weeks}
    parts = [*_grid(most)]
    step = (WIDTH - _LEFT - 6) / WEEKS
    for index in range(WEEKS):
        monday = first + timedelta(weeks=index)
        x = _LEFT + index * step + 3
        if index % 3 == 0:
            parts.append(text("tick mid", (x + step / 2 - 3, _BASE + 16), f"{monday:%d %b}"))
        if (week := by_monday.get(monday)) is not None:
            parts += _column(week, x, step - 6, most)
        else:
            parts.append(text("tick mid", (x + step / 2 - 3, _BASE - 4), "·"))
    told = "; ".join(f"week of {week.monday}: {_severities(week)}" for week in weeks)
    return figure("trend", "Open findings by severity, 13 weeks", told, (WIDTH, _HEIGHT), parts)


def ages_chart(figures: CredentialFigures) -> Markup:
    """Live secrets by age; what is older than 180 days is due for a change."""
    bounds = [0, *AGE_BOUNDS]
    names = [f"{low} to {high} days" for low, high in zip(bounds, AGE_BOUNDS, strict=False)]
    names += [f"over {AGE_BOUNDS[-1]} days", "no date"]
    counts = [*figures.ages, figures.undated]
    looks = [*_AGE_LOOKS, "s0"]
    most = max(*counts, 1)
    parts: list[Markup] = []
    for row, (name, count, look) in enumerate(zip(names, counts, looks, strict=True)):
        y = _TOP + row * 27
        length = (WIDTH - 170) * count / most
        parts += [
            text("label end", (104, y + 14), name),
            bar(look, (112, y), (max(length, 1), 19), f"{name}: {counted(count, 'secret')}", corner=3),
            text("value", (120 + max(length, 1), y + 14), f"{count:,}"),
        ]
    told = "; ".join(f"{name}: {count}" for name, count in zip(names, counts, strict=True))
    return figure("ages", "Live secrets by age", told, (WIDTH, _HEIGHT), parts)


def expiry_calendar(figures: CredentialFigures, at: datetime) -> Markup:
    """The coming 13 weeks, day by day, with the number of credentials that end."""
    monday, today = monday_of(at), at.date()
    parts = [text("tick end", (24, 38 + row * 22), name) for row, name in enumerate(_WEEKDAYS)]
    month = 0
    for column in range(WEEKS):
        first = monday + timedelta(weeks=column)
        x = 30 + column * 29.5
        if first.month != month:
            month = first.month
            parts.append(text("tick", (x, 16), f"{first:%b}"))
        parts += [_day(first + timedelta(days=row), (x, 22 + row * 22), figures, today) for row in range(7)]
    parts.append(text("tick", (30, 196), "The stronger the colour, the more. The frame is today."))
    told = "; ".join(f"{day}: {count}" for day, count in figures.ends.items()) or "none"
    return figure("expiry", "Credentials that end, day by day", told, (WIDTH, _HEIGHT), parts)


def reach_chart(reaches: Sequence[Reach]) -> Markup:
    """Connections granted and connections opened within 90 days, the widest unused reach first."""
    worst = widest(reaches)
    most = max((reach.granted for reach in worst), default=1) or 1
    parts = [part for row, reach in enumerate(worst) for part in _reach(reach, 8 + row * 21, most)]
    told = "; ".join(f"{shown(reach.name, 40)}: {_used(reach)} of {reach.granted}" for reach in worst)
    return figure("reach", "Reach used against reach granted", told, (WIDTH, _HEIGHT), parts)


def widest(reaches: Sequence[Reach]) -> Sequence[Reach]:
    """As many as there is room for, the widest unused reach first."""
    return sorted(reaches, key=lambda reach: (-reach.unused, reach.name))[:_MOST_REACH]


def reach_in_words(reaches: Sequence[Reach]) -> str:
    """The reach of everybody together, as one percentage."""
    known = [(reach.granted, reach.used) for reach in reaches if reach.used is not None]
    granted, used = sum(each[0] for each in known), sum(each[1] for each in known)
    unknown = len(reaches) - len(known)
    missing = f" For {counted(unknown, 'identity')} the use is unknown." if unknown == 1 else ""
    missing = f" For {unknown} identities the use is unknown." if unknown > 1 else missing
    if not granted:
        return f"No reach is known.{missing}"
    return f"{used:,} of {granted:,} granted paths were opened within 90 days: {used / granted:.0%}.{missing}"


def _grid(most: int) -> Iterator[Markup]:
    for part in range(3):
        y = _BASE - (_BASE - _TOP) * part / 2
        yield line("grid", f"M{_LEFT} {y:g}H{WIDTH - 6}")
        yield text("tick end", (_LEFT - 6, y + 4), f"{most * part // 2:,}")


def _column(week: Week, x: float, width: float, most: int) -> Iterator[Markup]:
    y = float(_BASE)
    title = f"Week of {week.monday}: {_severities(week)}"
    for severity in sorted(Severity, reverse=True):
        height = (_BASE - _TOP) * week.counts.get(severity, 0) / most
        if height:
            y -= height
            yield bar(f"s{severity.value}", (x, y), (width, max(height - 0.7, 0.4)), title)


def _day(day: date, at: tuple[float, float], figures: CredentialFigures, today: date) -> Markup:
    count = figures.ends.get(day, 0) if day >= today else 0
    shade = sum(count >= least for least in _SHADES)
    look = f"day d{shade}{' past' if day < today else ''}{' today' if day == today else ''}"
    cell = bar(look, at, (27, 19.5), f"{day}: {counted(count, 'credential')} end" if count else f"{day}", corner=3)
    number = text(f"in mid on{shade}", (at[0] + 13.5, at[1] + 14), f"{count:,}") if count else Markup("")
    return cell + number


def _reach(reach: Reach, y: float, most: int) -> Iterator[Markup]:
    scale = (WIDTH - 220) / most
    yield window((0, y), (134, 19), text("label", (2, 14), shown(reach.name, 22)))
    title = f"{_used(reach)} of {counted(reach.granted, 'connection')} used"
    yield bar("track" if reach.used is not None else "track unknown", (140, y), (reach.granted * scale, 17), title)
    if reach.used:
        yield bar("used", (140, y), (reach.used * scale, 17), title)
    yield text("value", (146 + reach.granted * scale, y + 13), f"{_used(reach)} of {reach.granted}")


def _used(reach: Reach) -> str:
    return "unknown" if reach.used is None else str(reach.used)


def _severities(week: Week) -> str:
    each = [f"{week.counts.get(severity, 0)} {severity.word}" for severity in sorted(Severity, reverse=True)]
    return ", ".join(each)


def _round_up(count: int) -> int:
    """The next number that halves well on an axis."""
    unit = int(10 ** max(len(str(count)) - 1, 0))
    return next(step * unit for step in (2, 4, 6, 8, 10) if step * unit >= count)

"""Blast picture: what one identity reaches, through which groups, and which of it was really opened."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from markupsafe import Markup

from shared.wire.cards.words import counted, day
from shared.wire.report.svg import bar, figure, line, text, window
from shared.wire.report.text import shown

MOST_CONNECTIONS = 16
_WIDTH, _ROW, _BOX = 752, 42, 32
_IDENTITY, _GROUP, _CONNECTION = (8, 150), (236, 170), (486, 258)


class Reached(Protocol):
    """A connection, the groups that open it, the groups that must approve, and when it was opened last, if known."""

    @property
    def connection(self) -> str: ...  # noqa: D102 - the class says it

    @property
    def groups(self) -> Sequence[str]: ...  # noqa: D102

    @property
    def approvals(self) -> Sequence[str]: ...  # noqa: D102

    @property
    def last_opened(self) -> datetime | None: ...  # noqa: D102


class BlastRadius(Protocol):
    """One identity and everything that it reaches."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def object_id(self) -> str: ...  # noqa: D102

    @property
    def reached(self) -> Sequence[Reached]: ...  # noqa: D102


def blast_picture(blast: BlastRadius) -> Markup:
    """Three columns, identity, groups, connections; what was never opened is drawn in broken lines."""
    reached = blast.reached[:MOST_CONNECTIONS]
    groups = _ordered_groups(reached)
    rows = max(len(reached), len(groups), 1)
    height = rows * _ROW + (24 if len(blast.reached) > len(reached) else 8)
    middle = rows * _ROW / 2
    group_y = {group: _spread(index, len(groups), rows) for index, group in enumerate(groups)}
    used = {group for each in reached if each.last_opened for group in each.groups}
    parts = [_edge(_IDENTITY, middle, _GROUP, group_y[group], is_used=group in used) for group in groups]
    for index, each in enumerate(reached):
        y = _spread(index, len(reached), rows)
        is_used = each.last_opened is not None
        parts += [_edge(_GROUP, group_y[group], _CONNECTION, y, is_used=is_used) for group in each.groups]
        parts += _node(_CONNECTION, y, each.connection, _last(each), is_used=is_used)
    parts += [part for group in groups for part in _node(_GROUP, group_y[group], group, "", is_used=group in used)]
    parts += _node(_IDENTITY, middle, blast.name, counted(len(blast.reached), "connection"), is_used=True)
    if len(blast.reached) > len(reached):
        more = counted(len(blast.reached) - len(reached), "more connection")
        parts.append(text("tick", (_CONNECTION[0], height - 6), f"and {more}"))
    told = "; ".join(f"{shown(each.connection, 40)}: {_last(each)}" for each in reached) or "no connection"
    title = f"What {shown(blast.name, 40)} reaches"
    return figure("blast", title, told, (_WIDTH, int(height)), parts)


def _ordered_groups(reached: Sequence[Reached]) -> list[str]:
    """The groups in the order of what they open, so that few lines cross."""
    opened: dict[str, list[int]] = {}
    for index, each in enumerate(reached):
        for group in each.groups:
            opened.setdefault(group, []).append(index)
    return sorted(opened, key=lambda group: (sum(opened[group]) / len(opened[group]), group))


def _spread(index: int, count: int, rows: int) -> float:
    return rows * _ROW * (index + 0.5) / count


def _edge(left: tuple[int, int], y: float, right: tuple[int, int], to_y: float, *, is_used: bool) -> Markup:
    start, end = left[0] + left[1], right[0]
    middle = (start + end) / 2
    return line(
        "edge" if is_used else "edge unused",
        f"M{start} {y:.1f}C{middle:g} {y:.1f} {middle:g} {to_y:.1f} {end} {to_y:.1f}",
    )


def _node(column: tuple[int, int], y: float, name: str, note: str, *, is_used: bool) -> list[Markup]:
    x, width = column
    top = y - _BOX / 2
    words = [text("label", (9, 14 if note else 21), shown(name, 36))]
    if note:
        words.append(text("tick", (9, 27), note))
    return [
        bar("node" if is_used else "node unused", (x, top), (width, _BOX), corner=6),
        window((x, top), (width - 4, _BOX), Markup("").join(words)),
    ]


def _last(reached: Reached) -> str:
    opened = f"last opened {day(reached.last_opened)}" if reached.last_opened else "not seen open"
    return f"{opened}, asks for approval" if reached.approvals else opened

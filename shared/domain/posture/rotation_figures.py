"""Rotation figures: what a report says of the change of credentials, gathered app by app."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.posture.check import Case
from shared.domain.posture.inventory import App, Unknown
from shared.domain.posture.limits import Limits
from shared.domain.posture.rotation import Rotation, RotationState, rotation

_AT_REST = frozenset({RotationState.CURRENT, RotationState.RENEWED})


@dataclass(frozen=True, slots=True)
class RotationFigures:
    """Live credentials by state, and every application of which at least one is not at rest, the worst first.

    `could_federate` counts applications with a secret or certificate whose host would do without. `use_unknown` says
    why nobody knows which credential was used, where nobody does.
    """

    states: Mapping[RotationState, int] = field(default_factory=Counter)
    rotations: tuple[Rotation, ...] = ()
    could_federate: int = 0
    use_unknown: Unknown | None = None


class RotationTally:
    """Counts one application at a time; it remembers those that somebody has to look at."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._states: Counter[RotationState] = Counter()
        self._rotations: list[Rotation] = []
        self._could_federate = 0
        self._use_unknown: Unknown | None = None

    def add(self, app: App, limits: Limits) -> None:
        """Counts the live credentials of one application under its limits."""
        found = rotation(Case(app, self._at, limits))
        if found is None:
            return
        self._states.update(row.state for row in found.credentials)
        self._could_federate += bool(found.federation)
        if isinstance(found.last_use, Unknown):
            self._use_unknown = found.last_use
        if found.state not in _AT_REST:
            self._rotations.append(found)

    def figures(self) -> RotationFigures:
        """What was counted."""
        ranked = tuple(sorted(self._rotations, key=_worst_first))
        return RotationFigures(self._states, ranked, self._could_federate, self._use_unknown)


def _worst_first(one: Rotation) -> tuple[int, int, str]:
    worst = one.credentials[0]
    left = worst.days_left if worst.days_left is not None else 0
    return list(RotationState).index(worst.state), left, one.about.object_id

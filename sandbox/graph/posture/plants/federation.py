"""Plants of the chapter on federation."""

from sandbox.graph.posture.garden import Garden


def plant(garden: Garden) -> None:
    """Nothing yet."""

"""Plants of the chapter on usage."""

from sandbox.graph.posture.garden import Garden


def plant(garden: Garden) -> None:
    """Nothing yet."""

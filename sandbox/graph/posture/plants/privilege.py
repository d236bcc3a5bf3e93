"""Plants of the chapter on privilege."""

from sandbox.graph.posture.garden import Garden


def plant(garden: Garden) -> None:
    """Nothing yet."""

"""Checks: the catalogue, one pure function each. `shared.domain.posture.catalogue` runs them."""

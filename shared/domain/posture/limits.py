"""Limits: the thresholds on which peers and baselines differ, so that each is a setting."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Days unless said. `max_secret_days` and `max_certificate_days` are lowered to the tenant's own policy."""

    stale: int = 90
    stale_high: int = 180
    never_used: int = 30
    switched_off: int = 30
    agent_stale: int = 30
    expired_grace: int = 7
    expiring: tuple[int, ...] = (30, 14, 7, 1)
    max_secret_days: int = 180
    long_secret_days: int = 365
    very_long_secret_days: int = 730
    max_certificate_days: int = 365
    rotate_after: int = 180
    live_credentials: int = 2
    overlap: int = 14
    unused_credential: int = 30
    unused_credential_high: int = 90
    federated_limit: int = 18
    access_unused: int = 60
    access_never_used: int = 30
    dormant: int = 60
    wake_up: int = 7
    season_slack: int = 14
    shared_identity: int = 30
    being_built: int = 14
    bypass_minutes: int = 10
    smallest_rsa: int = 2048
    trusted_issuers: frozenset[str] = frozenset(
        {"https://token.actions.githubusercontent.com", "https://login.microsoftonline.com"}
    )

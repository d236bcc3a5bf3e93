"""Vault: where credentials are kept for those who use them, seen without their values."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.posture.inventory import App, Known, Unknown


@dataclass(frozen=True, slots=True)
class VaultVersion:
    """One version of a vault's secret. `key_id` is what its tag says it holds, and empty without a tag."""

    vault: str
    secret: str
    version: str
    key_id: str = ""
    enabled: bool = True
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VaultedApp:
    """An application by object id, and every vault version that is tagged with it.

    `app` is `None` when all applications were read and this is not among them.
    """

    object_id: str
    app: App | None
    versions: Known[tuple[VaultVersion, ...]] | Unknown

"""Vault: where credentials are kept for those who use them, seen without their values."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.posture.inventory import App, Known, Unknown


@dataclass(frozen=True, slots=True)
class VaultVersion:
    """One version of a vault's secret. `key_id` is what its tag says it holds, and empty without a tag.

    `app_tag` names the application that it is for, by object id or app id, and is empty without a tag.
    """

    vault: str
    secret: str
    version: str
    key_id: str = ""
    enabled: bool = True
    expires_at: datetime | None = None
    app_tag: str = ""

    @property
    def is_ours_to_judge(self) -> bool:
        """Whether a tag says that it holds a credential of an application: vaults keep much else."""
        return bool(self.key_id or self.app_tag)


@dataclass(frozen=True, slots=True)
class VaultedApp:
    """An application by object id, and every vault version that is tagged with it.

    `app` is `None` when all applications were read and this is not among them. Without an `object_id` nothing but the
    key id says what the versions hold, and no application lists it.
    """

    object_id: str
    app: App | None
    versions: Known[tuple[VaultVersion, ...]] | Unknown

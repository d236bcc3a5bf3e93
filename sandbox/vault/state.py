"""What the vault holds, and what it is told to do wrong."""

import time
from collections import Counter
from dataclasses import dataclass, field

from sandbox.tenant import TETHER_OBJECT_ID

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a secret, without its value; times are seconds since 1970."""

    version: str
    enabled: bool = True
    created: int = 0
    expires: int | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class VaultState:
    """Secrets by name, each with its versions, oldest first; `readers` hold Key Vault Reader, by object id."""

    secrets: dict[str, list[Version]] = field(default_factory=dict)
    readers: set[str] = field(default_factory=lambda: {TETHER_OBJECT_ID})
    requests: Counter[str] = field(default_factory=Counter)
    failures: list[int] = field(default_factory=list)
    wrong_resource: str = ""
    page_size: int = 25

    def put(self, name: str, version: Version) -> None:
        """One more version."""
        self.secrets.setdefault(name, []).append(version)

    def rotate(self, name: str, key_id: str, app_object_id: str, *, days: int = 90) -> Version:
        """A version as a rotation stores it, tagged with its key and application; the one before stays enabled."""
        now = int(time.time())
        made = Version(
            f"{len(self.secrets.get(name, ())) + 1:032x}",
            created=now,
            expires=now + days * DAY,
            tags={"keyId": key_id, "appObjectId": app_object_id},
        )
        self.put(name, made)
        return made

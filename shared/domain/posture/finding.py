"""Findings: what a check says about one object, under an id that is the same in every scan."""

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How bad; ordered, so that the worst can be found."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The severity as reports write it."""
        return self.name.lower()


class Verdict(StrEnum):
    """`UNKNOWN` is what a failed or partial read leads to: never a pass."""

    FAIL = "fail"
    UNKNOWN = "unknown"


class ObjectKind(StrEnum):
    """What a finding is about."""

    APPLICATION = "application"
    SERVICE_PRINCIPAL = "service-principal"
    AGENT_IDENTITY = "agent-identity"
    GROUP = "group"
    CONNECTION = "connection"
    GATEWAY_IDENTITY = "gateway-identity"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class About:
    """The object: its kind, object id and name (hostile text), and the credential's key id if it is about one."""

    kind: ObjectKind
    object_id: str
    name: str
    key_id: str = ""
    app_id: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One failed check, or one that could not be made.

    `facts` are what it is based on: short label and value pairs, values hostile. `owners` are names of who should hear.
    """

    check_id: str
    about: About
    severity: Severity
    says: str
    verdict: Verdict = Verdict.FAIL
    facts: tuple[tuple[str, str], ...] = ()
    owners: tuple[str, ...] = field(default=())
    fix: str = ""

    @property
    def finding_id(self) -> str:
        """The same for the same check of the same object and key, in every scan."""
        text = f"{self.check_id}|{self.about.kind}|{self.about.object_id}|{self.about.key_id}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

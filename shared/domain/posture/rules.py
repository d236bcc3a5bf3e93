"""Posture rules: what the operator decided about reports, and what only the operator knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from shared.domain.posture.exceptions import Declared, DeclaredRisk
from shared.domain.posture.gateway_view import Overlap
from shared.domain.posture.limits import Limits


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """What no source tells; each is explained where a check uses it, in `Estate` and `Tenant`."""

    sensitive: frozenset[str] = frozenset()
    standby: frozenset[str] = frozenset()
    protected: Mapping[str, str] = field(default_factory=dict)
    overlaps: tuple[Overlap, ...] = ()
    probes: frozenset[str] = frozenset()
    trusted_actors: frozenset[str] = frozenset()
    rotation_actors: frozenset[str] = frozenset()
    expected_changes: frozenset[str] = frozenset()
    workloads: Mapping[str, str] = field(default_factory=dict)
    private_zones: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OwnerRules:
    """Whom the owners' cards reach, and when: at most `most` new ones with each report, `most_unowned` without owner.

    An owner who is silent is reminded after `remind_after`; after `escalate_after` the security team is asked instead.
    """

    most: int = 25
    most_unowned: int = 5
    remind_after: timedelta = timedelta(days=7)
    escalate_after: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class PostureRules:
    """Thresholds, facts, Key Vaults by URL, and where in Teams the security team hears of reports.

    `channel` is a conversation id; empty, nothing is posted. `approvers` is the Entra group (object id) whose members
    may accept a risk or classify a finding; empty, nobody may.
    """

    tenant_name: str = ""
    channel: str = ""
    approvers: str = ""
    owners: OwnerRules = field(default_factory=OwnerRules)
    limits: Limits = field(default_factory=Limits)
    facts: OperatorFacts = field(default_factory=OperatorFacts)
    vaults: tuple[str, ...] = ()
    classified: tuple[Declared, ...] = ()
    accepted: tuple[DeclaredRisk, ...] = ()

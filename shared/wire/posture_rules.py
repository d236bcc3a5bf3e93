"""`posture.yaml`: checked against its schema; every error names the file, the line and the fix."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.domain.posture.gateway_view import Overlap, membership
from shared.domain.posture.rules import OperatorFacts, OwnerRules, PostureRules
from shared.wire.approval_routes import ChannelId, Duration
from shared.wire.graph_notifications import ObjectId
from shared.wire.posture_exceptions import Accepted, Classified, named_before, parse_until, untimely
from shared.wire.posture_thresholds import Thresholds, limits_of, untenable
from shared.wire.yaml_document import Name, Place, Strict, YamlDocument

PAGE = "docs/posture-rules.md"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FIXES = {
    "channel-id": "copy the channel's id from Teams, such as 19:a11a0000000000000000000000000001@thread.tacv2",
    "duration": "write a number and a unit: 12h or 7d",
    "string_pattern_mismatch": "write an id such as 6d1c0000-0000-4000-8000-000000000001",
    "enum": "write not-ours, or of a credential renewed-by-microsoft",
    "until": "write a day, such as 2027-03-31; it counts until its end, in UTC",
    "https-url": "write an https address alone, such as https://contoso.vault.azure.net",
    "severity": "write low, medium, high or critical, as the report has it",
    "zone": "write a domain such as corp.contoso.example, without a dot in front",
    "too_short": "add an entry, or remove the key",
    "too_long": "keep fewer entries",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "greater_than_equal": "raise it",
    "less_than_equal": "lower it",
}


def _vault_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        is_alone = parts.hostname and "@" not in parts.netloc and parts.path in ("", "/") and not parts.query
    except ValueError:
        is_secure, is_alone = False, None
    if not is_secure or not is_alone or "#" in text:
        raise PydanticCustomError("https-url", "not the address of a vault")
    return text.rstrip("/").lower()


def _zone(text: str) -> str:
    if text.startswith((".", "*")) or "/" in text or ":" in text or " " in text:
        raise PydanticCustomError("zone", "not a domain")
    return text.rstrip(".").lower()


Actor = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=256)]
Connection = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
Until = Annotated[datetime, BeforeValidator(parse_until)]
VaultUrl = Annotated[str, AfterValidator(_vault_url)]
Zone = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=253), AfterValidator(_zone)]


class _Owners(Strict):
    most: int = Field(default=OwnerRules().most, ge=1, le=500)
    most_unowned: int = Field(default=OwnerRules().most_unowned, ge=0, le=500, alias="most-unowned")
    remind_after: Duration = Field(default=OwnerRules().remind_after, alias="remind-after")
    escalate_after: Duration = Field(default=OwnerRules().escalate_after, alias="escalate-after")


class _Protected(Strict):
    resource: ObjectId
    connection: Connection


class _Overlap(Strict):
    principal: ObjectId
    groups: list[ObjectId] = Field(min_length=2, max_length=50)
    until: Until


class _Membership(Strict):
    group: ObjectId
    member: ObjectId


class _Gateway(Strict):
    sensitive: list[Connection] = Field(default=[])
    standby: list[Connection] = Field(default=[])
    protected: list[_Protected] = Field(default=[])
    overlaps: list[_Overlap] = Field(default=[])
    probes: list[ObjectId] = Field(default=[])
    workloads: dict[Name, list[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]]] = Field(
        default={}
    )


class _Expected(Strict):
    """What happened as planned; a change is named by Entra's correlation id, or by the key id that it added."""

    actors: list[Actor] = Field(default=[])
    changes: list[ObjectId] = Field(default=[])


class _ExpectedMemberships(_Expected):
    memberships: list[_Membership] = Field(default=[])


class _Document(Strict):
    tenant_name: Name | None = Field(default=None, alias="tenant-name")
    channel: ChannelId | None = None
    approvers: ObjectId | None = None
    owners: _Owners = _Owners()
    thresholds: Thresholds = Thresholds()
    gateway: _Gateway = _Gateway()
    additions: _ExpectedMemberships = _ExpectedMemberships()
    rotations: _Expected = _Expected()
    private_zones: list[Zone] = Field(default=[], alias="private-zones")
    vaults: list[VaultUrl] = Field(default=[], max_length=100)
    classified: list[Classified] = Field(default=[], max_length=1000)
    accepted: list[Accepted] = Field(default=[], max_length=1000)


def parse_posture_rules(text: str, file: str) -> PostureRules:
    """What the operator decided about reports.

    Raises:
        SettingsError: naming file, line, what is wrong and the fix.
    """
    written = YamlDocument.parse(text, file, PAGE)
    document = written.checked(_Document, _FIXES)
    written.refuse((*_untimely(document), *untenable(document.thresholds), *_twice(document), *_unreachable(document)))
    return _domain(document)


def _untimely(document: _Document) -> Iterator[tuple[Place, str]]:
    if document.owners.escalate_after <= document.owners.remind_after:
        yield ("owners", "escalate-after"), "not later than remind-after; raise it, or lower the other"
    yield from untimely(document.accepted)


def _twice(document: _Document) -> Iterator[tuple[Place, str]]:
    """What would mean two things at once."""
    resources = [one.resource for one in document.gateway.protected]
    for number in _repeated(resources):
        yield ("gateway", "protected", number, "resource"), "named before; keep one"
    sources = Counter(source for some in document.gateway.workloads.values() for source in some)
    for name, some in document.gateway.workloads.items():
        if any(sources[source] > 1 for source in some):
            yield ("gateway", "workloads", name), "a source belongs to one workload; keep it once"
    yield from named_before(document.classified, document.accepted)


def _unreachable(document: _Document) -> Iterator[tuple[Place, str]]:
    declared = (("classified", "classify", document.classified), ("accepted", "accept", document.accepted))
    is_declaring = any(some for _, _, some in declared)
    if document.approvers is not None and document.channel is None and not is_declaring:
        yield ("approvers",), "nobody asks them without a channel; add channel, or remove this key"
    for key, verb, some in declared:
        if some and document.approvers is None:
            yield (key,), f"nobody may {verb} without approvers; add approvers, or remove this key"


def _repeated(values: Iterable[str]) -> Iterator[int]:
    seen: set[str] = set()
    for number, value in enumerate(values):
        if value in seen:
            yield number
        seen.add(value)


def _domain(document: _Document) -> PostureRules:
    owners = document.owners
    return PostureRules(
        tenant_name=document.tenant_name or "",
        channel=document.channel or "",
        approvers=document.approvers or "",
        owners=OwnerRules(owners.most, owners.most_unowned, owners.remind_after, owners.escalate_after),
        limits=limits_of(document.thresholds),
        facts=_facts(document),
        vaults=tuple(dict.fromkeys(document.vaults)),
        classified=tuple(one.declared() for one in document.classified),
        accepted=tuple(one.declared() for one in document.accepted),
    )


def _facts(document: _Document) -> OperatorFacts:
    gateway, additions = document.gateway, document.additions
    memberships = (membership(one.group, one.member) for one in additions.memberships)
    return OperatorFacts(
        sensitive=frozenset(gateway.sensitive),
        standby=frozenset(gateway.standby),
        protected={one.resource: one.connection for one in gateway.protected},
        overlaps=tuple(Overlap(one.principal, frozenset(one.groups), one.until) for one in gateway.overlaps),
        probes=frozenset(gateway.probes),
        trusted_actors=frozenset(additions.actors),
        rotation_actors=frozenset(document.rotations.actors),
        expected_changes=frozenset((*additions.changes, *memberships, *document.rotations.changes)),
        workloads={source: name for name, sources in gateway.workloads.items() for source in sources},
        private_zones=frozenset(document.private_zones),
    )

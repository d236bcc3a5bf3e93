"""Estate facts: what one application alone cannot say: the tenant's policy, its audit, and what several have in common.

Each fact is `Unknown` until it was read, completely.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from shared.domain.posture.gateway_view import AuditEvent
from shared.domain.posture.inventory import App, Known, Unknown
from shared.domain.posture.limits import Limits

NOT_READ = Unknown("not-read")
LimitsOf = Callable[[App], Limits]
"""The limits of each application."""

CREDENTIAL_ACTIVITIES = frozenset(
    {
        "update application - certificates and secrets management",
        "add service principal credentials",
        "update service principal - certificates and secrets management",
    }
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The tenant's default app management policy, in days; `None` means that nothing is restricted.

    `binds_after` is the creation date from which applications are bound: older ones, and older credentials, are not.
    """

    enabled: bool
    max_secret_days: int | None = None
    max_certificate_days: int | None = None
    blocks_secrets: bool = False
    blocks_custom_secrets: bool = False
    binds_after: datetime | None = None

    def lower(self, limits: Limits) -> Limits:
        """The limits, or the policy where it is stricter. Entra wants less than its number: 181 allows 180."""
        if not self.enabled:
            return limits
        secrets, certificates = self.max_secret_days, self.max_certificate_days
        return replace(
            limits,
            max_secret_days=_stricter(limits.max_secret_days, secrets),
            max_certificate_days=_stricter(limits.max_certificate_days, certificates),
        )


@dataclass(frozen=True, slots=True)
class OwnPolicy:
    """An app management policy of single applications or principals, by object id, instead of the tenant's default.

    It holds where it speaks: each restriction that it does not name stays as in the default, and one that it names
    and switches off is lifted.
    """

    policy: Policy
    names: frozenset[str] = frozenset()
    applies_to: frozenset[str] = frozenset()

    def over(self, default: Policy) -> Policy:
        """What binds its applications. One that is off changes nothing; a default that is off restricts nothing."""
        if not self.policy.enabled:
            return default
        beneath = default if default.enabled else Policy(enabled=True)
        return replace(beneath, enabled=True, **{name: getattr(self.policy, name) for name in sorted(self.names)})


def _stricter(limit: int, policy: int | None) -> int:
    return limit if policy is None else min(limit, policy - 1)


@dataclass(frozen=True, slots=True)
class Tenant:
    """What is known of the tenant as a whole.

    `applications` is how many registrations were read, when all were; `live_principals` their and all other principals'
    object ids, as far as federated credentials trust them; `shared_thumbprints` the app ids for each certificate that
    more than one holds; `unresolved_hosts` those of redirects that no name server knows or that nobody has claimed,
    `unanswered_hosts` those that no name server spoke about. `expected_changes` are the key ids and correlation ids of
    the rotations that were planned, `rotation_actors` who may rotate besides.
    """

    tenant_id: str = ""
    name: str = ""
    applications: Known[int] | Unknown = NOT_READ
    policy: Known[Policy] | Unknown = NOT_READ
    own_policies: Known[tuple[OwnPolicy, ...]] | Unknown = NOT_READ
    shared_thumbprints: Known[Mapping[str, tuple[str, ...]]] | Unknown = NOT_READ
    live_principals: Known[frozenset[str]] | Unknown = NOT_READ
    unresolved_hosts: Known[frozenset[str]] | Unknown = NOT_READ
    unanswered_hosts: frozenset[str] = frozenset()
    private_zones: frozenset[str] = frozenset()
    credential_changes: Known[Mapping[str, tuple[AuditEvent, ...]]] | Unknown = NOT_READ
    expected_changes: frozenset[str] = frozenset()
    rotation_actors: frozenset[str] = frozenset()

    def lower(self, limits: Limits) -> Limits:
        """The limits for its applications: its own policy where that is known and stricter."""
        return limits if isinstance(self.policy, Unknown) else self.policy.value.lower(limits)

    def limits_of(self, limits: Limits) -> LimitsOf:
        """The limits of each application: by the policy of its registration, else of its principal, else the default.

        Where the policies of single applications were not read, the default counts.
        """
        usual = self.lower(limits)
        default = self.policy.value if isinstance(self.policy, Known) else Policy(enabled=False)
        policies = self.own_policies.value if isinstance(self.own_policies, Known) else ()
        own = {object_id: one.over(default).lower(limits) for one in policies for object_id in one.applies_to}

        def of(app: App) -> Limits:
            halves = (one.object_id for one in (app.application, app.principal) if one is not None)
            return next((own[one] for one in halves if one in own), usual)

        return of if own else lambda _: usual


@dataclass(frozen=True, slots=True)
class InCommon:
    """What the applications that were read say together; the first three are told in `Tenant`.

    `redirect_hosts` are those that a name server has to be asked about.
    """

    applications: Known[int] | Unknown = NOT_READ
    live_principals: Known[frozenset[str]] | Unknown = NOT_READ
    shared_thumbprints: Known[Mapping[str, tuple[str, ...]]] | Unknown = NOT_READ
    redirect_hosts: Known[frozenset[str]] | Unknown = NOT_READ


@dataclass(frozen=True, slots=True)
class HostAnswers:
    """What the name system says of hosts: nobody has claimed these, and nobody spoke about those."""

    unresolved: frozenset[str] = frozenset()
    unanswered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AppInTenant:
    """An application, and the tenant that it is seen in."""

    app: App
    tenant: Tenant = field(default_factory=Tenant)


def credential_changes(
    audits: Known[tuple[AuditEvent, ...]] | Unknown,
) -> Known[Mapping[str, tuple[AuditEvent, ...]]] | Unknown:
    """Who changed credentials, by target and oldest first; the two rows that Entra writes for one change are one."""
    if isinstance(audits, Unknown):
        return audits
    found: dict[str, dict[str, AuditEvent]] = {}
    for event in sorted(audits.value, key=lambda one: (one.at, one.correlation_id, one.activity, one.actor)):
        if is_credential_change(event):
            same = event.details.get("key_id") or event.correlation_id or f"{event.at.isoformat()} {event.actor}"
            found.setdefault(event.target_id, {}).setdefault(same, event)
    return Known(MappingProxyType({target: tuple(events.values()) for target, events in found.items()}))


def is_credential_change(event: AuditEvent) -> bool:
    """Whether it is about credentials, with whichever dash Entra writes this year."""
    plain = event.activity.replace("\N{EN DASH}", "-").replace("\N{EM DASH}", "-").casefold()
    return " ".join(plain.split()) in CREDENTIAL_ACTIVITIES

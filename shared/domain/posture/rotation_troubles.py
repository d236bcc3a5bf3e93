"""Rotation troubles: what a check could not see, in sentences."""

from collections.abc import Iterator

from shared.domain.posture.coverage import Coverage, SourceState
from shared.domain.posture.estate_facts import Tenant
from shared.domain.posture.finding import Finding
from shared.domain.posture.inventory import Unknown
from shared.domain.posture.scan import Source
from shared.domain.posture.vault_judge import Vaulted

FIRST = "This is the first check: which credential replaced which, and which rotation is over, is known from now on."
STARTED_ANEW = (
    "What earlier checks noted is damaged ({reason}) and was started anew: nothing is called rotated because of it, "
    "and some of this may have been told before."
)
_MEANS = {
    Source.APPLICATIONS: "credentials may be missing here, and nothing is called gone",
    Source.SERVICE_PRINCIPALS: "credentials may be missing here, and nothing is called gone",
    Source.CREDENTIAL_SIGN_INS: "nobody can say which credential was used last, and no rotation is proven",
    Source.OWNERS: "some owners are not known",
    Source.PEOPLE: "some owners are not known",
}


def troubles_of(
    coverage: Coverage, tenant: Tenant, vaulted: Vaulted, unclaimed: tuple[Finding, ...]
) -> tuple[str, ...]:
    """A sentence for everything that was not read, and for what vaults hand out for nobody."""
    return tuple(dict.fromkeys(_troubles(coverage, tenant, vaulted, unclaimed)))


def _troubles(coverage: Coverage, tenant: Tenant, vaulted: Vaulted, unclaimed: tuple[Finding, ...]) -> Iterator[str]:
    for one in coverage.sources:
        if one.source in _MEANS and one.state is not SourceState.COMPLETE:
            meaning = _MEANS[Source(one.source)]
            yield f"{one.source.capitalize()} were not read as a whole ({one.reason or one.state}): {meaning}."
    policy, own = tenant.policy, tenant.own_policies
    if isinstance(policy, Unknown):
        yield f"The tenant's policy for applications was not read ({policy.reason}): only Tether's own limits count."
    if isinstance(own, Unknown):
        yield f"The policies of single applications were not read ({own.reason}): theirs may be stricter limits."
    for url, missing in sorted(vaulted.unread.items()):
        yield f"The vault {url} was not read ({missing.reason}): what it hands out is not known."
    for finding in unclaimed:
        yield f"{finding.says} {dict(finding.facts).get('versions', '')}"

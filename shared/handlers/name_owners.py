"""Name owners: who should hear of what was found at the gateway, as far as Entra says who stands behind it."""

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.posture.finding import Finding, Verdict
from shared.domain.posture.gateway_view import Estate
from shared.domain.principals import Principal, PrincipalKind
from shared.errors import RejectedError, RetryLaterError
from shared.ports import Directory


async def name_owners(findings: Sequence[Finding], estate: Estate, directory: Directory) -> tuple[Finding, ...]:
    """The findings, those about a service principal or agent with its sponsors first and then its owners.

    Entra is asked once, about those that something was found about; where it does not answer nobody is named.
    """
    failing = {one.about.object_id for one in findings if one.verdict is Verdict.FAIL and not one.owners}
    asked = [one for one in _machines(estate) if one.principal_id.lower() in failing]
    try:
        behind = await directory.people_behind_many(asked) if asked else {}
    except (RejectedError, RetryLaterError):
        return tuple(findings)
    names = {
        principal_id.lower(): tuple(dict.fromkeys(one.name or one.principal_id for one in (*sponsors, *owners)))
        for principal_id, (sponsors, owners) in behind.items()
    }
    return tuple(
        replace(one, owners=names[one.about.object_id])
        if one.verdict is Verdict.FAIL and not one.owners and one.about.object_id in names
        else one
        for one in findings
    )


def _machines(estate: Estate) -> list[Principal]:
    found = {
        holder.principal.principal_id: holder.principal
        for holder in estate.holders
        if holder.principal is not None and holder.principal.kind is PrincipalKind.SERVICE_PRINCIPAL
    }
    return [found[one] for one in sorted(found)]

"""Look closer: each application of a scan once more, for figures, for rotation, and for what vaults hand out."""

import asyncio
from dataclasses import dataclass

from shared.domain.posture.coverage import SourceState
from shared.domain.posture.figures import CredentialFigures, CredentialTally
from shared.domain.posture.finding import Finding
from shared.domain.posture.limits import Limits
from shared.domain.posture.rotation_figures import RotationFigures, RotationTally
from shared.domain.posture.scan import Source
from shared.domain.posture.vault_judge import Vaulted, VaultJudge
from shared.handlers.scan_inventory import AT_ONCE, Scan

_LISTING = frozenset({Source.APPLICATIONS, Source.SERVICE_PRINCIPALS})


@dataclass(frozen=True, slots=True)
class CloserLook:
    """What all applications together come to, and what is wrong with the vaults."""

    credentials: CredentialFigures
    rotations: RotationFigures
    vault_findings: tuple[Finding, ...]


async def look_closer(scan: Scan, limits: Limits, vaulted: Vaulted) -> CloserLook:
    """The figures under these limits, lowered to the policies; the scan's claim is renewed meanwhile."""
    credentials, rotations, limits_of = CredentialTally(scan.at), RotationTally(scan.at), scan.tenant.limits_of(limits)
    judge, found = VaultJudge(vaulted, scan.at, limits), list[Finding]()
    for number, app in enumerate(scan.apps()):
        credentials.add(app)
        rotations.add(app, limits_of(app))
        found += judge.judge(app)
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
    complete = {one.source for one in scan.coverage.sources if one.state is SourceState.COMPLETE}
    found += judge.judge_rest(is_whole=complete >= _LISTING)
    return CloserLook(credentials.figures(), rotations.figures(), tuple(found))

"""Read vaults: what each of them holds, or why it was not read; one that is shut hides nothing of the others."""

from collections.abc import Sequence

from shared.domain.posture.inventory import Unknown
from shared.domain.posture.vault import VaultVersion
from shared.domain.posture.vault_judge import Vaulted
from shared.errors import RejectedError, RetryLaterError
from shared.ports.posture import Vaults


async def read_vaults(vaults: Vaults, urls: Sequence[str]) -> Vaulted:
    """Every version that is tagged as a credential of an application, and the vaults that were not read."""
    versions: list[VaultVersion] = []
    unread: dict[str, Unknown] = {}
    for url in urls:
        try:
            versions += [one for one in await vaults.versions(url) if one.is_ours_to_judge]
        except (RejectedError, RetryLaterError) as error:
            unread[url] = Unknown(error.reason)
    return Vaulted(tuple(versions), unread)

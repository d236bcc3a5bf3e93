"""Posture: Entra's applications as a whole, and where a scan keeps what it has read."""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.posture.attestation import Attestation
from shared.domain.posture.estate_facts import HostAnswers, InCommon, OwnPolicy, Policy
from shared.domain.posture.exceptions import Exemption
from shared.domain.posture.gateway_view import AuditEvent, TokenUse
from shared.domain.posture.inventory import App, Unknown
from shared.domain.posture.scan import Checkpoint, Page, Row, ScanClaim, Source
from shared.domain.posture.vault import VaultVersion


class Inventory(Protocol):
    """Entra's applications, page by page; it waits as long as Graph asks, and keeps below Graph's limits.

    Every method raises `RejectedError` with what Graph said where asking again changes nothing, with the reason
    `page-token-expired` when the source has to be read from its beginning, and `RetryLaterError` when it gave up.
    """

    async def page(self, source: Source, link: str | None, at: datetime | None = None) -> Page:
        """The page behind a link; the first one without. A log is read back from `at`, as far as it goes without."""

    async def count(self, source: Source) -> int | None:
        """How many rows Entra counts; `None` where it does not say."""

    async def look_up(self, source: Source, keys: Sequence[str]) -> Page:
        """What a source says about these objects, at most twenty; what is gone has no row."""


class ScanStore(Protocol):
    """Pages and checkpoints; every write of a checkpoint or claim is a compare-and-swap."""

    async def claim(self, wanted: ScanClaim, oldest: datetime) -> ScanClaim:
        """The scan that was left unfinished, unless it began before `oldest`; else the wanted one, a new scan.

        Raises `AlreadyDecidedError` (`scan-under-way`) while somebody else is at work.
        """

    async def save_claim(self, claim: ScanClaim) -> ScanClaim:
        """The claim with its new version. Raises `AlreadyDecidedError` when somebody has taken over."""

    async def checkpoint(self, scan_id: str, source: Source) -> Checkpoint:
        """How far a source was read."""

    async def save(self, scan_id: str, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint with its new version. Raises `AlreadyDecidedError` when somebody else saved since."""

    async def put_page(self, scan_id: str, checkpoint: Checkpoint, rows: Sequence[Row]) -> None:
        """Keep the rows of the page that comes next; the same page again replaces it."""

    def pages(self, scan_id: str, checkpoint: Checkpoint) -> AsyncIterator[Sequence[Row]]:
        """The rows kept so far, one page at a time. Raises `RejectedError` (`page-not-kept`) when one is gone."""

    async def forget_others(self, scan_id: str) -> None:
        """Delete the pages and checkpoints of every other scan."""


class AppJoin(Protocol):
    """Rows of all sources, joined into applications; lives as long as one run of a scan."""

    def add(self, source: Source, rows: Iterable[Row]) -> int:
        """How many distinct rows of the source there are now."""

    def forget(self, source: Source) -> None:
        """Drop a source's rows: it is read from its beginning."""

    def keys(self, source: Source) -> Sequence[str]:
        """The objects that a source of details is asked about, in their order, as far as the rows tell them."""

    def in_common(self, missing: Mapping[Source, Unknown]) -> InCommon:
        """What all applications say together; whatever needs a missing source is `Unknown`."""

    def flag(self, object_ids: Iterable[str]) -> None:
        """Of these applications the owners, and of their certificates the bytes, are worth reading."""

    def apps(self, missing: Mapping[Source, Unknown]) -> Iterator[App]:
        """Each application, by object id; whatever needs a missing source is `Unknown`."""

    def flagged_apps(self, missing: Mapping[Source, Unknown]) -> Iterator[App]:
        """The same for those that were flagged."""

    def close(self) -> None:
        """Let go of everything."""


class TenantPolicies(Protocol):
    """What the tenant demands of its applications."""

    async def app_management(self) -> Policy:
        """The default app management policy. Raises `RejectedError` with what Graph said where it may not be read."""

    async def own_app_management(self) -> tuple[OwnPolicy, ...]:
        """The policies of single applications, each with all that it applies to. Raises as the other does."""


class NameServers(Protocol):
    """The domain name system."""

    async def answers(self, hosts: Collection[str]) -> HostAnswers:
        """Which of the hosts nobody has claimed, and about which nobody spoke in time; each is asked about once."""


class AuditLog(Protocol):
    """Entra's logs. Every method keeps below Graph's limit for reports, and raises as `Inventory` does."""

    async def credential_changes(self, since: datetime) -> tuple[AuditEvent, ...]:
        """Every change of an application's or service principal's credentials."""

    async def membership_changes(self, since: datetime, group_ids: Collection[str]) -> tuple[AuditEvent, ...]:
        """Every addition of a member to one of these groups."""

    def tokens(self, since: datetime, resource_ids: Collection[str]) -> AsyncIterator[TokenUse]:
        """Every token that an application, agent or managed identity got for one of these resources (app ids)."""

    async def attributes(
        self, object_ids: Collection[str], blueprints: Collection[str]
    ) -> Mapping[str, frozenset[str]]:
        """The custom security attributes of agents, by object id, and of blueprints, by app id."""


class Vaults(Protocol):
    """Key Vaults, without the values in them."""

    async def versions(self, vault_url: str) -> tuple[VaultVersion, ...]:
        """Every version of every secret and certificate."""


class Attestations(Protocol):
    """What owners were asked; every write is a compare-and-swap."""

    async def read(self, attestation_id: str) -> Attestation | None:
        """The attestation; `None` when nobody was ever asked."""

    async def save(self, attestation: Attestation) -> Attestation:
        """The attestation with its new version. Raises `AlreadyDecidedError` when somebody else saved since."""

    def open_ones(self) -> AsyncIterator[Attestation]:
        """Those that wait for an answer."""

    def all(self) -> AsyncIterator[Attestation]:
        """Everything stored."""


class Exemptions(Protocol):
    """Findings that somebody answers for, one exemption for each; the newest wins."""

    async def put(self, exemptions: Iterable[Exemption]) -> None:
        """Remember them."""

    async def all(self) -> Sequence[Exemption]:
        """Everything stored, ended ones included for as long as a report may call them lapsed."""

"""What checks of rotation need from outside, in memory: the ledger, the tenant's policy and vaults."""

from typing import BinaryIO

from shared.domain.posture.estate_facts import OwnPolicy, Policy
from shared.domain.posture.vault import VaultVersion
from shared.errors import AlreadyDecidedError, TetherError
from tests.fakes.faults import Faults


class FakeRotationLedger:
    """One file; `faults` plans failures of `read` and `save`."""

    def __init__(self) -> None:
        self.stored: bytes | None = None
        self.saves = 0
        self.faults = Faults()

    async def read(self, into: BinaryIO) -> str | None:
        await self.faults.meet("read")
        if self.stored is None:
            return None
        into.write(self.stored)
        return str(self.saves)

    async def save(self, ledger: BinaryIO, version: str | None) -> None:
        await self.faults.meet("save")
        if version != (None if self.stored is None else str(self.saves)):
            raise AlreadyDecidedError("storage-conflict")
        ledger.seek(0)
        self.stored = ledger.read()
        self.saves += 1


class FakePolicies:
    """A policy and those of single applications, or why they cannot be read."""

    def __init__(self) -> None:
        self.policy = Policy(enabled=False)
        self.failure: TetherError | None = None
        self.own: tuple[OwnPolicy, ...] = ()
        self.own_failure: TetherError | None = None

    async def app_management(self) -> Policy:
        if self.failure is not None:
            raise self.failure
        return self.policy

    async def own_app_management(self) -> tuple[OwnPolicy, ...]:
        if self.own_failure is not None:
            raise self.own_failure
        return self.own


class FakeVaults:
    """Versions by vault, or why one cannot be read."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[VaultVersion, ...]] = {}
        self.failures: dict[str, TetherError] = {}

    async def versions(self, vault_url: str) -> tuple[VaultVersion, ...]:
        if vault_url in self.failures:
            raise self.failures[vault_url]
        return self.held[vault_url]

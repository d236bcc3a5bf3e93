"""Rotation: where the ledger of earlier checks is kept."""

from typing import BinaryIO, Protocol


class RotationLedger(Protocol):
    """One file that is too long to be held at once; every write is a compare-and-swap."""

    async def read(self, into: BinaryIO) -> str | None:
        """The version of the ledger that was written into the file; `None`, and nothing written, before the first."""

    async def save(self, ledger: BinaryIO, version: str | None) -> None:
        """Keep the file, from its beginning. Raises `AlreadyDecidedError` when somebody else saved since `version`."""

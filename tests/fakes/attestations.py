"""What Tether remembers about owners' answers, in memory: rows saved by compare-and-swap, one exemption per finding."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from shared.domain.posture.attestation import Attestation
from shared.domain.posture.exceptions import Exemption, Tier
from shared.errors import AlreadyDecidedError
from tests.fakes.clock import FakeClock


class FakeAttestations:
    """Attestations by id; every save needs the version that was read."""

    def __init__(self) -> None:
        self.stored: dict[str, Attestation] = {}
        self._versions = 0

    async def read(self, attestation_id: str) -> Attestation | None:
        return self.stored.get(attestation_id)

    async def save(self, attestation: Attestation) -> Attestation:
        stored = self.stored.get(attestation.attestation_id)
        if (stored.version if stored else None) != attestation.version:
            raise AlreadyDecidedError("storage-conflict")
        self._versions += 1
        saved = replace(attestation, version=str(self._versions))
        self.stored[attestation.attestation_id] = saved
        return saved

    async def open_ones(self) -> AsyncIterator[Attestation]:
        for attestation in list(self.stored.values()):
            if attestation.stage.is_open:
                yield attestation

    async def all(self) -> AsyncIterator[Attestation]:
        for attestation in list(self.stored.values()):
            yield attestation


class FakeExemptions:
    """Exemptions by finding; what ended long ago is forgotten."""

    def __init__(self, clock: FakeClock) -> None:
        self.stored: dict[str, Exemption] = {}
        self.clock = clock

    async def put(self, exemptions: Iterable[Exemption]) -> None:
        self.stored |= {one.finding_id: one for one in exemptions}

    async def all(self) -> Sequence[Exemption]:
        oldest = self.clock.now() - timedelta(days=400)
        self.stored = {each: one for each, one in self.stored.items() if one.ends_at(Tier.OTHER) >= oldest}
        return list(self.stored.values())

"""The claim: whose turn it is, and until when."""

from shared.domain.records import Claim, PrincipalState
from tests.domain.samples import ADA, NOW, later

CLAIM = Claim("w-1", NOW)


def test_claim_is_held_until_the_moment_it_expires() -> None:
    assert [CLAIM.is_held(later(seconds)) for seconds in (-1, 0, 1)] == [True, False, False]


def test_released_state_keeps_everything_but_the_claim() -> None:
    state = PrincipalState(ADA, CLAIM, unproven_since=NOW, version="v-1")

    assert state.released() == PrincipalState(ADA, None, unproven_since=NOW, version="v-1")

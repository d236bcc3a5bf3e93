"""The infrastructure is sound, as far as anybody can tell without Azure."""

from collections.abc import Callable, Iterator

import pytest

from tests.infra.checks import CHECKS
from tests.infra.infrastructure import Infrastructure, current


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_infrastructure_has_nothing_of_what_is_checked(check: Callable[[Infrastructure], Iterator[str]]) -> None:
    infra = current()

    found = list(check(infra))

    assert found == []


def test_every_skip_of_a_check_says_why() -> None:
    skips = [line.strip() for text in current().texts.values() for line in text.splitlines() if "checkov:skip" in line]

    reasons = [skip.partition("=")[2].partition(": ")[2] for skip in skips]

    assert reasons
    assert all(len(reason) > len("it is so") for reason in reasons)

"""Every refusal has a sentence of its own, and a next step."""

import re
from pathlib import Path

import pytest

from shared.wire.cards.sentences import REASONS, sentence

DOMAIN = Path(__file__).parents[3] / "shared" / "domain"
SOURCES = [DOMAIN / "click.py", DOMAIN / "card_token.py"]


def test_every_reason_of_the_domain_has_a_sentence() -> None:
    text = "".join(source.read_text(encoding="utf-8") for source in SOURCES)

    reasons = set(re.findall(r'(?:Rejected|AlreadyDecided)Error\("([a-z-]+)"', text))

    assert reasons
    assert reasons - REASONS == set()


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_sentence_is_short_and_plain(reason: str) -> None:
    told = sentence(reason)

    assert told.endswith(".")
    assert len(told) <= 160
    assert not set(told) & set("*_`[]<>{}")


def test_sentences_differ() -> None:
    assert len({sentence(reason) for reason in REASONS}) == len(REASONS)


def test_recorded_approval_says_how_many_are_there() -> None:
    assert "1 of 2 needed" in sentence("recorded", given=1, needed=2)
    assert "2 of 2 needed" in sentence("recorded", given=3, needed=2)


def test_unknown_reason_is_an_apology_with_a_way_out() -> None:
    assert sentence("something-new").startswith("Something went wrong")

"""Whatever an identity, its findings and its people are called, its card is small enough and says what was decided."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.approval import Person
from shared.wire.cards import activity
from shared.wire.cards.attestation import attestation_headline
from shared.wire.cards.fit import MOST_BYTES, size
from tests.wire.cards.owner_samples import ASKED, EVIDENCE, GRANT, OWNER_FACES, owner_card, poisoned_attestation
from tests.wire.cards.test_cards_always import MOST_OF_A_MESSAGE, texts

thoroughly = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@given(texts, st.sampled_from(sorted(OWNER_FACES)), st.integers(0, 60), st.integers(0, 30))
@thoroughly
def test_owners_card_is_small_enough_and_still_says_what_it_is_about(
    text: str, name: str, findings: int, grants: int
) -> None:
    spec, attestation = OWNER_FACES[name]
    question = replace(
        attestation.question,
        evidence=EVIDENCE * (findings // 2 + 1),
        unused=(replace(GRANT, connections=("pg",) * 40, left_out=3),) * grants,
        people=(Person("one", "one"),) * (findings if attestation.question.people else 0),
    )
    wide = poisoned_attestation(replace(attestation, question=question, taken=(GRANT,) * grants), text)

    card = owner_card(spec, wide)

    assert size(card) <= MOST_BYTES
    assert len(activity(card, attestation_headline(wide, spec)).activity.encode("utf-16-le")) < MOST_OF_A_MESSAGE
    same_size = len(wide.question.people) == len(attestation.question.people)
    assert not same_size or card["speak"] == owner_card(spec, attestation)["speak"]


@pytest.mark.parametrize("name", ["owner__asked", "security__nobody_owns_it"])
def test_shrink_is_offered_only_where_something_can_be_taken(name: str) -> None:
    spec, attestation = OWNER_FACES[name]
    nothing = replace(attestation, question=replace(attestation.question, unused=()))

    verbs = [[one.get("verb") for one in owner_card(spec, each)["actions"]] for each in (attestation, nothing)]

    assert verbs == [["keep", "shrink", "retire", None], ["keep", "retire", None]]


def test_date_is_bounded_by_the_tier() -> None:
    spec, _ = OWNER_FACES["owner__asked"]
    cards = [
        owner_card(spec, replace(ASKED, question=replace(ASKED.question, is_tier_0=each))) for each in (False, True)
    ]

    fields = [next(one for one in card["body"] if one["type"] == "Input.Date") for card in cards]

    assert [(one["min"], one["max"]) for one in fields] == [("2026-03-03", "2026-05-31"), ("2026-03-03", "2026-04-01")]

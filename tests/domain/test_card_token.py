"""Card tokens: opaque, and good for nothing but the card, conversation, answers and command they were made for."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.card_token import CardToken, CardTokenKeys, Shown, parse_card_token, thread_of
from shared.errors import RejectedError
from tests.domain.approval_samples import REVIEW
from tests.domain.samples import NOW, OTHER_TEAM, TEAM, later

KEYS = CardTokenKeys(TEAM, (b"k" * 32,))
COPY = "0123456789ab"
SHOWN = Shown("19:aa@thread.tacv2", ("approve", "deny"), "ab" * 32)
TOKEN = KEYS.issue(REVIEW, COPY, NOW, SHOWN)


def refused(keys: CardTokenKeys, token: str | CardToken, shown: Shown = SHOWN) -> bool:
    try:
        keys.check(parse_card_token(token) if isinstance(token, str) else token, shown)
    except RejectedError as error:
        return error.reason == "forged-token"
    return False


def test_token_says_what_it_is_for_and_nothing_more() -> None:
    parsed = parse_card_token(TOKEN)

    assert (parsed.review_id, parsed.copy_id, parsed.expires_at) == (REVIEW, COPY, NOW)
    assert len(TOKEN) == 80


def test_token_is_good_for_the_card_it_was_made_for() -> None:
    assert not refused(KEYS, TOKEN)


def test_order_of_the_answers_makes_no_difference_and_neither_does_the_thread() -> None:
    assert not refused(KEYS, TOKEN, replace(SHOWN, answers=("deny", "approve")))
    assert not refused(KEYS, TOKEN, replace(SHOWN, conversation_id=f"{SHOWN.conversation_id};messageid=17"))


@pytest.mark.parametrize(
    "shown",
    [
        replace(SHOWN, conversation_id="19:bb@thread.tacv2"),
        replace(SHOWN, conversation_id=""),
        replace(SHOWN, answers=("approve", "deny", "break-glass")),
        replace(SHOWN, answers=("approvedeny",)),
        replace(SHOWN, answers=()),
        replace(SHOWN, input_digest="cd" * 32),
    ],
)
def test_token_is_refused_for_anything_else_that_was_shown(shown: Shown) -> None:
    assert refused(KEYS, TOKEN, shown)


@pytest.mark.parametrize(
    "changes", [{"review_id": TEAM}, {"copy_id": "ffffffffffff"}, {"expires_at": later(1)}, {"seal": b"\0" * 32}]
)
def test_token_is_refused_when_anything_in_it_was_changed(changes: dict[str, object]) -> None:
    assert refused(KEYS, replace(parse_card_token(TOKEN), **changes))  # type: ignore[arg-type]  # drawn above


def test_token_of_another_tenant_is_refused() -> None:
    assert refused(replace(KEYS, tenant_id=OTHER_TEAM), TOKEN)


def test_token_survives_the_rotation_of_its_key_and_not_the_loss() -> None:
    rotated = CardTokenKeys(TEAM, (b"n" * 32, b"k" * 32))

    assert not refused(rotated, TOKEN)
    assert refused(CardTokenKeys(TEAM, (b"n" * 32,)), TOKEN)
    assert refused(KEYS, rotated.issue(REVIEW, COPY, NOW, SHOWN))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "not a token",
        TOKEN[:-1],
        TOKEN + "A",
        TOKEN + "=",
        "é" * 80,
        "\ud800" * 80,
        "+" + TOKEN[1:],
        base64.urlsafe_b64encode(b"\x02" + base64.urlsafe_b64decode(TOKEN)[1:]).decode(),
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    assert refused(KEYS, text)


@given(st.binary(min_size=59, max_size=59))
def test_any_bytes_are_read_and_refused(raw: bytes) -> None:
    assert refused(KEYS, base64.urlsafe_b64encode(b"\x01" + raw).decode().rstrip("="))


@given(st.integers(0, 59 * 8 - 1))
def test_no_bit_of_a_token_can_be_changed(bit: int) -> None:
    raw = int.from_bytes(base64.urlsafe_b64decode(TOKEN), "big") ^ (1 << bit)

    assert refused(KEYS, base64.urlsafe_b64encode(raw.to_bytes(60, "big")).decode())


def test_thread_belongs_to_its_channel() -> None:
    assert thread_of("19:aa@thread.tacv2;messageid=17") == "19:aa@thread.tacv2"
    assert thread_of("a:chat") == "a:chat"


def test_moment_before_all_others_makes_a_token_all_the_same() -> None:
    token = parse_card_token(KEYS.issue(REVIEW, COPY, datetime(1, 1, 1, tzinfo=UTC), SHOWN))

    assert not refused(KEYS, token)
    assert token.expires_at == datetime(1970, 1, 1, tzinfo=UTC)

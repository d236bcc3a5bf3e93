"""Webhooks of the gateway: authentic by their signature, read in one step."""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from shared.errors import RejectedError, SettingsError
from shared.wire.gateway_events import (
    LARGEST_BODY,
    GatewayEvent,
    GatewayEventKind,
    check_secret,
    parse_gateway_event,
)
from tests.wire.samples import fixture, fixture_text

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_b2xkLW1hZGUtdXAtc2VjcmV0LTI0Yg=="
SENT = datetime.fromtimestamp(1614265330, UTC)
DELIVERY = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SESSION = "8bfc995b-4f15-483b-8423-33f634865f14"
VECTOR = b'{"test": 2432232314}'
VECTOR_HEADERS = {
    "svix-id": DELIVERY,
    "svix-timestamp": "1614265330",
    "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
PUBLISHED = Path(__file__).parents[3] / "shared" / "contracts" / "hoop"


def signed(body: bytes, secret: str = SECRET, prefix: str = "svix") -> dict[str, str]:
    signature = Webhook(secret).sign(DELIVERY, SENT, body.decode())
    return {f"{prefix}-id": DELIVERY, f"{prefix}-timestamp": "1614265330", f"{prefix}-signature": signature}


def parse(body: bytes, headers: Mapping[str, str] | None = None, now: datetime = SENT) -> GatewayEvent:
    return parse_gateway_event(body, signed(body) if headers is None else headers, [SECRET], now)


def parse_document(document: object) -> GatewayEvent:
    return parse(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("name", "kind", "session_id"),
    [
        ("gateway/webhook__session_open", GatewayEventKind.SESSION_OPEN, SESSION),
        ("gateway/webhook__session_close", GatewayEventKind.SESSION_CLOSE, SESSION),
        ("gateway/webhook__review_create", GatewayEventKind.REVIEW_CREATE, SESSION),
        ("gateway/webhook__session_open__without_review", GatewayEventKind.OTHER, None),
        ("gateway/webhook__job_finished", GatewayEventKind.OTHER, None),
    ],
)
def test_event_says_what_happened_to_which_session(name: str, kind: GatewayEventKind, session_id: str | None) -> None:
    assert parse(fixture_text(name)) == GatewayEvent(kind, session_id, DELIVERY)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the vendors' contracts are not beside this checkout")
@pytest.mark.parametrize(
    ("file", "kind", "session_id"),
    [
        ("webhook.session.open.schema.json", GatewayEventKind.SESSION_OPEN, SESSION),
        (
            "webhook.microsoftteams.review.create.json",
            GatewayEventKind.REVIEW_CREATE,
            "6bb1f879-f994-4ade-9d69-121676c03a59",
        ),
    ],
)
def test_published_example_is_understood(file: str, kind: GatewayEventKind, session_id: str) -> None:
    (example,) = json.loads((PUBLISHED / file).read_text(encoding="utf-8"))["examples"]

    assert parse_document(example) == GatewayEvent(kind, session_id, DELIVERY)


@pytest.mark.parametrize("prefix", ["svix", "webhook", "Svix", "WEBHOOK"])
def test_published_vector_is_authentic_under_either_name_of_its_headers(prefix: str) -> None:
    headers = {name.replace("svix", prefix): value for name, value in VECTOR_HEADERS.items()}

    assert parse(VECTOR, headers) == GatewayEvent(GatewayEventKind.OTHER, None, DELIVERY)


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_delivery_is_taken_within_five_minutes_either_way(seconds: float) -> None:
    assert parse(VECTOR, VECTOR_HEADERS, SENT + timedelta(seconds=seconds)).delivery_id == DELIVERY


@pytest.mark.parametrize("seconds", [-86_400, -301, 301, 86_400])
def test_delivery_replayed_or_dated_ahead_is_refused(seconds: float) -> None:
    with pytest.raises(RejectedError, match="five minutes") as refusal:
        parse(VECTOR, VECTOR_HEADERS, SENT + timedelta(seconds=seconds))

    assert refusal.value.reason == "unauthenticated"


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_either_secret_is_good_during_rotation(secret: str) -> None:
    event = parse_gateway_event(VECTOR, signed(VECTOR, secret), [SECRET, OLD_SECRET], SENT)

    assert event.delivery_id == DELIVERY


def test_secret_is_refused_once_it_is_no_longer_listed() -> None:
    with pytest.raises(RejectedError, match="no signature matches"):
        parse(VECTOR, signed(VECTOR, OLD_SECRET))


def test_nothing_is_authentic_without_a_secret() -> None:
    with pytest.raises(RejectedError, match="no signature matches"):
        parse_gateway_event(VECTOR, VECTOR_HEADERS, [], SENT)


def test_one_genuine_signature_among_others_suffices() -> None:
    genuine = VECTOR_HEADERS["svix-signature"]

    event = parse(VECTOR, VECTOR_HEADERS | {"svix-signature": f"v1,bm9uc2Vuc2U= v2,x {genuine} v1a,y v1"})

    assert event.delivery_id == DELIVERY


GENUINE = VECTOR_HEADERS["svix-signature"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"svix-signature": ""}, id="signature_empty"),
        pytest.param({"svix-signature": GENUINE.removeprefix("v1,")}, id="signature_without_version"),
        pytest.param({"svix-signature": GENUINE.replace("v1,", "v2,")}, id="signature_of_another_version"),
        pytest.param({"svix-signature": GENUINE.replace("v1,", "v1a,")}, id="signature_of_the_asymmetric_version"),
        pytest.param({"svix-signature": GENUINE[:-4]}, id="signature_cut_short"),
        pytest.param({"svix-signature": GENUINE.swapcase()}, id="signature_in_other_case"),
        pytest.param({"svix-signature": "v1,"}, id="signature_of_nothing"),
        pytest.param({"svix-signature": "v1,\u00e9\ud800"}, id="signature_of_odd_characters"),
        pytest.param({"svix-signature": "v1,eA== " * 16 + GENUINE}, id="signature_behind_too_many"),
        pytest.param({"svix-id": "msg_other"}, id="id_of_another_delivery"),
        pytest.param({"svix-id": ""}, id="id_empty"),
        pytest.param({"svix-id": f"{DELIVERY}.1614265330"}, id="id_that_moves_the_seam"),
        pytest.param({"svix-id": f"{DELIVERY}\n"}, id="id_with_a_line_break"),
        pytest.param({"svix-timestamp": ""}, id="timestamp_empty"),
        pytest.param({"svix-timestamp": "1614265331"}, id="timestamp_moved"),
        pytest.param({"svix-timestamp": "1614265330.5"}, id="timestamp_with_a_fraction"),
        pytest.param({"svix-timestamp": "+1614265330"}, id="timestamp_with_a_sign"),
        pytest.param({"svix-timestamp": "01614265330"}, id="timestamp_with_a_zero"),
        pytest.param({"svix-timestamp": "\u0661\u0666"}, id="timestamp_of_other_digits"),
        pytest.param({"svix-timestamp": "nan"}, id="timestamp_not_a_number"),
        pytest.param({"svix-timestamp": "9" * 400}, id="timestamp_beyond_all_clocks"),
    ],
)
def test_forged_headers_are_refused(changes: dict[str, str]) -> None:
    with pytest.raises(RejectedError) as refusal:
        parse(VECTOR, VECTOR_HEADERS | changes)

    assert refusal.value.reason == "unauthenticated"


@pytest.mark.parametrize("delivery_id", ["", f"{DELIVERY}.1614265330", f"{DELIVERY}\n", "msg é", "m" * 256])
def test_odd_delivery_id_is_refused_even_when_signed(delivery_id: str) -> None:
    signature = Webhook(SECRET).sign(delivery_id, SENT, VECTOR.decode())

    with pytest.raises(RejectedError, match="missing or malformed"):
        parse(VECTOR, VECTOR_HEADERS | {"svix-id": delivery_id, "svix-signature": signature})


@pytest.mark.parametrize("missing", sorted(VECTOR_HEADERS))
def test_missing_header_is_refused(missing: str) -> None:
    headers = {name: value for name, value in VECTOR_HEADERS.items() if name != missing}

    with pytest.raises(RejectedError) as refusal:
        parse(VECTOR, headers)

    assert refusal.value.reason == "unauthenticated"


def test_headers_of_two_names_are_not_mixed() -> None:
    headers = VECTOR_HEADERS | signed(b"{}", OLD_SECRET, "webhook")
    del headers["svix-signature"]

    with pytest.raises(RejectedError, match="no signature matches"):
        parse_gateway_event(b"{}", headers, [OLD_SECRET], SENT)


@pytest.mark.parametrize("body", [b'{"test": 2432232315}', b'{"test":2432232314}', VECTOR + b"\n", b"", b"\xff"])
def test_signature_holds_for_the_raw_body_only(body: bytes) -> None:
    with pytest.raises(RejectedError) as refusal:
        parse(body, VECTOR_HEADERS)

    assert refusal.value.reason == "unauthenticated"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b'{"x":' + b"[" * 5000])
def test_authentic_body_that_is_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(RejectedError) as refusal:
        parse(body)

    assert refusal.value.reason == "malformed-event"


@pytest.mark.parametrize(
    "name", ["gateway/webhook__session_open__id_is_no_uuid", "gateway/webhook__review_create__link_elsewhere"]
)
def test_event_that_names_no_session_is_malformed(name: str) -> None:
    with pytest.raises(RejectedError) as refusal:
        parse(fixture_text(name))

    assert refusal.value.reason == "malformed-event"


@pytest.mark.parametrize("session_id", [None, 7, "", [], {}, SESSION + "\n", f"{SESSION}/x", f"urn:uuid:{SESSION}"])
def test_session_id_is_strictly_a_uuid(session_id: object) -> None:
    with pytest.raises(RejectedError) as refusal:
        parse_document({"event_type": "session.close", "id": session_id})

    assert refusal.value.reason == "malformed-event"


def test_session_id_is_read_in_one_case() -> None:
    assert parse_document({"event_type": "session.close", "id": SESSION.upper()}).session_id == SESSION


def card(*body: object) -> dict[str, Any]:
    message = deepcopy(fixture("gateway/webhook__review_create"))
    message["attachments"][0]["content"]["body"] = list(body)
    return dict(message)


def link(text: str = SESSION, path: str = f"/sessions/{SESSION}") -> dict[str, str]:
    return {"type": "TextBlock", "text": f"[{text}](https://gateway.example{path})"}


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(card(), id="no_link"),
        pytest.param(card(link(path="/reviews/1")), id="link_to_something_else"),
        pytest.param(card(link("here")), id="link_under_another_text"),
        pytest.param(card(link(path=f"/x?/sessions/{SESSION}")), id="session_in_the_query"),
        pytest.param(card(link(path=f"/sessions/{SESSION}/x")), id="more_behind_the_session"),
        pytest.param(card(link(), link(SESSION[::-1], f"/sessions/{SESSION[::-1]}")), id="two_sessions"),
        pytest.param(card({**link(), "text": f"see {link()['text']}"}), id="link_inside_a_sentence"),
        pytest.param(
            card({"type": "FactSet", "facts": [{"title": "Created By", "value": link()["text"]}]}), id="typed_as_a_name"
        ),
        pytest.param(
            card({"type": "Container", "items": [{"type": "CodeBlock", "codeSnippet": link()["text"]}]}),
            id="typed_as_input",
        ),
        pytest.param(card({**link(), "type": "Badge"}), id="link_in_another_element"),
        pytest.param(card({"type": "TextBlock", "text": "[x](https://[::1)"}), id="link_that_is_broken"),
        pytest.param({"type": "message", "attachments": None}, id="no_attachments"),
        pytest.param({"type": "message", "attachments": [None, 7, {"content": None}]}, id="nonsense_attached"),
        pytest.param({"type": "message", "attachments": [{"content": {"body": {}}}]}, id="body_no_list"),
    ],
)
def test_card_that_does_not_link_to_exactly_one_session_is_malformed(message: dict[str, Any]) -> None:
    with pytest.raises(RejectedError) as refusal:
        parse_document(message)

    assert refusal.value.reason == "malformed-event"


def test_body_above_the_limit_is_not_even_checked() -> None:
    with pytest.raises(RejectedError) as refusal:
        parse(b" " * (LARGEST_BODY + 1), {})

    assert refusal.value.reason == "body-too-large"


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", "not base64 at all", "whsec_é", f"{SECRET}!!!!"]
)
def test_weak_or_broken_secret_stops_the_app(secret: str) -> None:
    with pytest.raises(SettingsError) as error:
        check_secret(secret)

    assert len(secret) < 8 or secret not in str(error.value)


def test_sound_secret_is_taken_with_and_without_its_prefix() -> None:
    check_secret(SECRET)
    check_secret(SECRET.removeprefix("whsec_"))


@given(st.binary(), st.dictionaries(st.sampled_from(sorted(VECTOR_HEADERS)), st.text()))
def test_noise_is_always_refused_and_never_an_error(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(RejectedError) as refusal:
        parse(body, headers)

    assert refusal.value.reason == "unauthenticated"


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.sampled_from([*GatewayEventKind, "message"]),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["event_type", "id", "review", "type", "attachments", "content", "body"]), inner
            )
        ),
        max_leaves=8,
    )
)
def test_authentic_document_of_any_shape_is_read_or_refused(document: object) -> None:
    try:
        event = parse_document(document)
    except RejectedError as error:
        assert error.reason == "malformed-event"  # noqa: PT017 - either outcome is right
    else:
        assert event.delivery_id == DELIVERY

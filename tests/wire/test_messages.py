"""Queue messages: what was sent is what is received, and nothing else is believed."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.card_copy import Audience, CardUpdate, CopySpec, Place, PlaceKind
from shared.domain.posture.jobs import JobKind, PostureJob
from shared.domain.principals import Hint, PrincipalChange, PrincipalKind, Source
from shared.domain.reviews import ReviewEvent, ReviewEventKind
from shared.domain.subscriptions import DirectoryEvent, DirectoryEventKind
from shared.errors import RejectedError
from shared.wire.messages import (
    encode_card_update,
    encode_change,
    encode_event,
    encode_posture_job,
    encode_review_event,
    parse_card_update,
    parse_change,
    parse_event,
    parse_posture_job,
    parse_review_event,
)
from tests.domain import strategies as some
from tests.domain.samples import change

changes = st.builds(
    PrincipalChange,
    st.uuids().map(str),
    st.sampled_from(Source),
    some.moments,
    st.text(max_size=8),
    st.sampled_from(PrincipalKind),
    st.sampled_from(Hint),
    st.none() | st.uuids().map(str),
    st.integers(0, 5),
    st.integers(0, 30),
)
events = st.builds(
    DirectoryEvent, st.sampled_from(DirectoryEventKind), st.text(), st.text(), st.text(), st.integers(0, 30)
)

review_events = st.builds(
    ReviewEvent,
    st.uuids().map(str),
    st.text(max_size=8),
    some.moments,
    st.text(max_size=8),
    st.sampled_from(ReviewEventKind),
    st.integers(0, 30),
)
places = st.builds(Place, st.sampled_from(PlaceKind), st.text(max_size=80))
card_updates = st.builds(
    CardUpdate,
    st.uuids().map(str),
    st.builds(CopySpec, st.sampled_from(Audience), places, st.integers(0, 5)),
    some.moments,
    st.text(max_size=8),
    st.integers(0, 30),
)
posture_jobs = st.builds(
    PostureJob,
    st.sampled_from(JobKind),
    some.moments,
    st.text(max_size=8),
    st.text(max_size=20),
    st.integers(0, 30),
)

REVIEW_EVENT = ReviewEvent("r-1", "poll", datetime(2027, 1, 4, 9, tzinfo=UTC), "c-1")
CARD_UPDATE = CardUpdate(
    "r-1", CopySpec(Audience.APPROVERS, Place(PlaceKind.CHANNEL, "19:a@thread.tacv2")), REVIEW_EVENT.received_at, "c-1"
)


@given(changes)
def test_look_is_received_as_it_was_sent(sent: PrincipalChange) -> None:
    assert parse_change(encode_change(sent)) == sent


@given(events)
def test_directory_event_is_received_as_it_was_sent(sent: DirectoryEvent) -> None:
    assert parse_event(encode_event(sent)) == sent


@given(review_events)
def test_look_at_a_review_is_received_as_it_was_sent(sent: ReviewEvent) -> None:
    assert parse_review_event(encode_review_event(sent)) == sent


@given(card_updates)
def test_card_update_is_received_as_it_was_sent(sent: CardUpdate) -> None:
    assert parse_card_update(encode_card_update(sent)) == sent


@given(posture_jobs)
def test_posture_job_is_received_as_it_was_sent(sent: PostureJob) -> None:
    assert parse_posture_job(encode_posture_job(sent)) == sent


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_refused(body: bytes) -> None:
    for parse in (parse_change, parse_event, parse_review_event, parse_card_update, parse_posture_job):
        with pytest.raises(RejectedError) as caught:
            parse(body)

        assert caught.value.reason == "malformed-message"


@pytest.mark.parametrize("field", ["principal_id", "source", "received_at", "correlation_id"])
def test_look_that_lacks_a_field_is_refused(field: str) -> None:
    body = json.loads(encode_change(change()))
    del body[field]

    with pytest.raises(RejectedError, match="1 fields are wrong"):
        parse_change(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("field", "value"), [("hint", "promoted"), ("kind", "device"), ("attempt", "often"), ("received_at", "yesterday")]
)
def test_look_with_an_unfamiliar_value_is_refused(field: str, value: str) -> None:
    body = json.loads(encode_change(change())) | {field: value}

    with pytest.raises(RejectedError, match="malformed-message"):
        parse_change(json.dumps(body).encode())


def test_look_received_at_no_known_offset_is_refused() -> None:
    body = json.loads(encode_change(change())) | {"received_at": "2026-03-01T12:00:00"}

    with pytest.raises(RejectedError, match="malformed-message"):
        parse_change(json.dumps(body).encode())


@pytest.mark.parametrize("field", ["ref", "source", "received_at", "correlation_id"])
def test_look_at_a_review_that_lacks_a_field_is_refused(field: str) -> None:
    body = json.loads(encode_review_event(REVIEW_EVENT))
    del body[field]

    with pytest.raises(RejectedError, match="1 fields are wrong"):
        parse_review_event(json.dumps(body).encode())


@pytest.mark.parametrize("field", ["review_id", "spec", "received_at", "correlation_id"])
def test_card_update_that_lacks_a_field_is_refused(field: str) -> None:
    body = json.loads(encode_card_update(CARD_UPDATE))
    del body[field]

    with pytest.raises(RejectedError, match="1 fields are wrong"):
        parse_card_update(json.dumps(body).encode())


def test_message_about_a_review_received_at_no_known_offset_is_refused() -> None:
    late = {"received_at": "2026-03-01T12:00:00"}

    with pytest.raises(RejectedError, match="no offset"):
        parse_review_event(json.dumps(json.loads(encode_review_event(REVIEW_EVENT)) | late).encode())
    with pytest.raises(RejectedError, match="no offset"):
        parse_card_update(json.dumps(json.loads(encode_card_update(CARD_UPDATE)) | late).encode())

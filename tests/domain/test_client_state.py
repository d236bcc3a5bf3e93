"""`clientState`: the only proof that a notification is Graph's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.client_state import RESOURCES, ClientStateKeys
from shared.errors import RejectedError

TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
NEW, OLD = b"new-key-0123456789-0123456789-012", b"old-key-0123456789-0123456789-012"
KEYS = ClientStateKeys(TENANT, (NEW, OLD))

resources = st.sampled_from(RESOURCES)
generations = st.integers(0, 10**6)


def assert_forged(client_state: str, keys: ClientStateKeys = KEYS) -> None:
    with pytest.raises(RejectedError) as caught:
        keys.check(client_state)

    assert caught.value.reason == "forged-client-state"


@given(resources, generations)
def test_issued_value_names_its_resource_and_fits_into_a_subscription(resource: str, generation: int) -> None:
    value = KEYS.issue(resource, generation)

    assert KEYS.check(value) == resource
    assert len(value) <= 128


@given(resources, generations)
def test_value_of_the_previous_key_is_accepted_during_rotation_and_not_after(resource: str, generation: int) -> None:
    value = ClientStateKeys(TENANT, (OLD,)).issue(resource, generation)

    assert KEYS.check(value) == resource
    assert_forged(value, ClientStateKeys(TENANT, (NEW,)))


def test_new_values_are_made_under_the_newest_key() -> None:
    assert KEYS.issue("users", 1) == ClientStateKeys(TENANT, (NEW,)).issue("users", 1)


@given(resources, generations, st.data())
def test_value_with_any_changed_character_is_refused(resource: str, generation: int, data: st.DataObject) -> None:
    value = KEYS.issue(resource, generation)
    at = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != value[at]))

    assert_forged(value[:at] + other + value[at + 1 :])


@given(resources, generations, st.data())
def test_value_that_is_cut_or_lengthened_is_refused(resource: str, generation: int, data: st.DataObject) -> None:
    value = KEYS.issue(resource, generation)
    cut = data.draw(st.integers(0, len(value) - 1))

    assert_forged(value[:cut])
    assert_forged(value + data.draw(st.text(min_size=1, max_size=4)))


@given(st.text(max_size=200))
def test_arbitrary_text_is_refused(text: str) -> None:
    assert_forged(text)


def test_value_for_one_resource_is_refused_for_the_other() -> None:
    assert_forged(KEYS.issue("users", 1).replace("users", "groups"))


def test_value_of_another_tenant_is_refused() -> None:
    assert_forged(ClientStateKeys("bbbbbbbb-0000-4000-8000-000000000001", (NEW,)).issue("users", 1))


def test_value_for_a_resource_that_nobody_subscribes_to_is_refused() -> None:
    assert_forged(KEYS.issue("applications", 1))


def test_public_fingerprint_is_no_proof() -> None:
    assert_forged(f"fingerprint.1.{KEYS.fingerprint(1)}")


def test_fingerprint_changes_with_the_newest_key_and_the_generation_only() -> None:
    marks = [KEYS.fingerprint(1), KEYS.fingerprint(2), ClientStateKeys(TENANT, (OLD, NEW)).fingerprint(1)]

    assert len(set(marks)) == 3
    assert ClientStateKeys(TENANT, (NEW,)).fingerprint(1) == marks[0]

"""The gateway's identities, and how the roster finds them."""

import pytest

from shared.domain.gateway import GatewayIdentity, IdentityKind, IdentityRef, Roster
from tests.domain.samples import SYNC, ai_agent, api_key, machine_identity, names, service_account, user


@pytest.mark.parametrize(
    ("identity", "is_open"),
    [
        (user(), True),
        (user("sre", status="inactive"), True),
        (user(status="inactive"), False),
        (user(status="invited"), True),
        (service_account(status="inactive"), False),
        (api_key("sre"), True),
        (api_key("sre", status="revoked"), False),
        (machine_identity("pg"), True),
        (machine_identity(attributes=names("prod")), True),
        (machine_identity(), False),
    ],
)
def test_identity_is_open_while_any_door_lets_it_in(identity: GatewayIdentity, is_open: bool) -> None:  # noqa: FBT001
    assert identity.is_open is is_open


def test_reference_reads_as_kind_and_key() -> None:
    assert str(api_key().ref) == "api-key/key-1"


def test_keys_are_found_by_name_and_by_id() -> None:
    agent, worker = ai_agent(), api_key()

    roster = Roster.of([agent, worker], "")

    assert [roster.by_ref[IdentityRef(IdentityKind.AI_AGENT, key)] for key in ("agent-1", "triage")] == [(agent,)] * 2
    assert [roster.by_ref[IdentityRef(IdentityKind.API_KEY, key)] for key in ("key-1", "worker")] == [(worker,)] * 2


def test_key_whose_name_is_its_id_is_listed_once() -> None:
    worker = api_key(key="worker", name="worker")

    assert Roster.of([worker], "").by_ref == {worker.ref: (worker,)}


def test_users_are_found_by_address_without_regard_to_case() -> None:
    ada, twin = user(email="Ada@Example.com"), user(key="sub-2", email="ada@example.COM")

    roster = Roster.of([ada, twin, user(key="sub-3", email="")], "")

    assert roster.users_by_email == {"ada@example.com": (ada, twin)}


def test_users_are_not_found_by_display_name() -> None:
    roster = Roster.of([user()], "")

    assert IdentityRef(IdentityKind.USER, "Ada") not in roster.by_ref


def test_service_account_is_found_by_object_id_without_regard_to_case() -> None:
    typed = service_account(key=SYNC.upper())

    roster = Roster.of([typed], "")

    assert roster.by_ref[IdentityRef(IdentityKind.SERVICE_ACCOUNT, SYNC)] == (typed,)


def test_only_active_people_and_service_accounts_count_as_admins_and_tether_does_not() -> None:
    admins = user("admin"), service_account("admin")
    others = (
        user("admin", key="off", status="inactive"),
        user("sre", key="sre"),
        user("admin", key="tether"),
        api_key("admin"),
    )

    active = Roster.of([*admins, *others], "tether").active_admins("admin")

    assert active == {admin.ref for admin in admins}

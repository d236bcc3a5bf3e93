"""The gateway's JSON in our words."""

import pytest

from shared.domain.gateway import GatewayIdentity, IdentityKind, IdentityRef, Review, ReviewType
from shared.domain.reach import AccessPolicy, ApprovalRule
from shared.errors import RetryLaterError
from shared.wire import gateway as wire
from tests.domain.samples import SYNC, later, names
from tests.wire.samples import fixture

JIT, ONETIME = ReviewType.JIT, ReviewType.ONETIME


def test_user_is_known_by_subject_and_null_groups_are_none() -> None:
    ada, bob = map(wire.user, wire.parse_list(wire.UserBody, fixture("gateway/users__list")))

    assert ada == GatewayIdentity(
        IdentityRef(IdentityKind.USER, "sub-ada"), "sub-ada", "Ada", "active", names("sre", "dev"), "Ada@example.com"
    )
    assert (bob.status, bob.groups, bob.is_open) == ("invited", names(), True)


def test_service_account_is_known_by_subject() -> None:
    (sync,) = map(
        wire.service_account, wire.parse_list(wire.ServiceAccountBody, fixture("gateway/service_accounts__list"))
    )

    assert sync == GatewayIdentity(
        IdentityRef(IdentityKind.SERVICE_ACCOUNT, SYNC), SYNC, "sync", "active", names("sync")
    )


@pytest.mark.parametrize("kind", [IdentityKind.API_KEY, IdentityKind.AI_AGENT])
def test_key_is_known_by_id_and_its_sessions_carry_the_same(kind: IdentityKind) -> None:
    bodies = wire.parse_list(wire.KeyBody, fixture("gateway/api_keys__list"))

    worker, old = (wire.key(body, kind) for body in bodies)

    assert (worker.ref, worker.session_user) == (IdentityRef(kind, bodies[0].id), bodies[0].id)
    assert (worker.name, worker.created_by, worker.is_open) == ("worker", "ada@example.com", True)
    assert (old.created_by, old.groups, old.is_open) == ("", names(), False)


def test_machine_identity_is_known_by_name_and_its_sessions_carry_its_id() -> None:
    bodies = wire.parse_list(wire.MachineIdentityBody, fixture("gateway/machine_identities__list"))

    etl, idle = map(wire.machine_identity, bodies)

    assert (etl.ref.key, etl.session_user, etl.connections, etl.is_open) == ("etl", bodies[0].id, names("pg"), True)
    assert (idle.status, idle.is_open) == ("inactive", False)


def test_live_sessions_are_those_not_ended_and_open_or_ready() -> None:
    rows = wire.parse_list(wire.SessionBody, fixture("gateway/sessions__page")["data"])

    held = wire.holdings(rows)

    assert [(session.session_id[-2:], session.connection) for session in held.sessions] == [
        ("01", "pg"),
        ("02", "pg"),
        ("03", "web"),
    ]


def test_reviews_are_those_pending_or_approved_with_when_they_run_out() -> None:
    rows = wire.parse_list(wire.SessionBody, fixture("gateway/sessions__page")["data"])

    held = wire.holdings([*rows, *rows])

    ids = [f"55555555-0000-4000-8000-{n:012d}" for n in range(4)]
    of = [row.id for row in rows]
    assert held.reviews == (
        Review(ids[1], of[1], "pg", JIT, pending=False, revoke_at=later(1800)),
        Review(ids[2], of[2], "web", JIT, pending=True),
        Review(ids[3], of[6], "pg", ONETIME, pending=False, revoke_at=later(-1800)),
    )


@pytest.mark.parametrize(("session_user", "is_theirs"), [("sub-ada", True), ("sub-ad", False), ("sub-ada2", False)])
def test_session_belongs_to_exactly_its_user(session_user: str, is_theirs: bool) -> None:  # noqa: FBT001
    rows = wire.parse_list(wire.SessionBody, fixture("gateway/sessions__page")["data"])

    assert {row.belongs_to(session_user) for row in rows} == {is_theirs}


def test_session_of_a_machine_identity_belongs_to_it() -> None:
    row = wire.SessionBody(id="s-1", user_id=None, machine_identity_id="mi-1")

    assert row.belongs_to("mi-1")


def policy(**changes: object) -> AccessPolicy:
    documents = {
        "connections": fixture("gateway/connections__list"),
        "access_control": fixture("gateway/plugin__access_control"),
        "attributes": fixture("gateway/attributes__page")["data"],
        "rules": fixture("gateway/rules__page")["data"],
        "auth": fixture("gateway/server_config__auth"),
    }
    return wire.access_policy(wire.parse_one(wire.PolicyDocuments, documents | changes))


def test_access_policy_holds_everything_that_decides_who_reaches_what() -> None:
    assert policy() == AccessPolicy(
        enforced=True,
        connections=names("pg", "web", "ssh"),
        groups_of_connection={"pg": names("sre"), "web": names()},
        groups_of_attribute={"prod": names("ops")},
        attributes_of_connection={"pg": names("prod"), "web": names(), "ssh": names("prod")},
        reviewed_connections=names("pg"),
        rules=(
            ApprovalRule(names("web"), names(), approval_required_groups=names("dev"), reviewer_groups=names("sec")),
        ),
        admin_group="root",
        auditor_group="readers",
        reviewers_of_connection={"pg": names("sec")},
    )


def test_plugin_connections_are_found_by_either_id_where_they_carry_no_name() -> None:
    found = policy(access_control=fixture("gateway/plugin__access_control__ids_only"))

    assert found.groups_of_connection == {"pg": names("sre"), "web": names("dev")}


def test_access_control_that_is_not_installed_is_not_enforced() -> None:
    assert not policy(access_control=None).enforced


def test_policy_of_nulls_is_the_policy_of_an_empty_gateway() -> None:
    nothing = wire.parse_one(wire.PolicyDocuments, {"connections": None, "attributes": None, "rules": None})

    assert wire.access_policy(nothing) == AccessPolicy(enforced=False)
    assert policy(access_control={"connections": None}).groups_of_connection == {}


def test_null_is_an_empty_list() -> None:
    assert wire.parse_list(wire.UserBody, None) == []


@pytest.mark.parametrize("document", [{}, "", 0, False, "<html>", {"message": "x"}, [7], [{}]])
def test_anything_else_than_a_list_of_bodies_is_asked_for_again(document: object) -> None:
    with pytest.raises(RetryLaterError) as caught:
        wire.parse_list(wire.UserBody, document)

    assert caught.value.reason == "gateway-answered-nonsense"


def test_user_without_a_subject_is_asked_for_again() -> None:
    with pytest.raises(RetryLaterError, match="UserBody: 1 fields are wrong"):
        wire.parse_list(wire.UserBody, fixture("gateway/users__list__without_ids"))


@pytest.mark.parametrize("document", [None, [], "", {"name": "etl"}])
def test_anything_else_than_a_body_is_asked_for_again(document: object) -> None:
    with pytest.raises(RetryLaterError) as caught:
        wire.parse_one(wire.MachineIdentityBody, document)

    assert caught.value.reason == "gateway-answered-nonsense"

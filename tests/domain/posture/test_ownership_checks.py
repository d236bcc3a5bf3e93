import pytest

from shared.domain.posture.inventory import App, Known, Owner
from tests.domain.posture.apps import (
    GLOBAL_ADMINISTRATOR,
    HOME,
    NOT_READ,
    PARTNER,
    TAKE_OVER,
    Changed,
    Fields,
    Names,
    Owners,
    Roles,
    agent,
    app,
    findings,
    foreign,
    group,
    holding,
    machine,
    managed_identity,
    microsofts,
    person,
    said,
    secret,
)

NOBODY: Known[tuple[()]] = Known(())


def owned(of_application: int | None, of_principal: int | None, **more: Changed) -> App:
    counts = ({"owner_count": of_application}, {"owner_count": of_principal})
    unread: Fields = {"owners": NOT_READ}
    return app(*counts, **(unread | more))


@pytest.mark.parametrize(
    ("of_application", "of_principal", "ownerless", "single"),
    [
        (0, 0, ["medium"], []),
        (1, 0, [], ["low"]),
        (0, 1, [], ["low"]),
        (1, 1, [], ["low"]),
        (2, 0, [], []),
        (0, 2, [], []),
        (None, 0, ["unknown"], ["unknown"]),
        (None, 1, ["unknown"], ["unknown"]),
        (2, None, [], []),
    ],
)
def test_owners_of_either_object_count(
    of_application: int | None, of_principal: int | None, ownerless: list[str], single: list[str]
) -> None:
    one = owned(of_application, of_principal)

    assert (said(one, "B1"), said(one, "B2")) == (ownerless, single)


def test_list_of_owners_completes_counts_that_were_not_read() -> None:
    one = owned(None, None, owners=Known((person(), person())))

    assert (said(one, "B1"), said(one, "B2")) == ([], ["low"])


def test_ownerless_with_a_live_credential_is_high() -> None:
    one = app({"owner_count": 0, "credentials": (secret(),)}, {"owner_count": 0}, owners=NOBODY)

    assert said(one, "B1") == ["high"]


@pytest.mark.parametrize(
    ("roles", "directory", "expected"),
    [
        (Known((TAKE_OVER,)), Known(()), []),
        (Known(()), Known((GLOBAL_ADMINISTRATOR,)), []),
        (NOT_READ, Known(()), ["unknown"]),
        (NOT_READ, Known((GLOBAL_ADMINISTRATOR,)), []),
    ],
)
def test_tier_zero_should_have_no_owners(roles: Roles, directory: Names, expected: list[str]) -> None:
    assert said(owned(0, 0, app_roles=roles, directory_roles=directory), "B1") == expected


NOT_OURS = [microsofts(owners=NOBODY), managed_identity(owners=NOBODY), agent(owners=NOBODY)]


@pytest.mark.parametrize("innocent", NOT_OURS)
@pytest.mark.parametrize("check_id", ["B1", "B2", "B3", "B4", "B5", "B7"])
def test_nobody_here_owns_what_is_not_ours(innocent: App, check_id: str) -> None:
    assert said(innocent, check_id) == []


def test_foreign_application_needs_an_owner_here() -> None:
    assert said(foreign(of_principal={"owner_count": 0}, owners=NOBODY), "B1") == ["medium"]


@pytest.mark.parametrize(
    ("owners", "expected"),
    [
        ([person(enabled=False)], ["high"]),
        ([person(is_guest=True)], ["high"]),
        ([person(enabled=False), person("guest", is_guest=True)], ["high"]),
        ([machine(enabled=False)], ["high"]),
        ([person(enabled=False), person("grace")], []),
        ([person(enabled=False), machine(enabled=None)], []),
        ([person(enabled=None)], ["unknown"]),
        ([person(enabled=False), person("grace", enabled=None)], ["unknown"]),
        ([person("svc-deploy")], []),
    ],
)
def test_dead_owners_are_no_owners(owners: list[Owner], expected: list[str]) -> None:
    assert said(app(owners=Known(tuple(owners))), "B3") == expected


@pytest.mark.parametrize("check_id", ["B3", "B4", "B7"])
def test_owners_that_were_not_read_are_unknown_unless_there_are_none(check_id: str) -> None:
    assert said(owned(2, 2), check_id) == ["unknown"]
    assert said(owned(0, 0), check_id) == []


@pytest.mark.parametrize(
    ("owners", "expected"),
    [
        ([person(has_mfa=False)], ["high"]),
        ([person(has_mfa=False), person("grace", has_mfa=None)], ["high"]),
        ([person(has_mfa=True)], []),
        ([person(has_mfa=False, is_guest=True)], []),
        ([person(has_mfa=False, enabled=False)], []),
        ([machine(has_mfa=False)], []),
        ([person(has_mfa=None)], ["unknown"]),
    ],
)
def test_owner_without_a_second_factor_is_found(owners: list[Owner], expected: list[str]) -> None:
    assert said(app(owners=Known(tuple(owners))), "B4") == expected


@pytest.mark.parametrize(
    ("counts", "roles", "directory", "expected"),
    [
        ((1, 0), Known((TAKE_OVER,)), Known(()), ["critical"]),
        ((1, 0), Known(()), Known((GLOBAL_ADMINISTRATOR,)), ["critical"]),
        ((0, 0), Known((TAKE_OVER,)), Known(()), []),
        ((1, 0), Known(()), Known(()), []),
        ((1, 0), Known(()), Known(("88d8e3e3-8f55-4a1e-953a-9b9898b8876b",)), []),
        ((1, 0), NOT_READ, Known(()), ["unknown"]),
        ((None, 0), Known((TAKE_OVER,)), Known(()), ["unknown"]),
        ((0, 0), NOT_READ, NOT_READ, []),
    ],
)
def test_owner_of_tier_zero_is_critical(
    counts: tuple[int | None, int], roles: Roles, directory: Names, expected: list[str]
) -> None:
    assert said(owned(*counts, app_roles=roles, directory_roles=directory), "B5") == expected


@pytest.mark.parametrize(
    ("sponsors", "expected"),
    [
        (NOBODY, ["high"]),
        (Known((group(members=0),)), ["high"]),
        (Known((person(enabled=False),)), ["high"]),
        (Known((person(),)), []),
        (Known((group(members=1),)), []),
        (Known((group(members=None), person())), []),
        (Known((group(members=None),)), ["unknown"]),
        (NOT_READ, ["unknown"]),
    ],
)
def test_agent_and_blueprint_need_somebody_who_answers(sponsors: Owners, expected: list[str]) -> None:
    assert said(agent(sponsors=sponsors), "B6") == expected
    assert said(app({"is_blueprint": True}, sponsors=sponsors), "B6") == expected


@pytest.mark.parametrize(
    "innocent",
    [
        app(sponsors=NOBODY),
        foreign(sponsors=NOBODY),
        agent(of_principal={"owner_tenant": PARTNER}, sponsors=Known((person(),))),
    ],
)
def test_ordinary_applications_and_principals_of_blueprints_need_no_sponsor(innocent: App) -> None:
    assert said(innocent, "B6") == []


def test_microsofts_agents_are_microsofts_to_answer_for() -> None:
    one = agent(of_principal={"owner_tenant": "f8cdef31-a31e-4b4a-93e4-5f571e91255a"}, sponsors=NOBODY)

    assert said(one, "B6") == []


@pytest.mark.parametrize(
    ("owners", "roles", "expected"),
    [
        ([machine(home_tenant=PARTNER)], Known(()), ["high"]),
        ([machine(home_tenant=HOME)], Known(()), []),
        ([machine(home_tenant="")], Known(()), []),
        ([machine(home_tenant=HOME)], Known((TAKE_OVER,)), ["high"]),
        ([machine(home_tenant=HOME)], NOT_READ, ["unknown"]),
        ([person()], Known((TAKE_OVER,)), []),
        ([person()], NOT_READ, []),
    ],
)
def test_owning_application_is_foreign_or_weaker(owners: list[Owner], roles: Roles, expected: list[str]) -> None:
    assert said(app(owners=Known(tuple(owners)), app_roles=roles), "B7") == expected


def test_owner_of_a_foreign_application_cannot_be_told_foreign() -> None:
    assert said(foreign(owners=Known((machine(home_tenant=HOME),))), "B7") == ["unknown"]


def test_owners_who_can_sign_in_hear_of_every_finding() -> None:
    owners = (person("grace"), person("ada", name=""), person("gone", enabled=False), machine())
    one = holding(secret(starts=400), owners=Known(owners))

    (finding,) = findings(one, "C5")

    assert finding.owners == ("ada", "grace")


def test_sponsors_hear_of_findings_about_agents() -> None:
    one = agent(last_used_at=Known(None), sponsors=Known((person("sponsor"),)))

    (finding,) = findings(one, "A7")

    assert finding.owners == ("sponsor",)

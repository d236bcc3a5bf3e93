import pytest

from shared.domain.posture.checks.appearance import looks_like_microsoft
from shared.domain.posture.inventory import App
from tests.domain.posture.apps import Changed, Fields, app, foreign, managed_identity, microsofts, said, secret

HOME_PAGE = "https://payroll.contoso.example/signed-in"
ALL = ["F1", "F2", "F3", "F4", "F5", "F6", "F8"]


@pytest.mark.parametrize(
    ("audience", "publisher", "expected"),
    [
        ("AzureADMyOrg", "", []),
        ("AzureADMultipleOrgs", "", ["medium"]),
        ("AzureADandPersonalMicrosoftAccount", "", ["medium"]),
        ("PersonalMicrosoftAccount", "", ["medium"]),
        ("AzureADMultipleOrgs", "Contoso", []),
    ],
)
def test_every_tenant_can_sign_in_unless_it_is_a_product(audience: str, publisher: str, expected: list[str]) -> None:
    assert said(app({"audience": audience}, {"verified_publisher": publisher}), "F1") == expected


def test_audience_without_a_principal_is_judged_all_the_same() -> None:
    assert said(app({"audience": "AzureADMultipleOrgs"}, principal=None), "F1") == ["medium"]


@pytest.mark.parametrize(
    ("audience", "locked", "expected"),
    [
        ("AzureADMultipleOrgs", None, ["high"]),
        ("AzureADMultipleOrgs", False, ["high"]),
        ("AzureADMultipleOrgs", True, []),
        ("AzureADMyOrg", None, []),
    ],
)
def test_multi_tenant_application_locks_its_instances(audience: str, locked: Changed, expected: list[str]) -> None:
    assert said(app({"audience": audience, "locked": locked}), "F2") == expected


@pytest.mark.parametrize(("implicit", "expected"), [(True, ["medium"]), (False, [])])
def test_access_tokens_do_not_go_through_the_address_bar(implicit: Changed, expected: list[str]) -> None:
    assert said(app({"implicit_grant": implicit}), "F3") == expected


REDIRECTS: list[tuple[str, list[str]]] = [
    ("http://payroll.contoso.example", ["high"]),
    ("HTTP://payroll.contoso.example", ["high"]),
    (" http://payroll.contoso.example", ["high"]),
    ("http://localhost.evil.example", ["high"]),
    ("http://127.0.0.1@evil.example", ["high"]),
    ("http://[not-an-address", ["high"]),
    ("http://10.0.0.1", ["high"]),
    ("http://127.0.0", ["high"]),
    ("http://localhost:8080/back", []),
    ("http://LOCALHOST", []),
    ("http://127.0.0.1:9000", []),
    ("http://127.1.2.3", []),
    ("http://[::1]:9000", []),
    ("https://payroll.contoso.example", []),
    ("contoso://back", []),
    ("", []),
]


@pytest.mark.parametrize(("uri", "expected"), REDIRECTS)
@pytest.mark.parametrize("place", ["web_redirects", "spa_redirects"])
def test_unencrypted_redirect_is_found_unless_it_stays_on_the_machine(
    place: str, uri: str, expected: list[str]
) -> None:
    assert said(app({place: (uri,)}), "F4") == expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [("https://*.contoso.example", ["high"]), ("https://contoso.example/*", ["high"]), (HOME_PAGE, [])],
)
@pytest.mark.parametrize("place", ["web_redirects", "spa_redirects"])
def test_redirect_with_a_wildcard_is_found(place: str, uri: str, expected: list[str]) -> None:
    assert said(app({place: (uri,)}), "F5") == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"web_redirects": ("http://localhost:8080", HOME_PAGE)}, ["low"]),
        ({"web_redirects": ("https://127.0.0.1/x",), "spa_redirects": (HOME_PAGE,)}, ["low"]),
        ({"web_redirects": ("http://localhost:8080",)}, []),
        ({"web_redirects": ("http://localhost:8080", "contoso://back")}, []),
        ({"web_redirects": (HOME_PAGE,), "spa_redirects": ("http://localhost:3000",)}, []),
        ({"web_redirects": (HOME_PAGE,)}, []),
    ],
)
def test_loopback_redirect_is_found_beside_a_real_one_only(changed: Fields, expected: list[str]) -> None:
    assert said(app(changed), "F6") == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"public_client": True}, ["medium"]),
        ({"public_client": True, "credentials": (secret(),)}, ["high"]),
        ({"public_client": True, "credentials": (secret(ends=-1),)}, ["medium"]),
        ({"credentials": (secret(),)}, []),
    ],
)
def test_public_client_with_a_secret_is_worse(changed: Fields, expected: list[str]) -> None:
    assert said(app(changed), "F8") == expected


@pytest.mark.parametrize("check_id", ALL)
def test_exposure_is_a_matter_of_the_registration(check_id: str) -> None:
    assert said(foreign(), check_id) == []


@pytest.mark.parametrize(
    "name",
    [
        "Microsoft Graph",
        "microsoft teams sync",
        "Micros0ft Teams",
        "M\N{CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I}crosoft Office",
        "Micros\N{CYRILLIC SMALL LETTER O}ft Office",
        "Micro\N{ZERO WIDTH SPACE}soft Office",
        "\N{FULLWIDTH LATIN CAPITAL LETTER M}icrosoft",
        "  Microsoft",
        "Azure Portal",
        "Office 365 Exchange Online",
        "Graph  Explorer",
    ],
)
def test_name_is_taken_for_microsofts_in_whatever_letters(name: str) -> None:
    assert looks_like_microsoft(name)
    assert said(foreign(of_principal={"name": name}), "F10") == ["high"]


@pytest.mark.parametrize("name", ["payroll", "Contoso Microsoft bridge", "Azure pipeline", "Micro Soft", ""])
def test_name_is_not_taken_for_microsofts(name: str) -> None:
    assert said(foreign(of_principal={"name": name}), "F10") == []


NAMED = {"name": "Microsoft Graph"}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (microsofts(of_principal=NAMED), []),
        (microsofts(of_principal=NAMED | {"owner_tenant": "33e01921-4d64-4f8c-a055-5bdaffd5e33d"}), []),
        (foreign(of_principal=NAMED | {"kind": "ManagedIdentity"}), []),
        (managed_identity(), []),
        (app(NAMED), ["medium"]),
        (app(of_principal=NAMED), ["medium"]),
        (app(NAMED, principal=None), ["medium"]),
        (foreign(of_principal=NAMED | {"owner_tenant": ""}), ["unknown"]),
    ],
)
def test_owners_tenant_decides_and_never_the_name(one: App, expected: list[str]) -> None:
    assert said(one, "F10") == expected

"""The local host signs people in as App Service does, and believes no header that comes from outside."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from sandbox.host.sign_in import own_path
from tests.sandbox.host_process import HostProcess, running_host

ADA = {"id": "a-1", "displayName": "Ada <Byron>", "userPrincipalName": "ada@contoso.example", "accountEnabled": True}
ALAN = {"id": "a-2", "displayName": "Alan", "userPrincipalName": "alan@contoso.example", "accountEnabled": False}
CALLBACK = "/.auth/login/aad/callback"
FORGED = {
    "X-MS-CLIENT-PRINCIPAL-ID": "a-1",
    "x-ms-client-principal-name": "ada@contoso.example",
    "X-MS-CLIENT-PRINCIPAL": "e30=",
    "X-Ms-Client-Principal-Idp": "aad",
}


@contextmanager
def running_directory(*users: dict[str, Any]) -> Iterator[str]:
    """Something that tells who there is, as the Graph stand-in does."""

    class Directory(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"users": users}).encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Directory) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    with running_directory(ALAN, ADA) as graph, running_host("small", GREETING="hello", GRAPH_BASE_URL=graph) as host:
        yield host


@pytest.fixture
def browser(host: HostProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.http.base_url, timeout=15) as browser:
        yield browser


def seen_by_app(browser: httpx.Client, **headers: str) -> dict[str, str]:
    told = browser.get("/api/headers", headers=headers).raise_for_status().json()
    return {name: value for name, value in told.items() if name.startswith("x-ms-")}


def sign_in(browser: httpx.Client, then: str = "/api/headers", person: str = "a-1") -> httpx.Response:
    return browser.post(CALLBACK, data={"person": person, "post_login_redirect_uri": then})


def test_page_asks_who_signs_in_and_escapes_what_they_are_called(browser: httpx.Client) -> None:
    answer = browser.get("/.auth/login/aad?post_login_redirect_uri=/api/headers")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Ada &lt;Byron&gt;" in answer.text
    assert '<input type="hidden" name="post_login_redirect_uri" value="/api/headers">' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_app_is_told_who_signed_in_and_where_they_wanted_to_go_is_where_they_come(browser: httpx.Client) -> None:
    answer = sign_in(browser)

    assert (answer.status_code, answer.headers["location"]) == (302, "/api/headers")
    assert "HttpOnly; SameSite=Lax" in answer.headers["set-cookie"]
    told = seen_by_app(browser)
    principal = json.loads(base64.b64decode(told.pop("x-ms-client-principal")))
    assert told == {
        "x-ms-client-principal-id": "a-1",
        "x-ms-client-principal-name": "ada@contoso.example",
        "x-ms-client-principal-idp": "aad",
    }
    claims = {claim["typ"].rpartition("/")[2]: claim["val"] for claim in principal["claims"]}
    assert (principal["auth_typ"], claims["objectidentifier"]) == ("aad", "a-1")


def test_headers_about_a_principal_from_outside_never_reach_the_app(browser: httpx.Client) -> None:
    assert seen_by_app(browser, **FORGED) == {}

    sign_in(browser)

    assert seen_by_app(browser, **FORGED | {"X-MS-CLIENT-PRINCIPAL-ID": "a-2"})["x-ms-client-principal-id"] == "a-1"


def test_anonymous_request_passes_without_headers(browser: httpx.Client) -> None:
    assert browser.get("/api/greeting").text == "hello"
    assert seen_by_app(browser) == {}


def test_cookie_that_nobody_was_given_signs_nobody_in(browser: httpx.Client) -> None:
    assert seen_by_app(browser, Cookie="AppServiceAuthSession=guessed") == {}
    assert seen_by_app(browser, Cookie="AppServiceAuthSession=; nonsense; =;") == {}


@pytest.mark.parametrize("hint", ["a-1", "ADA@contoso.example"])
def test_hint_that_names_somebody_is_enough(browser: httpx.Client, hint: str) -> None:
    answer = browser.get("/.auth/login/aad", params={"post_login_redirect_uri": "/api/headers", "login_hint": hint})

    assert (answer.status_code, answer.headers["location"]) == (302, "/api/headers")
    assert seen_by_app(browser)["x-ms-client-principal-id"] == "a-1"


@pytest.mark.parametrize(
    ("person", "said"), [("a-2", "disabled in Entra"), ("a-9", "nobody of this name"), ("", "nob")]
)
def test_whoever_entra_would_not_let_in_does_not_sign_in(browser: httpx.Client, person: str, said: str) -> None:
    answer = sign_in(browser, person=person)

    assert answer.status_code == 401
    assert said in answer.text
    assert "set-cookie" not in answer.headers
    assert seen_by_app(browser) == {}


def test_form_of_another_site_signs_nobody_in(browser: httpx.Client) -> None:
    answer = browser.post(CALLBACK, data={"person": "a-1"}, headers={"Origin": "https://elsewhere.example"})

    assert answer.status_code == 403
    assert seen_by_app(browser) == {}


def test_me_tells_the_claims_to_whoever_signed_in_and_nothing_to_others(browser: httpx.Client) -> None:
    before = browser.get("/.auth/me")
    sign_in(browser)

    after = browser.get("/.auth/me")

    assert (before.status_code, before.content) == (401, b"")
    (told,) = after.json()
    assert (told["provider_name"], told["user_id"]) == ("aad", "ada@contoso.example")


def test_sign_out_ends_the_session_itself_and_not_only_the_cookie(browser: httpx.Client) -> None:
    sign_in(browser)
    cookie = browser.cookies["AppServiceAuthSession"]

    answer = browser.get("/.auth/logout?post_logout_redirect_uri=/api/greeting")

    assert (answer.status_code, answer.headers["location"]) == (302, "/api/greeting")
    assert "AppServiceAuthSession" not in browser.cookies
    assert seen_by_app(browser, Cookie=f"AppServiceAuthSession={cookie}") == {}


@pytest.mark.parametrize(
    "then",
    ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "/a\r\nx: y", "", "api", "/a b"],
)
def test_sign_in_leads_nowhere_but_to_a_path_of_the_app(browser: httpx.Client, then: str) -> None:
    assert sign_in(browser, then).headers["location"] == "/.auth/login/done"
    assert own_path(then) == "/.auth/login/done"


@pytest.mark.parametrize("path", ["/.auth/login/github", "/.auth/refresh", "/.auth/", "/.auth/login/aad/callback"])
def test_other_paths_of_authentication_are_not_found(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_nobody_signs_in_where_the_platform_does_not_and_headers_are_dropped_all_the_same() -> None:
    with running_host("small", GREETING="hello", WEBSITE_AUTH_ENABLED="false") as host:
        assert host.http.get("/.auth/login/aad").status_code == 404
        assert seen_by_app(host.http, **FORGED) == {}


def test_page_says_so_where_no_directory_answers() -> None:
    with running_directory() as gone:
        pass
    with running_host("small", GREETING="hello", GRAPH_BASE_URL=gone) as host:
        answer = host.http.get("/.auth/login/aad")

    assert answer.status_code == 503
    assert "does not say who there is" in answer.text

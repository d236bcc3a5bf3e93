"""What App Service authentication does in front of an app: `/.auth`, a cookie, and headers that say who signed in.

Requests of nobody pass (`AllowAnonymous`): the app decides. Whatever a client writes into the headers is dropped.
"""

import base64
import json
import os
import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

import azure.functions as func

from sandbox.host.people import NobodyKnownError, Person, everybody
from sandbox.host.sign_in_page import POLICY, notice_page, sign_in_page
from sandbox.tenant import TENANT_ID

PREFIX = "/.auth/"
COOKIE = "AppServiceAuthSession"
_HEADERS = "x-ms-client-principal"
_DONE, _SIGNED_OUT = "/.auth/login/done", "/.auth/logout/complete"
_NOTICES = {_DONE: "You are signed in", _SIGNED_OUT: "You are signed out"}
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
_ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
_TENANT = "http://schemas.microsoft.com/identity/claims/tenantid"
# A second slash, or a backslash that browsers take for one, would lead to another host.
_OWN_PATH = re.compile(r"/(?![/\\])[^\s\\]*")


def signs_in() -> bool:
    """Whether the platform signs people in, as it tells the app."""
    return os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() == "true"


class SignIn:
    """The sessions of this host; they end with it."""

    def __init__(self) -> None:
        self._sessions: dict[str, Person] = {}

    def headers(self, given: Mapping[str, str]) -> dict[str, str]:
        """The headers that the app gets: without any about a principal from outside, with those of the cookie."""
        kept = {name: value for name, value in given.items() if not name.lower().startswith(_HEADERS)}
        person = self._person(given) if signs_in() else None
        return kept | _principal_headers(person) if person else kept

    async def answer(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> func.HttpResponse:
        """The answer of a path below `/.auth`."""
        asked = path.rstrip("/").lower()
        if method == "GET" and asked in _NOTICES:
            return _page(notice_page(_NOTICES[asked], "You may close this page."))
        match method, asked:
            case "GET", "/.auth/login/aad":
                return await self._choose(own_path(query.get("post_login_redirect_uri")), query.get("login_hint", ""))
            case "POST", "/.auth/login/aad/callback":
                return await self._enter(headers, dict(parse_qsl(body.decode(errors="replace"))))
            case "GET", "/.auth/me":
                return self._me(headers)
            case "GET", "/.auth/logout":
                return self._leave(headers, own_path(query.get("post_logout_redirect_uri"), _SIGNED_OUT))
        return func.HttpResponse(status_code=HTTPStatus.NOT_FOUND)

    async def _choose(self, then: str, hint: str) -> func.HttpResponse:
        """Asks who signs in; a hint that names somebody is enough, as it is for Entra where a session is open."""
        try:
            people = await everybody()
        except NobodyKnownError as error:
            return _page(notice_page("Nobody can sign in", f"{error}."), HTTPStatus.SERVICE_UNAVAILABLE)
        if not hint:
            return _page(sign_in_page(people, then))
        person = next((one for one in people if one.answers_to(hint)), None)
        if person is None:
            return _page(sign_in_page(people, then, "Entra has nobody of this name."), HTTPStatus.UNAUTHORIZED)
        if not person.is_enabled:
            return _page(sign_in_page(people, then, "This account is disabled in Entra."), HTTPStatus.UNAUTHORIZED)
        return self._open(person, then)

    async def _enter(self, headers: Mapping[str, str], form: Mapping[str, str]) -> func.HttpResponse:
        if headers.get("origin", f"http://{headers.get('host')}") != f"http://{headers.get('host')}":
            return func.HttpResponse(status_code=HTTPStatus.FORBIDDEN)
        return await self._choose(own_path(form.get("post_login_redirect_uri")), form.get("person") or "nobody")

    def _open(self, person: Person, then: str) -> func.HttpResponse:
        session = secrets.token_urlsafe(24)
        self._sessions[session] = person
        return _redirect(then, f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax")

    def _leave(self, headers: Mapping[str, str], then: str) -> func.HttpResponse:
        self._sessions.pop(_cookie(headers), None)
        return _redirect(then, f"{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")

    def _me(self, headers: Mapping[str, str]) -> func.HttpResponse:
        person = self._person(headers)
        if person is None:
            return func.HttpResponse(status_code=HTTPStatus.UNAUTHORIZED)
        told = {"provider_name": "aad", "user_id": person.address, "user_claims": _claims(person)}
        return func.HttpResponse(json.dumps([told]), mimetype="application/json", headers={"Cache-Control": "no-store"})

    def _person(self, headers: Mapping[str, str]) -> Person | None:
        return self._sessions.get(_cookie(headers))


def own_path(asked: str | None, otherwise: str = _DONE) -> str:
    """Where to go on to: a path of this app, and nowhere else."""
    return asked if asked is not None and _OWN_PATH.fullmatch(asked) else otherwise


def _cookie(headers: Mapping[str, str]) -> str:
    given = next((value for name, value in headers.items() if name.lower() == "cookie"), "")
    try:
        found = SimpleCookie(given).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _principal_headers(person: Person) -> dict[str, str]:
    principal = {"auth_typ": "aad", "claims": _claims(person), "name_typ": _NAME, "role_typ": _ROLE}
    return {
        _HEADERS: base64.b64encode(json.dumps(principal).encode()).decode(),
        f"{_HEADERS}-id": person.object_id,
        f"{_HEADERS}-name": person.address,
        f"{_HEADERS}-idp": "aad",
    }


def _claims(person: Person) -> list[dict[str, str]]:
    claims = {_OBJECT_ID: person.object_id, _TENANT: TENANT_ID, _NAME: person.address, "name": person.name}
    return [{"typ": name, "val": value} for name, value in claims.items()]


def _redirect(then: str, cookie: str) -> func.HttpResponse:
    headers = {"Location": then, "Set-Cookie": cookie, "Cache-Control": "no-store"}
    return func.HttpResponse(status_code=HTTPStatus.FOUND, headers=headers)


def _page(html: str, status: HTTPStatus = HTTPStatus.OK) -> func.HttpResponse:
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
    return func.HttpResponse(html, status_code=status, headers=headers, mimetype="text/html")

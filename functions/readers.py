"""Readers: people in front of a browser, who signed in or have to, and pages that are for nobody else."""

import os
from collections.abc import Awaitable
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import azure.functions as func

from functions.answers import answer

_ENTRA = "aad"
_SIGN_IN = f"/.auth/login/{_ENTRA}?post_login_redirect_uri="


async def answer_reader(req: func.HttpRequest, handled: Awaitable[func.HttpResponse]) -> func.HttpResponse:
    """The handler's answer; a browser gets the sign-in, or a page that people can read, in place of a bare reason."""
    answered = await answer(handled)
    if answered.status_code < HTTPStatus.BAD_REQUEST or "text/html" not in req.headers.get("Accept", ""):
        return answered
    reason = answered.get_body().decode()
    if reason == "unauthenticated" and _signs_people_in():
        return func.HttpResponse(
            status_code=HTTPStatus.FOUND, headers={"Location": _sign_in(req), "Cache-Control": "no-store"}
        )
    return _notice(answered, reason, req.headers.get("X-MS-CLIENT-PRINCIPAL-NAME", ""))


def reader_id(req: func.HttpRequest) -> str | None:
    """Who signed in at Entra, as App Service says. Where it does not sign people in, anybody could write its header."""
    # Another provider's ids are its own affair: one of them could be written like an object id of Entra's.
    is_of_entra = req.headers.get("X-MS-CLIENT-PRINCIPAL-IDP", _ENTRA) == _ENTRA
    return req.headers.get("X-MS-CLIENT-PRINCIPAL-ID") or None if _signs_people_in() and is_of_entra else None


def page_headers(page: bytes = b"") -> dict[str, str]:
    """What a browser may do with what readers get: nothing but what a report needs, and keep nothing."""
    from shared.wire.report import policy_of  # noqa: PLC0415 - what reports need is loaded by them

    return {
        "Content-Security-Policy": policy_of(page),
        "X-Content-Type-Options": "nosniff",
        # A page within a frame of somebody else's could be clicked unseen; the policy in the page cannot say so.
        "X-Frame-Options": "DENY",
        "Cache-Control": "private, no-store",
    }


def _notice(answered: func.HttpResponse, reason: str, reader: str) -> func.HttpResponse:
    from shared.wire.report import notice_page  # noqa: PLC0415

    page = notice_page(reason, reader, is_passing=answered.status_code == HTTPStatus.SERVICE_UNAVAILABLE)
    headers = {**page_headers(), **answered.headers}
    return func.HttpResponse(page, status_code=answered.status_code, headers=headers, mimetype="text/html")


def _signs_people_in() -> bool:
    return os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() == "true"


def _sign_in(req: func.HttpRequest) -> str:
    """Where App Service signs people in and then sends them back to this page: its path alone, on this very host."""
    return _SIGN_IN + quote("/" + urlsplit(req.url).path.lstrip("/"), safe="")

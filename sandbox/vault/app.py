"""The vault's routes: lists of secrets and of their versions, after the challenge that clients are made for."""

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.tenant import TENANT_ID
from sandbox.tokens import read_token
from sandbox.vault.state import VaultState, Version

API_VERSIONS = frozenset({"7.4", "7.5", "7.6"})


def create_app() -> Starlette:
    """A vault with its own memory."""
    state = VaultState()

    async def secrets(request: Request) -> Response:
        return _refusal(state, request) or _page(
            request, state, [_item(request, name, versions[-1]) for name, versions in sorted(state.secrets.items())]
        )

    async def versions(request: Request) -> Response:
        refused = _refusal(state, request)
        name = request.path_params["name"]
        if refused or name not in state.secrets:
            return refused or _error(
                404, "SecretNotFound", f"A secret with name {name} was not found in this key vault."
            )
        return _page(request, state, [_item(request, name, one, one.version) for one in state.secrets[name]])

    async def value(request: Request) -> Response:
        state.requests["values"] += 1
        return _refusal(state, request) or _error(403, "Forbidden", "The user does not have secrets get permission.")

    async def keep(request: Request) -> Response:
        """One more version, as a rotation stores it: {name, keyId, appObjectId, days?}; no token, loopback only."""
        body = await request.json()
        made = state.rotate(body["name"], body["keyId"], body["appObjectId"], days=int(body.get("days", 90)))
        return JSONResponse({"version": made.version}, status_code=201)

    app = Starlette(
        routes=[
            Route("/sandbox/secrets", keep, methods=["POST"]),
            Route("/secrets", secrets),
            Route("/secrets/{name}/versions", versions),
            Route("/secrets/{name}/{version}", value),
        ]
    )
    app.state.vault = state
    return app


def _refusal(state: VaultState, request: Request) -> Response | None:
    """As the vault answers who does not say who it is, asks for the wrong thing, or may not read."""
    state.requests[request.url.path.strip("/").partition("/")[0]] += 1
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer":
        return _challenge(state, request)
    try:
        claims = read_token(token, audience=_resource(state, request))
    except jwt.InvalidTokenError:
        return _challenge(state, request)
    if request.query_params.get("api-version") not in API_VERSIONS:
        return _error(400, "BadParameter", "The specified version is not recognized.")
    if state.failures:
        return _error(state.failures.pop(0), "Throttled", "Request was not processed.")
    if claims["oid"] not in state.readers:
        return _error(403, "Forbidden", "Caller is not authorized to perform action on resource.")
    return None


def _challenge(state: VaultState, request: Request) -> Response:
    authority = f"https://login.microsoftonline.com/{TENANT_ID}"
    said = f'Bearer authorization="{authority}", resource="{_resource(state, request)}"'
    refused = _error(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
    refused.headers["WWW-Authenticate"] = said
    return refused


def _resource(state: VaultState, request: Request) -> str:
    """What tokens are for: the domain above the vault's own, as clients insist that it is."""
    return state.wrong_resource or f"https://{request.url.netloc.partition('.')[2]}"


def _page(request: Request, state: VaultState, items: list[dict[str, object]]) -> Response:
    start = int(request.query_params.get("$skiptoken", "0"))
    after = start + state.page_size
    more = request.url.include_query_params(**{"$skiptoken": str(after)}) if after < len(items) else None
    return JSONResponse({"value": items[start:after], "nextLink": str(more) if more is not None else None})


def _item(request: Request, name: str, one: Version, version: str = "") -> dict[str, object]:
    base = f"{request.url.scheme}://{request.url.netloc}/secrets/{name}"
    attributes = {
        "enabled": one.enabled,
        "created": one.created,
        "updated": one.created,
        "recoveryLevel": "Recoverable",
    }
    if one.expires is not None:
        attributes["exp"] = one.expires
    return {"id": f"{base}/{version}" if version else base, "attributes": attributes, "tags": one.tags}


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)

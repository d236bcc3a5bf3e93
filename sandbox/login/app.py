"""Entra's routes and the control routes as one ASGI application."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.login.control import Control
from sandbox.login.grants import grant
from sandbox.login.places import authority, issuer
from sandbox.login.refusals import RefusalError
from sandbox.login.state import LoginState
from sandbox.tenant import TENANT_ID

Handler = Callable[[LoginState, Request], Awaitable[Response]]


def create_app() -> Starlette:
    """A sign-in server with its own memory and its own keys."""
    state = LoginState()
    routes = [
        *Control(state).routes(),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", _endpoint(state, openid_configuration)),
        Route("/{tenant}/discovery/v2.0/keys", _endpoint(state, keys)),
        Route("/{tenant}/oauth2/v2.0/token", _endpoint(state, token), methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={RefusalError: _answer_refusal})  # type: ignore[dict-item]
    app.state.login = state
    return app


async def openid_configuration(state: LoginState, request: Request) -> Response:
    state.requests["metadata"] += 1
    base = f"{authority(request)}/{TENANT_ID}"
    return JSONResponse(
        {
            "issuer": issuer(request, TENANT_ID),
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


async def keys(state: LoginState, request: Request) -> Response:
    state.requests["keys"] += 1
    return JSONResponse({"keys": state.keys.published(issuer(request, TENANT_ID))})


async def token(state: LoginState, request: Request) -> Response:
    form = dict(parse_qsl((await request.body()).decode(errors="replace")))
    state.requests[form.get("grant_type", "")] += 1
    answer = grant(state, form, issuer(request, TENANT_ID))
    return JSONResponse(answer, headers={"Cache-Control": "no-store, no-cache"})


def _endpoint(state: LoginState, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        fault = await state.switches.fault()
        if fault:
            return fault
        tenant = request.path_params["tenant"]
        if tenant != TENANT_ID:
            raise RefusalError("invalid_tenant", 90002, f"Tenant '{tenant}' not found.")
        return await handler(state, request)

    return answer


async def _answer_refusal(_request: Request, refusal: RefusalError) -> Response:
    return refusal.response()

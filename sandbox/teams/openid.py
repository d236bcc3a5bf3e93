"""The OpenID metadata and the key set by which a bot knows that Teams is calling."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.teams.keys import ISSUER, Keys


def openid_routes(keys: Keys) -> list[Route]:
    """The metadata and the published keys; no token."""

    async def metadata(request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        return JSONResponse(
            {
                "issuer": ISSUER,
                "authorization_endpoint": "https://invalid.botframework.com",
                "jwks_uri": f"{base}/v1/.well-known/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            }
        )

    async def key_set(_request: Request) -> Response:
        return JSONResponse({"keys": [key.published() for key in keys.published]})

    return [Route("/v1/.well-known/openidconfiguration", metadata), Route("/v1/.well-known/keys", key_set)]

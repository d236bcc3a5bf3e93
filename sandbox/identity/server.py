"""The token endpoint of App Service's managed identity, and an administrator's token for the sandbox itself."""

from secrets import compare_digest

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from infra.permissions import read_permissions
from sandbox.tenant import GRAPH_AUDIENCE, TETHER_CLIENT_ID, TETHER_OBJECT_ID
from sandbox.tokens import issue_token, read_token

API_VERSION = "2019-08-01"
READ_ROLES = tuple(permission.name for permission in read_permissions().permissions)
ADMIN_OBJECT_ID = "7e7e0000-0000-4000-8000-0000000000ad"
ADMIN_ROLES = ("Directory.ReadWrite.All",)


def identity_app(identity_header: str) -> Starlette:
    """The identity server, which issues tokens only to callers that know `identity_header`."""

    async def token(request: Request) -> JSONResponse:
        if not compare_digest(request.headers.get("x-identity-header", "").encode(), identity_header.encode()):
            return _refusal(401, "The X-IDENTITY-HEADER is missing or wrong.")
        if request.query_params.get("api-version") != API_VERSION:
            return _refusal(400, f"The api-version must be {API_VERSION}.")
        resource = request.query_params.get("resource", "")
        if not resource:
            return _refusal(400, "The resource is missing.")
        if request.query_params.get("client_id", TETHER_CLIENT_ID) != TETHER_CLIENT_ID:
            return _refusal(400, "No managed identity has the requested client id.")
        return JSONResponse(_managed_identity_token(resource))

    async def admin_token(_request: Request) -> JSONResponse:
        token = issue_token(audience=GRAPH_AUDIENCE, object_id=ADMIN_OBJECT_ID, roles=ADMIN_ROLES)
        return JSONResponse({"access_token": token})

    async def health(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/msi/token", token, methods=["GET"]),
            Route("/sandbox/admin-token", admin_token, methods=["POST"]),
            Route("/sandbox/health", health, methods=["GET"]),
        ]
    )


def _managed_identity_token(resource: str) -> dict[str, str]:
    roles = READ_ROLES if resource.rstrip("/") == GRAPH_AUDIENCE else ()
    access_token = issue_token(audience=resource, object_id=TETHER_OBJECT_ID, roles=roles)
    return {
        "access_token": access_token,
        "expires_on": str(read_token(access_token)["exp"]),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": TETHER_CLIENT_ID,
    }


def _refusal(status: int, message: str) -> JSONResponse:
    return JSONResponse({"statusCode": status, "message": message}, status_code=status)

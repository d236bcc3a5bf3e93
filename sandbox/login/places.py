"""Where the server is, as its tokens and its metadata name it."""

from starlette.requests import Request

from sandbox.tenant import HOST


def authority(request: Request) -> str:
    """The address in `AZURE_AUTHORITY_HOST`, whatever name the client called the server by."""
    return f"https://{HOST}:{request.scope['server'][1]}"


def issuer(request: Request, tenant_id: str) -> str:
    """Who issues the v2.0 tokens of a tenant."""
    return f"{authority(request)}/{tenant_id}/v2.0"

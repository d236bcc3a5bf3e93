"""Graph's error answers."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse


class GraphError(Exception):
    """A refusal in Graph's words; becomes the response."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def response(self, request: Request) -> JSONResponse:
        """The error body with the ids that support staff ask for."""
        request_id = str(uuid.uuid4())
        client_request_id = request.headers.get("client-request-id", request_id)
        inner = {
            "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": client_request_id,
        }
        body = {"error": {"code": self.code, "message": self.message, "innerError": inner}}
        headers = {"request-id": request_id, "client-request-id": client_request_id} | self.headers
        return JSONResponse(body, self.status, headers)


def bad_request(message: str) -> GraphError:
    """The directory's 400."""
    return GraphError(400, "Request_BadRequest", message)


def unsupported_query(message: str) -> GraphError:
    """The directory's 400 for a query it cannot answer."""
    return GraphError(400, "Request_UnsupportedQuery", message)


def not_found(object_id: str) -> GraphError:
    """The directory's 404."""
    message = f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present."
    return GraphError(404, "Request_ResourceNotFound", message)

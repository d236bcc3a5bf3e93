"""Refusals in the Bot Connector's own words."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.teams.records import Json


class ConnectorError(Exception):
    """A refusal with the connector's code, answered as `{"error": {"code", "message"}}`."""

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after

    def response(self) -> Response:
        """The refusal as an answer."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse({"error": {"code": self.code, "message": self.message}}, self.status, headers)


def not_in_roster() -> ConnectorError:
    """The app is not installed where it wants to speak."""
    return ConnectorError(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")


def no_conversation() -> ConnectorError:
    """There is no such conversation."""
    return ConnectorError(404, "ConversationNotFound", "Conversation not found.")


def bad_syntax(message: str) -> ConnectorError:
    """The request cannot be understood."""
    return ConnectorError(400, "BadSyntax", message)


async def json_object(request: Request) -> Json:
    """The body as an object, empty when there is none; refused when it is something else."""
    if not await request.body():
        return {}
    try:
        body = await request.json()
    except ValueError:
        raise bad_syntax("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise bad_syntax("The body is not an object.")
    return body

"""What a person's client makes of the bot's answer to a card action."""

from sandbox.teams.records import ADAPTIVE_CARD, Json

MESSAGE = "application/vnd.microsoft.activity.message"
LOGIN_REQUEST = "application/vnd.microsoft.activity.loginRequest"
ERROR = "application/vnd.microsoft.error"
PRECONDITION_FAILED = "application/vnd.microsoft.error.preconditionFailed"
BAD_CODES = frozenset(f"application/vnd.microsoft.error.{name}AuthCode" for name in ("incorrect", "inccorect"))
SOMETHING_WENT_WRONG: Json = {"error": {"code": "ClientError", "message": "Something went wrong. Please try again."}}
_SHAPES: dict[str, tuple[frozenset[int], type]] = {
    ADAPTIVE_CARD: (frozenset({200}), dict),
    MESSAGE: (frozenset({200}), str),
    ERROR: (frozenset({400, 500}), dict),
    LOGIN_REQUEST: (frozenset({401}), dict),
    PRECONDITION_FAILED: (frozenset({412}), dict),
}


def is_well_formed(body: object) -> bool:
    """Whether this is an invoke response: a status code, a type that goes with it, and a value of its shape."""
    if not isinstance(body, dict):
        return False
    if body.get("type") in BAD_CODES:
        return body.get("statusCode") == 401
    codes, shape = _SHAPES.get(str(body.get("type")), (frozenset[int](), object))
    return body.get("statusCode") in codes and isinstance(body.get("value"), shape)


def shown(body: object) -> Json:
    """What the person sees: a `card`, a `message`, a `signIn` button or an `error`."""
    if not isinstance(body, dict) or not is_well_formed(body):
        return SOMETHING_WENT_WRONG
    kind, value = body["type"], body.get("value") or {}
    if kind == ADAPTIVE_CARD:
        return {"card": value}
    if kind == MESSAGE:
        return {"message": value or ""}
    if kind == LOGIN_REQUEST:
        return {"signIn": value}
    if kind in BAD_CODES:
        return {"error": {"code": "IncorrectAuthCode", "message": "The sign-in code was not accepted."}}
    return {"error": {"code": str(value.get("code", "")), "message": str(value.get("message", ""))}}


def toast(seen: Json) -> tuple[str, str] | None:
    """The kind and text of the banner that a person gets; none for a card."""
    if "message" in seen:
        return "message", seen["message"]
    if "error" in seen:
        return "error", seen["error"]["message"]
    if "signIn" in seen:
        return "sign-in", str(seen["signIn"].get("text", "Sign in"))
    return None

"""Refusals in Entra's words: an OAuth error, a sentence that starts with its AADSTS code, and the code as a number."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.responses import JSONResponse

Json = dict[str, Any]


class RefusalError(Exception):
    """An answer of the token endpoint other than a token; `more` holds what some errors carry besides."""

    def __init__(self, error: str, code: int, sentence: str, *, status: int = 400, more: Json | None = None) -> None:
        super().__init__(f"{error}: AADSTS{code}: {sentence}")
        self.error = error
        self.code = code
        self.sentence = sentence
        self.status = status
        self.more = more or {}

    def response(self) -> JSONResponse:
        """The refusal as Entra writes it."""
        moment = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
        trace_id, correlation_id = str(uuid4()), str(uuid4())
        traces = f"Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {moment}"
        body = {
            "error": self.error,
            "error_description": f"AADSTS{self.code}: {self.sentence} {traces}",
            "error_codes": [self.code],
            "timestamp": moment,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }
        return JSONResponse(body | self.more, self.status)


def invalid_request(parameter: str) -> RefusalError:
    """What a request without a needed parameter gets."""
    sentence = f"The request body must contain the following parameter: '{parameter}'."
    return RefusalError("invalid_request", 900144, sentence)


def invalid_client(code: int, sentence: str) -> RefusalError:
    """What an app that cannot prove who it is gets."""
    return RefusalError("invalid_client", code, sentence, status=401)


def invalid_grant(code: int, sentence: str) -> RefusalError:
    """What an assertion about a user that does not hold gets."""
    return RefusalError("invalid_grant", code, sentence)


def consent_missing() -> RefusalError:
    """What a user who has not agreed to the app's access gets: Entra names the consent in `suberror` only."""
    sentence = "The user or administrator has not consented to use the application."
    return RefusalError("invalid_grant", 65001, sentence, more={"suberror": "consent_required"})


def interaction_required() -> RefusalError:
    """What a user gets who has to prove more, such as a second factor."""
    sentence = "Due to a configuration change, you must use multi-factor authentication to access the resource."
    claims = '{"access_token":{"capolids":{"essential":true,"values":["7e7e0000-0000-4000-8000-0000000000ca"]}}}'
    return RefusalError("interaction_required", 50076, sentence, more={"suberror": "basic_action", "claims": claims})

"""Answers: what an HTTP caller gets for each kind of error."""

import logging
from collections.abc import Awaitable
from math import ceil

import azure.functions as func

from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError

_LOG = logging.getLogger("tether")
_STATUS = {
    "body-too-large": 413,
    "forged-client-state": 403,
    "unauthenticated": 401,
    "forbidden": 403,
    "approvals-off": 404,
    "reports-off": 404,
    "unknown-hold": 404,
    "unknown-identity": 404,
    "unknown-report": 404,
}


async def answer(handled: Awaitable[func.HttpResponse]) -> func.HttpResponse:
    """The handler's answer, or the error's: 4xx with its reason, 409 when it is done, or 503 with Retry-After."""
    try:
        return await handled
    except RejectedError as error:
        _LOG.warning("refused: %s", error)
        return func.HttpResponse(error.reason, status_code=_STATUS.get(error.reason, 400), mimetype="text/plain")
    except AlreadyDecidedError as error:
        return func.HttpResponse(error.reason, status_code=409, mimetype="text/plain")
    except RetryLaterError as error:
        headers = {"Retry-After": str(max(1, ceil(error.retry_after)))}
        return func.HttpResponse(error.reason, status_code=503, headers=headers, mimetype="text/plain")

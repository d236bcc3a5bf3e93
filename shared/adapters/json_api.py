"""JSON over HTTPS with a bearer token, its failures told apart by what the caller can do about them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from shared.adapters.unanswered import may_have_arrived
from shared.errors import RetryLaterError, UnknownOutcomeError

BUSY = (429, 503)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and what came with it; `document` is `None` when there was no JSON."""

    status: int
    document: Any
    location: str | None = None


class JsonApi:
    """One vendor's API. `name` prefixes every error's reason, such as `graph-503`."""

    def __init__(
        self, name: str, client: httpx.AsyncClient, headers: Callable[[], Awaitable[Mapping[str, str]]]
    ) -> None:
        self._name = name
        self._client = client
        self._headers = headers

    async def get(self, path: str, **params: str | int) -> Answer:
        """The answer to a read; 404 and 410 are answers, too."""
        return await self.request("GET", path, params=params)

    async def request(
        self, method: str, path: str, *, params: Mapping[str, str | int] | None = None, json: object = None
    ) -> Answer:
        """The answer below 400, or 400, 404, 409, 410, 412 and 422, which mean something to the caller.

        Raises:
            RetryLaterError: the other side cannot be reached, is busy, refuses us or does not speak JSON.
            UnknownOutcomeError: the same, and a write may have taken effect.
        """
        try:
            response = await self._client.request(
                method, path, params=params or None, json=json, headers=dict(await self._headers())
            )
        except httpx.HTTPError as error:
            failure = UnknownOutcomeError if _is_write(method) and may_have_arrived(error) else RetryLaterError
            raise failure(f"{self._name}-unreachable", type(error).__name__) from error
        return self._judge(response)

    def _judge(self, response: httpx.Response) -> Answer:
        status = response.status_code
        failure = _failure(response)
        if status in BUSY:
            raise failure(f"{self._name}-{status}", retry_after=retry_after(response))
        if status in (401, 403) or (status >= 500 and not _says_why(response)):
            raise failure(f"{self._name}-{status}", _advice(response))
        if status == 200 and response.request.method == "GET" and not response.content:
            raise RetryLaterError(f"{self._name}-empty", "nothing is not the same as an empty list")
        if status == 204 or not response.content:
            return Answer(status, None)
        if "json" not in response.headers.get("content-type", ""):
            if status < 400:
                raise failure(f"{self._name}-not-json", "check the base URL: the answer is not JSON")
            return Answer(status, None, response.headers.get("location"))
        return Answer(status, self._json(response), response.headers.get("location"))

    def _json(self, response: httpx.Response) -> object:
        try:
            return response.json()
        except ValueError as error:
            raise _failure(response)(f"{self._name}-not-json", "the answer is cut short or malformed") from error


def retry_after(response: httpx.Response) -> float:
    """Seconds to wait, from a number or an HTTP date; both forms are in use."""
    value = response.headers.get("retry-after", "")
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        sent = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return 0.0
    return max(0.0, (moment - sent).total_seconds())


def _is_write(method: str) -> bool:
    return method != "GET"


def _failure(response: httpx.Response) -> type[RetryLaterError]:
    """A write that was neither refused nor clearly accepted may have taken effect."""
    refused = 300 <= response.status_code < 500
    return RetryLaterError if refused or not _is_write(response.request.method) else UnknownOutcomeError


def _says_why(response: httpx.Response) -> bool:
    return response.status_code == 500 and b'"message"' in response.content


def _advice(response: httpx.Response) -> str:
    """What to check, and the code of the error where the answer carries one, such as one that means a licence."""
    advice = {401: "check the credential", 403: "check the permissions of Tether's identity"}
    return ": ".join(filter(None, (advice.get(response.status_code), _error_code(response))))


def _error_code(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["code"])
    except (ValueError, LookupError, TypeError):
        return ""

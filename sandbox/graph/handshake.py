"""The validation handshake: an endpoint has to echo a token before a subscription exists."""

import secrets
from urllib.parse import quote

import httpx

from sandbox.graph.delivery import Sender
from sandbox.graph.subscriptions import invalid

DEADLINE_SECONDS = 10.0


async def shake_hands(sender: Sender, url: str) -> None:
    """Ask an endpoint to echo a token; raises Graph's 400 unless it does so, exactly and in time."""
    # The blank, colon, plus and slash have to survive URL decoding on the other side.
    token = f"Validation: {secrets.token_hex(16)} + a/b=&é"
    glue = "&" if "?" in url else "?"
    target = f"{url}{glue}validationToken={quote(token, safe='')}"
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    try:
        answer = await sender.post(target, seconds=DEADLINE_SECONDS, headers=headers, content=b"")
    except (TimeoutError, httpx.HTTPError) as error:
        raise _failed(f"the endpoint did not answer within {DEADLINE_SECONDS:.0f} seconds") from error
    if answer.status_code != 200:
        raise _failed(f"HTTP status code is {answer.status_code}")
    if not answer.headers.get("content-type", "").startswith("text/plain"):
        raise _failed("the content type of the answer is not text/plain")
    if answer.content.decode(errors="replace") != token:
        raise _failed("the answer is not the validation token")


def _failed(reason: str) -> Exception:
    return invalid(
        "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request: "
        f"{reason}."
    )

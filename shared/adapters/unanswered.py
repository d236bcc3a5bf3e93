"""Requests without an answer: whether the other side may have got them all the same."""

import httpx


def may_have_arrived(error: httpx.HTTPError) -> bool:
    """Whether the request may have been sent, so that what it asked for may have happened.

    httpx's transport on aiohttp reports a connection that broke after sending as `ConnectTimeout`, too: the cause says
    what it really was.
    """
    # Loaded by the transport already, where that one is used at all.
    import aiohttp  # noqa: PLC0415

    if isinstance(error.__cause__, aiohttp.ClientError):
        return not isinstance(error.__cause__, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    return not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)

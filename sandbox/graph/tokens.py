"""Opaque page and delta tokens: what a link has to remember, readable only to this server."""

import base64
import binascii
import json
from typing import Any


def pack(values: dict[str, Any]) -> str:
    """A URL-safe token."""
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def unpack(token: str) -> dict[str, Any]:
    """What a token holds; raises ValueError when this server did not write it."""
    try:
        values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError("not a token of this server") from error
    if not isinstance(values, dict):
        raise ValueError("not a token of this server")  # noqa: TRY004 - one error for every kind of foreign token
    return values

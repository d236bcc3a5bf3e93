"""Access tokens that the sandbox's servers issue and accept: signed JWTs with Entra's claims."""

import os
import time
from collections.abc import Sequence
from typing import Any

import jwt

from sandbox.tenant import TENANT_ID

SIGNING_KEY = os.environ.get("SANDBOX_SIGNING_KEY", "sandbox-signing-key-known-to-everybody-on-this-machine")
LIFETIME_SECONDS = 3600


def issue_token(*, audience: str, object_id: str, roles: Sequence[str] = ()) -> str:
    """A bearer token for an app-only identity (`sub` equals `oid`, as Entra does for service principals)."""
    now = int(time.time())
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{TENANT_ID}/",
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_SECONDS,
        "oid": object_id,
        "sub": object_id,
        "tid": TENANT_ID,
        "idtyp": "app",
        "roles": list(roles),
    }
    return jwt.encode(claims, SIGNING_KEY, algorithm="HS256")


def read_token(token: str, *, audience: str | None = None) -> dict[str, Any]:
    """The claims of a valid token; raises `jwt.InvalidTokenError` when expired, forged or for another audience."""
    return jwt.decode(
        token, SIGNING_KEY, algorithms=["HS256"], audience=audience, options={"verify_aud": audience is not None}
    )

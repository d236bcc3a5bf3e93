"""The token that Teams gets for a signed-in person and hands to the bot."""

import time
from typing import Any

from sandbox.login.people import Person
from sandbox.tenant import BOT_APP_ID, TENANT_ID

Json = dict[str, Any]
LIFETIME_SECONDS = 3600
AUDIENCES = (BOT_APP_ID, f"api://botid-{BOT_APP_ID}")
TEAMS_CLIENT_ID = "1fec8e78-bce4-4aaf-ab1b-5451cc387264"


def sso_claims(person: Person, issuer: str, overrides: Json) -> Json:
    """The claims of a v2.0 user token for the bot; an override of `None` leaves a claim out."""
    now = int(time.time())
    claims = {
        "aud": BOT_APP_ID,
        "iss": issuer,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_SECONDS,
        "azp": TEAMS_CLIENT_ID,
        "azpacr": "0",
        "name": person.name,
        "oid": person.object_id,
        "preferred_username": person.email,
        "scp": "access_as_user",
        "sub": f"bot-{person.subject}",
        "tid": TENANT_ID,
        "ver": "2.0",
    }
    return {name: value for name, value in (claims | overrides).items() if value is not None}

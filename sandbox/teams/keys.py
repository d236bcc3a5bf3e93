"""The keys that sign what Teams sends: published with endorsements, rotated on demand, and one that is nobody's."""

import json
import time
from typing import Literal
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.teams.records import Json
from sandbox.tenant import BOT_APP_ID

ISSUER = "https://api.botframework.com"
LIFETIME_SECONDS = 3600
Signer = Literal["current", "foreign", "none"]


class SigningKey:
    """One RSA key and the channels it is endorsed for."""

    def __init__(self, endorsements: list[str]) -> None:
        self.id = uuid4().hex.upper()
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.endorsements = endorsements

    def published(self) -> Json:
        """The public half as the key set shows it."""
        public: Json = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        names = {"use": "sig", "kid": self.id, "x5t": self.id, "endorsements": self.endorsements}
        return {"kty": "RSA", "n": public["n"], "e": public["e"], **names}


class Keys:
    """The published keys, the newest of which signs."""

    def __init__(self) -> None:
        self.published = [SigningKey(["msteams"])]
        self._foreign: SigningKey | None = None

    @property
    def current(self) -> SigningKey:
        """The key that signs."""
        return self.published[-1]

    def rotate(self, endorsements: list[str], *, keep: bool) -> SigningKey:
        """Sign with a new key from now on; the older ones stay published or are gone at once."""
        self.published = [*(self.published if keep else []), SigningKey(endorsements)]
        return self.current

    def reset(self, first: SigningKey) -> None:
        """Sign and publish as at the start."""
        self.published = [first]

    def sign(self, claims: Json, header: Json, signer: Signer = "current") -> str:
        """A JWT over the claims; a foreign key claims to be the current one, and `none` signs nothing."""
        names = {"kid": self.current.id, "x5t": self.current.id, **header}
        if signer == "none":
            return jwt.encode(claims, "", algorithm="none", headers=names)
        key = self.current if signer == "current" else self._nobodys()
        return jwt.encode(claims, key.private, algorithm="RS256", headers=names)

    def _nobodys(self) -> SigningKey:
        self._foreign = self._foreign or SigningKey(["msteams"])
        return self._foreign


def claims_for(service_url: str) -> Json:
    """The claims of a token that comes with an activity to the bot."""
    now = int(time.time())
    times = {"nbf": now, "exp": now + LIFETIME_SECONDS}
    return {"serviceurl": service_url, **times, "iss": ISSUER, "aud": BOT_APP_ID}

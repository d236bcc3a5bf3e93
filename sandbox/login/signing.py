"""The RSA keys that sign the tokens of users, and their published halves."""

from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

Json = dict[str, Any]
ALGORITHM = "RS256"


class SigningKeys:
    """One key that signs, and the earlier ones, which stay published."""

    def __init__(self) -> None:
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self._current = ""
        self.rotate()

    def rotate(self) -> str:
        """Sign with a new key from now on; answers its id."""
        self._current = uuid4().hex
        self._keys[self._current] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return self._current

    def published(self, issuer: str) -> list[Json]:
        """The keys as Entra's `discovery/v2.0/keys` shows them: without `alg`."""
        return [
            {
                "kid": kid,
                "x5t": kid,
                "use": "sig",
                "issuer": issuer,
                "cloud_instance_name": "microsoftonline.com",
                **{
                    name: value
                    for name, value in RSAAlgorithm.to_jwk(key.public_key(), as_dict=True).items()
                    if name in ("kty", "n", "e")
                },
            }
            for kid, key in self._keys.items()
        ]

    def sign(self, claims: Json) -> str:
        """A token of the current key."""
        key = self._keys[self._current]
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": self._current, "x5t": self._current})

    def read(self, token: str, *, audience: tuple[str, ...], issuer: str) -> Json:
        """The claims of a valid token of ours; raises `jwt.InvalidTokenError` when it is not."""
        key = self._keys.get(jwt.get_unverified_header(token).get("kid", ""))
        if key is None:
            raise jwt.InvalidSignatureError("signed by no key of ours")
        claims: Json = jwt.decode(
            token, key.public_key(), algorithms=[ALGORITHM], audience=list(audience), issuer=issuer
        )
        return claims

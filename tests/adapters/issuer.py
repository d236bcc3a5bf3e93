"""A Bot Framework login service in memory, tokens as it would sign them, and the door that has to tell them apart."""

import base64
import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from shared.adapters.bot_tokens import BotTokens
from shared.adapters.signing_keys import SigningKeys
from shared.domain.activities import Bot
from tests.fakes.clock import FakeClock
from tests.wire.samples import TENANT, fixture

APP = "b0b0b0b0-0000-4000-8000-000000000001"
BOT = Bot(APP, TENANT, frozenset({"smba.trafficmanager.net", "smba.infra.gcc.teams.microsoft.com"}))
METADATA_URL = "https://login.botframework.example/v1/.well-known/openidconfiguration"
KEYS_URL = "https://login.botframework.example/v1/.well-known/keys"
APPROVE = "teams/invoke__card_action__approve"


@cache
def private_key(name: str) -> RSAPrivateKey:
    """One key for each name, made once for all tests; a name such as `weak-1024` says how large."""
    bits = int(name.partition("-")[2] or 2048)
    return generate_private_key(65537, bits)


def public_pem(name: str) -> bytes:
    public = private_key(name).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk(name: str, **changes: object) -> dict[str, Any]:
    """A published key whose id is its name; a change to `...` takes the member away."""
    published = RSAAlgorithm.to_jwk(private_key(name).public_key(), as_dict=True)
    del published["key_ops"]
    document = {**published, "kid": name, "use": "sig", "x5t": name, "endorsements": ["msteams", "webchat"], **changes}
    return {name: value for name, value in document.items() if value is not ...}


class Issuer:
    """The login service: `keys` is what it publishes, `asked` is which URLs were read, `answer` replaces an answer."""

    def __init__(self) -> None:
        self.keys = [jwk("current")]
        self.keys_url = KEYS_URL
        self.asked: list[str] = []
        self.answer: Callable[[httpx.Request], httpx.Response] | None = None

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if self.answer is not None:
            return self.answer(request)
        metadata = {"issuer": "https://api.botframework.com", "jwks_uri": self.keys_url}
        return httpx.Response(200, json=metadata if str(request.url) == METADATA_URL else {"keys": self.keys})


class Door:
    """What is under test, its issuer, and the clock that both live by."""

    def __init__(self, metadata_url: str = METADATA_URL) -> None:
        self.issuer = Issuer()
        self.clock = FakeClock()
        self.keys = SigningKeys(self.issuer.client(), metadata_url, self.clock)
        self.tokens = BotTokens(self.keys, BOT, self.clock)

    def claims(self, **changes: object) -> dict[str, Any]:
        """What the Bot Connector says in a genuine token; a change to `...` takes the claim away."""
        now = int(self.clock.now().timestamp())
        genuine = {
            "serviceurl": fixture(APPROVE)["serviceUrl"],
            "nbf": now - 10,
            "exp": now + 3600,
            "iss": "https://api.botframework.com",
            "aud": APP,
        }
        return {name: value for name, value in {**genuine, **changes}.items() if value is not ...}

    def token(self, *, key: str = "current", kid: str | None = None, **changes: object) -> str:
        payload = json.dumps(self.claims(**changes)).encode()
        return jwt.PyJWS().encode(payload, private_key(key), "RS256", {"kid": kid or key, "x5t": key})


def bearer(token: str) -> str:
    return f"Bearer {token}"


def body(name: str = APPROVE, **changes: object) -> bytes:
    """A request's body; a change to `a__b` goes into `b` of `a`, a change to `...` takes the member away."""
    document = deepcopy(fixture(name))
    for path, value in changes.items():
        *parents, last = path.split("__")
        target = document
        for parent in parents:
            target = target[parent]
        target[last] = value
        if value is ...:
            del target[last]
    return json.dumps(document).encode()


def encoded(part: Mapping[str, Any] | bytes) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

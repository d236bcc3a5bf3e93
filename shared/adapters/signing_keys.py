"""The public keys of an OpenID issuer, fetched as rarely as is safe."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import InvalidKeyError
from pydantic_core import from_json

from shared.domain.activities import LOOPBACK
from shared.errors import RetryLaterError, SettingsError
from shared.ports import Clock

FRESH_FOR = timedelta(hours=24)
USABLE_FOR = timedelta(days=5)
REFETCH_AFTER = timedelta(minutes=1)
# Without any key nobody can be let in, so the wait is short.
RETRY_AFTER = timedelta(seconds=5)
FETCH_SECONDS = 3.0
LARGEST_DOCUMENT = 512 * 1024
SMALLEST_KEY = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key, and the channels whose activities it may sign."""

    public_key: RSAPublicKey
    endorsements: frozenset[str]


class _UnusableAnswerError(Exception):
    pass


class SigningKeys:
    """Keys by id: kept for a day, for five when the issuer cannot be reached; looked for at most once a minute."""

    def __init__(self, client: httpx.AsyncClient, metadata_url: str, clock: Clock) -> None:
        self._client = client
        self._metadata_url = metadata_url
        self._origin = _origin(metadata_url)
        self._clock = clock
        self._keys: Mapping[str, SigningKey] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._failure = ""
        self._lock = asyncio.Lock()
        if self._origin is None:
            raise SettingsError(f"the OpenID metadata URL {metadata_url} must be https (or http on loopback)")

    async def find(self, key_id: str) -> SigningKey | None:
        """The key; `None` when the issuer has no such key. However many ask at once, they share one fetch.

        Raises:
            RetryLaterError: `signing-keys-unavailable` when that cannot be known.
        """
        if self._must_fetch(key_id):
            async with self._lock:
                if self._must_fetch(key_id):
                    await self._refresh()
        key = self._keys.get(key_id) if self._are_usable() else None
        if key is None and (self._failure or not self._are_usable()):
            raise RetryLaterError("signing-keys-unavailable", self._failure, retry_after=RETRY_AFTER.total_seconds())
        return key

    def _must_fetch(self, key_id: str) -> bool:
        now = self._clock.now()
        pause = REFETCH_AFTER if self._are_usable() else RETRY_AFTER
        if self._tried_at is not None and now - self._tried_at < pause:
            return False
        return self._fetched_at is None or now - self._fetched_at >= FRESH_FOR or key_id not in self._keys

    def _are_usable(self) -> bool:
        return self._fetched_at is not None and self._clock.now() - self._fetched_at < USABLE_FOR

    async def _refresh(self) -> None:
        started = self._clock.now()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._keys = await self._fetch()
        except (_UnusableAnswerError, httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
            # The text of a vendor's exception may hold what it received.
            self._failure = str(error) if isinstance(error, _UnusableAnswerError) else type(error).__name__
        else:
            self._fetched_at, self._failure = started, ""
        self._tried_at = self._clock.now()

    async def _fetch(self) -> Mapping[str, SigningKey]:
        metadata = await self._read(self._metadata_url)
        keys_url = metadata.get("jwks_uri")
        if not isinstance(keys_url, str) or _origin(keys_url) != self._origin:
            raise _UnusableAnswerError("jwks_uri is not on the host of the metadata")
        keys = _usable_keys((await self._read(keys_url)).get("keys"))
        if not keys:
            raise _UnusableAnswerError("the issuer shows no usable key")
        return keys

    async def _read(self, url: str) -> dict[str, Any]:
        async with self._client.stream("GET", url, follow_redirects=False, timeout=FETCH_SECONDS) as response:
            if response.status_code != 200:
                raise _UnusableAnswerError(f"the issuer answered {response.status_code}")
            content = b""
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > LARGEST_DOCUMENT:
                    raise _UnusableAnswerError("the issuer's answer is too large")
        document = from_json(content)
        if not isinstance(document, dict):
            raise _UnusableAnswerError("the issuer's answer is not an object")
        return document


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of a URL that may be trusted with keys."""
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname or ""
        port = parts.port or {"https": 443, "http": 80}.get(scheme, 0)
    except ValueError:
        return None
    safe = scheme == "https" or (scheme == "http" and host in LOOPBACK)
    return (scheme, host, port) if safe and host and parts.username is None else None


def _usable_keys(listed: object) -> Mapping[str, SigningKey]:
    documents = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    ids = [each.get("kid") for each in documents]
    found: dict[str, SigningKey] = {}
    for document in documents:
        key_id = document.get("kid")
        key = _usable_key(document)
        # Two keys under one id: nobody can say which one was meant.
        if isinstance(key_id, str) and key_id and key is not None and ids.count(key_id) == 1:
            found[key_id] = key
    return found


def _usable_key(document: dict[str, Any]) -> SigningKey | None:
    operations = document.get("key_ops")
    sound = (
        document.get("kty") == "RSA"
        and document.get("alg", "RS256") == "RS256"
        and document.get("use", "sig") == "sig"
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
        and "d" not in document
    )
    try:
        public_key = RSAAlgorithm.from_jwk(document) if sound else None
    except (InvalidKeyError, ValueError, TypeError):
        return None
    if not isinstance(public_key, RSAPublicKey) or public_key.key_size < SMALLEST_KEY:
        return None
    endorsements = document.get("endorsements")
    channels = endorsements if isinstance(endorsements, list) else []
    return SigningKey(public_key, frozenset(each for each in channels if isinstance(each, str)))

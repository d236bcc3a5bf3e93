"""Single sign-on in a Teams client: a person's token from the login server, when a card asks for it."""

import os
import ssl

import httpx

from sandbox.tenant import HOST, port


class SignIn:
    """Asks the login server for tokens of people who are signed in to Teams."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def token(self, person_id: str) -> str | None:
        """The person's token for the bot, or none when nobody issues one."""
        try:
            answer = await self._https().post("/sandbox/sso-token", json={"object_id": person_id})
            answer.raise_for_status()
            return str(answer.json()["token"])
        except (httpx.HTTPError, ValueError, KeyError):
            return None

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.aclose()

    def _https(self) -> httpx.AsyncClient:
        # Opened at the first sign-in: the certificate of the sandbox may be younger than this process.
        if self._client is None:
            trusted = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
            base = f"https://{HOST}:{port('login')}"
            self._client = httpx.AsyncClient(base_url=base, verify=trusted, trust_env=False, timeout=5)
        return self._client

"""`clientState`: the only proof that a basic change notification is Graph's, computed so that nothing is looked up."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import RejectedError

RESOURCES = ("users", "groups")


@dataclass(frozen=True, slots=True)
class ClientStateKeys:
    """The tenant and the keys under which its `clientState` values were made; the first key makes new ones."""

    tenant_id: str
    keys: Sequence[bytes]

    def issue(self, resource: str, generation: int) -> str:
        """The value for a new subscription: `<resource>.<generation>.<hmac>`, at most 128 characters."""
        return f"{resource}.{generation}.{self._mac(self.keys[0], resource, str(generation))}"

    def fingerprint(self, generation: int) -> str:
        """A short public mark of the newest key and generation: it changes when subscriptions must be made anew."""
        return self._mac(self.keys[0], "fingerprint", str(generation))[:12]

    def check(self, client_state: str) -> str:
        """The resource that an authentic value was issued for.

        Raises:
            RejectedError: `forged-client-state`.
        """
        resource, _, rest = client_state.partition(".")
        generation, _, mac = rest.partition(".")
        expected = [self._mac(key, resource, generation) for key in self.keys]
        genuine = [hmac.compare_digest(mac.encode(), candidate.encode()) for candidate in expected]
        if resource not in RESOURCES or not any(genuine):
            raise RejectedError("forged-client-state", "clientState was not issued by this app")
        return resource

    def _mac(self, key: bytes, resource: str, generation: str) -> str:
        message = f"{self.tenant_id}\n{resource}\n{generation}".encode()
        return hmac.new(key, message, "sha256").hexdigest()

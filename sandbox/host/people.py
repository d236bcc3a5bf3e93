"""Who can sign in: the users of the directory, asked at each sign-in."""

import os
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.tenant import url


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the directory, and whether Entra would let them in."""

    object_id: str
    name: str
    address: str
    is_enabled: bool = True

    def answers_to(self, hint: str) -> bool:
        """Whether a `login_hint` means this person: the address, or the object id."""
        return hint.casefold() in (self.object_id.casefold(), self.address.casefold())


class NobodyKnownError(Exception):
    """There is no directory to ask, or it does not answer."""


async def everybody() -> list[Person]:
    """The users by name. Raises `NobodyKnownError` where the Graph stand-in does not answer."""
    directory = os.environ.get("GRAPH_BASE_URL") or url("graph")
    try:
        async with httpx.AsyncClient(base_url=directory, timeout=5, trust_env=False) as graph:
            answer = (await graph.get("/sandbox/directory")).raise_for_status()
        people = [_person(row) for row in answer.json()["users"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise NobodyKnownError(f"{directory} does not say who there is") from error
    return sorted(people, key=lambda one: (one.name.casefold(), one.object_id))


def _person(row: dict[str, Any]) -> Person:
    address = str(row.get("userPrincipalName") or row.get("mail") or "")
    name = str(row.get("displayName") or address or row["id"])
    return Person(str(row["id"]), name, address, row.get("accountEnabled") is not False)

"""Graph permissions: which the app holds, which calls need them, and what is the least that suffices."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("permissions.json")


@dataclass(frozen=True, slots=True)
class Permission:
    """One application permission of Graph, and the capabilities that need it."""

    name: str
    role_id: str
    capabilities: frozenset[str]
    why: str


@dataclass(frozen=True, slots=True)
class DeclaredCall:
    """One kind of call, and what Microsoft documents for it: any of these sets of permissions is enough.

    `selecting` narrows it to requests whose query names that property.
    """

    call: str
    capability: str
    any_of: tuple[frozenset[str], ...]
    page: str
    selecting: str = ""

    def is_allowed_to(self, roles: Collection[str]) -> bool:
        """Whether these permissions are enough."""
        return any(needed <= set(roles) for needed in self.any_of)


@dataclass(frozen=True, slots=True)
class Permissions:
    """Everything that the app may do in Graph."""

    resource: str
    capabilities: dict[str, str]
    permissions: tuple[Permission, ...]
    calls: tuple[DeclaredCall, ...]

    def of(self, capabilities: Iterable[str]) -> tuple[Permission, ...]:
        """The permissions that these capabilities need together."""
        wanted = set(capabilities)
        return tuple(one for one in self.permissions if one.capabilities & wanted)

    def declared(self, call: str, query: str = "") -> tuple[DeclaredCall, ...]:
        """What is declared for one request, such as `GET /beta/groups/{id}`; nothing for one that nobody declared."""
        found = [one for one in self.calls if one.call == call]
        plain = tuple(one for one in found if not one.selecting)
        return plain + tuple(one for one in found if one.selecting and one.selecting in query)


def read_permissions(file: Path = FILE) -> Permissions:
    """The permissions as the file beside this module has them."""
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return Permissions(
        document["resource"],
        document["capabilities"],
        tuple(
            Permission(one["name"], one["id"], frozenset(one["capabilities"]), one["why"])
            for one in document["permissions"]
        ),
        tuple(
            DeclaredCall(
                one["call"],
                one["capability"],
                tuple(frozenset(names) for names in one["anyOf"]),
                one["page"],
                one.get("selecting", ""),
            )
            for one in document["calls"]
        ),
    )

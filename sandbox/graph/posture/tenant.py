"""One generated tenant: what was planted, the healthy mass around it, and how to find an object in either."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sandbox.graph.posture.bulk import CYCLE, Bulk
from sandbox.graph.posture.certificates import RSA_2048
from sandbox.graph.posture.garden import Garden
from sandbox.graph.posture.moments import Moments
from sandbox.graph.posture.planting import plant
from sandbox.graph.posture.policies import POLICIES
from sandbox.graph.schema import ALL_PROPERTIES, KIND_OF_TYPE, UNASKED, Kind

Json = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """What a generated tenant shall be like; `copies` of everything planted, 0 for nothing."""

    at: datetime
    seed: int = 7
    applications: int = 1000
    service_principals: int = 1500
    copies: int = 1
    policy: str = "strict"


class Tenant:
    """A tenant as wished, except that it never has fewer objects than were planted."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.moments = Moments(wish.at)
        self.garden: Garden = plant(wish.seed, self.moments, wish.copies, wish.policy)
        self.planted_applications = [*self.garden.applications.values()]
        self.planted_principals = [*self.garden.principals.values()]
        self.bulk = Bulk(
            wish.seed,
            self.moments,
            max(0, wish.applications - len(self.planted_applications)),
            max(0, wish.service_principals - len(self.planted_principals)),
            self.garden.people,
        )

    @cached_property
    def by_app_id(self) -> dict[tuple[Kind, str], Json]:
        """What was planted, by app id."""
        both = ((Kind.APPLICATION, self.planted_applications), (Kind.SERVICE_PRINCIPAL, self.planted_principals))
        return {(kind, body["appId"]): body for kind, bodies in both for body in bodies}

    def planted(self, kind: Kind) -> list[Json]:
        """Every planted object of a kind."""
        return self.planted_applications if kind is Kind.APPLICATION else self.planted_principals

    def size(self, kind: Kind) -> int:
        """How many objects of a kind belong to the healthy mass."""
        return self.bulk.applications if kind is Kind.APPLICATION else self.bulk.principals

    def find(self, kind: Kind, object_id: str) -> Json | None:
        """One object with every property, by object id."""
        object_id = object_id.lower()
        if kind is Kind.USER:
            return None if object_id in self.garden.gone else self.garden.users.get(object_id)
        if kind is Kind.GROUP:
            return self.garden.groups.get(object_id)
        if kind is Kind.APPLICATION:
            index = self.bulk.find_application(object_id)
            return self.garden.applications.get(object_id) if index is None else self.bulk.application(index)
        index = self.bulk.find_principal(object_id)
        return self.garden.principals.get(object_id) if index is None else self.bulk.principal(index)

    def find_any(self, object_id: str) -> tuple[Kind, Json] | None:
        """One object of whatever kind."""
        found = ((kind, self.find(kind, object_id)) for kind in Kind)
        return next(((kind, body) for kind, body in found if body is not None), None)

    def find_by_app_id(self, kind: Kind, app_id: str) -> Json | None:
        """One application or service principal with every property, by app id."""
        index = self.bulk.find_app_id(app_id, self.size(kind))
        if index is None:
            return self.by_app_id.get((kind, app_id.lower()))
        return self.bulk.application(index) if kind is Kind.APPLICATION else self.bulk.principal(index)

    def related(self, kind: Kind, object_id: str, relation: str) -> list[str]:
        """Ids of an object's owners or sponsors."""
        object_id = object_id.lower()
        if relation == "sponsors":
            return self.garden.sponsors.get(object_id, [])
        if kind is Kind.APPLICATION:
            index = self.bulk.find_application(object_id)
            return self.garden.owners.get(object_id, []) if index is None else [*self.bulk.owners(index)]
        index = self.bulk.find_principal(object_id)
        return self.garden.owners.get(object_id, []) if index is None else [*self.bulk.principal_owners(index)]

    def bulk_with_owners(self, kind: Kind, count: int) -> Sequence[int]:
        """Indexes of the healthy objects with so many owners."""
        if kind is Kind.SERVICE_PRINCIPAL and count == 0:
            return self.bulk.ownerless_principals
        if count != 2:
            return ()
        if kind is Kind.APPLICATION:
            return range(self.bulk.applications)
        return [index for index in range(self.bulk.principals) if self.bulk.principal_owners(index)]

    @cached_property
    def used(self) -> list[int]:
        """Indexes of the healthy applications that ask for tokens: one in four."""
        return [index for index in range(self.bulk.applications) if index % CYCLE < 5]

    @cached_property
    def recent_moments(self) -> list[Json]:
        """Sign-in activities of the last four weeks, by day."""
        return [self.garden.moment(1 + day) for day in range(28)]

    @cached_property
    def daemons(self) -> range:
        """Indexes of the healthy applications that have a certificate and a permission: one in twenty."""
        return range(4, self.bulk.own, CYCLE)

    @property
    def usual_certificate(self) -> str:
        """The bytes of every certificate that was not planted with others."""
        return RSA_2048

    @property
    def policy(self) -> Json:
        """The tenant's default app management policy; the garden holds those for single applications."""
        return POLICIES[self.wish.policy]

    def expected(self) -> Json:
        """The ground truth: all that checks A to F find, and what they must not; whatever is not named is healthy."""
        return {
            "at": self.moments.ago(0),
            "seed": self.wish.seed,
            "positives": self.garden.must_fail,
            "innocents": self.garden.must_not_fail,
            "conditional": [
                {"check_id": "A6", "object_kind": "tenant", "when": switch} for switch in ("unlicensed", "sovereign")
            ]
            + [{"check_id": "A6", "object_kind": "tenant", "when": "fail", "path": "/beta/reports"}],
            "hosts": self.garden.hosts,
        }


def type_of(kind: Kind, body: Json) -> str:
    """The Graph type of a planted object."""
    return str(body.get("@odata.type", kind)).rsplit(".", maxsplit=1)[-1]


def rendered(kind: Kind, body: Json, names: Sequence[str] = (), *, typed: bool = False) -> Json:
    """An object as a read returns it: the selected properties, or the usual ones."""
    name = type_of(kind, body)
    whole = ALL_PROPERTIES[name] | body
    derived = typed or name != KIND_OF_TYPE[name]
    head: Json = {"@odata.type": f"#microsoft.graph.{name}"} if derived else {}
    return head | {one: whole[one] for one in names or UNASKED[name] if one in whole}


def compact(body: Json) -> str:
    """JSON text without blanks."""
    return json.dumps(body, separators=(",", ":"))

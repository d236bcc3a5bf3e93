"""The healthy mass of a generated tenant: computed from the index, rendered from templates, held nowhere."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sandbox.graph.posture.ids import IdKind, bulk_id, bulk_index, id_ending, id_prefix
from sandbox.graph.posture.moments import Moments
from sandbox.graph.posture.samples import APPLICATION_SAMPLES, PRINCIPAL_SAMPLES, Sample
from sandbox.graph.schema import ALL_PROPERTIES, UNASKED

Json = dict[str, Any]
CYCLE = 20
SIGNED_IN, DAEMON, SAML, PASSWORD, NEW = "signed-in", "daemon", "saml", "password", "new"
# Of twenty applications: most are single sign-on, which needs no tokens, so that the slow reports stay readable.
CLASSES = (*[SIGNED_IN] * 4, DAEMON, *[SAML] * 12, *[PASSWORD] * 2, NEW)
MANAGED, MICROSOFT, FOREIGN = "managed-identity", "microsoft", "foreign"
STRANGERS = (MANAGED, MANAGED, MANAGED, MICROSOFT, FOREIGN)
_IDS = {
    "id": IdKind.APPLICATION,
    "principal": IdKind.PRINCIPAL,
    "app": IdKind.APP_ID,
    "key": IdKind.KEY,
    "twin": IdKind.TWIN_KEY,
}
_WORDS = ("ledger", "parcel", "roster", "ticket", "invoice", "survey", "archive", "payroll", "catalog", "mailing")


@dataclass
class Bulk:
    """So many healthy applications, each with its principal as far as there are principals, then others' principals."""

    seed: int
    moments: Moments
    applications: int
    principals: int
    people: Sequence[str]
    _templates: dict[tuple[str, str, tuple[str, ...]], str] = field(default_factory=dict)

    @cached_property
    def own(self) -> int:
        """How many principals belong to applications of this tenant."""
        return min(self.applications, self.principals)

    @cached_property
    def _days(self) -> list[str]:
        return [self.moments.ago(days) for days in range(1100)]

    @cached_property
    def _days_ahead(self) -> list[str]:
        return [self.moments.ahead(days) for days in range(1100)]

    def application_class(self, index: int) -> str:
        """What kind of application it is."""
        return CLASSES[index % CYCLE]

    def principal_class(self, index: int) -> str:
        """What kind of principal it is: its application's kind, or a stranger's."""
        if index < self.own:
            return CLASSES[index % CYCLE]
        return STRANGERS[(index - self.own) % len(STRANGERS)]

    def app_id(self, index: int) -> str:
        """The app id of a principal, and of the application with the same index."""
        return bulk_id(IdKind.APP_ID, self.seed, index)

    def application_id(self, index: int) -> str:
        """The object id of an application."""
        return bulk_id(IdKind.APPLICATION, self.seed, index)

    def principal_id(self, index: int) -> str:
        """The object id of a service principal."""
        return bulk_id(IdKind.PRINCIPAL, self.seed, index)

    def key_id(self, index: int) -> str:
        """The key id of an application's or its principal's certificate."""
        return bulk_id(IdKind.KEY, self.seed, index)

    def find_application(self, object_id: str) -> int | None:
        """The index of an application's object id."""
        return _within(bulk_index(IdKind.APPLICATION, self.seed, object_id), self.applications)

    def find_principal(self, object_id: str) -> int | None:
        """The index of a principal's object id."""
        return _within(bulk_index(IdKind.PRINCIPAL, self.seed, object_id), self.principals)

    def find_app_id(self, app_id: str, count: int) -> int | None:
        """The index of an app id among the first so many."""
        return _within(bulk_index(IdKind.APP_ID, self.seed, app_id), count)

    def owners(self, index: int) -> tuple[str, ...]:
        """The two people who own the application or principal with this index."""
        first = index % len(self.people)
        return self.people[first], self.people[(first + 1 + index % 7) % len(self.people)]

    def principal_owners(self, index: int) -> tuple[str, ...]:
        """Managed identities and Microsoft's principals have no owners."""
        return () if self.principal_class(index) in {MANAGED, MICROSOFT} else self.owners(index)

    @cached_property
    def ownerless_principals(self) -> list[int]:
        """Indexes of the principals without owners."""
        strangers = range(self.own, self.principals)
        return [index for index in strangers if self.principal_class(index) in {MANAGED, MICROSOFT}]

    def render_applications(self, indexes: Iterable[int], names: tuple[str, ...]) -> list[str]:
        """Applications as JSON text."""
        return [
            self._template("application", self.application_class(index), names) % self._values(index)
            for index in indexes
        ]

    def render_principals(self, indexes: Iterable[int], names: tuple[str, ...]) -> list[str]:
        """Service principals as JSON text."""
        return [
            self._template("servicePrincipal", self.principal_class(index), names) % self._values(index)
            for index in indexes
        ]

    def application(self, index: int) -> Json:
        """One application with every property."""
        body: Json = json.loads(self.render_applications([index], tuple(ALL_PROPERTIES["application"]))[0])
        return body

    def principal(self, index: int) -> Json:
        """One service principal with every property."""
        names = (*ALL_PROPERTIES["servicePrincipal"], "createdDateTime")
        body: Json = json.loads(self.render_principals([index], names)[0])
        return body

    def _values(self, index: int) -> dict[str, str]:
        new = index % CYCLE == CYCLE - 1
        started = 3 + index % 25
        return {
            "ending": id_ending(index),
            "name": f"{_WORDS[index % 10]} {index:06d}",
            "created": self._days[3 + index % 20 if new else 200 + index * 37 % 800],
            "index": f"{index:08X}",
            "start": self._days[started],
            "end": self._days_ahead[150 - started],
            "end3": self._days_ahead[1094 - started],
        }

    def _template(self, type_name: str, class_name: str, names: tuple[str, ...]) -> str:
        key = (type_name, class_name, names)
        if key not in self._templates:
            samples: dict[str, Sample] = APPLICATION_SAMPLES if type_name == "application" else PRINCIPAL_SAMPLES
            self._templates[key] = self._template_of(type_name, samples[class_name], names)
        return self._templates[key]

    def _template_of(self, type_name: str, sample: Sample, names: tuple[str, ...]) -> str:
        whole = {**ALL_PROPERTIES[type_name], "createdDateTime": "@created@"} | sample
        chosen = {name: whole[name] for name in names or UNASKED[type_name] if name in whole}
        text = json.dumps(chosen, separators=(",", ":")).replace("%", "%%")
        for name, kind in _IDS.items():
            text = text.replace(f"@{name}@", f"{id_prefix(kind, self.seed)}%(ending)s")
        text = text.replace("@thumb@", f"%(index)s{self.seed & 0xFFFFFFFF:08X}00000000000=")
        for name in ("name", "created", "start", "end", "end3"):
            text = text.replace(f"@{name}@", f"%({name})s")
        return text


def _within(index: int | None, count: int) -> int | None:
    return index if index is not None and 0 <= index < count else None

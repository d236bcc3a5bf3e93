"""One application out of the rows that are about it: what was read is `Known`, what was not says why."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from shared.domain.posture.inventory import (
    App,
    Application,
    AppRole,
    Credential,
    FederatedCredential,
    Known,
    Owner,
    ServicePrincipal,
    Unknown,
)
from shared.domain.posture.scan import Source
from shared.wire.inventory import (
    newest,
    parse_application,
    parse_federated,
    parse_moment,
    parse_owner,
    parse_principal,
)

Json = Mapping[str, Any]
Missing = Mapping[Source, Unknown]
MOST_EXPANDED, MOST_KNOWN = 20, 20_000
_Value = TypeVar("_Value")
_Half = TypeVar("_Half", Application, ServicePrincipal)


@dataclass(frozen=True, slots=True)
class Half:
    """The row of a registration or of a principal, and whatever else was read about that object."""

    object_id: str
    body: Json
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    counted_by: tuple[Source, Source] = (Source.OWNERLESS_APPLICATIONS, Source.SINGLE_OWNER_APPLICATIONS)

    def all(self, source: Source) -> Iterable[Any]:
        """Every fact of a source."""
        return self.facts.get(source, {}).values()

    def one(self, source: Source) -> Any:  # noqa: ANN401 - JSON that we wrote
        """A source's only fact, or nothing."""
        return next(iter(self.all(source)), None)

    def has(self, source: Source) -> bool:
        """Whether a source names this object."""
        return source in self.facts


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What many applications refer to: people, what resources offer, and the sources that were not read."""

    missing: Missing
    people: Mapping[str, Json]
    resources: Mapping[str, Json]
    known: dict[tuple[object, ...], Owner] = field(default_factory=dict, compare=False)

    def owners(self, rows: Iterable[Json]) -> tuple[Owner, ...]:
        """Owners or sponsors; whoever has many applications is the same each time."""
        return tuple(self._owner(raw) for raw in rows)

    def _owner(self, raw: Json) -> Owner:
        key = (raw["id"], raw["type"], raw.get("name"), raw.get("tenant"))
        if key not in self.known:
            if len(self.known) >= MOST_KNOWN:
                self.known.clear()
            self.known[key] = parse_owner(raw, self.people)
        return self.known[key]


def join_app(app_id: str, uses: Half, application: Half | None, principal: Half | None, around: Surroundings) -> App:
    """The application; `uses` holds what is known of its app id."""
    missing, federated = around.missing, _federated(application, around.missing)
    registration = _application(app_id, application, federated, missing)
    service = _principal(app_id, principal, missing)
    unread = missing.get(Source.APPLICATIONS if application is None else Source.SERVICE_PRINCIPALS)
    return App(
        app_id,
        registration,
        service,
        _unless(missing, Source.SIGN_INS, newest(at for moments in uses.all(Source.SIGN_INS) for at in moments)),
        _unless(missing, Source.CREDENTIAL_SIGN_INS, _credential_uses(uses.all(Source.CREDENTIAL_SIGN_INS))),
        _owners([half for half in (application, principal) if half is not None], around),
        _sponsors(application if registration is not None and registration.is_blueprint else principal, around),
        federated,
        _unless(missing, Source.APP_ROLES, _app_roles(principal, around.resources)),
        _unless(missing, Source.DIRECTORY_ROLES, _directory_roles(principal)),
        _unless(missing, Source.DELEGATED_GRANTS, _scopes(principal)),
        unread if application is None or principal is None else None,
        _unless(missing, Source.AGENT_SIGN_INS, _worked_at(principal)),
    )


def _worked_at(half: Half | None) -> datetime | None:
    return newest(half.all(Source.AGENT_SIGN_INS)) if half is not None else None


def _unless(missing: Missing, source: Source, value: _Value) -> Known[_Value] | Unknown:
    return missing.get(source) or Known(value)


def _application(
    app_id: str, half: Half | None, federated: Known[tuple[FederatedCredential, ...]] | Unknown, missing: Missing
) -> Application | None:
    if half is None:
        return None
    owners, trusts = _owner_count(half, missing), len(federated.value) if isinstance(federated, Known) else None
    found = parse_application(app_id, half.object_id, half.body, owner_count=owners, federated_count=trusts)
    return _with_certificates(found, half)


def _principal(app_id: str, half: Half | None, missing: Missing) -> ServicePrincipal | None:
    if half is None:
        return None
    owners, blueprint = _owner_count(half, missing), (half.one(Source.AGENTS) or {}).get("blueprint", "")
    found = parse_principal(app_id, half.object_id, half.body, owner_count=owners, blueprint_id=blueprint)
    return _with_certificates(found, half)


def _with_certificates(found: _Half, half: Half) -> _Half:
    read = half.facts.get(Source.CERTIFICATES)
    if not read:
        return found
    return replace(found, credentials=tuple(_measured(one, read.get(one.key_id, {})) for one in found.credentials))


def _measured(credential: Credential, read: Json) -> Credential:
    return replace(credential, key_bits=read.get("bits"), signature_algorithm=read.get("algorithm", ""))


def _owner_count(half: Half, missing: Missing) -> int | None:
    """As the list of owners says, where it was read alone; else as the filters say, where 2 means two or more."""
    if half.has(Source.OWNERS):
        return len(half.one(Source.OWNERS))
    none, one = half.counted_by
    if none in missing or one in missing:
        return None
    if half.has(none):
        return 0
    return 1 if half.has(one) else max(2, len(half.body.get("owners", ())))


def _owners(halves: Iterable[Half], around: Surroundings) -> Known[tuple[Owner, ...]] | Unknown:
    """The owners of both objects: whoever owns either can add a credential."""
    found: dict[str, Owner] = {}
    for half in halves:
        rows = _owner_rows(half, around.missing)
        if isinstance(rows, Unknown):
            return rows
        found |= {owner.object_id: owner for owner in around.owners(rows)}
    return Known(tuple(found[object_id] for object_id in sorted(found)))


def _owner_rows(half: Half, missing: Missing) -> list[Json] | Unknown:
    """The list shows twenty at most; it is believed when the filters on the number agree with it."""
    if half.has(Source.OWNERS):
        rows: list[Json] = half.one(Source.OWNERS)
        return rows
    count, shown = _owner_count(half, missing), half.body.get("owners", [])
    if count is None:
        return next(missing[source] for source in half.counted_by if source in missing)
    if count == len(shown) < MOST_EXPANDED:
        return list(shown)
    return missing.get(Source.OWNERS, Unknown("not-read"))


def _sponsors(half: Half | None, around: Surroundings) -> Known[tuple[Owner, ...]] | Unknown:
    read = half.one(Source.AGENTS) if half is not None else None
    if read is None:
        return around.missing.get(Source.AGENTS, Unknown("not-read"))
    return Known(around.owners(read["sponsors"]))


def _federated(half: Half | None, missing: Missing) -> Known[tuple[FederatedCredential, ...]] | Unknown:
    if half is None:
        return Known(())
    if Source.FEDERATED_APPLICATIONS in missing:
        return missing[Source.FEDERATED_APPLICATIONS]
    if not half.has(Source.FEDERATED_APPLICATIONS):
        return Known(())
    if Source.FEDERATED_CREDENTIALS in missing:
        return missing[Source.FEDERATED_CREDENTIALS]
    return Known(parse_federated(half.one(Source.FEDERATED_CREDENTIALS) or ()))


def _credential_uses(rows: Iterable[Json]) -> Mapping[str, datetime]:
    uses: dict[str, datetime] = {}
    for row in rows:
        at, key = parse_moment(row["at"]), str(row["key"])
        if at is not None and at >= uses.get(key, at):
            uses[key] = at
    return dict(sorted(uses.items()))


def _app_roles(half: Half | None, resources: Mapping[str, Json]) -> tuple[AppRole, ...]:
    granted = half.all(Source.APP_ROLES) if half is not None else ()
    found = {_app_role(row, resources.get(row["resource"], {})) for row in granted if "role" in row}
    return tuple(sorted(found, key=lambda one: (one.resource_app_id, one.role_id)))


def _app_role(row: Json, resource: Json) -> AppRole:
    app_id, names = resource.get("app", row["resource"]), resource.get("names", {})
    return AppRole(app_id, row["role"], names.get(row["role"], ""))


def _directory_roles(half: Half | None) -> tuple[str, ...]:
    return tuple(sorted(set(half.all(Source.DIRECTORY_ROLES)))) if half is not None else ()


def _scopes(half: Half | None) -> frozenset[str]:
    granted = half.all(Source.DELEGATED_GRANTS) if half is not None else ()
    return frozenset(scope for scopes in granted for scope in scopes)


def surroundings(
    missing: Missing, people: Iterable[tuple[str, Source, str]], resources: Iterable[tuple[str, str]]
) -> Surroundings:
    """Of people what was read one by one, and who is not registered for a second factor; nobody else is listed."""
    known: dict[str, dict[str, Any]] = {}
    has_registrations = Source.REGISTRATIONS not in missing
    for key, source, body in people:
        person = known.setdefault(key, {"mfa": True} if has_registrations else {})
        if source is Source.PEOPLE:
            person |= json.loads(body)
        elif has_registrations and json.loads(body)["mfa"] is False:
            person["mfa"] = False
    return Surroundings(missing, known, {key: json.loads(body) for key, body in resources})

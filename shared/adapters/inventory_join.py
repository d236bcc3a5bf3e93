"""The join: rows of all sources in a temporary SQLite file, and out of it one application after the other."""

import heapq
import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from shared.adapters import inventory_queries as queries
from shared.domain.posture.checks.redirects import named_hosts
from shared.domain.posture.estate_facts import InCommon
from shared.domain.posture.inventory import App, Known, Unknown
from shared.domain.posture.scan import Row, Source
from shared.wire.inventory_apps import Half, Surroundings, join_app, surroundings

_COUNTING_PRINCIPALS = (Source.OWNERLESS_PRINCIPALS, Source.SINGLE_OWNER_PRINCIPALS)
_TABLES = {Source.APPLICATIONS: "applications", Source.SERVICE_PRINCIPALS: "principals"}


class SqliteJoin:
    """See `AppJoin`. The file goes with the join."""

    def __init__(self, folder: str | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="scan-", dir=folder)
        self._database = sqlite3.connect(Path(self._folder.name) / "scan.sqlite", isolation_level=None)
        self._database.executescript(queries.SCHEMA)

    def add(self, source: Source, rows: Iterable[Row]) -> int:
        """See `AppJoin.add`."""
        table = _TABLES.get(source)
        self._database.execute("BEGIN")
        if table is None:
            values = ((row.key, source.value, row.ident, row.body) for row in rows)
            self._database.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)", values)
        else:
            objects = ((row.ident, row.key, row.body, row.body) for row in rows)
            self._database.executemany(queries.PUT.format(table=table), objects)
        self._database.execute("COMMIT")
        return self._count(source)

    def forget(self, source: Source) -> None:
        """See `AppJoin.forget`."""
        table = _TABLES.get(source)
        if table is None:
            self._database.execute("DELETE FROM facts WHERE source = ?", (source.value,))
        else:
            self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - one of two names of ours

    def keys(self, source: Source) -> Sequence[str]:
        """See `AppJoin.keys`."""
        return sorted({key for query in queries.KEYS[source] for (key,) in self._database.execute(query)})

    def in_common(self, missing: Mapping[Source, Unknown]) -> InCommon:
        """See `AppJoin.in_common`."""
        applications, principals = missing.get(Source.APPLICATIONS), missing.get(Source.SERVICE_PRINCIPALS)
        return InCommon(
            applications or Known(self._count(Source.APPLICATIONS)),
            principals or Known(frozenset(ident for (ident,) in self._database.execute(queries.TRUSTED_PRINCIPALS))),
            applications or principals or Known(self._shared_thumbprints()),
            applications or Known(named_hosts(uri for (uri,) in self._database.execute(queries.REDIRECTS))),
        )

    def _shared_thumbprints(self) -> Mapping[str, tuple[str, ...]]:
        rows = self._database.execute(queries.SHARED_THUMBPRINTS)
        return {thumbprint: tuple(sorted(app_ids.split(","))) for thumbprint, app_ids in rows}

    def flag(self, object_ids: Iterable[str]) -> None:
        """See `AppJoin.flag`."""
        self._database.executemany("INSERT OR IGNORE INTO flagged VALUES (?)", ((one,) for one in object_ids))

    def apps(self, missing: Mapping[Source, Unknown]) -> Iterator[App]:
        """See `AppJoin.apps`."""
        return self._joined(missing, "{} IS NOT NULL")

    def flagged_apps(self, missing: Mapping[Source, Unknown]) -> Iterator[App]:
        """See `AppJoin.flagged_apps`."""
        return self._joined(missing, "{} IN (SELECT ident FROM flagged)")

    def _joined(self, missing: Mapping[Source, Unknown], chosen: str) -> Iterator[App]:
        around = self._surroundings(missing)
        parts = ((queries.WITH_APPLICATION, "a.ident"), (queries.WITHOUT_APPLICATION, "p.ident"))
        streams = [self._database.execute(query.format(chosen=chosen.format(column))) for query, column in parts]
        for _, app_id, application_id, application, principal_id, principal in heapq.merge(*streams, key=itemgetter(0)):
            facts = self._facts(app_id, application_id, principal_id)
            uses = Half(app_id, {}, facts.get(app_id, {}))
            yield join_app(
                app_id,
                uses,
                _half(application_id, application, facts),
                _half(principal_id, principal, facts, _COUNTING_PRINCIPALS),
                around,
            )

    def close(self) -> None:
        """See `AppJoin.close`."""
        self._database.close()
        self._folder.cleanup()

    def _count(self, source: Source) -> int:
        table = _TABLES.get(source)
        if table is not None:
            query: tuple[str, tuple[str, ...]] = (f"SELECT count(*) FROM {table}", ())  # noqa: S608 - as above
        else:
            query = ("SELECT count(*) FROM facts WHERE source = ?", (source.value,))
        (count,) = self._database.execute(*query).fetchone()
        return int(count)

    def _facts(self, *keys: str | None) -> dict[str, dict[str, dict[str, Any]]]:
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for key, source, ident, body in self._database.execute(queries.FACTS, keys):
            found.setdefault(key, {}).setdefault(source, {})[ident] = json.loads(body)
        return found

    def _surroundings(self, missing: Mapping[Source, Unknown]) -> Surroundings:
        people = ((key, Source(source), body) for key, source, body in self._database.execute(queries.ALL_PEOPLE))
        return surroundings(missing, people, self._database.execute(queries.RESOURCES))


def _half(
    object_id: str | None,
    body: str | None,
    facts: Mapping[str, Mapping[str, Mapping[str, Any]]],
    counted_by: tuple[Source, Source] = (Source.OWNERLESS_APPLICATIONS, Source.SINGLE_OWNER_APPLICATIONS),
) -> Half | None:
    if object_id is None or body is None:
        return None
    return Half(object_id, json.loads(body), facts.get(object_id, {}), counted_by)

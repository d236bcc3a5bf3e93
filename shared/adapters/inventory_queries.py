"""The SQL of the join: objects by their object id, and facts by whatever id a source names an object with."""

from shared.domain.posture.scan import Source
from shared.wire.inventory_apps import MOST_EXPANDED

SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -24000;
CREATE TABLE applications (ident TEXT PRIMARY KEY, key TEXT, agent INT, body TEXT) WITHOUT ROWID;
CREATE INDEX application_keys ON applications (key);
CREATE TABLE principals (ident TEXT PRIMARY KEY, key TEXT, agent INT, body TEXT) WITHOUT ROWID;
CREATE INDEX principal_keys ON principals (key);
CREATE TABLE facts (key TEXT, source TEXT, ident TEXT, body TEXT, PRIMARY KEY (key, source, ident)) WITHOUT ROWID;
CREATE INDEX fact_sources ON facts (source, key);
CREATE TABLE flagged (ident TEXT PRIMARY KEY) WITHOUT ROWID;
"""
PUT = "INSERT OR REPLACE INTO {table} VALUES (?, ?, coalesce(json_extract(?, '$.agent'), 0), ?)"
FACTS = "SELECT key, source, ident, body FROM facts WHERE key IN (?, ?, ?)"
RESOURCES = "SELECT key, body FROM facts WHERE source = 'app-roles' AND ident = 'definitions'"
ALL_PEOPLE = "SELECT key, source, body FROM facts WHERE source IN ('people', 'registrations') ORDER BY key, source"
WITH_APPLICATION = """
SELECT a.ident, a.key, a.ident, a.body, p.ident, p.body FROM applications a
LEFT JOIN principals p ON p.key = a.key AND NOT p.agent WHERE {chosen} ORDER BY a.ident, p.ident
"""
WITHOUT_APPLICATION = """
SELECT p.ident, p.key, NULL, NULL, p.ident, p.body FROM principals p
WHERE (p.agent OR NOT EXISTS (SELECT 1 FROM applications a WHERE a.key = p.key)) AND {chosen} ORDER BY p.ident
"""
REDIRECTS = """
SELECT value FROM applications, json_each(body, '$.web') UNION SELECT value FROM applications, json_each(body, '$.spa')
"""
TRUSTED_PRINCIPALS = """
SELECT ident FROM principals WHERE ident IN (
    SELECT lower(json_extract(value, '$.subject')) FROM facts, json_each(body) WHERE source = 'federated-credentials'
)
"""
# The customKeyIdentifier of a secret is its description: only certificates have a thumbprint.
SHARED_THUMBPRINTS = """
SELECT thumbprint, group_concat(DISTINCT key) FROM (
    SELECT a.key, json_extract(value, '$.thumbprint') AS thumbprint FROM applications a, json_each(a.body, '$.keys')
    UNION ALL
    SELECT p.key, json_extract(value, '$.thumbprint') FROM principals p, json_each(p.body, '$.keys')
) WHERE thumbprint <> '' GROUP BY thumbprint HAVING count(DISTINCT key) > 1
"""
_FEDERATED = "SELECT key FROM facts WHERE source = 'federated-applications'"
_BLUEPRINTS = "SELECT 'applications/' || ident FROM applications WHERE json_extract(body, '$.blueprint')"
_AGENTS = "SELECT 'servicePrincipals/' || ident FROM principals WHERE agent"
# The list shows twenty owners at most, and the filters on their number are answered from another index: where both do
# not agree, the owners are read one object at a time.
_OWNERS = """
SELECT '{collection}/' || o.ident FROM {table} o
LEFT JOIN facts none ON none.key = o.ident AND none.source = '{none}'
LEFT JOIN facts one ON one.key = o.ident AND one.source = '{one}'
WHERE coalesce(json_array_length(o.body, '$.owners'), 0) NOT BETWEEN
    CASE WHEN none.key IS NOT NULL THEN 0 WHEN one.key IS NOT NULL THEN 1 ELSE 2 END
    AND CASE WHEN none.key IS NOT NULL THEN 0 WHEN one.key IS NOT NULL THEN 1 ELSE {most} - 1 END
"""
_PEOPLE = """
SELECT DISTINCT CASE json_extract(value, '$.type') WHEN 'group' THEN 'groups/' ELSE 'users/' END
    || json_extract(value, '$.id')
FROM {table}, json_each({table}.body{path})
WHERE {condition} AND json_extract(value, '$.type') IN ('user', 'agentuser', 'group')
"""
_CERTIFICATES = """
SELECT 'applications/' || ident FROM applications
WHERE ident IN (SELECT ident FROM flagged) AND json_array_length(body, '$.keys') > 0
"""
_PRINCIPAL_CERTIFICATES = """
SELECT 'servicePrincipals/' || p.ident FROM principals p
LEFT JOIN applications a ON a.key = p.key AND NOT p.agent
WHERE coalesce(a.ident, p.ident) IN (SELECT ident FROM flagged) AND json_array_length(p.body, '$.keys') > 0
"""


def _owners(table: str, collection: str, none: Source, one: Source) -> str:
    return _OWNERS.format(table=table, collection=collection, none=none.value, one=one.value, most=MOST_EXPANDED)


KEYS = {
    Source.FEDERATED_CREDENTIALS: (_FEDERATED,),
    Source.AGENTS: (_BLUEPRINTS, _AGENTS),
    Source.OWNERS: (
        _owners("applications", "applications", Source.OWNERLESS_APPLICATIONS, Source.SINGLE_OWNER_APPLICATIONS),
        _owners("principals", "servicePrincipals", Source.OWNERLESS_PRINCIPALS, Source.SINGLE_OWNER_PRINCIPALS),
    ),
    Source.PEOPLE: (
        _PEOPLE.format(table="applications", path=", '$.owners'", condition="TRUE"),
        _PEOPLE.format(table="principals", path=", '$.owners'", condition="TRUE"),
        _PEOPLE.format(table="facts", path="", condition="source = 'owners'"),
        _PEOPLE.format(table="facts", path=", '$.sponsors'", condition="source = 'agents'"),
    ),
    Source.CERTIFICATES: (_CERTIFICATES, _PRINCIPAL_CERTIFICATES),
}

"""Reports and logs: sign-ins of applications and credentials, registration for MFA, the audit of the directory."""

import re
from typing import Any

from starlette.responses import Response

from sandbox.graph.errors import unsupported_query
from sandbox.graph.posture.garden import ACTIVITIES, AS_CLIENT
from sandbox.graph.posture.ids import IdKind, bulk_id
from sandbox.graph.posture.listing import Part
from sandbox.graph.posture.live import Call, Read
from sandbox.graph.posture.tenant import Json, compact

_TERM = re.compile(
    r"\s*(?:(?P<name>[\w/]+) (?P<operator>eq|ge|gt|le|lt) (?P<value>'(?:[^']|'')*'|[\w:.+-]+)"
    r"|startswith\((?P<begins>\w+), ?'(?P<beginning>[^']*)'\)"
    r"|(?P<many>\w+)/any\(\w+: ?\w+ eq '(?P<one>[^']*)'\))\s*"
)

KINDS = frozenset({"agent/agentType"})


async def list_activities(call: Call) -> Response:
    """The last sign-ins of each application that had any."""
    call.posture.faults.spend_report(call.now)
    call.posture.faults.judge_usage_report()
    condition = call.request.query_params.get("$filter")
    planted = filtered(call.tenant.garden.activities, condition)
    bulk = call.tenant.used if not condition else []
    parts = (Part(planted, compact), Part(bulk, lambda index: compact(_activity(call, index))))
    return call.listing(parts, "reports/servicePrincipalSignInActivities")


async def list_credential_activities(call: Call) -> Response:
    """The last use of each credential that had any."""
    call.posture.faults.spend_report(call.now)
    call.posture.faults.judge_usage_report()
    condition = call.request.query_params.get("$filter")
    planted = filtered(call.tenant.garden.credential_uses, condition)
    bulk = call.tenant.daemons if not condition else range(0)
    parts = (Part(planted, compact), Part(bulk, lambda index: compact(_credential_activity(call, index))))
    return call.listing(parts, "reports/appCredentialSignInActivities")


async def list_sign_ins(call: Call) -> Response:
    """Sign-ins of service principals, newest first."""
    call.posture.faults.spend_report(call.now)
    rows = filtered(
        [*call.tenant.garden.sign_ins, *call.posture.state.audit.sign_ins], call.request.query_params.get("$filter")
    )
    return call.log(sorted(rows, key=_created, reverse=True), "auditLogs/signIns")


async def list_audits(call: Call) -> Response:
    """What was changed in the directory, newest first."""
    call.posture.faults.spend_report(call.now)
    rows = filtered(
        [*call.tenant.garden.audits, *call.posture.state.audit.changes], call.request.query_params.get("$filter")
    )
    newest = sorted(rows, key=lambda row: str(row["activityDateTime"]), reverse=True)
    return call.log(newest, "auditLogs/directoryAudits")


async def list_registrations(call: Call) -> Response:
    """Who is registered for which methods."""
    call.posture.faults.spend_report(call.now)
    rows = filtered([*call.tenant.garden.registrations.values()], call.request.query_params.get("$filter"))
    return call.rows(rows, "reports/authenticationMethods/userRegistrationDetails")


def filtered(rows: list[Json], text: str | None) -> list[Json]:
    """The rows that pass conditions joined by `and`; raises Graph's 400 for anything else."""
    for term in re.split(r"\sand\s", text) if text else ():
        found = _TERM.fullmatch(term)
        if not found:
            raise unsupported_query(f"Unsupported or invalid query filter clause near '{term}'.")
        rows = [row for row in rows if _passes(row, found)]
    return rows


def _passes(row: Json, term: re.Match[str]) -> bool:
    if term["begins"]:
        return str(row.get(term["begins"]) or "").startswith(term["beginning"])
    if term["many"]:
        return term["one"] in (row.get(term["many"]) or ())
    actual: Any = row
    for name in term["name"].split("/"):
        actual = (actual or {}).get(name)
    if actual is None:
        return term["value"] == "null" and term["operator"] == "eq"
    if isinstance(actual, bool):
        return term["operator"] == "eq" and str(actual).lower() == term["value"]
    # Moments have one spelling here, so that text compares as they do; names of kinds have several.
    expected = term["value"].strip("'").replace("''", "'")
    if term["name"] in KINDS:
        actual, expected = str(actual).casefold(), expected.casefold()
    order = (str(actual) > expected) - (str(actual) < expected)
    return {"eq": order == 0, "ge": order >= 0, "gt": order > 0, "le": order <= 0, "lt": order < 0}[term["operator"]]


def _created(row: Json) -> str:
    return str(row["createdDateTime"])


def _activity(call: Call, index: int) -> Json:
    bulk, recent = call.tenant.bulk, call.tenant.recent_moments[index % 28]
    row: Json = {"id": bulk_id(IdKind.SIGN_IN, bulk.seed, index), "appId": bulk.app_id(index)}
    return row | dict.fromkeys(ACTIVITIES, call.tenant.garden.moment(None)) | {ACTIVITIES[0]: recent, AS_CLIENT: recent}


def _credential_activity(call: Call, index: int) -> Json:
    bulk = call.tenant.bulk
    (key,) = bulk.application(index)["keyCredentials"]
    return {
        "id": bulk_id(IdKind.SIGN_IN, bulk.seed, index),
        "keyId": key["keyId"],
        "keyType": "certificate",
        "keyUsage": "verify",
        "appId": bulk.app_id(index),
        "appObjectId": bulk.application_id(index),
        "servicePrincipalObjectId": bulk.principal_id(index),
        "resourceId": "00000003-0000-0000-c000-000000000000",
        "credentialOrigin": "application",
        "expirationDateTime": key["endDateTime"],
        "signInActivity": call.tenant.recent_moments[index % 28],
    }


def report_reads() -> list[tuple[str, str, Read]]:
    """Reports and logs in both versions."""
    return [
        ("GET", "/auditLogs/directoryAudits", list_audits),
        ("GET", "/reports/authenticationMethods/userRegistrationDetails", list_registrations),
    ]


def beta_report_reads() -> list[tuple[str, str, Read]]:
    """Reports and logs that exist in beta only, or say more there."""
    return [
        ("GET", "/auditLogs/signIns", list_sign_ins),
        ("GET", "/reports/servicePrincipalSignInActivities", list_activities),
        ("GET", "/reports/appCredentialSignInActivities", list_credential_activities),
    ]

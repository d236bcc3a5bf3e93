"""The story's last chapter: what nobody uses, owns or rotates any more, somebody hears about."""

import csv
import io
from collections import Counter
from pathlib import Path

import httpx

from sandbox import cast
from sandbox.demo.owners import Owners
from sandbox.demo.timeline import Timeline
from sandbox.past import plant_past
from sandbox.supervisor import Sandbox
from sandbox.supervisor.clients import client

APPLICATIONS, SERVICE_PRINCIPALS = 2000, 3000
SECONDS_TO_REPORT = 60
REPORT = Path(".sandbox") / "report.html"
SETTINGS = {"REPORT_READERS_GROUP": cast.SECURITY_APPROVERS_ID}


async def report_posture(sandbox: Sandbox, timeline: Timeline) -> None:
    """A report over a generated tenant with planted findings, read by somebody in the group that may."""
    size = {"seed": 7, "applications": APPLICATIONS, "service_principals": SERVICE_PRINCIPALS, "planted": True}
    (await sandbox.graph.post("/sandbox/posture", json=size)).raise_for_status()
    timeline.say(f"The tenant has {APPLICATIONS} app registrations and {SERVICE_PRINCIPALS} service principals")
    timeline.say(f"Its past: {await plant_past(sandbox.graph, sandbox.gateway)}")
    owners = Owners(sandbox, timeline)
    if "teams" in sandbox.servers:
        await owners.appear()
    (await sandbox.functions.post("/api/reports")).raise_for_status()
    found: Counter[str] = Counter()

    async def is_made() -> bool:
        rows = await read_as(sandbox, cast.ROOT.id, "/api/reports/newest/findings.csv")
        table = csv.DictReader(io.StringIO((rows or b"").decode("utf-8-sig")))
        found.update(row["severity"] for row in table)
        return found["critical"] > 0

    await timeline.until("posture: read, judged, compared and reported", is_made, SECONDS_TO_REPORT)
    timeline.say(", ".join(f"{count} {severity}" for severity, count in found.most_common()))

    async def is_refused() -> bool:
        return await read_as(sandbox, cast.ALAN.id) is None

    async def is_readable() -> bool:
        content = await read_as(sandbox, cast.ROOT.id)
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_bytes(content or b"")
        return bool(content)

    await timeline.holds("Alan, who is not in the readers' group, is refused the report", is_refused)
    await timeline.holds(f"Root reads it: {REPORT}", is_readable)
    if "teams" in sandbox.servers:
        await owners.tell()


async def read_as(sandbox: Sandbox, person_id: str, path: str = "/api/reports") -> bytes | None:
    """The newest report, or a file of it, as this person gets it once signed in."""
    asked = {"post_login_redirect_uri": path, "login_hint": person_id}
    async with client(sandbox.url("functions")) as browser:
        answer = await browser.get("/.auth/login/aad", params=asked, follow_redirects=True)
    return answer.content if answer.status_code == httpx.codes.OK else None

"""The newest posture report: its numbers, who may open it, and how one is made now; all of it through Tether itself."""

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx

from sandbox.door.events import Json
from sandbox.door.servers import Server, UnavailableError
from sandbox.tenant import url

SEVERITIES = ("critical", "high", "medium", "low", "info")
NEWEST = "/api/reports"
_TABLE = "/api/reports/newest/findings.csv"
_SIGN_IN = "/.auth/login/aad"
_OPEN = frozenset({"new", "worse", "open"})


class PostureReport:
    """The report as one of its readers gets it: the door signs in as somebody, as a browser would."""

    def __init__(self) -> None:
        self._app = Server("The app", url("functions"))
        self._signed_in = ""
        self._read: Json = {}

    @property
    def readers_group(self) -> str:
        """The Entra group whose members may read."""
        return os.environ.get("REPORT_READERS_GROUP", "")

    async def show(self, readers: Iterable[Json]) -> Json:
        """The newest report's numbers, and a link for each reader; a `problem` says why there are none."""
        choices = [{"name": one["displayName"], "url": self._open_as(one["id"])} for one in readers]
        shown: Json = {"readers": choices, "other": self._open_as(""), "made": None, "counts": {}, "problem": ""}
        if not choices:
            return shown | {"problem": "Nobody who is enabled is in the group that reads reports."}
        try:
            return shown | await self._newest(next(iter(choices))["url"])
        except UnavailableError as error:
            return shown | {"problem": str(error)}

    async def make(self) -> None:
        """Ask for a report; raises `UnavailableError` when none will be made."""
        key = os.environ.get("SANDBOX_FUNCTION_KEY", "")
        answer = await self._app.ask("POST", NEWEST, headers={"x-functions-key": key})
        if answer.status_code == httpx.codes.CONFLICT:
            raise UnavailableError("A report is being made already.")
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            raise UnavailableError(f"The app answered {answer.status_code} when asked for a report.")

    async def close(self) -> None:
        """Let go of the connection."""
        await self._app.close()

    async def _newest(self, sign_in: str) -> Json:
        """What the newest report counts; signed in again where the host has forgotten us, or the reader has changed."""
        if self._signed_in != sign_in:
            await self._enter(sign_in)
        answer = await self._app.ask("GET", _TABLE)
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            await self._enter(sign_in)
            answer = await self._app.ask("GET", _TABLE)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return {"problem": "No report has been made yet."}
        if answer.status_code != httpx.codes.OK:
            raise UnavailableError(f"The app answered {answer.status_code} when asked for the newest report.")
        report_id = answer.headers.get("content-location", "").removeprefix(f"{NEWEST}/").partition("/")[0]
        if self._read.get("id") != report_id:
            self._read = _counted(report_id, answer.content)
        return self._read

    async def _enter(self, sign_in: str) -> None:
        await self._app.ask("GET", sign_in.removeprefix(self._app.base_url))
        self._signed_in = sign_in

    def _open_as(self, person_id: str) -> str:
        """The address that opens the newest report, as somebody, or as whoever is chosen there."""
        asked = {"post_login_redirect_uri": NEWEST} | ({"login_hint": person_id} if person_id else {})
        return f"{self._app.base_url}{_SIGN_IN}?{urlencode(asked)}"


def _counted(report_id: str, table: bytes) -> Json:
    try:
        rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
        made = datetime.strptime(report_id, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        standing = Counter(row["standing"] for row in rows)
        counts = Counter(row["severity"] for row in rows if row["standing"] in _OPEN)
    except (ValueError, KeyError) as error:
        raise UnavailableError("The newest report cannot be read.") from error
    return {
        "id": report_id,
        "made": made.timestamp() * 1000,
        "counts": {name: counts[name] for name in SEVERITIES},
        "fresh": standing["new"] + standing["worse"],
    }

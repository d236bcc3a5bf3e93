"""A gateway run as its own process, and the few sentences tests say to it."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from sandbox.tenant import GATEWAY_CLIENT_ID, TETHER_OBJECT_ID
from sandbox.tokens import issue_token

ROOT = Path(__file__).parents[2]
LEGACY_KEY = "org|legacy-secret"
Json = dict[str, Any]


@dataclass
class Gateway:
    """Requests to one gateway: `admin` speaks as Tether, `to` as anybody, `control` as the sandbox's person."""

    client: httpx.AsyncClient

    async def admin(self, method: str, path: str, json: object = None) -> httpx.Response:
        return await self.to(TETHER_OBJECT_ID, method, path, json)

    async def to(self, subject: str, method: str, path: str, json: object = None) -> httpx.Response:
        token = issue_token(audience=GATEWAY_CLIENT_ID, object_id=subject)
        return await self.bearing(token, method, path, json)

    async def bearing(self, token: str, method: str, path: str, json: object = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return await self.client.request(method, f"/api{path}", json=json, headers=headers)

    async def control(self, method: str, path: str, json: object = None) -> httpx.Response:
        return await self.client.request(method, f"/sandbox{path}", json=json)

    async def made(self, path: str, json: Json) -> Json:
        answer = await self.admin("POST", path, json)
        assert answer.status_code == 201, answer.text
        body: Json = answer.json()
        return body

    async def shown(self, path: str) -> Any:  # noqa: ANN401 (whatever JSON the path answers)
        answer = await self.admin("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def switched(self, **switches: object) -> None:
        answer = await self.control("PUT", "/switches", switches)
        assert answer.status_code == 200, answer.text

    async def logged_in(self, subject: str, *groups: str, email: str = "") -> Json:
        body = {"sub": subject, "email": email or f"{subject}@sandbox.example", "groups": list(groups)}
        answer = await self.control("POST", "/login", body)
        assert answer.status_code == 200, answer.text
        user: Json = answer.json()
        return user

    async def connection(self, name: str = "pg1", **more: object) -> Json:
        modes = ("access_mode_connect", "access_mode_exec", "access_mode_runbooks", "access_schema")
        body = {"name": name, "type": "database", "subtype": "postgres", **dict.fromkeys(modes, "enabled")}
        return await self.made("/connections", body | more)

    async def rule(self, *reviewers: str, min_approvals: int = 1, **more: object) -> Json:
        body = {
            "name": "rule-one",
            "access_type": "jit",
            "connection_names": ["pg1"],
            "attributes": [],
            "approval_required_groups": [],
            "all_groups_must_approve": False,
            "min_approvals": min_approvals,
            "reviewers_groups": list(reviewers),
            "force_approval_groups": [],
            "access_max_duration": 3600,
        }
        return await self.made("/access-requests/rules", body | more)

    async def key(self, name: str, *groups: str, table: str = "api-keys") -> Json:
        return await self.made(f"/{table}", {"name": name, "groups": list(groups)})

    async def asked(self, subject: str, connection: str = "pg1", seconds: int = 1800) -> Json:
        body = {"access_duration_seconds": seconds}
        answer = await self.to(subject, "POST", f"/connections/{connection}/credentials", body)
        assert answer.status_code == 202, answer.text
        review: Json = await self.shown(f"/reviews/{answer.json()['review_id']}")
        return review

    async def decided(self, subject: str, review_id: str, status: str, **more: object) -> Json:
        answer = await self.to(subject, "PUT", f"/reviews/{review_id}", {"status": status, **more})
        return {"code": answer.status_code, **answer.json()}

    async def provisioned(self, user_email: str, **more: object) -> Json:
        key = await self.key("provisioner")
        body = {"user_email": user_email, "connection": "pg1", "script": "select 1"}
        answer = await self.bearing(key["key"], "POST", "/sessions/provision", body | more)
        assert answer.status_code == 202, answer.text
        review: Json = await self.shown(f"/reviews/{answer.json()['session_id']}")
        return review

    async def connect(self, subject: str, connection: str = "pg1", **more: object) -> httpx.Response:
        return await self.control("POST", "/connect", {"subject": subject, "connection": connection, **more})

    async def live(self, subject: str, connection: str = "pg1") -> str:
        answer = await self.connect(subject, connection)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["session_id"])

    async def streams(self) -> list[str]:
        answer = await self.control("GET", "/streams")
        return [stream["session_id"] for stream in answer.json()["streams"]]

    async def populated(self) -> None:
        """Start over with one connection, a developer, and a reviewer for each of two groups."""
        await self.control("POST", "/reset")
        await self.connection()
        await self.logged_in("dev", "dev")
        await self.logged_in("sre-1", "sre")
        await self.logged_in("sec-1", "sec")

    async def events(self, after: int = 0) -> list[Json]:
        answer = await self.control("GET", f"/events?after={after}")
        events: list[Json] = answer.json()["events"]
        return events


def start(*options: str) -> tuple[subprocess.Popen[str], str]:
    """A gateway process that answers, and its base URL."""
    command = [sys.executable, "-m", "sandbox.gateway", "--port", "0", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on 127.0.0.1:"), line
    return process, f"http://{line.split()[-1]}"


def stop(process: subprocess.Popen[str]) -> int:
    """Ask the process to end; answers how it did."""
    process.terminate()
    code = process.wait(10)
    assert process.stdout is not None
    process.stdout.close()
    return code


@asynccontextmanager
async def running_gateway(*options: str) -> AsyncIterator[Gateway]:
    """A gateway for as long as the block lasts."""
    process, url = start(*options)
    try:
        async with httpx.AsyncClient(base_url=url, timeout=20) as client:
            yield Gateway(client)
    finally:
        assert stop(process) == 0

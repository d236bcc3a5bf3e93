"""The webhook: how soon Graph gets its answer, alone and compared with a function that does nothing."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import aiohttp

from sandbox.bench.crowd import in_parallel, settle
from sandbox.bench.result import Result, percentile, spread
from sandbox.seed import create_user
from sandbox.supervisor import Sandbox
from sandbox.supervisor.ports import free_ports
from sandbox.tenant import HOST, TENANT_ID
from shared.domain.client_state import ClientStateKeys

BARE = Path(__file__).with_name("bare")
PER_SECOND = 200
STRANGERS = 100


async def measure_webhook(sandbox: Sandbox, seconds: float) -> Result:
    """Authentic notifications at 200 a second, each answered after the durable enqueue.

    They are about people in Entra who have no place at the gateway, as most notifications of a tenant are; the same
    process looks at each of them meanwhile.
    """
    keys = ClientStateKeys(TENANT_ID, (sandbox.settings["CLIENT_STATE_KEY"].encode(),))
    strangers = [str(uuid4()) for _ in range(STRANGERS)]
    await in_parallel(create_user(sandbox.graph, one, one, f"{one}@contoso.example") for one in strangers)
    await settle(sandbox)
    client_state = keys.issue("users", 1)
    bodies = [_notification(client_state, strangers[n % STRANGERS]) for n in range(round(PER_SECOND * seconds))]
    async with _bare_host() as bare_url:
        bare = await _fire(f"{bare_url}/api/bare", bodies)
        ours = await _fire(f"{sandbox.url('functions')}/api/graph/notifications", bodies)
    p99, bare_p99 = percentile(ours, 99), percentile(bare, 99)
    ratio = percentile(ours, 50) / percentile(bare, 50)
    return Result(
        f"webhook answer at {PER_SECOND} requests/s for {seconds:.0f} s",
        "p99 ≤ 100 ms",
        f"p99 {p99 * 1000:.0f} ms ({ratio:.1f} times a bare handler's median, {p99 / bare_p99:.1f} times its p99)",
        holds=len(ours) == len(bodies) and p99 <= 0.1,
        details={"ours": spread(ours, digits=1), "bare": spread(bare, digits=1), "answered": len(ours)},
    )


async def _fire(url: str, bodies: list[bytes]) -> list[float]:
    """Seconds until each 202, sent on a fixed beat whether or not earlier ones were answered."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    seconds: list[float] = []

    async def post(session: aiohttp.ClientSession, number: int, body: bytes) -> None:
        due = started + number / PER_SECOND
        await asyncio.sleep(max(0.0, due - loop.time()))
        async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
            if answer.status == 202:
                seconds.append(loop.time() - due)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(post(session, number, body) for number, body in enumerate(bodies)))
    return seconds


def _notification(client_state: str, user_id: str) -> bytes:
    item = {
        "changeType": "updated",
        "clientState": client_state,
        "resource": f"Users/{user_id}",
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.User",
            "@odata.id": f"Users/{user_id}",
            "id": user_id,
            "organizationId": TENANT_ID,
        },
        "subscriptionExpirationDateTime": "2030-01-01T00:00:00Z",
        "subscriptionId": str(uuid4()),
        "tenantId": TENANT_ID,
    }
    return json.dumps({"value": [item]}).encode()


@asynccontextmanager
async def _bare_host() -> AsyncIterator[str]:
    """The same host with the bare function, on a port of its own."""
    port = free_ports()["functions"]
    command = [sys.executable, "-m", "sandbox.host", "--port", str(port), "--app", str(BARE)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        if process.stdout is not None:
            await process.stdout.readline()
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        await process.wait()

"""Latency, burst and memory: people who lose access, one after the other and all at once."""

import asyncio
import json
from collections import Counter
from collections.abc import Collection

import psutil
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from sandbox.bench.crowd import Crowd, Member, disable, gather_crowd, in_parallel, leave, live_sessions, settle, until
from sandbox.bench.result import Result, percentile, spread
from sandbox.supervisor import Sandbox

PACE_PER_SECOND = 5


async def measure_latency(sandbox: Sandbox, count: int) -> Result:
    """Notification received → gateway written and session gone, read back; half removals, half disables."""
    crowd = await gather_crowd(sandbox, count)
    for number, member in enumerate(crowd.members):
        await (leave(sandbox, crowd, member) if number % 2 else disable(sandbox, member))
        await asyncio.sleep(1 / PACE_PER_SECOND)
    await _until_all_gone(sandbox, crowd, within=60)
    await settle(sandbox)
    seconds = await _proven_seconds(sandbox, crowd.members)
    p50, p99 = percentile(seconds, 50), percentile(seconds, 99)
    return Result(
        f"group removal or user disable → revoked, read back ({count})",
        "p50 ≤ 300 ms, p99 ≤ 1 s",
        f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms",
        holds=len(seconds) == count and p50 <= 0.3 and p99 <= 1.0,
        details=spread(seconds),
    )


async def measure_burst(sandbox: Sandbox, count: int, seconds: float) -> list[Result]:
    """So many removals within so many seconds, at a gateway that takes 50 ms for each answer; and the app's memory."""
    crowd = await gather_crowd(sandbox, count)
    await _set_latency(sandbox, 50)
    memory = asyncio.create_task(_peak_memory(sandbox.app_pid))
    started = asyncio.get_running_loop().time()

    async def leave_in_time(number: int, member: Member) -> None:
        await asyncio.sleep(max(0.0, started + number * seconds / count - asyncio.get_running_loop().time()))
        await leave(sandbox, crowd, member)

    await in_parallel(leave_in_time(number, member) for number, member in enumerate(crowd.members))
    took = asyncio.get_running_loop().time() - started
    after = await _until_all_gone(sandbox, crowd, within=240)
    await settle(sandbox)
    await _set_latency(sandbox, 0)
    memory.cancel()
    peak = max(await memory)
    twice, untouched = await _effects(sandbox, crowd)
    return [
        Result(
            f"burst: {count} removals in {took:.0f} s, gateway at 50 ms",
            "all done ≤ 60 s after the last, none lost, none twice",
            f"{after:.1f} s after the last, {untouched} lost, {twice} twice",
            holds=after <= 60 and not twice and not untouched,
            details={"seconds_after_last": round(after, 2), "lost": untouched, "twice": twice},
        ),
        Result(
            "memory of the app under the burst",
            "≤ 250 MB",
            f"{peak / 1e6:.0f} MB peak RSS",
            holds=peak <= 250e6,
            details={"peak_rss_bytes": peak},
        ),
    ]


async def _until_all_gone(sandbox: Sandbox, crowd: Crowd, within: float) -> float:
    async def all_gone() -> bool:
        return not await live_sessions(sandbox, crowd)

    return await until(all_gone, within, look_again=1.0)


async def _set_latency(sandbox: Sandbox, milliseconds: int) -> None:
    (await sandbox.gateway.put("/sandbox/switches", json={"latencyMs": milliseconds})).raise_for_status()


async def _peak_memory(pid: int) -> list[int]:
    """Resident sizes, until cancelled."""
    process, sizes = psutil.Process(pid), [0]
    try:
        while True:
            sizes.append(process.memory_info().rss)
            await asyncio.sleep(0.2)
    except asyncio.CancelledError:
        return sizes


async def _effects(sandbox: Sandbox, crowd: Crowd) -> tuple[int, int]:
    """How many of the crowd felt an effect twice, and how many none: by the gateway's own log, not the app's."""
    events = (await sandbox.gateway.get("/sandbox/events?after=0")).json()["events"]
    subjects = {member.subject for member in crowd.members}
    written = Counter(e["subject"] for e in events if e["kind"] == "user-updated" and e["subject"] in subjects)
    killed = Counter(e["detail"]["session_id"] for e in events if e["kind"] == "session-killed")
    twice = sum(count > 1 for count in written.values()) + sum(count > 1 for count in killed.values())
    return twice, len(subjects - written.keys())


async def _proven_seconds(sandbox: Sandbox, members: Collection[Member]) -> list[float]:
    """From receipt to read-back, as the evidence says."""
    found: list[float] = []
    async with BlobServiceClient.from_connection_string(sandbox.settings["AzureWebJobsStorage"]) as blobs:
        container = blobs.get_container_client("evidence")

        async def read(member: Member) -> None:
            lines = await _chain(container, member.id)
            entries = (json.loads(line) for line in lines.splitlines())
            found.extend(entry["details"]["seconds"] for entry in entries if entry["what"] == "revoked")

        await in_parallel(read(member) for member in members)
    return found


async def _chain(container: ContainerClient, principal_id: str) -> bytes:
    try:
        return await (await container.download_blob(f"principals/{principal_id}.jsonl")).readall()
    except ResourceNotFoundError:
        return b""

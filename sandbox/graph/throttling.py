"""Faults in front of every answer: latency, hanging, failures and throttling."""

import asyncio

from sandbox.graph.errors import GraphError
from sandbox.graph.switches import Switches


async def suffer(switches: Switches, path: str) -> None:
    """Wait or fail as the switches say for a path below `/v1.0`."""
    released = switches.hang_for(path)
    if released:
        await released.wait()
    if switches["latencyMs"]:
        await asyncio.sleep(switches["latencyMs"] / 1000)
    failure = switches.failure_for(path)
    if failure:
        headers = {"Retry-After": str(failure["retryAfter"])} if "retryAfter" in failure else {}
        code = str(failure.get("code", "ServiceUnavailable" if failure["status"] >= 500 else "UnknownError"))
        raise GraphError(failure["status"], code, "The sandbox was told to fail.", headers)
    if switches.throttled():
        headers = {"Retry-After": str(switches["throttle"]["retryAfter"]), "x-ms-throttle-limit-percentage": "1.0"}
        raise GraphError(429, "TooManyRequests", "Too many requests.", headers)

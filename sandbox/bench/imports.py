"""The cold start: CPU time until the app is imported, in fresh processes."""

import asyncio
import json
import sys

from sandbox.bench.result import Result, percentile
from sandbox.supervisor import Sandbox

RUNS = 7
PROGRAM = """
import json, sys, time
import function_app
app = time.process_time()
import azure.identity.aio, httpx_aiohttp, shared.adapters.blob_evidence
print(json.dumps({"cpu": app, "all": time.process_time(), "msgraph": "msgraph" in sys.modules}))
"""


async def measure_import(sandbox: Sandbox) -> Result:
    """The median CPU time of `import function_app`, interpreter start included, and whether msgraph stayed out."""
    outcomes = [await _import(sandbox) for _ in range(RUNS)]
    milliseconds = percentile([float(one["cpu"]) for one in outcomes], 50) * 1000
    loaded = any(one["msgraph"] for one in outcomes)
    return Result(
        f"import of the hot path (median of {RUNS})",
        "≤ 600 CPU ms, without msgraph",
        f"{milliseconds:.0f} CPU ms, msgraph {'loaded' if loaded else 'not loaded'}",
        holds=milliseconds <= 600 and not loaded,
        details={
            "cpu_ms": [round(float(one["cpu"]) * 1000) for one in outcomes],
            "cpu_ms_with_what_the_first_message_loads": [round(float(one["all"]) * 1000) for one in outcomes],
        },
    )


async def _import(sandbox: Sandbox) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, env=dict(sandbox.settings), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    outcome: dict[str, float] = json.loads(output)
    return outcome

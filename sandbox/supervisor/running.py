"""`running_sandbox`: the whole sandbox for as long as a block lasts."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from sandbox.seed import seed
from sandbox.supervisor.approvals import open_approvals
from sandbox.supervisor.certificates import issue_certificates
from sandbox.supervisor.errors import SandboxError
from sandbox.supervisor.mirror import mirror_gateway
from sandbox.supervisor.ports import check_ports, default_ports, free_ports
from sandbox.supervisor.prerequisites import find_node
from sandbox.supervisor.process import ServerProcess
from sandbox.supervisor.sandbox import Sandbox
from sandbox.supervisor.servers import BEHIND_TLS, ROOT, SERVERS, STAND_INS, WHAT, exists, planned_servers
from sandbox.supervisor.settings import app_settings, fitting_environment, replaced_servers
from sandbox.supervisor.vault import with_vault
from sandbox.supervisor.warm_up import warm_up

OUTPUT = ROOT / ".sandbox"
# A sandbox of somebody's own would make its first report at the next full hour, in the middle of what they do.
UNASKED = {"AzureWebJobs.ask_for_weekly_report.Disabled": "true"}
Report = Callable[[str], None]


def _say_nothing(_line: str) -> None:
    """Report to nobody."""


@asynccontextmanager
async def running_sandbox(
    *,
    ports: Literal["free", "default"] = "free",
    without: Collection[str] = (),
    environment: Mapping[str, str] | None = None,
    report: Report = _say_nothing,
) -> AsyncIterator[Sandbox]:
    """A seeded sandbox whose app has seen the directory once; afterwards no process is left.

    A stand-in is left out when a setting, in `environment` or this process's own, names the real thing, or when
    `without` names it. `report` gets a line for each thing that is ready.

    Raises:
        SandboxError: something is missing, a port is in use, or a server does not start.
    """
    quiet = UNASKED if ports == "free" else {}
    given = fitting_environment({**quiet, **os.environ, **(environment or {})})
    unknown = sorted(set(without) - set(SERVERS))
    if unknown:
        raise SandboxError(f"there is no {', '.join(unknown)}: the servers are {', '.join(SERVERS)}")
    node = find_node()
    chosen = free_ports() if ports == "free" else default_ports(given)
    replaced = replaced_servers(given)
    wanted = [name for name in SERVERS if name not in replaced and name not in without and exists(name)]
    check_ports(chosen, wanted)
    logs = _log_folder(ports, given)
    settings = with_vault(app_settings(given, chosen), chosen, logs, is_there="vault" in wanted)
    certificates = issue_certificates(logs, given) if any(name in wanted for name in BEHIND_TLS) else None
    plan = planned_servers(chosen, settings, given, node, certificates)
    processes = {name: ServerProcess(plan[name], logs / f"{name}.log") for name in wanted}
    sandbox = Sandbox(processes, chosen, settings, replaced, logs)
    try:
        await _start(sandbox, report)
        yield sandbox
    finally:
        await _end(sandbox)
    if ports == "free":
        shutil.rmtree(logs)


async def _end(sandbox: Sandbox) -> None:
    """No process is left; a caller who is cancelled again, while the servers end in peace, has them killed."""
    closing = asyncio.create_task(sandbox.close())
    try:
        await asyncio.shield(closing)
    except asyncio.CancelledError:
        sandbox.kill_everything()
        await closing
        raise


async def _start(sandbox: Sandbox, report: Report) -> None:
    for name in sorted(sandbox.replaced):
        report(f"{name:<10} left out: a setting names the real thing")
    await _start_together([name for name in sandbox.servers if name in STAND_INS], sandbox, report)
    await _fill(sandbox, report)
    await _start_together([name for name in sandbox.servers if name == "functions"], sandbox, report)
    if "functions" in sandbox.servers:
        await warm_up(sandbox, report)
    await _start_together([name for name in sandbox.servers if name == "door"], sandbox, report)


async def _start_together(names: Collection[str], sandbox: Sandbox, report: Report) -> None:
    async def start(name: str) -> None:
        await sandbox.start(name)
        report(f"{name:<10} ready    {sandbox.url(name)}  {WHAT[name]}")

    starting = [asyncio.create_task(start(name)) for name in names]
    try:
        await asyncio.gather(*starting)
    finally:
        for task in starting:
            task.cancel()


async def _fill(sandbox: Sandbox, report: Report) -> None:
    if "graph" not in sandbox.servers:
        return
    if "gateway" in sandbox.replaced:
        report(await mirror_gateway(sandbox.graph, sandbox.gateway, Path(sandbox.settings["IDENTITY_MAP_FILE"])))
    elif "gateway" in sandbox.servers:
        report(await seed(sandbox.graph, sandbox.gateway))
        app_url = sandbox.url("functions") if "functions" in sandbox.servers else None
        report(await open_approvals(sandbox.gateway, sandbox.settings, app_url))


def _log_folder(ports: Literal["free", "default"], given: Mapping[str, str]) -> Path:
    """A folder of its own on free ports, where sandboxes run side by side; kept when the run fails."""
    folder = Path(given.get("SANDBOX_LOGS", OUTPUT if ports == "free" else OUTPUT / "logs"))
    folder.mkdir(parents=True, exist_ok=True)
    if ports == "free":
        return Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    for server in SERVERS:
        (folder / f"{server}.log").unlink(missing_ok=True)
    return folder

"""`python -m sandbox` (`make run`): the whole sandbox and the app, until Ctrl-C."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys

from sandbox.seed import open_sessions
from sandbox.supervisor import Sandbox, SandboxError, running_sandbox
from sandbox.supervisor.process import end_with_parent
from sandbox.tenant import DEFAULT_PORTS

EXPLANATION = """\
Starts, on loopback only: Azurite (blobs, tables), a Service Bus broker, a managed-identity endpoint, stand-ins for
Entra's sign-in, Microsoft Graph, the gateway and Teams (with a page to read and answer cards), Tether itself on a local
Functions host, and a page that shows it all. Fills the tenant with a few people and AI agents who hold live sessions.
Ctrl-C stops everything.

A stand-in is left out when its real thing is given in the environment (or behind `make run`):
  GATEWAY_BASE_URL, GATEWAY_API_KEY      a real gateway, with an admin's key; its users and service accounts
                                         appear in the stand-in directory
  GRAPH_BASE_URL, TENANT_ID              a real tenant, with the Azure sign-in of this machine; nothing is seeded, and
                                         there is no stand-in for Teams and the sign-in either
  ServiceBus                             a Service Bus namespace with the queues of sandbox/queues.json
  AzureWebJobsStorage                    a Storage account
Every other setting of local.settings.example.json works as well. SANDBOX_LOGS names the folder for the servers' output,
.sandbox/logs by default.
"""
PORTS = "ports (each by its variable):\n" + "\n".join(
    f"  SANDBOX_{server.upper()}_PORT".ljust(28) + f"default {port}" for server, port in DEFAULT_PORTS.items()
)


def main() -> int:
    """0 after a stop that was asked for, 1 when something could not start or ended by itself."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description=EXPLANATION,
        epilog=PORTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--with-parent", action="store_true", help="stop also when the process that started this one is gone"
    )
    if parser.parse_args().with_parent and (tie := end_with_parent(os.getppid(), signal.SIGTERM)):
        tie()
    try:
        asyncio.run(_run())
    except asyncio.CancelledError:
        print("\nstopped, no process is left")
    except SandboxError as error:
        print(f"\nthe sandbox has stopped: {error}", file=sys.stderr)
        return 1
    return 0


async def _run() -> None:
    running = asyncio.current_task()
    assert running is not None  # noqa: S101 - this coroutine is always a task
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    async with running_sandbox(ports="default", report=lambda line: print(f"  {line}", flush=True)) as sandbox:
        await _open_sessions(sandbox)
        print(_summary(sandbox), flush=True)
        raise await sandbox.first_death()


async def _open_sessions(sandbox: Sandbox) -> None:
    if {"graph", "gateway"} <= set(sandbox.servers):
        opened = await open_sessions(sandbox.gateway)
        print(f"  {'sessions':<10} open     {len(opened)} held by people and agents")


def _summary(sandbox: Sandbox) -> str:
    lines = ["", "Tether is running."]
    if "door" in sandbox.servers:
        lines.append(f"  the page        {sandbox.url('door')}")
    if "teams" in sandbox.servers:
        lines.append(f"  Teams           {sandbox.url('teams')}")
    lines += [
        f"  gateway         {sandbox.url('gateway')}",
        f"  Graph           {sandbox.url('graph')}",
        f"  Tether          {sandbox.url('functions')}",
        f"  function key    {sandbox.function_key}",
        f"  logs            {os.path.relpath(sandbox.logs)}",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())

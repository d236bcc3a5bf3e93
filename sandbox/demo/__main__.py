"""`python -m sandbox.demo`: starts a sandbox of its own on free ports, tells the story, and stops everything."""

import argparse
import asyncio
import os
import sys
from functools import partial

from rich.console import Console

from sandbox.demo.approvals import Approvals
from sandbox.demo.posture import SETTINGS, report_posture
from sandbox.demo.proof import verify
from sandbox.demo.real_gateway import complete_directory, invite_cast
from sandbox.demo.stage import Stage
from sandbox.demo.story import Story
from sandbox.demo.timeline import Timeline
from sandbox.supervisor import SandboxError, running_sandbox
from sandbox.supervisor.clients import client, gateway_admin_headers

DESCRIPTION = """\
Tells what Tether does as a story on a sandbox of its own: what an agent asks for, a person approves in (stand-in)
Teams; what agents and people lose in (stand-in) Entra, the gateway loses within seconds; and what nobody uses, owns or
rotates is in a report. Prints a timeline with milliseconds; exits with 1 when a step fails.
Set GATEWAY_BASE_URL and GATEWAY_API_KEY (an admin's) to tell it on a real gateway: the cast is created there.
It takes about two minutes, because access comes back only after two reads of Entra a minute apart."""


async def main() -> int:
    """The exit code: 0 when every step held."""
    console = Console(highlight=False)
    base_url, api_key = os.environ.get("GATEWAY_BASE_URL"), os.environ.get("GATEWAY_API_KEY", "")
    if base_url:
        async with client(base_url, lambda: gateway_admin_headers(api_key)) as gateway:
            console.print(await invite_cast(gateway))
    console.print("Starting the sandbox …")
    dimmed = partial(console.print, style="dim")
    async with running_sandbox(without=("door",), environment=SETTINGS, report=dimmed) as sandbox:
        if base_url:
            await complete_directory(sandbox.graph)
        timeline = Timeline(console)
        if "teams" in sandbox.servers and not base_url:
            await Approvals(sandbox, timeline).tell()
        await Story(Stage(sandbox), timeline).tell()
        if not base_url:
            await report_posture(sandbox, timeline)
        await verify(sandbox, timeline)
    verdict = "Every step held." if not timeline.failures else f"{timeline.failures} steps failed."
    console.print(verdict, style="green" if not timeline.failures else "bold red")
    return 1 if timeline.failures else 0


def run() -> int:
    """Parse the arguments, tell the story, and put a start that fails into one sentence."""
    argparse.ArgumentParser(
        prog="make demo", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    try:
        return asyncio.run(main())
    except SandboxError as error:
        print(f"the demo cannot start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())

"""Runs the stand-in for Teams until SIGTERM: `python -m sandbox.teams --port 7078`."""

import argparse
import signal
import sys
from types import FrameType

from sandbox import tenant
from sandbox.teams.app import create_app
from sandbox.teams.server import TeamsServer


def main() -> None:
    """Read the command line and serve; a stop by signal is a success."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.teams", description=__doc__)
    parser.add_argument("--port", type=int, default=tenant.port("teams"))
    parser.add_argument("--endpoint", default=f"{tenant.url('functions')}/api/teams/messages")
    options = parser.parse_args()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, _leave)
    TeamsServer(create_app(options.endpoint), options.port).run()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()

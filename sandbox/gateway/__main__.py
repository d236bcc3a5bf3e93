"""Runs the gateway until SIGTERM: `python -m sandbox.gateway --port 7073`."""

import argparse
import os
import signal
import sys
from types import FrameType

from sandbox import tenant
from sandbox.gateway.app import create_app
from sandbox.gateway.server import GatewayServer


def main() -> None:
    """Read the command line and serve; a stop by signal is a success."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.gateway", description=__doc__)
    parser.add_argument("--port", type=int, default=tenant.port("gateway"))
    parser.add_argument("--api-key", default=os.environ.get("SANDBOX_GATEWAY_API_KEY", ""))
    parser.add_argument("--admin-group", default="admin")
    parser.add_argument("--auditor-group", default="auditor")
    options = parser.parse_args()
    app = create_app(
        api_key=options.api_key,
        admin_group=options.admin_group,
        auditor_group=options.auditor_group,
        api_url=f"http://{tenant.HOST}:{options.port}" if options.port else "",
    )
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, _leave)
    GatewayServer(app, options.port).run()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()

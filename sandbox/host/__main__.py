"""Runs the host until it is asked to stop: `python -m sandbox.host --port 7071 [--app DIR]`."""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

import uvloop

from sandbox.host.errors import AppError
from sandbox.host.host import run_host
from sandbox.tenant import port


def main() -> int:
    parser = argparse.ArgumentParser(prog="sandbox.host", description="A local Azure Functions host")
    parser.add_argument("--port", type=int, default=port("functions"), help="0 takes any free port")
    parser.add_argument("--app", type=Path, default=Path.cwd(), help="the folder that holds function_app.py")
    options = parser.parse_args()
    logging.basicConfig(
        level=os.environ.get("SANDBOX_LOG_LEVEL", "INFO"), format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    for chatty in ("azure", "httpx", "uamqp"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_host(options.app.resolve(), options.port))
    except AppError as error:
        print(f"the app cannot start: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        logging.getLogger("sandbox.host").exception("loading failed")
        print(f"the app cannot start: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs the vault until SIGTERM: `python -m sandbox.vault --port 0 --certificate login.pem --key login-key.pem`."""

import argparse
import signal
import sys
from types import FrameType

from sandbox.login.server import LoginServer
from sandbox.vault.app import create_app


def main() -> None:
    """Read the command line and serve; a stop by signal is a success."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.vault", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--certificate", required=True, help="a PEM file with the certificate chain")
    parser.add_argument("--key", required=True, help="a PEM file with the private key")
    options = parser.parse_args()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, _leave)
    LoginServer(create_app(), options.port, options.certificate, options.key).run()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()

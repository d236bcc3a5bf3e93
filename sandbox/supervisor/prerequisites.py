"""What has to be on the machine before anything starts: Node and the npm packages of the sandbox."""

import shutil
import subprocess
from pathlib import Path

from sandbox.supervisor.errors import SandboxError

OLDEST_NODE = 18
PACKAGES = ("azurite", "rhea")
SANDBOX = Path(__file__).parents[1]
_ASK = "process.stdout.write(process.versions.node.split('.')[0] + ' ' + process.execPath)"


def find_node() -> str:
    """The path of Node itself; raises `SandboxError` when it, or a package the sandbox needs, is missing."""
    found = shutil.which("node")
    if found is None:
        raise SandboxError(f"Node.js {OLDEST_NODE} or newer is needed, and there is no `node` on the PATH: install it")
    # A version manager's `node` may be a launcher that outlives its parent, so the real program is asked for.
    answer = subprocess.run([found, "-e", _ASK], capture_output=True, text=True, check=False)
    major, _, path = answer.stdout.partition(" ")
    if not major.isdecimal() or int(major) < OLDEST_NODE:
        raise SandboxError(f"Node.js {OLDEST_NODE} or newer is needed, and `node` is version {major or 'unknown'}")
    missing = [package for package in PACKAGES if not (SANDBOX / "node_modules" / package).is_dir()]
    if missing:
        raise SandboxError(f"{' and '.join(missing)} not installed: run `npm ci` in sandbox/ (`make run` does so)")
    return path

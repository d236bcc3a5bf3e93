"""The sandbox as a whole: every stand-in server and the app, started together and stopped together."""

from sandbox.supervisor.errors import SandboxError
from sandbox.supervisor.running import running_sandbox
from sandbox.supervisor.sandbox import Sandbox

__all__ = ["Sandbox", "SandboxError", "running_sandbox"]

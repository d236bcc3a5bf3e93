"""Why the sandbox cannot start, or had to stop."""


class SandboxError(Exception):
    """The message says what is wrong and what to do about it."""

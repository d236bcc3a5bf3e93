"""`python` as a page calls it: our programs are run, those that reach Graph or the gateway against the stand-ins."""

import os
import runpy
import sys
from collections.abc import Sequence

from tests.docs.pretend import Vault, note


def main(words: Sequence[str]) -> int:
    """The exit code of `python -m MODULE ARGUMENTS`."""
    module, arguments = words[1], list(words[2:])
    note("python", words)
    if module == "pip":
        return 0
    if module == "infra.grant_permissions":
        return _grant(arguments)
    if module == "infra.set_up_gateway":
        return _set_up(arguments)
    return _run(module, arguments)


def _grant(arguments: list[str]) -> int:
    import httpx  # noqa: PLC0415 - programs of ours start without what other programs need

    from infra.grant_permissions import main as grant  # noqa: PLC0415

    headers = {"Authorization": os.environ["PRETEND_BEARER"]}
    return grant(arguments, lambda _: httpx.Client(base_url=os.environ["PRETEND_GRAPH"], headers=headers, timeout=20))


def _set_up(arguments: list[str]) -> int:
    from infra.set_up_gateway import main as set_up  # noqa: PLC0415

    arguments[arguments.index("--gateway") + 1] = os.environ["PRETEND_GATEWAY"]
    return set_up(arguments, lambda _name, _cloud: Vault())


def _run(module: str, arguments: list[str]) -> int:
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

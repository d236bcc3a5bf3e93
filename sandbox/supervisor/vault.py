"""The posture rules of one run: the vault that they name has another address wherever ports are free ones."""

from collections.abc import Mapping
from pathlib import Path

from sandbox.supervisor.ports import Ports
from sandbox.tenant import DEFAULT_PORTS, HOST

_USUAL = f"https://{HOST}:{DEFAULT_PORTS['vault']}"


def with_vault(settings: Mapping[str, str], ports: Ports, folder: Path, *, is_there: bool) -> dict[str, str]:
    """The same settings, their rules kept in this folder with the address that the vault has now, or without it."""
    rules = Path(settings["POSTURE_RULES_FILE"])
    if not rules.is_file() or _USUAL not in rules.read_text(encoding="utf-8"):
        return dict(settings)
    lines = rules.read_text(encoding="utf-8").splitlines(keepends=True)
    here = f"https://{HOST}:{ports['vault']}"
    kept = (line.replace(_USUAL, here) for line in lines if is_there or _USUAL not in line)
    own = folder / "posture.yaml"
    own.write_text("".join(kept), encoding="utf-8")
    return {**settings, "POSTURE_RULES_FILE": str(own)}

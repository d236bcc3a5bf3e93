"""The guides say what the programs do: every line they show is accepted, and every permission is there."""

import argparse
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import grant_permissions, set_up_gateway
from infra.permissions import read_permissions
from infra.teams import build

ROOT = Path(__file__).parents[2]
PARSERS: dict[str, Callable[[], argparse.ArgumentParser]] = {
    "infra.grant_permissions": grant_permissions._parser,
    "infra.set_up_gateway": set_up_gateway._parser,
    "infra.teams.build": build._parser,
}
GUID = "7e7e0000-0000-4000-8000-0000000000aa"
LINES = [
    line
    for name in ("graph-permissions", "teams-app", "gateway-set-up")
    for line in re.findall(r"^python -m infra\..+$", (ROOT / "docs" / f"{name}.md").read_text(), re.MULTILINE)
]


def test_guides_show_every_program() -> None:
    assert {line.split()[2] for line in LINES} == set(PARSERS)


@pytest.mark.parametrize("line", LINES)
def test_line_of_a_guide_is_accepted(line: str) -> None:
    words = shlex.split(line.replace("OBJECT-ID", GUID).replace("BOT-APP-ID", GUID))

    asked = PARSERS[words[2]]().parse_args(words[3:])

    assert asked


def test_guide_names_every_permission_with_its_id_and_no_other() -> None:
    guide = (ROOT / "docs" / "graph-permissions.md").read_text()

    shown = re.findall(r"^\| `(\S+)` \| `([0-9a-f-]{36})` \|", guide, re.MULTILINE)

    assert shown == [(one.name, one.role_id) for one in read_permissions().permissions]


def test_guide_says_what_each_capability_needs() -> None:
    guide, permissions = (ROOT / "docs" / "graph-permissions.md").read_text(), read_permissions()

    for name, sentence in permissions.capabilities.items():
        needs = ", ".join(f"`{one.name}`" for one in permissions.of([name]))
        assert f"| `{name}` | {sentence} | {needs} |" in guide

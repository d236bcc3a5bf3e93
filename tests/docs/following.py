"""Somebody who follows a page: pastes block after block into one shell, with stand-ins for what only Azure has."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.docs.page import ROOT, Block

CHECKOUT = (
    *("infra", "shared", "functions", "tools", "docs"),
    *("function_app.py", "host.json", "requirements.txt", "azure.yaml", ".funcignore"),
)
# Programs that are what they are anywhere. Nothing else is there: a page that calls it fails.
REAL = ("openssl", "cat", "mkdir", "rm", "cp")
AZURES = ("az", "azd", "curl", "python3.13")


@dataclass(frozen=True, slots=True)
class Call:
    """A program as it was called, and what is wrong with that."""

    program: str
    words: list[str]
    wrong: list[str]


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of it: every call in order, the secrets, the folder, and what was said."""

    folder: Path
    code: int
    said: str
    complaints: str
    calls: list[Call]
    vault: dict[str, str]

    def of(self, program: str, *words: str) -> list[list[str]]:
        """The arguments of every call of a program that start with these words."""
        found = (call.words for call in self.calls if call.program == program)
        return [given for given in found if given[: len(words)] == list(words)]

    def at(self, program: str, *words: str) -> int:
        """When a program was first called like this: its place in the order of calls."""
        return next(
            place
            for place, call in enumerate(self.calls)
            if call.program == program and call.words[: len(words)] == list(words)
        )


def follow(pasted: Sequence[Block], folder: Path, typed: str, environment: Mapping[str, str]) -> Followed:
    """Paste the blocks in a copy of the checkout, until one fails; `typed` is what the person is asked for."""
    checkout, record, vault = folder / "clone", folder / "record", folder / "vault"
    for name in CHECKOUT:
        _copy(ROOT / name, checkout / name)
    record.touch()
    vault.write_text("{}", encoding="utf-8")
    script = "set -eu\n" + "".join(f"echo '@ line {one.line}' >&2\n{one.text}" for one in pasted)
    ran = subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=checkout,
        env={
            "PATH": str(_programs(folder / "bin")),
            "PYTHONPATH": str(ROOT),
            "PRETEND_RECORD": str(record),
            "PRETEND_VAULT": str(vault),
            **environment,
        },
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    calls = [Call(**json.loads(line)) for line in record.read_text(encoding="utf-8").splitlines()]
    return Followed(checkout, ran.returncode, ran.stdout, ran.stderr, calls, json.loads(vault.read_text()))


def environment_of(**more: str) -> dict[str, str]:
    """What the shell gets besides: nothing of ours but where Python finds its own."""
    return {"HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8", **more}


def _programs(folder: Path) -> Path:
    folder.mkdir()
    for name in REAL:
        (folder / name).symlink_to(shutil.which(name) or name)
    pretend = f'#!/bin/sh\nexec {sys.executable} -S -m tests.docs.pretend "${{0##*/}}" "$@"\n'
    ours = f'#!/bin/sh\nexec {sys.executable} -m tests.docs.stood_in "$@"\n'
    for name in (*AZURES, "python"):
        path = folder / name
        path.write_text(ours if name == "python" else pretend, encoding="utf-8")
        path.chmod(0o755)
    return folder


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)

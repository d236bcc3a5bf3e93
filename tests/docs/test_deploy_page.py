"""The guide to deployment as it is written: its commands, names and files are known, and nothing in it goes unread."""

import argparse
import re
import shlex
import subprocess
from collections.abc import Callable

import pytest

from infra import grant_permissions, set_up_gateway
from infra.teams import build
from tests.docs.deploy_page import PAGE, SHELL, method, names, parameters, routes, values
from tests.docs.page import ROOT, Block, blocks, inline_code
from tests.docs.programs import problems
from tests.infra import code

PROGRAMS = ("az", "azd", "python", "curl", "git", "provision")
PARSERS: dict[str, Callable[[], argparse.ArgumentParser]] = {
    "infra.grant_permissions": grant_permissions._parser,
    "infra.set_up_gateway": set_up_gateway._parser,
    "infra.teams.build": build._parser,
}


def test_no_command_of_the_page_is_left_out_by_a_condition() -> None:
    words = {word for block in SHELL for line in block.text.splitlines() for word in _bare_words(line)}

    assert words & {"if", "then", "case", "while", "until", "for", "||", "&&"} == set()


def test_every_fence_is_pasted_into_a_shell_or_into_the_portal() -> None:
    assert {block.language for block in blocks(PAGE)} == {"sh", "kusto"}


@pytest.mark.parametrize("block", SHELL, ids=lambda block: f"line {block.line}")
def test_block_is_sound_in_bash(block: Block) -> None:
    checked = subprocess.run(["/bin/bash", "-n"], input=block.text, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")


def test_every_command_within_a_sentence_would_be_accepted() -> None:
    shown = [text for text in inline_code(PAGE) if text.partition(" ")[0] in PROGRAMS and " " in text]

    assert {text: wrong for text in shown if (wrong := _refused(shlex.split(text)))} == {}
    assert len(shown) > 5


def test_every_name_in_capitals_is_a_setting_a_variable_or_explained() -> None:
    named = {name for text in inline_code(PAGE) for name in re.findall(r"(?<![\w/.])[A-Z][A-Z0-9]*_[A-Z0-9_]+", text)}

    assert named - names() == set()


def test_every_value_of_the_reader_is_explained_and_used() -> None:
    table = PAGE.partition("## 1. ")[0]
    explained = {name for line in table.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line)}

    used = {name: len(re.findall(rf'"\$\{{?{name}\b|\${name}\b', PAGE)) for name in values()}

    assert set(values()) - explained == set()
    assert [name for name, count in used.items() if not count] == []


def test_queries_look_for_what_the_app_says() -> None:
    queries = [block.text for block in blocks(PAGE) if block.language == "kusto"]
    said = code.said("measure")

    words = [word for query in queries for word in re.findall(r'startswith "measured ([\w-]+)"', query)]

    assert words == ["notification-to-revocation"]
    assert set(words) <= said


def test_files_that_the_page_names_exist() -> None:
    named = {text for text in inline_code(PAGE) if re.fullmatch(r"[\w./-]+\.(bicep|json|yaml|py|md|zip|txt)", text)}
    made = {"identity-map.yaml", "approval-routes.yaml", "posture.yaml", "tether-teams.zip"}

    assert [name for name in sorted(named - made) if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("az keyvault secret put --name x", "no such command"),
        ("az group create --name x --location y --region z", "has no option --region"),
        ("az group create --name x", "needs --location"),
        ("az group create --name '' --location y", "--name needs a value"),
        ("az group delete tether --name x", "takes 0 to 0 words"),
        ("azd env set NAME", "takes 2 to 2 words"),
        ("azd provision --dry-run", "has no option --dry-run"),
    ],
)
def test_command_that_azure_would_refuse_is_refused_here(line: str, wrong: str) -> None:
    program, *words = shlex.split(line)

    assert any(wrong in problem for problem in problems(program, words))


def _bare_words(line: str) -> list[str]:
    return re.sub(r'"[^"]*"|\'[^\']*\'', "", line).split()


def _refused(words: list[str]) -> list[str]:
    """Why a command that stands in a sentence would be refused."""
    program, *rest = words
    if program in ("az", "azd"):
        return list(problems(program, rest))
    if program == "provision":
        return [word for word in rest if word.partition("=")[0] not in parameters()]
    if program == "python":
        known = PARSERS[rest[1]]()._option_string_actions
        return [word for word in rest[2:] if word.startswith("--") and word not in known]
    if program == "curl":
        path = rest[-1].partition("?")[0].removeprefix("https://APP_HOST_NAME")
        return [] if (method(rest), path) in set(routes()) else [path]
    return [] if rest in (["pull"], ["checkout"]) else [f"{program} {rest}"]

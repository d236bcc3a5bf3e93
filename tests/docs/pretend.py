"""Stands in for the programs that reach Azure: `python -m tests.docs.pretend PROGRAM ARGUMENTS`.

Notes each call, and answers as they would. Standard library only, and little of it: a page calls it some seventy times.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.docs.programs import command_of, options_of, problems

APP_NAME = "tether-app"
HOST_NAME = f"{APP_NAME}.azurewebsites.net"
IDENTITY = {"principalId": "7e7e0000-0000-4000-8000-0000000000aa", "clientId": "7e7e0000-0000-4000-8000-0000000000b0"}
READERS = "7e7e0000-0000-4000-8000-0000000000c0"
PERSON = "7e7e0000-0000-4000-8000-0000000000d0"
LOGIN = "https://login.microsoftonline.com"
NAMES = {
    "Microsoft.Web/sites": APP_NAME,
    "Microsoft.KeyVault/vaults": "tether-kv",
    "Microsoft.Storage/storageAccounts": "tetherdata",
}
_GROUP = "/subscriptions/made-up/resourceGroups/tether/providers"
_ANSWERS = {
    "ad app create": READERS,
    "ad app list": READERS,
    "ad signed-in-user show": PERSON,
    "cloud show": LOGIN,
    "functionapp keys list": "a-function-key",
    "resource show": HOST_NAME,
    "storage container immutability-policy show": "an-etag",
}


class Vault:
    """The secrets, in a file that other stand-ins write, too."""

    def __init__(self) -> None:
        self._path = Path(os.environ["PRETEND_VAULT"])

    def read(self) -> dict[str, str]:
        """Every secret by its name."""
        kept: dict[str, str] = json.loads(self._path.read_text(encoding="utf-8"))
        return kept

    def check(self, name: str) -> None:
        """Nothing: every secret may be kept."""

    def keep(self, name: str, value: str) -> None:
        """Keep a secret, and note that it was."""
        self._path.write_text(json.dumps(self.read() | {name: value}), encoding="utf-8")
        note("vault", [name])


def note(program: str, words: Sequence[str], wrong: Sequence[str] = ()) -> None:
    """One more line in the record of calls."""
    line = json.dumps({"program": program, "words": list(words), "wrong": list(wrong)})
    with Path(os.environ["PRETEND_RECORD"]).open("a", encoding="utf-8") as record:
        record.write(line + "\n")


def azure(program: str, words: Sequence[str]) -> int:
    """`az` or `azd`: the exit code."""
    wrong = list(problems(program, words))
    note(program, words, wrong)
    if wrong:
        sys.stderr.write("\n".join(wrong) + "\n")
        return 2
    command, given = command_of(program, words), options_of(words)
    if command in _ACTS:
        return _ACTS[command](given)
    if command in _ANSWERS and "--query" in given:
        _say(_ANSWERS[command])
    return 0


def curl(words: Sequence[str]) -> int:
    """`curl`: whatever it asks is answered, and noted."""
    note("curl", words)
    _say("{}")
    return 0


def python(words: Sequence[str]) -> int:
    """`python3.13`: makes environments and installs packages without doing it; the rest is really run."""
    note("python3.13", words)
    if words[:2] == ["-m", "venv"]:
        activate = Path(words[2]) / "bin" / "activate"
        activate.parent.mkdir(parents=True)
        activate.write_text("", encoding="utf-8")
    elif words[:3] == ["-m", "pip", "install"]:
        Path(words[words.index("--target") + 1]).mkdir(parents=True)
    elif words[:2] in (["-m", "compileall"], ["-m", "zipfile"]):
        os.execv(sys.executable, [sys.executable, *words])  # noqa: S606 - this very Python
    else:
        return 2
    return 0


def _say(answer: str) -> None:
    sys.stdout.write(f"{answer}\n")


def _list_resources(given: dict[str, list[str]]) -> int:
    (type_,), (query,) = given["--resource-type"], given["--query"]
    name = NAMES[type_]
    _say(f"{_GROUP}/{type_}/{name}" if query.endswith(".id") else name)
    return 0


def _list_identities(given: dict[str, list[str]]) -> int:
    _say(IDENTITY[given["--query"][0].rpartition(".")[2]])
    return 0


def _keep(given: dict[str, list[str]]) -> int:
    Vault().keep(given["--name"][0], given["--value"][0])
    return 0


def _show(given: dict[str, list[str]]) -> int:
    _say(Vault().read()[given["--name"][0]])
    return 0


def _download(given: dict[str, list[str]]) -> int:
    folder = Path(given["--destination"][0]) / "principals"
    folder.mkdir()
    (folder / "one.jsonl").write_text(os.environ["PRETEND_EVIDENCE"], encoding="utf-8")
    return 0


_ACTS: dict[str, Callable[[dict[str, list[str]]], int]] = {
    "resource list": _list_resources,
    "identity list": _list_identities,
    "keyvault secret set": _keep,
    "keyvault secret show": _show,
    "storage blob download-batch": _download,
}

if __name__ == "__main__":
    name, *given_words = sys.argv[1:]
    programs: dict[str, Callable[[Sequence[str]], int]] = {
        "az": lambda words: azure("az", words),
        "azd": lambda words: azure("azd", words),
        "curl": curl,
        "python3.13": python,
    }
    sys.exit(programs[name](given_words))

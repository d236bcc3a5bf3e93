"""docs/deploy.md as its tests read it: blocks for the shell, and every name that it may use."""

import json
import re
from collections.abc import Iterator, Sequence

from tests.docs.page import ROOT, blocks
from tests.infra import code
from tests.infra.bicep import INFRA
from tests.infra.infrastructure import MAIN, current

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
SHELL = [block for block in blocks(PAGE) if block.language == "sh"]
# The gateway's own setting, the beginning of names, and what a reader puts into an address by hand.
OTHERS = {"WEBHOOK_APPKEY", "GATEWAY_KEY_", "APP_HOST_NAME"}


def values() -> dict[str, str]:
    """The reader's values, as the page has them."""
    block = next(block for block in SHELL if "SUBSCRIPTION_ID=" in block.text)
    return dict(re.findall(r"^export (\w+)=(.*)$", block.text, re.MULTILINE))


def variables() -> dict[str, str]:
    """The variable of azd for each parameter of the infrastructure."""
    read = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    return {name: re.findall(r"\w+", one["value"])[0] for name, one in read.items()}


def parameters() -> set[str]:
    """Every parameter of the infrastructure."""
    return set(current().files[MAIN].of_kind("param"))


def names() -> set[str]:
    """Everything in capitals that is known: settings, variables of azd, and those of the page."""
    pattern = re.compile(r"^(?:export |read -rs )?(\w+)(?:=|$)", re.MULTILINE)
    shell = {name for block in SHELL for name in pattern.findall(block.text)}
    return code.settings() | set(variables().values()) | shell | OTHERS


def method(words: Sequence[str]) -> str:
    """The method with which curl is called."""
    return next((words[at + 1] for at, word in enumerate(words) if word in ("--request", "-X")), "GET")


def routes() -> Iterator[tuple[str, str]]:
    """Every method and path that the app answers."""
    for _, binding in code.bindings():
        if binding["type"] == "httpTrigger":
            yield from ((name, f"/api/{binding['route']}") for name in code._methods(binding))

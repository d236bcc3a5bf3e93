"""The guide to operations names everything that runs and everything that alerts."""

from tests.docs.page import ROOT
from tests.infra import code

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_function_is_explained() -> None:
    assert sorted({name for name, _ in code.bindings() if f"`{name}`" not in PAGE}) == []


def test_every_alert_has_a_next_step() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]

    told = {reason for reason in code.said("raise_alert") for row in rows if f"`{reason}`" in row.split("|")[1]}

    assert sorted(code.said("raise_alert") - told) == []

"""Every face looks as its golden file says (WRITE_GOLDEN_CARDS=1 makes them again) and keeps the vendor's rules."""

import functools
import json
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft6Validator
from playwright.async_api import Page

from shared.wire.cards.elements import Card
from tests.wire.cards.rendering import draw
from tests.wire.cards.samples import LINK, NAMES, TOKEN, face

GOLDEN = Path(__file__).parent / "golden"
PUBLISHED = Path(__file__).parents[4] / "shared" / "contracts" / "adaptive-cards" / "1.5.0.json"


@functools.cache
def packaged_schema() -> Draft6Validator:
    return Draft6Validator(json.loads((files("adaptive_cards") / "schemas" / "schema-1.5.json").read_text("utf-8")))


@functools.cache
def published_schema() -> Draft6Validator:
    return Draft6Validator(json.loads(PUBLISHED.read_text("utf-8")))


def without_extensions(card: Card) -> Card:
    return {key: value for key, value in card.items() if key != "msteams"}


def parts(content: object) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from parts(each)


@pytest.mark.parametrize("name", NAMES)
def test_face_is_its_golden_file(name: str) -> None:
    file = GOLDEN / f"{name}.json"
    text = json.dumps(face(name), indent=2, ensure_ascii=False) + "\n"

    if os.environ.get("WRITE_GOLDEN_CARDS"):
        file.write_text(text, encoding="utf-8")

    assert text == file.read_text(encoding="utf-8")


def test_every_golden_file_is_a_face() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_face_is_valid_against_the_packaged_schema(name: str) -> None:
    errors = [error.message for error in packaged_schema().iter_errors(without_extensions(face(name)))]

    assert errors == []


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published contracts are not beside the checkout")
@pytest.mark.parametrize("name", NAMES)
def test_face_is_valid_against_the_published_schema(name: str) -> None:
    errors = [error.message for error in published_schema().iter_errors(without_extensions(face(name)))]

    assert errors == []


@pytest.mark.parametrize("wrong", [{"colour": "x"}, {"body": [{"type": "TextBlock"}]}, {"actions": [{"type": "Nope"}]}])
def test_schema_notices_a_wrong_card(wrong: dict[str, object]) -> None:
    assert list(packaged_schema().iter_errors(without_extensions(face("request")) | wrong))


@pytest.mark.parametrize("name", NAMES)
def test_face_says_its_version_and_fills_the_width(name: str) -> None:
    card = face(name)

    assert card["version"] == "1.5"
    assert card["msteams"] == {"width": "Full"}
    assert card["fallbackText"]


@pytest.mark.parametrize("name", NAMES)
def test_face_holds_nothing_that_a_phone_cannot_show(name: str) -> None:
    kinds = {part["type"] for part in parts(face(name)) if "type" in part}
    widest = max((len(part["columns"]) for part in parts(face(name)) if part.get("type") == "ColumnSet"), default=0)

    assert not kinds & {"Table", "CodeBlock", "FactSet", "Image", "Media", "ImageSet"}
    assert widest <= 2


def test_blocks_with_markdown_hold_headings_of_our_own_only() -> None:
    headings = {part["text"] for name in NAMES for part in parts(face(name)) if part.get("type") == "TextBlock"}

    assert headings == {
        "Access request",
        "Approved",
        "Break-glass: approved by force",
        "Denied",
        "Expired",
        "Withdrawn",
        "Denied at the gateway",
        "Approved, and given back",
        "Your request waits",
        "Your request is approved",
        "Your request is denied",
        "Your request has expired",
        "Your request is withdrawn",
        "Your access has ended",
        "Break-glass was used",
        "A request is stuck",
        "Nobody can be asked",
        "No longer waiting",
        "Is this still needed?",
        "A reminder: is this still needed?",
        "The wish to keep it waits",
        "An owner wants to keep this",
        "Nobody answers for this",
        "Nobody has answered for this",
        "Asked again of its owners",
        "Asked again",
        "Kept for a while",
        "Unused access is gone",
        "It is being retired",
        "Settled",
    }


async def test_every_face_is_drawn_without_an_event_and_within_a_phone(page: Page) -> None:
    drawn = await draw(page, [face(name) for name in NAMES])

    assert {name: each.events for name, each in zip(NAMES, drawn, strict=True) if each.events} == {}
    assert [name for name, each in zip(NAMES, drawn, strict=True) if each.wide] == []


async def test_every_button_carries_nothing_but_the_token(page: Page) -> None:
    drawn = await draw(page, [face(name) for name in NAMES])

    sent = {name: each.executed for name, each in zip(NAMES, drawn, strict=True)}
    asked = [
        ["Action.Execute", "approve", {"token": TOKEN}],
        ["Action.Execute", "deny", {"token": TOKEN}],
        ["Action.OpenUrl", LINK, None],
    ]
    assert [each for each in sent["request"] if each[1] != "break-glass"] == asked
    assert sent["decided__approved"] == [["Action.OpenUrl", LINK, None]]
    assert sent["requester__approved"][0] == ["Action.Execute", "done", {"token": TOKEN}]


async def test_deny_carries_the_reason_that_was_written_and_approve_does_not(page: Page) -> None:
    await draw(page, [face("request")])

    await page.fill("textarea", "use the replica")
    await page.evaluate("window.executed.length = 0")
    await page.get_by_role("button", name="Approve").click()
    await page.get_by_role("button", name="Deny").click()

    sent = await page.evaluate("window.executed")
    assert sent == [
        ["Action.Execute", "approve", {"token": TOKEN}],
        ["Action.Execute", "deny", {"token": TOKEN, "reason": "use the replica"}],
    ]

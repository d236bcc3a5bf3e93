"""Elements: the few shapes that cards are built of, Adaptive Cards 1.5."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from shared.wire.cards.text import Run, said
from shared.wire.cards.words import day

Element = dict[str, Any]
Card = dict[str, Any]

_LABEL_WIDTH = "92px"


def heading(text: str, color: str = "Default") -> Element:
    """A heading of our own words; the only text that is not made of runs."""
    return {
        "type": "TextBlock",
        "text": text,
        "style": "heading",
        "size": "Large",
        "weight": "Bolder",
        "color": color,
        "wrap": True,
    }


def block(*runs: Run, spacing: str = "Small") -> Element:
    """A paragraph."""
    return {"type": "RichTextBlock", "inlines": list(runs), "spacing": spacing}


def box(style: str, *items: Element) -> Element:
    """Elements on a background: `emphasis`, `good`, `warning`, `attention` or `accent`."""
    return {"type": "Container", "style": style, "items": list(items), "spacing": "Medium"}


def banner(style: str, title: str, *items: Element) -> Element:
    """The head of a card: its heading and what belongs to it, from edge to edge."""
    color = "Attention" if style == "attention" else "Default"
    return {"type": "Container", "style": style, "bleed": True, "items": [heading(title, color), *items]}


def warning(title: str, *runs: Run, style: str = "warning") -> Element:
    """What a reader must not overlook."""
    return box(style, block(said(title, weight="Bolder"), said(" "), *runs))


def fact(label: str, *blocks: Element) -> Element:
    """A labelled value: two columns, narrow enough for a phone."""
    return {
        "type": "ColumnSet",
        "spacing": "Small",
        "columns": [
            {"type": "Column", "width": _LABEL_WIDTH, "items": [block(said(label, isSubtle=True), spacing="None")]},
            {"type": "Column", "width": "stretch", "items": list(blocks)},
        ],
    }


def reason_input(longest: int, label: str, placeholder: str) -> Element:
    """The one thing that can be written on a card."""
    return {
        "type": "Input.Text",
        "id": "reason",
        "label": label,
        "placeholder": placeholder,
        "isMultiline": True,
        "maxLength": longest,
        "spacing": "Medium",
    }


def date_input(label: str, first: datetime, last: datetime) -> Element:
    """A day to choose, from the first to the last one."""
    days = {"min": day(first), "max": day(last)}
    return {"type": "Input.Date", "id": "until", "label": label, **days, "spacing": "Medium"}


def execute(title: str, verb: str, token: str, **more: Any) -> Element:  # noqa: ANN401  the vendor's properties
    """A button that asks Tether; all it carries is the token."""
    return {"type": "Action.Execute", "title": title, "verb": verb, "data": {"token": token}, **more}


def open_link(link: str | None) -> list[Element]:
    """A button to the gateway's page of the review; none unless the link is HTTPS."""
    if link is None or urlsplit(link).scheme != "https" or not urlsplit(link).hostname:
        return []
    return [{"type": "Action.OpenUrl", "title": "Open", "url": link}]


def refreshed(token: str, **more: Any) -> Element:  # noqa: ANN401  the vendor's properties
    """How Teams asks for the card as it is now."""
    return {"type": "Refresh", "action": execute("Refresh", "refresh", token), **more}


def card(spoken: str, body: Sequence[Element], actions: Sequence[Element] = (), refresh: Element | None = None) -> Card:
    """A card; `spoken` is our own words, for readers who hear it and for clients that cannot show it."""
    content: Card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "speak": spoken,
        "fallbackText": spoken,
        "msteams": {"width": "Full"},
        "body": list(body),
    }
    if actions:
        content["actions"] = list(actions)
    if refresh is not None:
        content["refresh"] = refresh
    return content

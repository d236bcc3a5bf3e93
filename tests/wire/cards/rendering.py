"""Cards as Microsoft's renderer draws them in a browser, with Markdown and its links switched on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Page

MODULES = Path(__file__).parents[3] / "sandbox" / "node_modules"
SCRIPTS = (
    MODULES / "adaptivecards" / "dist" / "adaptivecards.min.js",
    MODULES / "markdown-it" / "dist" / "markdown-it.min.js",
)

_DRAW = """(cards) => {
  const markdown = window.markdownit({html: true, linkify: true});
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = markdown.render(text);
    result.didProcess = true;
  };
  return cards.map((content) => {
    const context = new AdaptiveCards.SerializationContext(AdaptiveCards.Versions.v1_5);
    const card = new AdaptiveCards.AdaptiveCard();
    const events = [];
    const executed = (window.executed = []);
    card.onExecuteAction = (each) => executed.push([each.getJsonTypeName(), each.verb ?? each.url, each.data]);
    card.parse(content, context);
    for (let i = 0; i < context.eventCount; i++) events.push(context.getEventAt(i).message);
    const drawn = card.render();
    document.body.replaceChildren(drawn);
    const count = (selector) => drawn.querySelectorAll(selector).length;
    const text = drawn.innerText;
    const buttons = [...drawn.querySelectorAll("button")].map((each) => each.title || each.innerText);
    drawn.querySelectorAll("button").forEach((each) => each.click());
    return {
      text, events, buttons, executed,
      links: count("a, area, [href]"),
      images: count("img, svg, picture, video, iframe, object, embed"),
      formatted: count("strong, b, em, i, s, del, ul, ol, li, code, pre, blockquote, table, hr, h1, h2, h3, h4, at"),
      scripts: count("script, style, link, form"),
      elements: count("*"),
      wide: drawn.scrollWidth > drawn.clientWidth,
    };
  });
}"""

_MARKDOWN = """(texts) => texts.map((text) => {
  const drawn = document.createElement("div");
  drawn.innerHTML = window.markdownit({html: true, linkify: true}).render(text);
  const count = (selector) => drawn.querySelectorAll(selector).length;
  return {text: drawn.innerText, markup: count("*") - 1, mentions: count("at")};
})"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a reader of a card would find."""

    text: str
    events: list[str]
    buttons: list[str]
    executed: list[list[Any]]
    links: int
    images: int
    formatted: int
    scripts: int
    elements: int
    wide: bool

    @property
    def words(self) -> str:
        """The text with every blank folded."""
        return " ".join(self.text.split())


async def draw(page: Page, cards: Sequence[dict[str, Any]]) -> list[Drawn]:
    """The cards, each drawn once and every button of it clicked."""
    return [Drawn(**each) for each in await page.evaluate(_DRAW, list(cards))]


async def draw_messages(page: Page, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Texts of messages as Markdown: what is read, and how many elements they became besides their paragraph."""
    drawn: list[dict[str, Any]] = await page.evaluate(_MARKDOWN, list(texts))
    return drawn

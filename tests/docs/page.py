"""Pages of Markdown as a reader follows them: blocks to paste, code within sentences, links and where they lead."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(?<!\\)!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences, and on which line it starts."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """Every fenced block, in order."""
    return [Block(one[1], one[2], page[: one.start(2)].count("\n") + 1) for one in _FENCE.finditer(page)]


def sentences(page: str) -> str:
    """The page without what is fenced."""
    return _FENCE.sub("", page)


def inline_code(page: str) -> list[str]:
    """Everything in backticks, outside fences."""
    return _INLINE.findall(sentences(page))


def links(page: str) -> list[str]:
    """The target of every link and picture, outside code."""
    return _LINK.findall(_INLINE.sub("", sentences(page)))


def anchors(page: str) -> set[str]:
    """What a link may name after `#`: one for each heading, as GitHub makes them."""
    found: dict[str, int] = {}
    names: set[str] = set()
    for heading in _HEADING.findall(sentences(page)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if name in found else name)
        found[name] = found.get(name, 0) + 1
    return names

"""Text: the only door through which other people's words get into a card, as runs that no client takes for markup.

Clients read Markdown, HTML, mentions and `{{DATE()}}` in the text of a block, but not in the runs of a rich text block;
so data travels in runs only. Where a client insists on one text (a message, a notification), `for_message` leaves
nothing in it that could be markup, an address or a mention.
"""

import re
from dataclasses import dataclass
from typing import Any

from shared.wire.cards.characters import cut, has_right_to_left, visible

Run = dict[str, Any]

EMPTY = "(empty)"
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_MOST_PIECES = 12
_READ_AT_MOST = 16
_BREAK_HERE = "\u200b"
_LONGEST_WORD = 20
_LONG_WORD = re.compile(rf"\S{{{_LONGEST_WORD + 1},}}")
_TEMPLATE = re.compile(r"(?<=[{$])(?={)")
_MARKUP = "<>&*_~`[]#|@\\{}$"
_TO_FULL_WIDTH = 0xFEE0
_FULL_WIDTH = str.maketrans({sign: chr(ord(sign) + _TO_FULL_WIDTH) for sign in _MARKUP})
_LIST_SIGN = re.compile(r"^(\d*)([-+=.)])")
_ADDRESS_DOT = re.compile(r"(?<=\w)\.(?=\w)")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text fit to be read: `hidden` characters were removed, `more` did not fit."""

    text: str
    hidden: int = 0
    more: int = 0


def clean(text: str, longest: int) -> Cleaned:
    """The text on one line, cut to `longest` characters."""
    lines = clean_lines(text, longest)
    return Cleaned(" ".join(lines.text.split()), lines.hidden, lines.more)


def clean_lines(text: str, longest: int) -> Cleaned:
    """The text with its line breaks and spaces, cut to `longest` characters."""
    # What is hidden beyond this cannot be counted in reasonable time, and does not matter: it is not shown.
    read = text[: longest * _READ_AT_MOST]
    seen, hidden = visible(read)
    kept = cut(seen, longest)
    return Cleaned(kept, hidden, len(seen) - len(kept) + len(text) - len(read))


def said(text: str, **look: Any) -> Run:  # noqa: ANN401  the look is the vendor's properties of a run
    """A run of our own words."""
    return {"type": "TextRun", "text": text, **look}


def quoted(text: str, longest: int = 80, **look: Any) -> list[Run]:  # noqa: ANN401
    """Runs that show somebody else's words on one line, and say what is missing from them."""
    cleaned = clean(text, longest)
    ellipsis = "…" if cleaned.more else ""
    words = isolated(cleaned.text + ellipsis) if cleaned.text else EMPTY
    return [*verbatim(words, **look), *removed(cleaned.hidden)]


def verbatim(words: str, **look: Any) -> list[Run]:  # noqa: ANN401
    """Runs that show cleaned words as they are; none of the runs contains the beginning of a template.

    Clients do not break a long word, which would push it out of sight, so it gets places to break: the only zero-width
    characters that are ours.
    """
    pieces = _TEMPLATE.split(_LONG_WORD.sub(lambda word: _breakable(word[0]), words))
    if len(pieces) > _MOST_PIECES:
        pieces = [" ".join(pieces)]
    return [said(piece, **look) for piece in pieces]


def removed(hidden: int) -> list[Run]:
    """A run that says how many characters were removed; none when there were none."""
    if not hidden:
        return []
    count = "1 hidden character" if hidden == 1 else f"{hidden} hidden characters"
    return [said(f" ({count} removed)", isSubtle=True, italic=True)]


def isolated(words: str) -> str:
    """The words, kept from reordering what stands beside them."""
    return f"{_ISOLATE}{words}{_END_ISOLATE}" if has_right_to_left(words) else words


def for_message(text: str, longest: int = 80) -> str:
    """The text on one line with nothing in it that a message could take for markup, an address or a mention.

    It stays readable: signs of markup become their full-width twins, the dot inside an address a middle dot.
    """
    cleaned = clean(text, longest)
    words = _ADDRESS_DOT.sub("·", cleaned.text.translate(_FULL_WIDTH)).replace("://", ": //")
    words = _LIST_SIGN.sub(lambda sign: sign[1] + chr(ord(sign[2]) + _TO_FULL_WIDTH), words)
    return (words + ("…" if cleaned.more else "")) or EMPTY


def _breakable(word: str) -> str:
    pieces: list[str] = []
    while word:
        pieces.append(cut(word, _LONGEST_WORD))
        word = word[len(pieces[-1]) :]
    return _BREAK_HERE.join(pieces)

"""Text: other people's words in a report, on one line, cut to a length, without what cannot be seen."""

from shared.wire.cards.text import EMPTY, Cleaned, clean
from shared.wire.cards.words import counted


def shown(text: str, longest: int = 80) -> str:
    """The words as a reader sees them; says when they are cut, empty, or lost hidden characters."""
    cleaned = _cleaned(text, longest)
    ellipsis = "…" if cleaned.more else ""
    hidden = f" ({counted(cleaned.hidden, 'hidden character')} removed)" if cleaned.hidden else ""
    return (cleaned.text + ellipsis or EMPTY) + hidden


def shown_all(texts: tuple[str, ...], most: int = 3, longest: int = 48) -> str:
    """Several names in a row, and how many there are more."""
    names = ", ".join(shown(text, longest) for text in texts[:most])
    return f"{names} and {counted(len(texts) - most, 'other')}" if len(texts) > most else names


def plain(text: str, longest: int = 120) -> str:
    """An identifier as a reader sees it: nothing added, nothing that is hidden."""
    return _cleaned(text, longest).text


def _cleaned(text: str, longest: int) -> Cleaned:
    # Looking at each character takes seconds for a large report, and most texts are plain.
    if len(text) <= longest and text.isascii() and text.isprintable():
        return Cleaned(" ".join(text.split()))
    return clean(text, longest)

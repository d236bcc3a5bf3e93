"""Characters: the part of a text that a reader can see, and how many characters of it nobody could."""

import unicodedata

_JOINER, _NON_JOINER = "\u200d", "\u200c"
_VARIATIONS = "\ufe0e\ufe0f"
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_LINE_ENDS = str.maketrans(
    {"\r": "\n", "\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n", "\t": "    "}
)
_VIRAMA = 9
_MOST_MARKS = 4
_LONGEST_CLUSTER = 24


def visible(text: str) -> tuple[str, int]:
    """The text without what cannot be seen or would move other text about, and how many characters that were.

    Gone are controls (line breaks stay), bidirectional controls, zero-width and tag characters, surrogates,
    private-use and unassigned characters, blank letters, and marks beyond four on one letter. What remains is in NFC.
    """
    text = text.replace("\r\n", "\n").translate(_LINE_ENDS)
    possible = [character for character in text if _can_be_visible(character)]
    kept: list[str] = []
    marks = _MOST_MARKS
    for character, after in zip(possible, [*possible, ""][1:], strict=True):
        if not _is_visible(character, kept[-1] if kept else "", after):
            continue
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= _MOST_MARKS:
            kept.append(" " if unicodedata.category(character) == "Zs" else character)
    return unicodedata.normalize("NFC", "".join(kept)), len(text) - len(kept)


def has_right_to_left(text: str) -> bool:
    """Whether letters of the text run from right to left, so that they can change the order of their neighbours."""
    return any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in text)


def cut(text: str, longest: int) -> str:
    """The beginning of the text, at most `longest` long, that ends between two characters as readers count them."""
    if len(text) <= longest:
        return text
    earliest = max(0, longest - _LONGEST_CLUSTER)
    for end in range(longest, earliest, -1):
        if not _belongs_together(text, end):
            return text[:end]
    return text[:longest]


def _can_be_visible(character: str) -> bool:
    if character in "\n\u200c\u200d":
        return True
    if character in _BLANK_LETTERS or _is_odd_variation(character):
        return False
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _is_visible(character: str, before: str, after: str) -> bool:
    if character in _VARIATIONS:
        return bool(before) and unicodedata.category(before)[0] in "SPN"
    if character in (_JOINER, _NON_JOINER):
        return bool(before) and bool(after) and _is_joining(character, before, after)
    return True


def _is_joining(character: str, before: str, after: str) -> bool:
    if unicodedata.combining(before) == _VIRAMA:
        return after.isalpha()
    if character == _JOINER:
        return (_is_pictograph(before) or before in _VARIATIONS) and _is_pictograph(after)
    return unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL"


def _is_pictograph(character: str) -> bool:
    return unicodedata.category(character) == "So" or _is_skin_tone(character)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _is_skin_tone(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


def _is_odd_variation(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0d" or "\U000e0100" <= character <= "\U000e01ef"


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _belongs_together(text: str, end: int) -> bool:
    before, after = text[end - 1], text[end]
    if _is_mark(after) or _is_skin_tone(after) or _JOINER in (before, after):
        return True
    if not (_is_flag_letter(before) and _is_flag_letter(after)):
        return False
    letters = len(text[:end]) - len(text[:end].rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))
    return letters % 2 == 1

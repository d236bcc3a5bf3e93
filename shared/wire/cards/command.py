"""Command: what shall run, as far as a card has room for it, line by line in a fixed-width face."""

from shared.domain.approval import Approval
from shared.wire.cards.characters import has_right_to_left
from shared.wire.cards.elements import Element, block, box
from shared.wire.cards.text import Cleaned, clean_lines, removed, said, verbatim
from shared.wire.cards.words import counted

_MOST_LINES = 30
_DIGEST, _DIGEST_GROUP = 64, 16
_FIRM_SPACE = "\u00a0"


def command(approval: Approval, longest: int) -> list[Element]:
    """The beginning of the command, what is not shown of it, and the hash of the whole; nothing when there is none."""
    if not approval.input_size and not approval.excerpt:
        return []
    seen = clean_lines(approval.excerpt, longest)
    lines = seen.text.split("\n")
    shown = "\n".join(lines[:_MOST_LINES])
    unread = max(0, approval.input_size - len(approval.excerpt))
    more = seen.more + len(seen.text) - len(shown) + unread
    return [
        block(said("Command", isSubtle=True), spacing="Medium"),
        box("emphasis", *(_line(line) for line in shown.split("\n"))),
        block(*_whole(approval, more), *removed(seen.hidden)),
        *_caution(seen),
    ]


def command_hash(approval: Approval) -> list[Element]:
    """What remains of a command after the decision: its hash."""
    if not approval.input_size or not approval.input_digest:
        return []
    size = counted(approval.input_size, "character")
    return [block(said(f"Command of {size}, SHA-256: ", isSubtle=True), _digest(approval.input_digest))]


def _line(line: str) -> Element:
    return block(*verbatim(_laid_out(line), fontType="Monospace"), spacing="None")


def _whole(approval: Approval, more: int) -> list[Element]:
    begin = f"… {counted(more, 'more character')}; " if more else ""
    digest = [_digest(approval.input_digest)] if approval.input_digest else []
    return [said(f"{begin}SHA-256 of the whole: ", isSubtle=True), *digest]


def _laid_out(line: str) -> str:
    """The line with spaces that clients do not fold, and at which they can still break it."""
    kept = line.replace("  ", f" {_FIRM_SPACE}")
    return _FIRM_SPACE + kept[1:] if not kept or kept.startswith(" ") else kept


def _digest(digest: str) -> Element:
    # In groups, because a client does not break a long word and would push it over the edge of a phone.
    groups = (digest[start : start + _DIGEST_GROUP] for start in range(0, _DIGEST, _DIGEST_GROUP))
    return said(" ".join(groups).strip(), fontType="Monospace", isSubtle=True)


def _caution(seen: Cleaned) -> list[Element]:
    if not has_right_to_left(seen.text):
        return []
    text = "Some letters run from right to left: what runs may be in another order than what you see."
    return [block(said(text, color="Warning"))]

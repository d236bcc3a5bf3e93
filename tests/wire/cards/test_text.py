"""What becomes of other people's words on their way into a card."""

import pytest

from shared.wire.cards.characters import cut, visible
from shared.wire.cards.text import clean, clean_lines, for_message, quoted, verbatim

LESS, MORE = "\N{FULLWIDTH LESS-THAN SIGN}", "\N{FULLWIDTH GREATER-THAN SIGN}"
OPEN, CLOSE = "\N{FULLWIDTH LEFT CURLY BRACKET}", "\N{FULLWIDTH RIGHT CURLY BRACKET}"
STAR, TILDE = "\N{FULLWIDTH ASTERISK}", "\N{FULLWIDTH TILDE}"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def read(text: str, longest: int = 80) -> str:
    return "".join(run["text"] for run in quoted(text, longest))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("", "(empty)"),
        (" \u200b\n", "(empty) (1 hidden character removed)"),
        ("Ada\u202eevil", "Adaevil (1 hidden character removed)"),
        ("a\u200bb\u2060c\ufeff", "abc (3 hidden characters removed)"),
        ("a\nb\tc", "a b c"),
        ("e\u0301", "\u00e9"),
        ("\x1b[31mred", "[31mred (1 hidden character removed)"),
        ("a\ud800b", "ab (1 hidden character removed)"),
        ("\u05e2\u05d3\u05d4", "\u2068\u05e2\u05d3\u05d4\u2069"),
        ("\u0639\u0644\u06cc\u200c\u0631", "\u2068\u0639\u0644\u06cc\u200c\u0631\u2069"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
        (f"{FAMILY} \u2764\ufe0f", f"{FAMILY} \u2764\ufe0f"),
        ("a\u200d", "a (1 hidden character removed)"),
        ("a\u0301" + "\u0302" * 9, "\u00e1\u0302\u0302\u0302 (6 hidden characters removed)"),
    ],
)
def test_words_are_shown_as_they_can_be_seen(text: str, shown: str) -> None:
    assert read(text) == shown


def test_words_that_are_too_long_end_in_an_ellipsis() -> None:
    assert read("x " * 60, 9) == "x x x x x…"


@pytest.mark.parametrize(
    ("text", "longest", "kept"),
    [
        ("abc", 5, "abc"),
        ("abcdef", 3, "abc"),
        ("abe\u0323\u0301x", 3, "ab"),
        (f"a{FAMILY}", 3, "a"),
        ("a\U0001f44d\U0001f3fdb", 2, "a"),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 3, "\U0001f1e9\U0001f1ea"),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 2, "\U0001f1e9\U0001f1ea"),
        ("\u0301" * 60, 40, "\u0301" * 40),
    ],
)
def test_cut_keeps_together_what_readers_count_as_one(text: str, longest: int, kept: str) -> None:
    assert cut(text, longest) == kept


def test_lines_and_spaces_of_a_command_are_kept_and_every_kind_of_line_end_is_one() -> None:
    assert clean_lines("a\r\nb\rc\u2028d\x85  e", 80).text == "a\nb\nc\nd\n  e"


def test_rest_of_a_text_is_counted_however_long_it_is() -> None:
    assert clean("x" * 100_000, 80).more == 100_000 - 80


def test_template_is_broken_between_two_runs_and_reads_as_written() -> None:
    runs = verbatim("{{DATE(2017-02-14)}} ${x}")

    assert [run["text"] for run in runs] == ["{", "{DATE(2017-02-14)}} $", "{x}"]


def test_long_word_can_be_broken_and_a_short_one_cannot() -> None:
    (run,) = verbatim("x" * 45 + " " + "y" * 20)

    assert run["text"] == "\u200b".join(["x" * 20, "x" * 20, "x" * 5]) + " " + "y" * 20


def test_very_many_templates_are_broken_by_spaces_in_one_run() -> None:
    assert [run["text"] for run in verbatim("{" * 14)] == [" ".join("{" * 14)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Reminder 1: the request for pg-prod waits.", "Reminder 1: the request for pg-prod waits."),
        ("https://evil.example/a", "https: //evil·example/a"),
        ("<at>Ada</at>", f"{LESS}at{MORE}Ada{LESS}/at{MORE}"),
        ("*b* ~c~", f"{STAR}b{STAR} {TILDE}c{TILDE}"),
        ("{{DATE(x)}}", f"{OPEN}{OPEN}DATE(x){CLOSE}{CLOSE}"),
        ("- one", "\N{FULLWIDTH HYPHEN-MINUS} one"),
        ("1. one", "1\N{FULLWIDTH FULL STOP} one"),
        ("", "(empty)"),
    ],
)
def test_message_holds_no_markup_and_stays_readable(text: str, message: str) -> None:
    assert for_message(text) == message


def test_text_made_harmless_twice_is_the_same() -> None:
    once = for_message("<at>[x](https://evil.example)</at> {{DATE(x)}}")

    assert for_message(once) == once


def test_nothing_is_hidden_in_an_ordinary_text() -> None:
    assert visible("SELECT * FROM t WHERE a = 'ü';\n") == ("SELECT * FROM t WHERE a = 'ü';\n", 0)

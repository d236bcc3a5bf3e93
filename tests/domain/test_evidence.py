"""The chain of evidence: any change to what was written shows."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.evidence import (
    GENESIS,
    START,
    ChainHead,
    EvidenceEntry,
    anchor,
    append,
    tail,
    verify,
    verify_anchor,
)
from shared.errors import RejectedError
from tests.domain.samples import ADA, NOW

details = st.dictionaries(
    st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.text(max_size=4))
)
entries = st.builds(EvidenceEntry, st.just(NOW), st.text(max_size=12), st.just(ADA), st.just("c-1"), details)
chains = st.lists(entries, min_size=2, max_size=6)


def entry(what: str = "revoked", **more: object) -> EvidenceEntry:
    return EvidenceEntry(NOW, what, ADA, "c-1", more)


def lines_of(*entries: EvidenceEntry) -> list[bytes]:
    return append(START, entries)[1].splitlines(keepends=True)


def assert_broken(lines: Sequence[bytes], line: int) -> None:
    with pytest.raises(RejectedError, match=f"broken-chain: line {line} ") as caught:
        verify(b"".join(lines))

    assert caught.value.reason == "broken-chain"


def test_line_shows_what_happened_in_plain_json() -> None:
    _, lines = append(START, [entry(group="sre", name="Zoë")])

    line = json.loads(lines)
    assert line.pop("hash") != GENESIS
    assert line == {
        "number": 1,
        "at": "2026-03-01T12:00:00.000+00:00",
        "what": "revoked",
        "principal": ADA,
        "correlation": "c-1",
        "details": {"group": "sre", "name": "Zoë"},
        "previous": GENESIS,
    }


def test_empty_chain_is_sound() -> None:
    assert verify(b"") == START


@given(chains)
def test_written_chain_verifies_and_its_head_is_known_in_three_ways(written: list[EvidenceEntry]) -> None:
    head, lines = append(START, written)

    assert verify(lines) == head
    assert tail(lines) == head
    assert head == ChainHead(head.digest, len(written), len(lines))


@given(chains, st.integers(0, 6))
def test_chain_written_in_parts_is_the_chain_written_at_once(written: list[EvidenceEntry], cut: int) -> None:
    first_head, first = append(START, written[:cut])
    head, second = append(first_head, written[cut:])

    assert (head, first + second) == append(START, written)


@given(chains, st.data())
def test_any_changed_byte_shows(written: list[EvidenceEntry], data: st.DataObject) -> None:
    lines = bytearray(append(START, written)[1])
    position = data.draw(st.integers(0, len(lines) - 1))
    old = lines[position]
    lines[position] = data.draw(st.integers(0, 255).filter(lambda new: new != old))

    with pytest.raises(RejectedError, match="broken-chain"):
        verify(bytes(lines))


@given(chains, st.data())
def test_any_inserted_byte_shows(written: list[EvidenceEntry], data: st.DataObject) -> None:
    _, lines = append(START, written)
    position = data.draw(st.integers(0, len(lines)))
    inserted = data.draw(st.sampled_from([b" ", b"\n", b"\t", b"0", b"x", b"\r\n"]))

    with pytest.raises(RejectedError, match="broken-chain"):
        verify(lines[:position] + inserted + lines[position:])


@given(chains, st.data())
def test_any_line_removed_before_the_end_shows(written: list[EvidenceEntry], data: st.DataObject) -> None:
    lines = lines_of(*written)
    gone = data.draw(st.integers(0, len(lines) - 2))

    assert_broken(lines[:gone] + lines[gone + 1 :], gone + 1)


@given(chains, st.data())
def test_any_two_swapped_lines_show(written: list[EvidenceEntry], data: st.DataObject) -> None:
    lines = lines_of(*written)
    first, second = sorted(data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=2, max_size=2, unique=True)))
    lines[first], lines[second] = lines[second], lines[first]

    assert_broken(lines, first + 1)


@given(chains, st.data())
def test_any_repeated_line_shows(written: list[EvidenceEntry], data: st.DataObject) -> None:
    lines = lines_of(*written)
    again = data.draw(st.integers(0, len(lines) - 1))
    at = data.draw(st.integers(0, len(lines)))

    with pytest.raises(RejectedError, match="broken-chain"):
        verify(b"".join([*lines[:at], lines[again], *lines[at:]]))


@given(chains, st.data())
def test_chain_cut_short_within_a_line_shows(written: list[EvidenceEntry], data: st.DataObject) -> None:
    _, lines = append(START, written)
    cut = data.draw(st.integers(1, len(lines) - 1).filter(lambda at: lines[at - 1 : at] != b"\n"))

    with pytest.raises(RejectedError, match="broken-chain"):
        verify(lines[:cut])


def test_line_rewritten_with_its_own_hash_breaks_the_line_after() -> None:
    first, second = lines_of(entry(), entry("restored"))
    forged = lines_of(entry("nothing"))[0]
    assert first != forged

    assert_broken([forged, second], 2)


def test_line_that_says_one_thing_twice_shows() -> None:
    line = lines_of(entry())[0]

    assert_broken([line.replace(b'"what":', b'"what":"nothing","what":')], 1)


@pytest.mark.parametrize(
    "garbage", [b"\n", b"{}\n", b"[]\n", b"7\n", b'"text"\n', b"{\n", b"\xff\n", b'{"hash": 1}\n', b"[" * 5000 + b"\n"]
)
def test_line_that_is_no_entry_shows(garbage: bytes) -> None:
    assert_broken([*lines_of(entry()), garbage], 2)


@pytest.mark.parametrize("damaged", [b'{"hash": "ab', b"{}\n", b"[]\n", b"\xff\n", b'{"hash": "a", "number": "x"}\n'])
def test_writing_goes_on_behind_a_damaged_line_and_the_damage_stays_named(damaged: bytes) -> None:
    lines = lines_of(entry())[0] + damaged

    head = tail(lines)
    _, more = append(head, [entry("restored")])

    assert head.size == len(lines)
    with pytest.raises(RejectedError, match="broken-chain: line 2 "):
        verify(lines + more)


def test_half_a_character_in_a_name_is_written_down_and_verifies() -> None:
    head, lines = append(START, [entry(name="Zo\ud800")])

    assert verify(lines) == head


def test_chain_without_lines_ends_where_it_begins() -> None:
    assert tail(b"") == START


def anchored(*written: EvidenceEntry) -> tuple[dict[str, object], bytes]:
    head, lines = append(START, written)
    return anchor("2026-03-01", GENESIS, {ADA: head}), lines


def test_anchor_holds_for_the_chains_it_was_made_of_and_for_longer_ones() -> None:
    document, lines = anchored(entry(), entry())
    _, more = append(tail(lines), [entry("restored")])

    verify_anchor(document, {ADA: lines}, GENESIS)
    verify_anchor(document, {ADA: lines + more}, GENESIS)


def test_anchor_over_a_chain_without_entries_holds() -> None:
    document = anchor("2026-03-01", GENESIS, {ADA: START})

    verify_anchor(document, {ADA: append(START, [entry()])[1]}, GENESIS)
    verify_anchor(document, {}, GENESIS)


@given(chains, st.integers(1, 6))
def test_anchor_shows_a_chain_that_was_cut_between_lines(written: list[EvidenceEntry], lost: int) -> None:
    document, lines = anchored(*written)
    kept = b"".join(lines.splitlines(keepends=True)[:-lost])
    verify(kept)

    with pytest.raises(RejectedError, match="broken-chain"):
        verify_anchor(document, {ADA: kept}, GENESIS)


def test_anchor_shows_a_chain_that_is_gone() -> None:
    document, _ = anchored(entry())

    with pytest.raises(RejectedError, match="broken-chain"):
        verify_anchor(document, {}, GENESIS)


def test_anchor_shows_a_chain_that_was_written_anew() -> None:
    document, _ = anchored(entry(), entry())

    with pytest.raises(RejectedError, match="broken-chain"):
        verify_anchor(document, {ADA: b"".join(lines_of(entry(), entry("nothing")))}, GENESIS)


def test_anchor_shows_an_earlier_line_whose_text_was_changed() -> None:
    document, lines = anchored(entry("revoked"), entry())

    with pytest.raises(RejectedError, match="broken-chain"):
        verify_anchor(document, {ADA: lines.replace(b"revoked", b"ignored", 1)}, GENESIS)


@pytest.mark.parametrize("changed", [{"day": "2026-03-02"}, {"heads": {}}, {"hash": "0"}, {"previous": "0"}])
def test_changed_anchor_shows(changed: dict[str, object]) -> None:
    document, lines = anchored(entry())

    with pytest.raises(RejectedError, match="broken-anchor"):
        verify_anchor({**document, **changed}, {ADA: lines}, GENESIS)


def test_anchor_that_does_not_follow_the_one_before_shows() -> None:
    document, lines = anchored(entry())

    with pytest.raises(RejectedError, match="broken-anchor"):
        verify_anchor(document, {ADA: lines}, "another")

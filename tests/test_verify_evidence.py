"""Downloaded evidence verifies, whatever it is about, and does not once anything of it was changed or taken away."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.domain.evidence import GENESIS, START, ChainHead, EvidenceEntry, anchor, append
from tools.verify_evidence import verify_folder

CHAINS = ("principals/ada", "reviews/r-1", "attestations/a-1")
ENTRY = EvidenceEntry(datetime(2027, 1, 4, tzinfo=UTC), "asked", "somebody", "c-1", {})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The evidence of one day: a chain of each kind, and the anchor over them."""
    heads: dict[str, ChainHead] = {}
    for chain in CHAINS:
        head, lines = append(START, [ENTRY, ENTRY])
        heads[chain.removeprefix("principals/")] = head
        path = tmp_path / f"{chain}.jsonl"
        path.parent.mkdir()
        path.write_bytes(lines)
    (tmp_path / "anchors").mkdir()
    (tmp_path / "anchors" / "2027-01-04.json").write_text(json.dumps(anchor("2027-01-04", GENESIS, heads)))
    return tmp_path


def test_chains_of_every_kind_and_their_anchor_verify(folder: Path) -> None:
    assert verify_folder(folder) == (3, 6, 1, [])


@pytest.mark.parametrize("chain", CHAINS)
def test_chain_that_was_cut_short_is_a_fault_of_the_anchor(folder: Path, chain: str) -> None:
    path = folder / f"{chain}.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])

    *_, faults = verify_folder(folder)

    assert [fault.split(":")[0] for fault in faults] == ["2027-01-04.json"]


@pytest.mark.parametrize("chain", CHAINS)
def test_entry_that_was_changed_is_a_fault_of_its_chain(folder: Path, chain: str) -> None:
    path = folder / f"{chain}.jsonl"
    path.write_bytes(path.read_bytes().replace(b"somebody", b"nobody", 1))

    *_, faults = verify_folder(folder)

    assert faults[0].startswith(f"{chain.removeprefix('principals/')}: ")

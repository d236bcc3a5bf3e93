"""`python -m tools.verify_evidence FOLDER`: whether evidence that was downloaded is whole and unchanged."""

import argparse
import json
import sys
from pathlib import Path

from shared.domain.evidence import GENESIS, verify, verify_anchor
from shared.errors import RejectedError

DESCRIPTION = """\
Verifies a copy of the evidence container, offline: FOLDER holds principals/*.jsonl, reviews/*.jsonl and
attestations/*.jsonl (one hash chain per principal, per review, and per identity that its owners were asked about) and
anchors/*.json (one per day). Prints a line per fault and a summary; exits with 1 when anything was changed, removed,
inserted, reordered or cut short."""
KINDS = ("reviews", "attestations")


def verify_folder(folder: Path) -> tuple[int, int, int, list[str]]:
    """The numbers of chains, entries and anchors, and every fault in words."""
    faults: list[str] = []
    chains = {path.stem: path.read_bytes() for path in sorted(folder.glob("principals/*.jsonl"))}
    for kind in KINDS:
        chains |= {f"{kind}/{path.stem}": path.read_bytes() for path in sorted(folder.glob(f"{kind}/*.jsonl"))}
    entries = 0
    for name, lines in chains.items():
        try:
            entries += verify(lines).entries
        except RejectedError as error:
            faults.append(f"{name}: {error}")
    previous = GENESIS
    anchors = sorted(folder.glob("anchors/*.json"))
    for path in anchors:
        try:
            document = json.loads(path.read_bytes())
            verify_anchor(document, chains, previous)
            previous = document["hash"]
        except (RejectedError, ValueError, KeyError) as error:
            faults.append(f"{path.name}: {error}")
    return len(chains), entries, len(anchors), faults


def main() -> int:
    """The exit code: 0 when everything verifies, 1 when something does not, 2 when there is nothing to verify."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.verify_evidence",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder: Path = parser.parse_args().folder
    chains, entries, anchors, faults = verify_folder(folder)
    if not chains:
        kinds = ", ".join(f"{kind}/*.jsonl" for kind in ("principals", *KINDS))
        print(f"{folder} holds none of {kinds}: download the evidence container there first", file=sys.stderr)
        return 2
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{chains} chains, {entries} entries, {anchors} anchors, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tools.check_files`: whether the app would start with the files that you have written."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from shared.errors import SettingsError
from shared.wire.approval_routes import parse_approval_routes
from shared.wire.identity_map import parse_identity_map
from shared.wire.posture_rules import parse_posture_rules

PARSERS: dict[str, Callable[[str, str], object]] = {
    "identity-map": parse_identity_map,
    "approval-routes": parse_approval_routes,
    "posture-rules": parse_posture_rules,
}


def problem(kind: str, path: Path) -> str | None:
    """The sentence with which a wrong file would stop the app."""
    try:
        PARSERS[kind](path.read_text(encoding="utf-8"), path.name)
    except OSError:
        return f"{path}: cannot be read"
    except SettingsError as error:
        return error.detail
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when every file is sound, 1 when one is not."""
    parser = argparse.ArgumentParser(prog="python -m tools.check_files", description=__doc__)
    for kind in PARSERS:
        parser.add_argument(f"--{kind}", type=Path, metavar="FILE", help=f"docs/{kind}.md says what it may hold")
    asked = vars(parser.parse_args(arguments))
    files = [(kind, path) for kind in PARSERS if (path := asked[kind.replace("-", "_")])]
    if not files:
        parser.error("name a file")
    wrong = [(path, problem(kind, path)) for kind, path in files]
    for path, sentence in wrong:
        print(sentence or f"{path}: sound", file=sys.stderr if sentence else sys.stdout)
    return 1 if any(sentence for _, sentence in wrong) else 0


if __name__ == "__main__":
    sys.exit(main())

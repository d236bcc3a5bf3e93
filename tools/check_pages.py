"""`python -m tools.check_pages`: a page for every check of the catalogue, and an index of them."""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from shared.domain.posture.catalogue import ALL_APP_CHECKS, IN_TENANT_CHECKS, TENANT_CHECKS, check_order
from shared.domain.posture.check import Check
from shared.domain.posture.checks import vault
from shared.domain.posture.gateway_catalogue import ESTATE_CHECKS
from shared.domain.posture.limits import Limits

DESCRIPTION = """\
Writes docs/checks: one page per check (what it detects, from which source, with which permission and limits, what it
leaves alone, the call that fixes it) and README.md, the index. Everything comes from the catalogue in
shared/domain/posture, so edit the catalogue and run this again; what is written by hand into a page is lost."""
EXAMPLES = """\
examples:
  python -m tools.check_pages                      write the pages, remove those of checks that are gone
  python -m tools.check_pages --check              write nothing; name each page that is out of date
  python -m tools.check_pages --folder pages       write them elsewhere, to compare

exit code: 0 when the pages are as the catalogue says, 1 when --check found a page that is not."""
FOLDER = Path(__file__).parents[1] / "docs" / "checks"
NOTE = (
    "<!-- Written by `python -m tools.check_pages`: change the catalogue in shared/domain/posture, not this page. -->"
)
INDEX = "README.md"

GROUPS: Mapping[str, str] = {
    "A": "Usage",
    "B": "Ownership",
    "C": "Credentials",
    "D": "Federation",
    "E": "Privilege",
    "F": "Exposure and configuration",
    "G": "Agents and gateway",
}
APP = "an application: its registration, its service principal, or both"
SUBJECTS = (
    (ALL_APP_CHECKS.values(), APP),
    (IN_TENANT_CHECKS.values(), f"{APP}, beside the rest of the tenant"),
    (TENANT_CHECKS.values(), "the tenant as a whole"),
    (ESTATE_CHECKS.values(), "the gateway and the groups that open something there"),
    (vault.CHECKS, "an application and the versions of a key vault that hold its credentials"),
)
LIMITS: Mapping[str, tuple[str, str]] = {
    "stale": ("days", "quiet for longer than this is out of use"),
    "stale_high": ("days", "quiet for longer than this is high"),
    "never_used": ("days", "younger than this is left out"),
    "switched_off": ("days", "how long it must have been quiet"),
    "agent_stale": ("days", "an agent that is quiet for longer than this is out of use"),
    "expired_grace": ("days", "how long after its end a credential may stay listed"),
    "expiring": ("days before the end", "the stages at which an end that comes near is said"),
    "max_secret_days": ("days", "the longest life of a secret; lowered to the tenant's own policy"),
    "long_secret_days": ("days", "a secret issued for this long or longer is high"),
    "very_long_secret_days": ("days", "a secret issued for this long or longer is critical"),
    "max_certificate_days": ("days", "the longest life of a certificate; lowered to the tenant's own policy"),
    "rotate_after": ("days", "a live credential older than this is due"),
    "live_credentials": ("secrets", "how many may work at the same time"),
    "overlap": ("days", "how long the old and the new credential may both work"),
    "unused_credential": ("days", "a credential without a sign-in for longer than this is unused"),
    "unused_credential_high": ("days", "a credential without a sign-in for longer than this is high"),
    "federated_limit": ("federated credentials", "so many are worth saying; Entra allows 20"),
    "access_unused": ("days", "access without a session for longer than this is unused"),
    "access_never_used": ("days", "access granted less than this long ago is left out"),
    "dormant": ("days", "a silence of this length or longer is one to wake up from"),
    "wake_up": ("days", "how long after the first session it is said"),
    "season_slack": ("days", "by how much a silence may exceed an earlier one and still be a season"),
    "shared_identity": ("days", "how far back sessions are compared"),
    "being_built": ("days", "groups younger than this are left out"),
    "bypass_minutes": ("minutes", "how far a token and a session may be apart and still belong together"),
    "smallest_rsa": ("bits", "an RSA key that is shorter is weak"),
    "trusted_issuers": ("", "the issuers that may be trusted; add those of your own servers"),
}

WHAT_THEY_SAY = (
    "checks judge what Entra, the key vaults and the gateway say. A check fails or passes; when a source it needs was "
    "not read, or only in part, it is unknown and never a pass. The severity is the usual one: a finding may be higher "
    "or lower. Tether never writes to Entra to fix anything: a page shows the call that a person may make."
)
WHOSE_CALL = (
    "No check makes this call: a person does. A finding shows it with its own ids; what is left in braces or as … is "
    "to be filled in."
)

_JSON = r"\{[^{}]*\}"
for _ in range(4):
    _JSON = rf"\{{(?:[^{{}}]|{_JSON})*\}}"
_CODE = re.compile(
    r"(?:GET|POST|PATCH|PUT|DELETE) [/{…]\S*[^\s,;.:](?: eq (?:'[^']*'|[^\s,;]+))?(?: \{\"" + _JSON[2:] + r")?"
    rf"|(?<!\S)/\w\S*[^\s,;.:]|\$\w+=[^\s,;]+|{_JSON}"
    r"|(?<!\w)(?:[@a-z][\w./@]*[A-Z]\w*(?:[./]\w+)*|@odata\.\w+|\w+_\w*|[A-Z]\w+(?:\.[A-Z]\w+)+)"
)
_SPECIAL = re.compile(r"([\\`*_<>\[\]|$])")
_PAGE_NAME = re.compile(r"[A-Z]\d+\.md")
_WRITES = re.compile(r"\b(?:POST|PATCH|PUT|DELETE) [/{…]")
_ALSO_ON_PRINCIPALS = re.compile(
    r"/applications/\{object_id\}(?:/owners|/addPassword|/removePassword|/removeKey| \{\"isDisabled)"
    r"|DELETE /applications/\{object_id\}(?!/)"
)
_WAY_BACK = re.compile(r"\b(?:back|restored?)\b")


@dataclass(frozen=True, slots=True)
class Listed:
    """A check as its page shows it, and what it is about."""

    check_id: str
    title: str
    severity: str
    detects: str
    source: str
    permission: str
    traps: str
    fix: str
    thresholds: tuple[str, ...]
    baselines: tuple[str, ...]
    about: str


def all_checks() -> tuple[Listed, ...]:
    """Every check of every catalogue, in the order in which people number them."""
    found = (_listed(check, about) for checks, about in SUBJECTS for check in checks)
    return tuple(sorted(found, key=lambda one: check_order(one.check_id)))


def pages() -> dict[str, str]:
    """Every page by its file name, the index first."""
    checks = all_checks()
    return {INDEX: _index(checks)} | {f"{one.check_id}.md": _page(one) for one in checks}


def out_of_date(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """What differs in the folder from the pages wanted, in words; empty when nothing does."""
    there = {path.name: path for path in sorted(folder.glob("*.md"))}
    faults = [f"{name}: is missing" for name in wanted if name not in there]
    faults += [f"{name}: no such check" for name in there if name not in wanted]
    changed = (name for name, text in wanted.items() if name in there and there[name].read_text("utf-8") != text)
    return sorted([*faults, *(f"{name}: differs from the catalogue" for name in changed)])


def write(folder: Path, wanted: Mapping[str, str]) -> None:
    """Writes the pages, and removes those of checks that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("*.md")):
        if path.name not in wanted and _PAGE_NAME.fullmatch(path.name):
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8", newline="\n")


def _listed(check: Check[Any], about: str) -> Listed:
    own = {each.name: getattr(check, each.name) for each in fields(Listed) if each.name not in ("severity", "about")}
    return Listed(**own, severity=check.severity.word, about=about)


def _page(check: Listed) -> str:
    parts = (
        f"# {check.check_id}: {_plain(check.title)}",
        NOTE,
        f"Usual severity: **{check.severity}**. Judges {check.about}.",
        *("## What it detects", _marked(check.detects)),
        *("## Where from", f"Source: {_marked(check.source)}", f"Permission: {_marked(check.permission)}"),
        *("## Limits", _limits(check.thresholds)),
        *("## Traps", _marked(check.traps)),
        *("## What fixes it, and what takes it back", *_fix(check)),
        *("## Baselines", ", ".join(_plain(one) for one in check.baselines) or "None names it."),
        f"[All checks]({INDEX})",
    )
    return "\n\n".join(parts) + "\n"


def _limits(names: tuple[str, ...]) -> str:
    if not names:
        return "None: it holds or it does not."
    rows = ((f"`{name}`", _default(name), LIMITS[name][1]) for name in names)
    return _table(rows, ("limit", "default", "meaning"))


def _default(name: str) -> str:
    value = getattr(Limits(), name)
    shown = ", ".join(f"`{one}`" for one in sorted(value)) if isinstance(value, frozenset) else ""
    shown = shown or (", ".join(str(one) for one in value) if isinstance(value, tuple) else str(value))
    return f"{shown} {LIMITS[name][0]}".strip()


def _fix(check: Listed) -> Iterator[str]:
    yield _marked(check.fix)
    if not _WRITES.search(check.fix):
        return
    if not _WAY_BACK.search(check.fix):
        yield "No call is known here that takes this back: note what is there first."
    if check.about.startswith(APP) and _ALSO_ON_PRINCIPALS.search(check.fix):
        switch = (
            ', and `"isDisabled": true` becomes `"accountEnabled": false`' if '"isDisabled": true' in check.fix else ""
        )
        yield f"Without a registration it is `/servicePrincipals/` instead of `/applications/`{switch}."
    yield WHOSE_CALL


def _index(checks: tuple[Listed, ...]) -> str:
    parts = ["# Checks", NOTE, f"{len(checks)} {WHAT_THEY_SAY}"]
    for letter in sorted({one.check_id[:1] for one in checks}):
        mine = [one for one in checks if one.check_id.startswith(letter)]
        rows = ((f"[{one.check_id}]({one.check_id}.md)", _plain(one.title), one.severity) for one in mine)
        parts += [f"## {letter}. {GROUPS[letter]}", _table(rows, ("check", "what it says", "severity"))]
    return "\n\n".join(parts) + "\n"


def _table(rows: Iterable[tuple[str, ...]], head: tuple[str, ...]) -> str:
    rule = tuple("---" for _ in head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _marked(text: str) -> str:
    """With calls, paths and names of fields as code, and the rest as plain text with a full stop."""
    shown, end = [], 0
    for found in _CODE.finditer(text):
        shown += [_plain(text[end : found.start()]), f"`{found[0]}`".replace("|", "\\|")]
        end = found.end()
    sentence = "".join(shown) + _plain(text[end:])
    return sentence if sentence.endswith(".") else f"{sentence}."


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def main() -> int:
    """The exit code: 0 when the pages are as the catalogue says, 1 when `--check` found one that is not."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.check_pages",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a page is out of date")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pages are (default: docs/checks)")
    given = parser.parse_args()
    folder, wanted = given.folder, pages()
    if not given.check:
        write(folder, wanted)
    faults = out_of_date(folder, wanted)
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print("bring them up to date: python -m tools.check_pages", file=sys.stderr)
        return 1
    print(f"{len(wanted) - 1} checks, and {INDEX}: up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())

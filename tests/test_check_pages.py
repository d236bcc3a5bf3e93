"""Pages of the checks: as many as there are checks, and as the catalogue says."""

import importlib
import pkgutil
import subprocess
import sys
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

from shared.domain.posture import checks
from shared.domain.posture.limits import Limits
from tools.check_pages import FOLDER, GROUPS, INDEX, LIMITS, all_checks, out_of_date, pages, write


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.check_pages", *arguments]
    return subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)


def test_pages_are_up_to_date() -> None:
    assert out_of_date(FOLDER, pages()) == []


def test_every_check_has_a_page_and_no_page_is_without_a_check() -> None:
    there = {path.name for path in FOLDER.iterdir()}

    assert there == {f"{one.check_id}.md" for one in all_checks()} | {INDEX}


def test_no_two_checks_share_an_id_and_none_that_is_written_is_left_out() -> None:
    names = sorted(each.name for each in pkgutil.iter_modules(checks.__path__))
    modules = [importlib.import_module(f"{checks.__name__}.{name}") for name in names]

    written = {id(one): one.check_id for module in modules for one in getattr(module, "CHECKS", ())}

    assert Counter(written.values()) == Counter({one.check_id: 1 for one in all_checks()})


def test_catalogue_has_at_least_forty_checks() -> None:
    assert len(all_checks()) >= 40


def test_every_letter_of_a_check_is_a_group_of_the_index() -> None:
    assert {one.check_id[:1] for one in all_checks()} == set(GROUPS)


def test_index_links_every_check_once() -> None:
    index = pages()[INDEX]

    assert [index.count(f"({one.check_id}.md)") for one in all_checks()] == [1] * len(all_checks())


def test_every_limit_has_a_meaning_and_every_threshold_is_a_limit() -> None:
    limits = {each.name for each in fields(Limits)}

    assert set(LIMITS) == limits
    assert {name for one in all_checks() for name in one.thresholds} <= limits


def test_page_shows_limits_with_their_defaults() -> None:
    assert f"| `stale` | {Limits().stale} days |" in pages()["A1.md"]


def test_every_check_says_where_it_reads_and_what_to_do() -> None:
    empty = [one.check_id for one in all_checks() if not (one.source and one.permission and one.traps and one.fix)]

    assert empty == []


@pytest.mark.parametrize("name", [*pages()])
def test_code_on_the_page_is_closed_and_calls_are_code(name: str) -> None:
    lines = pages()[name].splitlines()

    outside = ["".join(line.split("`")[::2]) for line in lines if not line.startswith("<!--")]
    assert all(line.count("`") % 2 == 0 for line in lines)
    assert [line for line in outside if "{" in line or "/applications" in line] == []


def test_page_of_a_check_that_is_gone_is_removed_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / "Z9.md").write_text("gone")
    (tmp_path / "notes.txt").write_text("mine")

    write(tmp_path, pages())

    assert out_of_date(tmp_path, pages()) == []
    assert {path.name for path in tmp_path.iterdir()} == {*pages(), "notes.txt"}


def test_check_names_what_is_out_of_date_and_writes_nothing(tmp_path: Path) -> None:
    write(tmp_path, pages())
    (tmp_path / "A1.md").write_text("by hand")
    (tmp_path / "A2.md").unlink()
    (tmp_path / "Z9.md").write_text("gone")

    ran = _run("--check", "--folder", str(tmp_path))

    named = ["A1.md: differs from the catalogue", "A2.md: is missing", "Z9.md: no such check"]
    assert (ran.returncode, ran.stderr.splitlines()[:3]) == (1, named)
    assert (tmp_path / "A1.md").read_text() == "by hand"
    assert not (tmp_path / "A2.md").exists()


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"

    codes = [_run("--folder", str(folder)).returncode for folder in (first, second)]

    assert codes == [0, 0]
    assert {one.name: one.read_bytes() for one in first.iterdir()} == {
        one.name: one.read_bytes() for one in second.iterdir()
    }
